//! What one reading is handed, and what it finds on its way.

use std::cell::RefCell;

use super::{Environment, Finding, Place};

/// What one reading found. Reading never stops at the first problem.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: RefCell<Vec<Finding>>,
    warnings: RefCell<Vec<Finding>>,
}

impl Findings {
    pub(super) fn problem(&self, place: &Place, sentence: impl Into<String>) {
        self.problems
            .borrow_mut()
            .push(Finding::new(place, sentence));
    }

    pub(super) fn warn(&self, place: &Place, sentence: impl Into<String>) {
        self.warnings
            .borrow_mut()
            .push(Finding::new(place, sentence));
    }

    /// The problems and the warnings, each in the order of the file.
    pub(super) fn sorted(self) -> (Vec<Finding>, Vec<Finding>) {
        let sorted = |list: RefCell<Vec<Finding>>| {
            let mut list = list.into_inner();
            list.sort();
            list
        };
        (sorted(self.problems), sorted(self.warnings))
    }
}

/// What every reader is handed.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) environment: &'a Environment,
    pub(super) findings: &'a Findings,
}
