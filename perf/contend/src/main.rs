//! How much does a call cost beside another thread's calls, ours against every rival's?
//!
//! `cargo run --release -p contend --features rivals` measures all; without the feature it measures ours and the usual shape.

mod arguments;
mod budgets;
mod crew;
mod figures;
mod ratios;
mod report;
mod start_line;
mod subject;
mod subjects;
mod switches;

use std::{fs, io, process::ExitCode};

use arguments::Arguments;
use clap::Parser;
use crew::Crew;
use figures::Figures;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("The measurement ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every budget that was to be checked holds.
fn run(arguments: &Arguments) -> io::Result<bool> {
    let mut subjects = subjects::all();
    subjects.retain(|subject| subject.name.contains(&arguments.only));
    let figures = Figures::measure(&Crew::new()?, &subjects, arguments.effort());
    let ratios = ratios::of(&figures);
    report::print(&subjects, &figures)?;
    if let Some(file) = &arguments.ratios {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, report::lines(&ratios))?;
    }
    let budgets = budgets::read().map_err(io::Error::other)?;
    let held = report::verdicts(&budgets, &ratios)?;
    Ok(held || !arguments.check)
}
