//! When a call is sent again, and after what pause: a pure decision about one attempt that did not work.

use std::time::Duration;

use super::{
    outcome::{Outcome, Retry},
    settings::RetryConfig,
};

/// One attempt that did not work, with all that decides whether there is another.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Which attempt it was, counted from 1.
    pub number: u32,
    /// What it came to.
    pub outcome: Outcome,
    /// Whether any part of the request may have reached the backend.
    pub sent: bool,
    /// Whether the request is safe to repeat although it may have run.
    pub repeatable: bool,
    /// Whether a repair (new session, new credential) was already tried for this call.
    pub repaired: bool,
    /// The pause the backend asked for.
    pub retry_after: Option<Duration>,
    /// Time left until the caller stops waiting.
    pub remaining: Duration,
}

/// How often and with which pauses a call is sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    max_attempts: u32,
    initial: Duration,
    longest: Duration,
    multiplier: f64,
}

impl RetryPolicy {
    /// The policy that a configuration asks for. A multiplier that is not a number of at least 1 is taken as 1.
    #[must_use]
    pub fn new(config: &RetryConfig) -> Self {
        Self {
            max_attempts: if config.enabled {
                config.max_attempts
            } else {
                1
            },
            initial: config.initial_backoff,
            longest: config.max_backoff,
            multiplier: config.multiplier.max(1.0),
        }
    }

    /// The pause before the next attempt, or `None` if this one was the last.
    ///
    /// Full jitter (Brooker, "Exponential Backoff And Jitter", 2015): the pause is drawn evenly between zero and the
    /// back-off of this attempt, and `draw` is the draw, all 32 bits of it. A pause that the backend asked for comes
    /// on top, so that callers who were refused together do not return together. A repair is tried once, at once, and
    /// does not count as an attempt. No pause ends after the deadline.
    #[must_use]
    pub fn next_delay(&self, attempt: &Attempt, draw: u32) -> Option<Duration> {
        match attempt.outcome.retry() {
            Retry::Never => return None,
            Retry::AfterRepair => {
                let worth_it = !attempt.repaired && !attempt.remaining.is_zero();
                return worth_it.then_some(Duration::ZERO);
            }
            Retry::IfHarmless if attempt.sent && !attempt.repeatable => return None,
            Retry::IfHarmless | Retry::AfterPause => {}
        }
        if attempt.number >= self.max_attempts {
            return None;
        }
        let jitter = self
            .backoff(attempt.number)
            .mul_f64(f64::from(draw) / f64::from(u32::MAX));
        let pause = attempt
            .retry_after
            .unwrap_or_default()
            .saturating_add(jitter);
        (pause < attempt.remaining).then_some(pause)
    }

