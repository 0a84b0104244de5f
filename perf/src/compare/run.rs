//! One comparison from the build to the report.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
};

use clap::ValueEnum;

use super::{
    budgets::Budgets,
    loads::Load,
    options::{Named, Options, told_apart},
    report::{Measured, RAW_HEAD},
    rounds::{Amount, take},
    stage::Stage,
};
use crate::{machine, subject::build};

/// A full run takes its time; a quick one is for the gate.
const FULL: Amount = Amount {
    rounds: 15,
    requests: 4_000,
    seconds: 60,
};
const QUICK: Amount = Amount {
    rounds: 25,
    requests: 1_500,
    seconds: 8,
};

/// Measures, and prints each table when it is there.
pub(crate) fn run(options: &Options) -> io::Result<()> {
    let gateways = gateways(options)?;
    let mut report = Report::default();
    report.add(&machine::describe())?;
    for Named { name, path } in &gateways {
        report.add(&format!("{name}: {}\n", path.display()))?;
    }
    let stage = Stage::set(&gateways)?;
    let mut measured = Vec::new();
    for load in loads(options) {
        let mut ways = stage.ways(load)?;
        take(load, &mut ways, amount(options))?;
        let one = Measured { load, ways };
        report.add(&one.to_string())?;
        report.raw.push_str(&one.raw());
        measured.push(one);
    }
    report.add(&memory(&stage)?)?;
    let budgets = Budgets::committed()?;
    let verdict = budgets.judge(&measured);
    report.add(&verdict.to_string())?;
    if let Some(folder) = &options.out {
        report.keep(folder)?;
    }
    if options.check {
        verdict.check()
    } else {
        Ok(())
    }
}

/// What was printed, and the figures of every turn.
#[derive(Default)]
struct Report {
    text: String,
    raw: String,
}

impl Report {
    fn add(&mut self, text: &str) -> io::Result<()> {
        self.text.push_str(text);
        io::stdout().write_all(text.as_bytes())
    }

    fn keep(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.txt"), &self.text)?;
        fs::write(folder.join("turns.tsv"), format!("{RAW_HEAD}{}", self.raw))
    }
}

fn gateways(options: &Options) -> io::Result<Vec<Named>> {
    if options.gateway.is_empty() {
        return Ok(vec![Named::only(build()?)]);
    }
    Ok(told_apart(&options.gateway))
}

fn loads(options: &Options) -> Vec<Load> {
    if !options.load.is_empty() {
        return options.load.clone();
    }
    let all = Load::value_variants().iter().copied();
    all.filter(|load| !options.quick || load.is_budgeted())
        .collect()
}

fn amount(options: &Options) -> Amount {
    let amount = if options.quick { QUICK } else { FULL };
    Amount {
        rounds: options.rounds.unwrap_or(amount.rounds),
        requests: options.requests.unwrap_or(amount.requests),
        ..amount
    }
}

fn memory(stage: &Stage) -> io::Result<String> {
    let mut text = "\nresident memory after the load:".to_owned();
    let mut add = |name: &str, kib: u64| {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            " {name} {}.{} MiB",
            kib / 1024,
            kib % 1024 * 10 / 1024
        );
    };
    for subject in &stage.gateways {
        add(&subject.name, subject.quiet.account().resident_kib()?);
    }
    if let Some(nginx) = &stage.nginx {
        add("nginx", nginx.account().resident_kib()?);
    }
    text.push('\n');
    Ok(text)
}
