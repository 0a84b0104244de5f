//! What the ratios to nginx may be: `perf/budgets.toml`, and whether a run holds it.

use std::{
    fmt::{self, Write},
    io,
};

use serde::Deserialize;

use super::{
    report::Measured,
    stage::{NGINX, OBSERVED},
};

const FILE: &str = include_str!("../../budgets.toml");

/// The part of the file that a comparison keeps.
#[derive(Debug, Deserialize)]
pub(super) struct Budgets {
    ratio: Vec<Ratio>,
}

/// Processor time of a call through the gateway by that of the same call another way.
#[derive(Debug, Deserialize)]
struct Ratio {
    /// The load.
    name: String,
    /// The other way.
    #[serde(default)]
    to: Yardstick,
    /// Where it is to be.
    goal: f64,
    /// Above this the check fails: the goal with room for what a busy machine adds.
    gate: f64,
}

/// What a gateway is measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Yardstick {
    /// nginx as a plain proxy.
    #[default]
    Nginx,
    /// Itself without its instruments.
    AllOff,
}

/// One budget beside what was measured for it.
#[derive(Debug)]
struct Line<'a> {
    ratio: &'a Ratio,
    gateway: &'a str,
    /// None where there was no nginx.
    measured: Option<f64>,
}

/// All budgets that a run measured.
#[derive(Debug)]
pub(super) struct Verdict<'a>(Vec<Line<'a>>);

impl Budgets {
    /// Those that are committed.
    pub(super) fn committed() -> io::Result<Self> {
        toml::from_str(FILE).map_err(io::Error::other)
    }

    /// Lays what was measured beside the budgets.
    pub(super) fn judge<'a>(&'a self, measured: &'a [Measured]) -> Verdict<'a> {
        let mut lines = Vec::new();
        for measured in measured {
            let name = measured.load.name();
            let Some(ratio) = self.ratio.iter().find(|ratio| ratio.name == name) else {
                continue;
            };
            for way in measured.gateways() {
                let other = match ratio.to {
                    Yardstick::Nginx => Some(NGINX),
                    Yardstick::AllOff => way.name.strip_suffix(OBSERVED),
                };
                lines.extend(other.map(|other| Line {
                    ratio,
                    gateway: &way.name,
                    measured: measured.cpu_by(way, other),
                }));
            }
        }
        Verdict(lines)
    }
}

impl Yardstick {
    const fn shown(self) -> &'static str {
        match self {
            Self::Nginx => NGINX,
            Self::AllOff => "all off",
        }
    }
}

impl Line<'_> {
    fn is_held(&self) -> bool {
        self.measured
            .is_some_and(|measured| measured <= self.ratio.gate)
    }
}

impl Verdict<'_> {
    /// Whether something was measured and no gate was passed.
    ///
    /// # Errors
    /// The names of the budgets that were not held.
    pub(super) fn check(&self) -> io::Result<()> {
        let mut failed = String::new();
        for line in self.0.iter().filter(|line| !line.is_held()) {
            // Writing to a string cannot fail.
            let _ = write!(failed, " {}", line.ratio.name);
        }
        if self.0.is_empty() {
            return Err(io::Error::other("no load was measured that has a budget"));
        }
        if failed.is_empty() {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "budgets that are not held:{failed}"
        )))
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<12}{:<18}{:<8}{:>9}{:>7}{:>7}  held",
            "CPU", "of", "to", "measured", "goal", "gate"
        )?;
        for line in &self.0 {
            let Ratio {
                name,
                to,
                goal,
                gate,
            } = line.ratio;
            let to = to.shown();
            let measured = line
                .measured
                .map_or_else(|| "-".to_owned(), |it| format!("{it:.2}"));
            let held = match line.measured {
                None => "not measured: apt-get install nginx-light",
                Some(_) if !line.is_held() => "NO",
                Some(measured) if measured > *goal => "yes, above its goal",
                Some(_) => "yes",
            };
            let gateway = line.gateway;
            writeln!(
                f,
                "{name:<12}{gateway:<18}{to:<8}{measured:>9}{goal:>7.2}{gate:>7.2}  {held}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::compare::loads::Load;

    fn line(ratio: &Ratio, measured: Option<f64>) -> Line<'_> {
        let gateway = "gateway";
        Line {
            ratio,
            gateway,
            measured,
        }
    }

    #[test]
    fn every_budget_is_of_a_load_that_a_quick_run_takes_and_the_other_way_round() {
        let budgets = Budgets::committed().unwrap();
        let loads = Load::value_variants().iter();
        let quick: Vec<String> = loads
            .filter(|load| load.is_budgeted())
            .map(|load| load.name())
            .collect();
        let named: Vec<&str> = budgets
            .ratio
            .iter()
            .map(|ratio| ratio.name.as_str())
            .collect();
        assert_eq!(named, quick);
        assert!(budgets.ratio.iter().all(|ratio| ratio.goal <= ratio.gate));
    }

    #[test]
    fn a_run_holds_when_everything_was_measured_and_nothing_is_above_its_gate() {
        let ratio = Ratio {
            name: "call_16".to_owned(),
            to: Yardstick::Nginx,
            goal: 1.5,
            gate: 2.0,
        };
        let holds = |measured: &[Option<f64>]| {
            let lines = measured.iter().map(|measured| line(&ratio, *measured));
            Verdict(lines.collect()).check().is_ok()
        };
        assert!(holds(&[Some(1.4), Some(2.0)]));
        assert!(!holds(&[Some(1.4), Some(2.1)]));
        assert!(!holds(&[Some(1.4), None]));
        assert!(!holds(&[]));
    }
}
