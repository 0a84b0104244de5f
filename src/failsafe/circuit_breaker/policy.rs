//! From the settings of a breaker to the checked policy of the core.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use crate::{
    failsafe::{
        circuit_breaker::config::{
            CircuitBreakerConfig, CircuitMode, SlowCallConfig, ToolCircuitsConfig, TripPolicy,
        },
        circuit_breaker::history::Owner,
        settings::Contradiction,
    },
    lockfree::{Policy, PolicyError, Rate, Rule},
    telemetry::clock::millis,
};

/// Over this many reset timeouts a lease is cut: far below the number at which a late result could pass for a fresh one.
const LONGEST_LEASE_IN_RESETS: u32 = 1 << 16;
/// Four years: the longest time the core takes.
const LONGEST: Duration = Duration::from_millis(1 << 37);
/// The windows of time that the core takes.
const WINDOWS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3600));

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
        if let Some((key, reason)) = self.clash() {
            return Err(wrong(key, reason.to_owned()));
        }
        policy(0, self)
            .map(|_| ())
            .map_err(|error| wrong(self.key(&error), format!("cannot work: {error}")))
    }

    /// The first two settings that cannot be meant together: the key to change, and why.
    fn clash(&self) -> Option<(&'static str, &'static str)> {
        let works_by_itself = matches!(self.mode, CircuitMode::Automatic | CircuitMode::Disabled);
        match self {
            Self { enabled: false, .. } if !works_by_itself => Some((
                "mode",
                "asks for a breaker that enabled: false takes away: remove one of the two",
            )),
            Self {
                slow_call: Some(slow),
                ..
            } if slow.duration.is_zero() => Some((
                "slow_call",
                "takes every call for slow, because its duration is 0: give the time from which a call is slow",
            )),
            Self {
                slow_call: Some(slow),
                policy: TripPolicy::TimeWindow { window, .. },
                ..
            } if slow.window != *window => Some((
                "slow_call",
                "looks back over another window than policy.time_window, and a breaker keeps one: give both the same window",
            )),
            Self {
                tools:
                    ToolCircuitsConfig {
                        enabled: true,
                        max: 0,
                    },
                ..
            } => Some((
                "tools",
                "leaves room for no tool, because its max is 0: give 1 or more, or enabled: false",
            )),
            _ => None,
        }
    }

    /// From when on a call is slow; never, if nothing was said.
    #[must_use]
    pub fn slow_after(&self) -> Duration {
        self.slow_call.map_or(Duration::MAX, |slow| slow.duration)
    }

    /// The key to mend.
    const fn key(&self, error: &PolicyError) -> &'static str {
        match error {
            PolicyError::FailureThreshold => "failure_threshold",
            PolicyError::Window(_) | PolicyError::Rate { .. } | PolicyError::Percent { .. } => {
                "policy"
            }
            PolicyError::WindowTime { .. } => match self.policy {
                TripPolicy::TimeWindow { .. } => "policy",
                _ => "slow_call",
            },
            PolicyError::SlowPercent { .. } => "slow_call",
            PolicyError::Jitter(_) => "jitter",
            PolicyError::SuccessThreshold(_) => "success_threshold",
            PolicyError::HalfOpenMaxCalls(_) => "half_open_max_calls",
            PolicyError::Lease { .. } | PolicyError::Alias { .. } => "probe_lease",
            _ => "reset_timeout",
        }
    }

    /// How far back rates look.
    fn window(&self) -> Option<Duration> {
        match self.policy {
            TripPolicy::TimeWindow { window, .. } => Some(window),
            _ => self.slow_call.map(|slow| slow.window),
        }
    }
}

/// Settings that contradict each other are brought to the nearest values that work.
pub(super) fn nearest(config: &CircuitBreakerConfig) -> CircuitBreakerConfig {
    match config.validate() {
        Ok(()) => config.clone(),
        Err(_) => in_range(config),
    }
}

/// The policy for the breaker of this owner, from settings that work.
pub(super) fn made(owner: &Owner, config: &CircuitBreakerConfig) -> Policy {
    policy(seed(owner), config).unwrap_or_default()
}

fn policy(seed: u64, config: &CircuitBreakerConfig) -> Result<Policy, PolicyError> {
    let policy = Policy::builder()
        .rule(rule(config))
        .slow_rate(config.slow_call.map(|slow| Rate {
            percent: slow.rate,
            minimum: slow.minimum_calls,
        }))
        .success_threshold(config.success_threshold)
        .half_open_max_calls(config.half_open_max_calls)
        .reset_timeout_ms(millis(config.reset_timeout))
        .max_reset_timeout_ms(millis(config.max_reset_timeout))
        .jitter_percent(config.jitter)
        .lease_ms(millis(config.probe_lease))
        .seed(seed);
    match config.window() {
        Some(window) => policy.window_ms(millis(window)).build(),
        None => policy.build(),
    }
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
        TripPolicy::TimeWindow {
            failure_rate,
            minimum_calls,
            ..
        } => Rule::Rate(Rate {
            percent: failure_rate,
            minimum: minimum_calls,
        }),
    }
}

