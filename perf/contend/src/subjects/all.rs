//! Everything in one row.

use super::{ours, shape, snapshots};
use crate::subject::Subject;

/// All subjects of this build.
pub(crate) fn all() -> Vec<Subject> {
    let subjects = ours::all().into_iter().chain(shape::all());
    let subjects = subjects.chain(snapshots::all()).chain(libraries());
    subjects.collect()
}

#[cfg(feature = "rivals")]
fn libraries() -> impl Iterator<Item = Subject> {
    use super::rivals;
    rivals::breakers().into_iter().chain(rivals::recorders())
}

#[cfg(not(feature = "rivals"))]
fn libraries() -> impl Iterator<Item = Subject> {
    std::iter::empty()
}

/// The latency of the `number`th call, in microseconds: none twice in a row, so that no bucket stays warmer than it would.
pub(super) const fn latency_us(number: u64) -> u64 {
    100 + ((number * 97) & 0x3fff)
}
