//! From the settings of a breaker to the checked policy of the core.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use crate::{
    failsafe::settings::{CircuitBreakerConfig, Contradiction, TripPolicy},
    lockfree::{Policy, PolicyError, Rule},
    telemetry::clock::millis,
};

/// Over this many reset timeouts a lease is cut: far below the number at which a late result could pass for a fresh one.
const LONGEST_LEASE_IN_RESETS: u32 = 1 << 16;
/// Four years: the longest time the core takes.
const LONGEST: Duration = Duration::from_millis(1 << 37);

impl CircuitBreakerConfig {
    /// Whether these settings can work together.
    ///
    /// # Errors
    /// The first key that cannot, and which values would.
    pub fn validate(&self) -> Result<(), Contradiction> {
        let wrong = |key, reason| Contradiction {
            section: "circuit_breaker",
            key,
            reason,
        };
        if self.max_reset_timeout < self.reset_timeout {
            let reason = "is shorter than reset_timeout: make it at least as long";
            return Err(wrong("max_reset_timeout", reason.to_owned()));
        }
        policy("", self)
            .map(|_| ())
            .map_err(|error| wrong(key(&error), format!("cannot work: {error}")))
    }
}

/// The policy for the breaker of this name. Settings that contradict each other are brought to the nearest values that work.
pub(super) fn nearest(name: &str, config: &CircuitBreakerConfig) -> Policy {
    policy(name, config)
        .or_else(|_| policy(name, &in_range(config)))
        .unwrap_or_default()
}

fn policy(name: &str, config: &CircuitBreakerConfig) -> Result<Policy, PolicyError> {
    Policy::builder()
        .rule(rule(config))
        .success_threshold(config.success_threshold)
        .half_open_max_calls(config.half_open_max_calls)
        .reset_timeout_ms(millis(config.reset_timeout))
        .max_reset_timeout_ms(millis(config.max_reset_timeout))
        .lease_ms(millis(config.probe_lease))
        .seed(seed(name))
        .build()
}

const fn rule(config: &CircuitBreakerConfig) -> Rule {
    match config.policy {
        TripPolicy::Consecutive => Rule::Consecutive(config.failure_threshold),
        TripPolicy::LastN {
            window,
            failures,
            minimum,
        } => Rule::LastN {
            window,
            failures,
            minimum,
        },
    }
}

fn in_range(config: &CircuitBreakerConfig) -> CircuitBreakerConfig {
    let shortest = Duration::from_millis(1);
    let reset_timeout = config.reset_timeout.clamp(shortest, LONGEST);
    let longest_lease = reset_timeout.saturating_mul(LONGEST_LEASE_IN_RESETS);
    CircuitBreakerConfig {
        enabled: config.enabled,
        failure_threshold: config.failure_threshold.max(1),
        success_threshold: config.success_threshold.clamp(1, 15),
        reset_timeout,
        half_open_max_calls: config.half_open_max_calls.clamp(1, 15),
        max_reset_timeout: config.max_reset_timeout.clamp(reset_timeout, LONGEST),
        probe_lease: config
            .probe_lease
            .clamp(shortest, longest_lease.min(LONGEST)),
        policy: match config.policy {
            TripPolicy::Consecutive => TripPolicy::Consecutive,
            TripPolicy::LastN {
                window,
                failures,
                minimum,
            } => {
                let window = window.clamp(1, 32);
                TripPolicy::LastN {
                    window,
                    failures: failures.clamp(1, window),
                    minimum: minimum.min(window),
                }
            }
        },
    }
}

/// The key to mend.
const fn key(error: &PolicyError) -> &'static str {
    match error {
        PolicyError::FailureThreshold => "failure_threshold",
        PolicyError::Window(_) | PolicyError::Rate { .. } => "policy",
        PolicyError::SuccessThreshold(_) => "success_threshold",
        PolicyError::HalfOpenMaxCalls(_) => "half_open_max_calls",
        PolicyError::Lease { .. } | PolicyError::Alias { .. } => "probe_lease",
        _ => "reset_timeout",
    }
}

/// Spreads breakers that opened together: each name jitters in its own way.
fn seed(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl Fn(&mut CircuitBreakerConfig)) -> CircuitBreakerConfig {
        let mut config = CircuitBreakerConfig::default();
        change(&mut config);
        config
    }

    fn last_n(window: u32, failures: u32, minimum: u32) -> CircuitBreakerConfig {
        with(|config| {
            config.policy = TripPolicy::LastN {
                window,
                failures,
                minimum,
            };
        })
    }

    /// Settings that cannot work, each with the key that is to blame.
    fn contradictions() -> Vec<(CircuitBreakerConfig, &'static str)> {
        let day = Duration::from_secs(86_400);
        let brief = with(|c| (c.probe_lease, c.reset_timeout) = (day, Duration::from_millis(1)));
        vec![
            (with(|c| c.failure_threshold = 0), "failure_threshold"),
            (with(|c| c.success_threshold = 0), "success_threshold"),
            (with(|c| c.success_threshold = 16), "success_threshold"),
            (with(|c| c.half_open_max_calls = 99), "half_open_max_calls"),
            (with(|c| c.reset_timeout = Duration::ZERO), "reset_timeout"),
            (with(|c| c.reset_timeout = day), "max_reset_timeout"),
            (
                with(|c| c.max_reset_timeout = Duration::MAX),
                "reset_timeout",
            ),
            (with(|c| c.probe_lease = Duration::ZERO), "probe_lease"),
            (brief, "probe_lease"),
            (last_n(0, 1, 1), "policy"),
            (last_n(33, 1, 1), "policy"),
            (last_n(10, 11, 1), "policy"),
            (last_n(10, 1, 11), "policy"),
        ]
    }

    #[test]
    fn what_cannot_work_is_told_with_its_key() {
        for (config, key) in contradictions() {
            let error = config.validate().unwrap_err();
            assert_eq!(
                (error.section, error.key),
                ("circuit_breaker", key),
                "{error}"
            );
        }
        assert_eq!(with(|_| {}).validate(), Ok(()));
        assert_eq!(last_n(32, 16, 10).validate(), Ok(()));
    }

    #[test]
    fn what_cannot_work_is_brought_to_the_nearest_that_does() {
        for (config, key) in contradictions() {
            assert_eq!(in_range(&config).validate(), Ok(()), "{key}");
        }
        let none = with(|config| config.failure_threshold = 0);
        assert_eq!(nearest("a", &none).failure_threshold(), 1);
        assert_eq!(nearest("a", &last_n(4, 9, 1)).failure_threshold(), 4);
    }
}
