//! Service level objectives: what backends and tools are held to, how fast the room for errors burns, and who is told.
//! Everything is computed from totals that are counted anyway; a request pays nothing for it.

mod alarm;
mod burn;
mod report;
mod series;
mod settings;
mod totals;
mod watch;
mod windows;

pub(super) use alarm::Alarms;
pub use report::{Burn, ObjectiveReport};
pub use settings::{LatencyObjective, Objectives, SloSettings};
pub(super) use totals::is_bad_for_tool;
pub(super) use watch::Watched;
