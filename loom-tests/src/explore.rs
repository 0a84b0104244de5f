//! Runs a situation in every interleaving, and makes sure that there was something to interleave.

use std::sync::{Arc, Mutex, PoisonError};

/// Runs `situation` once for each interleaving that can make a difference.
///
/// # Panics
/// If the situation panics in one of them, or if loom found fewer than `at_least`: then the threads do not meet.
pub fn explore(at_least: usize, situation: impl Fn() + Send + Sync + 'static) {
    enough(interleavings(None, situation), at_least);
}

/// Does the same for the interleavings with at most so many preemptions: for situations of which all would be too many.
///
/// # Panics
/// As [`explore`].
pub fn explore_within(
    preemptions: usize,
    at_least: usize,
    situation: impl Fn() + Send + Sync + 'static,
) {
    enough(interleavings(Some(preemptions), situation), at_least);
}

fn interleavings(
    preemptions: Option<usize>,
    situation: impl Fn() + Send + Sync + 'static,
) -> usize {
    let runs = Arc::new(Mutex::new(0_usize));
    let counted = Arc::clone(&runs);
    check(preemptions, move || {
        *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        situation();
    });
    *runs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Panics
/// If there were fewer interleavings than `at_least`: then the threads do not meet as they did.
pub fn enough(interleavings: usize, at_least: usize) {
    assert!(
        interleavings >= at_least,
        "only {interleavings} interleavings, not {at_least}"
    );
}

/// Loom without its log, which costs a tenth of the time.
pub(crate) fn check(preemptions: Option<usize>, run: impl Fn() + Send + Sync + 'static) {
    let mut loom = loom::model::Builder::new();
    loom.preemption_bound = preemptions.or(loom.preemption_bound);
    loom.check(run);
}
