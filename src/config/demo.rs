//! What is served when nothing is configured: this very program as a small server of its own.

use std::path::Path;

use crate::backend::{BackendSettings, StdioSettings, TransportSettings};

/// The backend `demo`: `program` with the argument `demo`.
pub(super) fn backend(program: &Path) -> BackendSettings {
    let child = StdioSettings::new(program.to_string_lossy(), &["demo"]);
    let transport = TransportSettings::Stdio(child);
    let mut settings = BackendSettings::new("demo", transport);
    settings.description =
        Some("Built in, to try the gateway with: echo, add, sleep and fail".to_owned());
    settings
}
