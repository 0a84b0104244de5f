//! Where one bench leaves what another reads.

use std::path::{Path, PathBuf};

/// This place under `target/`.
pub(crate) fn under_target(place: &str) -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join(place)
}
