//! A bad sample for every rule, so that the checker is itself checked; and good ones that it must let pass.

use crate::{
    rules::{
        FILE_LINES, FUNCTION_LINES, Fault, clock, documented, doors, floors, folder, opening, root,
        sizes,
    },
    source::Source,
};

fn lines(faults: &[Fault]) -> Vec<usize> {
    faults.iter().map(|fault| fault.line).collect()
}

#[test]
fn a_floor_that_imports_upward_is_named_with_line_and_sentence() {
    let source = Source::new(
        "src/failsafe/retry.rs",
        "//! Retry.\nuse crate::protocol::Message;\nuse crate::backend::Call;\n",
    );
    let faults = floors(&source);
    assert_eq!(lines(&faults), [3]);
    assert_eq!(
        faults[0].sentence,
        "the floor `failsafe` may not import the floor `backend` above it"
    );
}

#[test]
fn an_upward_import_is_found_in_groups_and_in_expressions() {
    let text = "//! Call.\nuse crate::{\n    protocol::{Message, codes},\n    gateway::{Inbound, replies::{self, Reply}},\n};\nfn f() { crate::server::run(); }\n";
    assert_eq!(
        lines(&floors(&Source::new("src/backend/call.rs", text))),
        [4, 4, 4, 6]
    );
}

#[test]
fn only_cli_imports_config() {
    let text = "//! X.\nuse crate::config::Loaded;\n";
    assert_eq!(floors(&Source::new("src/server/run.rs", text)).len(), 1);
    assert_eq!(floors(&Source::new("src/cli/serve.rs", text)), []);
}

#[test]
fn comments_strings_and_lifetimes_are_not_code() {
    let text = r##"//! X: crate::cli::a
/* crate::cli::b /* crate::cli::c */ crate::cli::d */
const A: &str = "crate::cli::e \" crate::cli::f";
const B: &str = r#"crate::cli::g " crate::cli::h"#;
const C: [char; 3] = ['"', '\'', '\u{1F}'];
const D: &[u8] = b"crate::cli::i";
fn f<'a>(x: &'a str) -> &'a str { x } // crate::cli::j
use crate::cli::found;
"##;
    assert_eq!(lines(&floors(&Source::new("src/lockfree/x.rs", text))), [8]);
}

#[test]
fn a_folder_that_is_no_floor_is_refused() {
    assert_eq!(
        floors(&Source::new("src/helpers/x.rs", "//! Helpers.\n")).len(),
        1
    );
}

#[test]
fn atomics_are_named_only_behind_their_door() {
    let text = "//! X.\nuse std::{fmt, sync::{Arc, atomic::{AtomicU64, Ordering}}};\nuse core::sync::atomic::AtomicBool;\nuse std::sync;\nfn f() { sync::atomic::fence(Ordering::SeqCst); }\n";
    let found = lines(&doors(&Source::new("src/gateway/metrics.rs", text)));
    assert_eq!(found, [2, 2, 3, 5, 5]);
    assert_eq!(doors(&Source::new("src/lockfree/sync.rs", text)), []);
}

#[test]
fn a_module_called_atomic_is_not_the_crate() {
    let text = "//! X.\nmod atomic;\npub use atomic::Breaker;\n";
    assert_eq!(doors(&Source::new("src/lockfree/breaker/mod.rs", text)), []);
}

#[test]
fn the_server_side_of_hyper_stays_on_its_floor() {
    let text = "//! X.\nuse hyper::{body::Incoming, server::conn::http1};\n";
    assert_eq!(lines(&doors(&Source::new("src/gateway/x.rs", text))), [2]);
    assert_eq!(doors(&Source::new("src/server/x.rs", text)), []);
}

#[test]
fn the_core_and_the_protocol_do_without_a_runtime() {
    let text = "//! X.\nuse tokio::time::Instant;\n";
    assert_eq!(lines(&doors(&Source::new("src/lockfree/x.rs", text))), [2]);
    assert_eq!(lines(&doors(&Source::new("src/protocol/x.rs", text))), [2]);
    assert_eq!(doors(&Source::new("src/failsafe/x.rs", text)), []);
}

