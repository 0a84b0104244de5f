//! Does every budget hold? The last of the benches: holds what the others left under `target/` to `perf/budgets.toml`.
//!
//! Cargo runs benches by name, so this one comes last. It takes away what it has read: nothing is told twice, and what was
//! measured before the code changed cannot pass for new.

#[path = "table/budgets.rs"]
mod budgets;
#[path = "../perf/contend/src/budgets.rs"]
mod contention;
#[path = "shared/left.rs"]
mod left;
#[path = "table/measured.rs"]
mod measured;
#[path = "table/row.rs"]
mod row;

use std::process::ExitCode;

use budgets::Budgets;
use row::{Held, Row};

fn main() -> ExitCode {
    match rows() {
        Ok(rows) => report(&rows),
        Err(error) => {
            eprintln!("perf/budgets.toml cannot be read: {error}");
            ExitCode::FAILURE
        }
    }
}

fn rows() -> Result<Vec<Row>, toml::de::Error> {
    let budgets = Budgets::read()?;
    let instructions = budgets.instructions.iter();
    let contention = contention::read()?;
    let ratios = budgets.ratio.iter();
    let rows = instructions
        .map(|budget| budget.row(measured::instructions(&budget.name)))
        .chain(
            contention
                .iter()
                .map(|budget| budget.row(measured::contention(&budget.name))),
        )
        .chain(ratios.map(|budget| budget.row()))
        .collect();
    measured::take_away();
    Ok(rows)
}

fn report(rows: &[Row]) -> ExitCode {
    eprintln!("{}", row::table(rows));
    let broken = rows.iter().filter(|row| row.held == Held::No).count();
    let unknown = rows.iter().filter(|row| row.held == Held::NotMeasured);
    let unknown = unknown.count();
    if unknown > 0 {
        eprintln!("{unknown} not measured: the command beside each measures it.");
    }
    if broken == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("{broken} of {} budgets do not hold.", rows.len());
    ExitCode::FAILURE
}
