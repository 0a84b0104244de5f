//! How often one caller may ask: a bucket per key, refilled over a minute.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{self, Clock as _},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use crate::telemetry::{Clock, Stamp};

/// The limit of one key: so many requests a minute, all of them at once if the caller was silent before.
#[derive(Debug)]
pub(super) struct CallerLimit {
    bucket: RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>,
}

impl CallerLimit {
    /// A full bucket. A limit of 0 lets one request a minute through: a key that may not ask at all is no key.
    pub(super) fn per_minute(requests: u32, clock: Clock) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN));
        let ticks = Ticks { clock };
        Self {
            bucket: RateLimiter::direct_with_clock(quota, ticks),
        }
    }

    /// Takes one request out of the bucket, or says when there will be one.
    pub(super) fn admit(&self) -> Result<(), Duration> {
        self.bucket
            .check()
            .map_err(|empty| empty.wait_time_from(self.bucket.clock().now()))
    }
}

/// The gateway's clock in the words of the bucket.
#[derive(Clone, Debug)]
struct Ticks {
    clock: Clock,
}

impl clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.clock.now().since(Stamp::default()).into()
    }
}
