//! How many calls may flow in a length of time: to one backend, or from one caller.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock as Source,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use crate::{
    failsafe::settings::RateLimitConfig,
    telemetry::{Clock, Stamp},
};

/// A token bucket, or none. It reads the clock itself, and only where a limit is set: a stamp that was
/// taken before a wait in the queue would make the bucket run late.
#[derive(Debug)]
pub struct RateLimit(Option<Bucket>);

type Bucket = RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Nanos>>;

/// The project's clock as governor asks for one: nanoseconds since the clock was made.
#[derive(Clone, Debug)]
struct Monotonic(Clock);

impl Source for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.now().since(Stamp::default()).into()
    }
}

impl RateLimit {
    /// The limit that a configuration asks for; a rate or a burst of 0 is taken as 1.
    #[must_use]
    pub fn new(config: &RateLimitConfig, clock: Clock) -> Self {
        let quota = Quota::per_second(at_least_one(config.requests_per_second))
            .allow_burst(at_least_one(config.burst_size));
        Self(config.enabled.then(|| bucket(quota, clock)))
    }

    /// So many calls a minute, all of them at once after a silence; 0 is taken as 1.
    #[must_use]
    pub fn per_minute(calls: u32, clock: Clock) -> Self {
        Self(Some(bucket(Quota::per_minute(at_least_one(calls)), clock)))
    }

    /// Takes one call from the bucket.
    ///
    /// # Errors
    /// The time until the next call may go.
    pub fn take(&self) -> Result<(), Duration> {
        self.0.as_ref().map_or(Ok(()), |bucket| {
            bucket
                .check()
                .map_err(|early| early.wait_time_from(bucket.clock().now()))
        })
    }
}

fn bucket(quota: Quota, clock: Clock) -> Bucket {
    RateLimiter::direct_with_clock(quota, Monotonic(clock))
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(requests_per_second: u32, burst_size: u32) -> (RateLimit, impl Fn(Duration)) {
        let (clock, advance) = Clock::mocked();
        let config = RateLimitConfig {
            enabled: true,
            requests_per_second,
            burst_size,
        };
        (RateLimit::new(&config, clock), advance)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_next_call_when_its_token_is_there() {
        let (limit, advance) = limit(10, 3);
        for _ in 0..3 {
            assert_eq!(limit.take(), Ok(()));
        }
        assert_eq!(limit.take(), Err(Duration::from_millis(100)));
        advance(Duration::from_millis(60));
        assert_eq!(limit.take(), Err(Duration::from_millis(40)));
        advance(Duration::from_millis(40));
        assert_eq!(limit.take(), Ok(()));
        assert!(limit.take().is_err());
    }

    #[test]
    fn a_long_silence_fills_the_bucket_and_no_more() {
        let (limit, advance) = limit(100, 2);
        advance(Duration::from_secs(3_600));
        assert_eq!((0..10).filter(|_| limit.take().is_ok()).count(), 2);
    }

    #[test]
    fn so_many_a_minute_go_at_once_and_then_one_after_the_other() {
        let (clock, advance) = Clock::mocked();
        let limit = RateLimit::per_minute(2, clock);
        assert_eq!((0..10).filter(|_| limit.take().is_ok()).count(), 2);
        assert_eq!(limit.take(), Err(Duration::from_secs(30)));
        advance(Duration::from_secs(30));
        assert_eq!(limit.take(), Ok(()));
    }

    #[test]
    fn without_a_limit_every_call_goes() {
        let limit = RateLimit::new(&RateLimitConfig::default(), Clock::new());
        assert!((0..1_000).all(|_| limit.take().is_ok()));
    }
}
