//! For how long an answer may be given again.

use std::time::Duration;

/// Whether answers are kept. Only those of read-only capabilities ever are:
/// [`Definition::cached_for`](super::Definition::cached_for) says for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CachePolicy {
    /// Every call goes out.
    #[default]
    Off,
    /// A call with the same arguments has the same answer for this long.
    Exact {
        /// How long an answer stays good.
        ttl: Duration,
    },
}