fn in_range(config: &CircuitBreakerConfig) -> CircuitBreakerConfig {
    let shortest = Duration::from_millis(1);
    let reset_timeout = config.reset_timeout.clamp(shortest, LONGEST);
    let longest_lease = reset_timeout.saturating_mul(LONGEST_LEASE_IN_RESETS);
    let policy = policy_in_range(config.policy);
    CircuitBreakerConfig {
        enabled: config.enabled,
        mode: if config.enabled {
            config.mode
        } else {
            CircuitMode::Disabled
        },
        failure_threshold: config.failure_threshold.max(1),
        success_threshold: config.success_threshold.clamp(1, 15),
        reset_timeout,
        half_open_max_calls: config.half_open_max_calls.clamp(1, 15),
        max_reset_timeout: config.max_reset_timeout.clamp(reset_timeout, LONGEST),
        jitter: config.jitter.min(100),
        probe_lease: config
            .probe_lease
            .clamp(shortest, longest_lease.min(LONGEST)),
        policy,
        slow_call: config
            .slow_call
            .map(|slow| slow_call_in_range(slow, policy)),
        tools: ToolCircuitsConfig {
            enabled: config.tools.enabled && config.tools.max > 0,
            ..config.tools
        },
    }
}

fn policy_in_range(policy: TripPolicy) -> TripPolicy {
    match policy {
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
        TripPolicy::TimeWindow {
            window,
            failure_rate,
            minimum_calls,
        } => TripPolicy::TimeWindow {
            window: window.clamp(WINDOWS.0, WINDOWS.1),
            failure_rate: failure_rate.clamp(1, 100),
            minimum_calls: minimum_calls.max(1),
        },
    }
}

fn slow_call_in_range(slow: SlowCallConfig, policy: TripPolicy) -> SlowCallConfig {
    SlowCallConfig {
        duration: slow.duration.max(Duration::from_millis(1)),
        rate: slow.rate.clamp(1, 100),
        window: match policy {
            TripPolicy::TimeWindow { window, .. } => window,
            _ => slow.window.clamp(WINDOWS.0, WINDOWS.1),
        },
        minimum_calls: slow.minimum_calls.max(1),
    }
}

/// Spreads breakers that opened together: each name jitters in its own way.
fn seed(owner: &Owner) -> u64 {
    let mut hasher = DefaultHasher::new();
    owner.hash(&mut hasher);
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
            (time_window(10, 0, 1), "policy"),
            (time_window(10, 101, 1), "policy"),
            (time_window(10, 50, 0), "policy"),
            (time_window(0, 50, 1), "policy"),
            (time_window(3601, 50, 1), "policy"),
            (slow(0, 50, 60), "slow_call"),
            (slow(1, 0, 60), "slow_call"),
            (slow(1, 101, 60), "slow_call"),
            (slow(1, 50, 0), "slow_call"),
            (
                with(|c| {
                    c.policy = time_window(10, 50, 1).policy;
                    c.slow_call = slow(1, 50, 11).slow_call;
                }),
                "slow_call",
            ),
            (with(|c| c.jitter = 101), "jitter"),
            (with(|c| c.tools.max = 0), "tools"),
            (
                with(|c| (c.enabled, c.mode) = (false, CircuitMode::Shadow)),
                "mode",
            ),
        ]
    }

    fn time_window(seconds: u64, failure_rate: u32, minimum_calls: u32) -> CircuitBreakerConfig {
        let window = Duration::from_secs(seconds);
        with(|config| {
            config.policy = TripPolicy::TimeWindow {
                window,
                failure_rate,
                minimum_calls,
            };
        })
    }

    fn slow(seconds: u64, rate: u32, window: u64) -> CircuitBreakerConfig {
        let slow_call = SlowCallConfig {
            duration: Duration::from_secs(seconds),
            rate,
            window: Duration::from_secs(window),
            minimum_calls: 1,
        };
        with(|config| config.slow_call = Some(slow_call))
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
        assert_eq!(time_window(60, 50, 10).validate(), Ok(()));
        assert_eq!(slow(5, 50, 60).validate(), Ok(()));
        let disabled = with(|c| (c.enabled, c.mode) = (false, CircuitMode::Disabled));
        assert_eq!(disabled.validate(), Ok(()));
    }

    #[test]
    fn what_cannot_work_is_brought_to_the_nearest_that_does() {
        for (config, key) in contradictions() {
            assert_eq!(in_range(&config).validate(), Ok(()), "{key}");
        }
        let owner = Owner {
            backend: "a".into(),
            tool: None,
        };
        let none = with(|config| config.failure_threshold = 0);
        assert_eq!(made(&owner, &nearest(&none)).failure_threshold(), 1);
        let wide = nearest(&last_n(4, 9, 1));
        assert_eq!(made(&owner, &wide).failure_threshold(), 4);
    }
}