    /// The longest pause after attempt `number`.
    fn backoff(&self, number: u32) -> Duration {
        let doublings = i32::try_from(number.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial.as_secs_f64() * self.multiplier.powi(doublings);
        Duration::try_from_secs_f64(seconds).map_or(self.longest, |grown| grown.min(self.longest))
    }
}

/// A fresh draw for [`RetryPolicy::next_delay`].
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low 32 bits of a version 4 UUID are all random"
)]
pub fn draw() -> u32 {
    uuid::Uuid::new_v4().as_u128() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Attempt = Attempt {
        number: 1,
        outcome: Outcome::Lost,
        sent: true,
        repeatable: true,
        repaired: false,
        retry_after: None,
        remaining: Duration::from_secs(30),
    };

    fn policy() -> RetryPolicy {
        RetryPolicy::new(&RetryConfig::default())
    }

    fn longest_pause(attempt: &Attempt) -> Option<Duration> {
        policy().next_delay(attempt, u32::MAX)
    }

    #[test]
    fn a_call_that_may_have_run_and_is_not_safe_to_repeat_is_never_sent_again() {
        for outcome in Outcome::ALL {
            let attempt = Attempt {
                outcome,
                repeatable: false,
                ..FAILED
            };
            let again = policy().next_delay(&attempt, 0);
            let refused_before_it_ran =
                matches!(outcome.retry(), Retry::AfterPause | Retry::AfterRepair);
            assert_eq!(again.is_some(), refused_before_it_ran, "{outcome:?}");
        }
    }

    #[test]
    fn a_call_that_was_never_sent_is_sent_again() {
        let attempt = Attempt {
            outcome: Outcome::Unreachable,
            sent: false,
            repeatable: false,
            ..FAILED
        };
        assert_eq!(longest_pause(&attempt), Some(Duration::from_millis(100)));
    }

    #[test]
    fn pauses_are_drawn_between_nothing_and_a_back_off_that_doubles_to_its_limit() {
        let config = RetryConfig {
            max_attempts: u32::MAX,
            ..RetryConfig::default()
        };
        let policy = RetryPolicy::new(&config);
        let after = |number, draw| policy.next_delay(&Attempt { number, ..FAILED }, draw);
        assert_eq!(after(1, 0), Some(Duration::ZERO));
        for (number, millis) in [
            (1, 100),
            (2, 200),
            (3, 400),
            (7, 6_400),
            (8, 10_000),
            (9_000, 10_000),
        ] {
            assert_eq!(
                after(number, u32::MAX),
                Some(Duration::from_millis(millis)),
                "{number}"
            );
        }
    }

    #[test]
    fn the_last_attempt_is_the_last() {
        assert!(
            longest_pause(&Attempt {
                number: 2,
                ..FAILED
            })
            .is_some()
        );
        assert_eq!(
            longest_pause(&Attempt {
                number: 3,
                ..FAILED
            }),
            None
        );
        let off = RetryPolicy::new(&RetryConfig {
            enabled: false,
            ..RetryConfig::default()
        });
        assert_eq!(off.next_delay(&FAILED, 0), None);
    }

    #[test]
    fn the_pause_the_backend_asked_for_is_the_least_and_the_deadline_the_most() {
        let asked = Attempt {
            outcome: Outcome::Throttled,
            retry_after: Some(Duration::from_secs(2)),
            ..FAILED
        };
        assert_eq!(policy().next_delay(&asked, 0), Some(Duration::from_secs(2)));
        assert_eq!(longest_pause(&asked), Some(Duration::from_millis(2_100)));
        let late = Attempt {
            remaining: Duration::from_secs(2),
            ..asked
        };
        assert_eq!(policy().next_delay(&late, 0), None);
        let over = Attempt {
            remaining: Duration::ZERO,
            ..FAILED
        };
        assert_eq!(policy().next_delay(&over, 0), None);
    }

    #[test]
    fn a_repair_is_tried_once_at_once_even_where_retries_are_off() {
        let off = RetryPolicy::new(&RetryConfig {
            enabled: false,
            ..RetryConfig::default()
        });
        let lost = Attempt {
            outcome: Outcome::SessionLost,
            repeatable: false,
            ..FAILED
        };
        assert_eq!(off.next_delay(&lost, u32::MAX), Some(Duration::ZERO));
        assert_eq!(
            off.next_delay(
                &Attempt {
                    repaired: true,
                    ..lost
                },
                0
            ),
            None
        );
    }

    #[test]
    fn settings_that_make_no_sense_do_no_harm() {
        let config = RetryConfig {
            multiplier: f64::NAN,
            max_attempts: 9,
            ..RetryConfig::default()
        };
        let policy = RetryPolicy::new(&config);
        let attempt = Attempt {
            number: 5,
            ..FAILED
        };
        assert_eq!(
            policy.next_delay(&attempt, u32::MAX),
            Some(Duration::from_millis(100))
        );
    }

    #[test]
    fn draws_differ() {
        let draws: std::collections::BTreeSet<_> = (0..32).map(|_| draw()).collect();
        assert!(draws.len() > 16);
    }
}
