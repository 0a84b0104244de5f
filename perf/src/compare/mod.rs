//! The comparison: the same load on every way in turn, round after round, and what comes of it.

mod budgets;
mod loads;
mod options;
mod report;
mod rounds;
mod run;
mod stage;
mod statistics;

pub(crate) use options::Options;
pub(crate) use run::run;
pub(crate) use statistics::median;