#[test]
fn only_the_clock_reads_a_clock_but_tokio_keeps_deadlines() {
    let std_text = "//! X.\nuse std::time::{Duration, Instant as Moment};\nfn f() { Moment::now(); std::time::SystemTime::now(); }\n";
    assert_eq!(
        lines(&clock(&Source::new("src/backend/x.rs", std_text))),
        [3, 3]
    );
    assert_eq!(clock(&Source::new("src/telemetry/clock.rs", std_text)), []);
    let tokio_text = "//! X.\nuse tokio::time::Instant;\nfn f() { Instant::now(); tokio::time::Instant::now(); }\n";
    assert_eq!(clock(&Source::new("src/backend/x.rs", tokio_text)), []);
}

#[test]
fn nothing_goes_through_the_crate_root() {
    let text = "//! X.\nuse crate::Gateway;\nuse crate::*;\nuse super::super::cli;\nuse super::call::Call;\npub(crate) fn f() {}\nuse crate::backend::Call as C;\nuse crate as root;\n";
    assert_eq!(
        lines(&root(&Source::new("src/backend/x.rs", text))),
        [2, 3, 4, 8]
    );
}

#[test]
fn an_inline_module_stands_one_deeper() {
    let text = "//! X.\nmod tests {\n    use super::super::mod_of_folder;\n    use super::super::super::cli;\n}\nuse super::sibling;\n";
    assert_eq!(lines(&root(&Source::new("src/backend/x.rs", text))), [4]);
}

#[test]
fn a_file_or_function_that_outgrows_one_reading_is_refused() {
    let body = "    f();\n\n    // a comment\n".repeat(FUNCTION_LINES + 1);
    let long = format!("//! X.\nfn long() {{\n{body}}}\n");
    let faults = sizes(&Source::new("src/cli/x.rs", &long));
    assert_eq!(lines(&faults), [2]);
    assert!(
        faults[0].sentence.contains("`long` has 61 code lines"),
        "{}",
        faults[0].sentence
    );
    let many = format!("//! X.\n{}", "const A: u8 = 1;\n".repeat(FILE_LINES + 1));
    assert_eq!(lines(&sizes(&Source::new("src/cli/x.rs", &many))), [1]);
}

#[test]
fn test_modules_do_not_count_to_the_size_of_a_file() {
    let tests = "const A: u8 = 1;\n".repeat(FILE_LINES);
    let text =
        format!("//! X.\nfn f() {{}}\n#[cfg(all(test, not(loom)))]\nmod tests {{\n{tests}}}\n");
    assert_eq!(Source::new("src/cli/x.rs", &text).code_lines(), 1);
    let product = text.replace("all(test, not(loom))", "not(test)");
    assert_eq!(sizes(&Source::new("src/cli/x.rs", &product)).len(), 1);
}

#[test]
fn a_file_begins_with_its_question() {
    assert_eq!(
        opening(&Source::new("src/cli/x.rs", "use std::fmt;\n//! Late.\n")).len(),
        1
    );
    assert_eq!(
        opening(&Source::new("src/cli/x.rs", "//!\nfn f() {}\n")).len(),
        1
    );
    assert_eq!(
        opening(&Source::new("src/cli/x.rs", "//! What a person types.\n")),
        []
    );
}

#[test]
fn the_page_of_a_folder_defines_nothing() {
    let good =
        "//! X.\n#![cfg(unix)]\nmod a;\n#[cfg(test)]\nmod tests;\npub(crate) use a::{B, C};\n";
    assert_eq!(folder(&Source::new("src/cli/mod.rs", good)), []);
    let bad = format!("{good}pub struct D {{ e: u8 }}\nmod inline {{ }}\nfn f() {{}}\n");
    assert_eq!(
        lines(&folder(&Source::new("src/cli/mod.rs", &bad))),
        [7, 8, 9]
    );
    assert_eq!(folder(&Source::new("src/cli/serve.rs", &bad)), []);
}

#[test]
fn the_table_of_the_architecture_page_is_read_bottom_to_top() {
    let page = "//! Title.\n//! | floor | what |\n//! |---|---|\n//! | `cli` | a |\n//! | `lockfree` | b |\n";
    assert_eq!(documented(page), ["lockfree", "cli"]);
}
