//! Where one bench leaves what another reads.

use std::path::{Path, PathBuf};

/// Callgrind's files, one folder for each function that was counted.
pub(crate) fn instructions() -> PathBuf {
    target().join("gungraun/mcp-gateway/core_instructions")
}

fn target() -> &'static Path {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch)
}
