//! What definitions may ask of the environment of a configuration.

use std::path::PathBuf;

use crate::{capability::Surroundings, config::Environment, telemetry::Secret};

/// The variables that a configuration may speak of.
pub(super) struct Known<'a>(pub(super) &'a Environment);

impl Surroundings for Known<'_> {
    fn variable(&self, name: &str) -> Option<Secret> {
        self.0.value(name).map(Secret::new)
    }

    fn path(&self, text: &str) -> PathBuf {
        self.0.path(text)
    }
}
