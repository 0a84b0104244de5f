//! What a comparison is asked for with.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::Args;

use super::loads::Load;

/// Direct, nginx and the gateway under the same loads, in turns.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The gateway to measure, a path or NAME=PATH; several are compared with each other. Without it the release build
    /// is made and measured.
    #[arg(long, value_name = "[NAME=]PATH")]
    pub(crate) gateway: Vec<Named>,
    /// Only these loads; without it all.
    #[arg(long, value_enum)]
    pub(crate) load: Vec<Load>,
    /// Turns of every way under each load; the figures are their medians.
    #[arg(long)]
    pub(crate) rounds: Option<usize>,
    /// Requests of one turn, where they are small.
    #[arg(long)]
    pub(crate) requests: Option<u64>,
    /// The loads that have budgets, in about a minute.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Fails where a budget of `perf/budgets.toml` is not held.
    #[arg(long)]
    pub(crate) check: bool,
    /// A folder for the report and the figures of every turn.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

/// A program and what the report calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Named {
    /// The program that is measured where none is named.
    pub(crate) fn only(path: PathBuf) -> Self {
        let name = "gateway".to_owned();
        Self { name, path }
    }
}

impl FromStr for Named {
    type Err = std::convert::Infallible;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let (name, path) = typed.split_once('=').unwrap_or(("gateway", typed));
        Ok(Self {
            name: name.to_owned(),
            path: Path::new(path).to_owned(),
        })
    }
}

/// The same programs, none with the name of an earlier one.
pub(super) fn told_apart(gateways: &[Named]) -> Vec<Named> {
    let mut apart: Vec<Named> = Vec::with_capacity(gateways.len());
    for (number, gateway) in (1..).zip(gateways) {
        let mut gateway = gateway.clone();
        if apart.iter().any(|earlier| earlier.name == gateway.name) {
            gateway.name = format!("{} {number}", gateway.name);
        }
        apart.push(gateway);
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_of_the_same_name_are_told_apart() {
        let gateways = ["./a", "b=./b", "./c"].map(|typed| typed.parse::<Named>().unwrap());
        let names: Vec<String> = told_apart(&gateways)
            .into_iter()
            .map(|named| named.name)
            .collect();
        assert_eq!(names, ["gateway", "b", "gateway 3"]);
    }

    #[test]
    fn a_gateway_may_have_a_name() {
        let named = |typed: &str| typed.parse::<Named>().unwrap();
        assert_eq!(named("./g"), Named::only("./g".into()));
        assert_eq!(named("old=./g").name, "old");
        assert_eq!(named("old=./g").path, Path::new("./g"));
    }
}
