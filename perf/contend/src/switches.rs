//! Did something else take this thread's core away?

use std::{fs::File, io, os::unix::fs::FileExt};

/// How often the kernel took this thread off its core against its will. A thread that goes to sleep by itself, because the
/// lock that it wants is taken, pays for what is measured and is not disturbed.
pub(crate) struct Switches(File);

impl Switches {
    pub(crate) fn of_this_thread() -> io::Result<Self> {
        File::open("/proc/thread-self/status").map(Self)
    }

    /// The count so far; none if the kernel does not tell.
    pub(crate) fn count(&self) -> Option<u64> {
        let mut text = [0; 4096];
        let length = self.0.read_at(&mut text, 0).ok()?;
        let text = str::from_utf8(text.get(..length)?).ok()?;
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
        line?.trim().parse().ok()
    }
}
