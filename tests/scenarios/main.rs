//! What real use breaks, played against the built binary: one line below for each situation.
//!
//! `cargo test --test scenarios` plays all of them, `cargo test --test scenarios 06` some. The same executable plays the
//! scripted stdio backend when its first argument is `scripted-backend`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a situation fails by panicking, like every test, and writes `json!` where it calls"
)]

mod scripts;
#[expect(
    dead_code,
    unused_imports,
    reason = "the fixture of the built binary is used by situations that need a serving binary"
)]
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("scripted-backend") {
        return support::scripted_stdio::main(arguments);
    }
    let mut arguments = Arguments::from_args();
    // Situations wait far more than they compute.
    arguments.test_threads.get_or_insert(8);
    libtest_mimic::run(&arguments, situations()).exit_code()
}

fn situations() -> Vec<Trial> {
    [scripts()].into_iter().flatten().collect()
}

fn scripts() -> Vec<Trial> {
    vec![
        play(
            "00 the scripted stdio backend follows its script",
            scripts::stdio,
        ),
        play(
            "00 the scripted stdio backend writes down what reached it",
            scripts::journal,
        ),
        play(
            "00 the scripted HTTP backend follows its script",
            scripts::http,
        ),
        play(
            "00 the scripted HTTP backend closes and comes back on its port",
            scripts::port,
        ),
    ]
}

fn play(name: &str, situation: fn()) -> Trial {
    Trial::test(name, move || {
        situation();
        Ok(())
    })
}
