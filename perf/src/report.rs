//! The report: medians over all rounds, and differences and ratios taken within a round.

use std::fmt;

use crate::{
    compare::{Comparison, Way},
    footprint::Footprint,
    load::Turn,
};

/// Everything that was measured.
pub(crate) struct Report {
    pub(crate) machine: String,
    pub(crate) footprint: Footprint,
    pub(crate) comparisons: Vec<Comparison>,
    /// Resident memory of the gateway at rest after all load, in KiB.
    pub(crate) loaded_kib: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.machine)?;
        for comparison in &self.comparisons {
            table(f, comparison)?;
        }
        let (footprint, starts) = (&self.footprint, &self.footprint.starts_ms);
        let worst = starts.iter().copied().fold(0.0, f64::max);
        writeln!(
            f,
            "\nstart to first answer, no backends: median {:.1} ms, worst {worst:.1} ms of {} starts",
            footprint.start_ms(),
            starts.len()
        )?;
        writeln!(
            f,
            "resident memory: {} idle without backends, {} at rest after the load",
            mebibytes(footprint.idle_kib * 1024),
            mebibytes(self.loaded_kib * 1024)
        )?;
        writeln!(f, "binary: {}", mebibytes(footprint.binary_bytes))
    }
}

fn table(f: &mut fmt::Formatter<'_>, comparison: &Comparison) -> fmt::Result {
    let Some(direct) = comparison.ways.first() else {
        return Ok(());
    };
    let Comparison {
        title, connections, ..
    } = comparison;
    let rounds = direct.turns.len();
    writeln!(
        f,
        "\n{title}, {connections} connection(s) at once, medians of {rounds} rounds in turn; best: the quietest round"
    )?;
    writeln!(
        f,
        "{:<24}{:>9}{:>9}{:>9}{:>11}{:>10}{:>11}{:>11}{:>10}",
        "way",
        "p50 us",
        "best p50",
        "p99 us",
        "added p50",
        "x direct",
        "added p99",
        "CPU us/req",
        "req/s"
    )?;
    comparison
        .ways
        .iter()
        .try_for_each(|way| row(f, way, direct))
}

fn row(f: &mut fmt::Formatter<'_>, way: &Way, direct: &Way) -> fmt::Result {
    let (p50, p99) = (|turn: &Turn| turn.p50_us, |turn: &Turn| turn.p99_us);
    let added = |mine: f64, theirs: f64| mine - theirs;
    writeln!(
        f,
        "{:<24}{:>9.1}{:>9.1}{:>9.1}{:>11.1}{:>10.2}{:>11.1}{:>11.1}{:>10.0}",
        way.name,
        way.median(p50),
        way.least(p50),
        way.median(p99),
        way.against(direct, p50, added),
        way.against(direct, p50, |mine, theirs| mine / theirs),
        way.against(direct, p99, added),
        way.median(|turn| turn.cpu_us),
        way.median(|turn| turn.per_second),
    )
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Every turn as one line of tab-separated values.
pub(crate) fn raw(comparisons: &[Comparison]) -> String {
    let head = "load\tconnections\tway\tround\tp50_us\tp99_us\tcpu_us\tper_second\n";
    let lines = comparisons.iter().flat_map(|comparison| {
        let ways = comparison.ways.iter();
        ways.flat_map(|way| {
            way.turns
                .iter()
                .enumerate()
                .map(|(round, turn)| raw_line(comparison, way.name, round, turn))
        })
    });
    std::iter::once(head.to_owned()).chain(lines).collect()
}

fn raw_line(comparison: &Comparison, way: &str, round: usize, turn: &Turn) -> String {
    let Comparison {
        title, connections, ..
    } = comparison;
    let Turn {
        p50_us,
        p99_us,
        cpu_us,
        per_second,
    } = turn;
    format!(
        "{title}\t{connections}\t{way}\t{round}\t{p50_us:.2}\t{p99_us:.2}\t{cpu_us:.2}\t{per_second:.0}\n"
    )
}
