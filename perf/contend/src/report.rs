//! How figures, ratios and verdicts are written.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use crate::{
    budgets::Budget,
    figures::{Figure, Figures},
    ratios::Ratio,
    subject::{Group, Subject},
};

/// A table for each group, whose first row the others are compared with.
pub(crate) fn print(subjects: &[Subject], figures: &Figures) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for group in Group::ALL {
        let mut names = subjects.iter().filter(|subject| subject.group == group);
        let rows: Vec<_> = names.by_ref().map(|subject| subject.name).collect();
        writeln!(out, "\n{}\n", group.title())?;
        writeln!(
            out,
            "| who | alone, ns | to the first | two threads, ns | to the first | batches dropped |"
        )?;
        writeln!(out, "|---|---:|---:|---:|---:|---:|")?;
        for name in &rows {
            let pair = |name| [1, 2].map(|threads| figures.of(group, name, threads));
            writeln!(
                out,
                "{}",
                row(name, pair(name), rows.first().map(|first| pair(first)))
            )?;
        }
    }
    Ok(())
}

fn row(name: &str, figures: [Option<&Figure>; 2], first: Option<[Option<&Figure>; 2]>) -> String {
    let mut line = format!("| {name} |");
    for (index, figure) in figures.iter().enumerate() {
        let nanos = figure.and_then(Figure::nanos);
        let first = first.and_then(|first| first[index]);
        let ratio = figure
            .zip(first)
            .and_then(|(figure, first)| figure.by(first));
        let _ = write!(line, " {} | {} |", number(nanos), number(ratio));
    }
    let dropped: usize = figures.iter().flatten().map(|figure| figure.dropped).sum();
    let kept: usize = figures.iter().flatten().map(|figure| figure.kept).sum();
    line + &format!(" {dropped} of {} |", dropped + kept)
}

/// Three digits, or a dash where nothing was measured.
fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    })
}

/// One ratio a line, as the bench `table` reads them.
pub(crate) fn lines(ratios: &[Ratio]) -> String {
    let known = ratios
        .iter()
        .filter_map(|ratio| Some((ratio.name, ratio.value?)));
    known
        .map(|(name, value)| format!("{name}\t{value:.3}\n"))
        .collect()
}

/// Prints each budget with its ratio. Whether all that were measured hold.
pub(crate) fn verdicts(budgets: &[Budget], ratios: &[Ratio]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\n| budget | goal | gate | measured | |\n|---|---|---|---:|---|"
    )?;
    let mut held = true;
    for budget in budgets {
        let ratio = ratios.iter().find(|ratio| ratio.name == budget.name);
        let value = ratio.and_then(|ratio| ratio.value);
        let verdict = match value.map(|value| budget.holds(value)) {
            Some(true) => "held",
            Some(false) => "NOT HELD",
            None => &format!("not measured: {}", budget.command),
        };
        held &= verdict != "NOT HELD";
        let (goal, gate) = (budget.goal(), budget.gate());
        writeln!(
            out,
            "| {} | {goal} | {gate} | {} | {verdict} |",
            budget.name,
            number(value)
        )?;
    }
    Ok(held)
}
