//! Runs a situation in every interleaving, and makes sure that there was something to interleave.

use std::sync::{Arc, Mutex, PoisonError};

/// Runs `situation` once for each interleaving that can make a difference.
///
/// # Panics
/// If the situation panics in one of them, or if loom found fewer than `at_least`: then the threads do not meet.
pub fn explore(at_least: usize, situation: impl Fn() + Send + Sync + 'static) {
    let runs = Arc::new(Mutex::new(0_usize));
    let counted = Arc::clone(&runs);
    check(None, move || {
        *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        situation();
    });
    enough(
        *runs.lock().unwrap_or_else(PoisonError::into_inner),
        at_least,
    );
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
