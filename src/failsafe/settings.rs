//! What a failsafe is made from: the limits around the calls to one backend, as people write them.

use std::{fmt, time::Duration};

use serde::Deserialize;

use super::{CircuitBreakerConfig, duration};

/// Everything that surrounds a call.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FailsafeConfig {
    /// When calls stop flowing, and how they come back.
    pub circuit_breaker: CircuitBreakerConfig,
    /// When a call is sent again.
    pub retry: RetryConfig,
    /// How many calls a second may flow.
    pub rate_limit: RateLimitConfig,
    /// How silences are filled.
    pub health_check: HealthCheckConfig,
}

/// When a call is sent again. Only a call that is safe to repeat, or was never sent, ever is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryConfig {
    /// False: each call is sent once.
    pub enabled: bool,
    /// How often one call is sent at most, the first time included.
    pub max_attempts: u32,
    /// The longest wait before the second attempt; the true wait is drawn between zero and this.
    #[serde(with = "duration")]
    pub initial_backoff: Duration,
    /// The longest wait before any attempt.
    #[serde(with = "duration")]
    pub max_backoff: Duration,
    /// What the wait grows by with each attempt.
    pub multiplier: f64,
}

/// How many calls a second may flow to one backend.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitConfig {
    /// False: as many as come.
    pub enabled: bool,
    /// Calls a second over the long run.
    pub requests_per_second: u32,
    /// Calls that may come at one moment after a silence.
    pub burst_size: u32,
}

/// How silences are filled: a backend that nobody called for a while is asked whether it is alive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthCheckConfig {
    /// False: only calls tell whether the backend lives.
    pub enabled: bool,
    /// How long a silence lasts before it is filled.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// How long the answer may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
}

/// A setting that cannot work, alone or together with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The section of [`FailsafeConfig`] it stands in.
    pub section: &'static str,
    /// The key to change.
    pub key: &'static str,
    /// What is wrong with its value, and which values work.
    pub reason: String,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} {}", self.section, self.key, self.reason)
    }
}

impl std::error::Error for Contradiction {}

impl FailsafeConfig {
    /// Every section that cannot work, each with its first contradiction; empty if all is well.
    #[must_use]
    pub fn contradictions(&self) -> Vec<Contradiction> {
        [
            self.circuit_breaker.validate(),
            self.retry.validate(),
            self.rate_limit.validate(),
            self.health_check.validate(),
        ]
        .into_iter()
        .filter_map(Result::err)
        .collect()
    }
}

impl RetryConfig {
    /// Whether these settings can work together.
    ///
    /// # Errors
    /// The first key that cannot, and which values would.
    pub fn validate(&self) -> Result<(), Contradiction> {
        let wrong = |key, reason: &str| Contradiction {
            section: "retry",
            key,
            reason: reason.to_owned(),
        };
        if self.max_attempts == 0 {
            return Err(wrong(
                "max_attempts",
                "is 0, so no call would ever be sent: use 1 or more",
            ));
        }
        if self.max_backoff < self.initial_backoff {
            return Err(wrong(
                "max_backoff",
                "is shorter than initial_backoff: make it at least as long",
            ));
        }
        if !(self.multiplier.is_finite() && self.multiplier >= 1.0) {
            return Err(wrong(
                "multiplier",
                "is not at least 1, so waits would shrink instead of grow: use 1 or more",
            ));
        }
        Ok(())
    }
}

impl RateLimitConfig {
    /// Whether these settings can work together.
    ///
    /// # Errors
    /// The first key that cannot, and which values would.
    pub fn validate(&self) -> Result<(), Contradiction> {
        let zero = |key| Contradiction {
            section: "rate_limit",
            key,
            reason:
                "is 0, so no call would ever flow: use 1 or more, or `enabled: false` for no limit"
                    .to_owned(),
        };
        match self {
            Self { enabled: false, .. } => Ok(()),
            Self {
                requests_per_second: 0,
                ..
            } => Err(zero("requests_per_second")),
            Self { burst_size: 0, .. } => Err(zero("burst_size")),
            _ => Ok(()),
        }
    }
}

impl HealthCheckConfig {
    /// Whether these settings can work together.
    ///
    /// # Errors
    /// The first key that cannot, and which values would.
    pub fn validate(&self) -> Result<(), Contradiction> {
        let zero = |key| Contradiction {
            section: "health_check",
            key,
            reason: "is 0: use a duration such as 5s, or `enabled: false` for no checks".to_owned(),
        };
        match self {
            Self { enabled: false, .. } => Ok(()),
            Self { interval, .. } if interval.is_zero() => Err(zero("interval")),
            Self { timeout, .. } if timeout.is_zero() => Err(zero("timeout")),
            _ => Ok(()),
        }
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            max_attempts: 3,
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            multiplier: 2.0,
        }
    }
}

impl Default for RateLimitConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            requests_per_second: 100,
            burst_size: 50,
        }
    }
}

impl Default for HealthCheckConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failsafe::{CircuitMode, SlowCallConfig, TripPolicy};

    #[test]
    fn nothing_written_means_the_defaults_and_they_hold_no_contradiction() {
        let config: FailsafeConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(config, FailsafeConfig::default());
        assert!(config.circuit_breaker.enabled);
        assert_eq!(config.circuit_breaker.failure_threshold, 5);
        assert_eq!(config.circuit_breaker.success_threshold, 3);
        assert_eq!(
            config.circuit_breaker.reset_timeout,
            Duration::from_secs(30)
        );
        assert!(!config.rate_limit.enabled);
        assert_eq!(config.contradictions(), []);
    }

    #[test]
    fn what_is_written_is_what_holds() {
        let config: FailsafeConfig = serde_json::from_str(
            r#"{"circuit_breaker":{"failure_threshold":2,"reset_timeout":"500ms",
                "policy":{"last_n":{"window":20,"failures":10}}},"retry":{"max_attempts":1}}"#,
        )
        .unwrap();
        assert_eq!(config.circuit_breaker.failure_threshold, 2);
        assert_eq!(
            config.circuit_breaker.reset_timeout,
            Duration::from_millis(500)
        );
        assert_eq!(
            config.circuit_breaker.policy,
            TripPolicy::LastN {
                window: 20,
                failures: 10,
                minimum: 1
            }
        );
        assert_eq!(config.circuit_breaker.mode, CircuitMode::Automatic);
        assert_eq!(config.retry.max_attempts, 1);
        assert_eq!(config.retry.max_backoff, Duration::from_secs(10));
        let config: CircuitBreakerConfig = serde_json::from_str(
            r#"{"policy":{"time_window":{"window":"20s","failure_rate":40}},"mode":"shadow",
                "slow_call":{"duration":"2s","rate":80,"window":"20s"},"tools":{"enabled":false}}"#,
        )
        .unwrap();
        let window = Duration::from_secs(20);
        assert_eq!(
            config.policy,
            TripPolicy::TimeWindow {
                window,
                failure_rate: 40,
                minimum_calls: 10
            }
        );
        assert_eq!(
            config.slow_call,
            Some(SlowCallConfig {
                duration: Duration::from_secs(2),
                rate: 80,
                window,
                minimum_calls: 10
            })
        );
        assert_eq!(config.mode, CircuitMode::Shadow);
        assert_eq!((config.tools.enabled, config.tools.max), (false, 256));
    }

    #[test]
    fn a_key_that_does_not_exist_is_refused() {
        for wrong in [
            r#"{"breaker":{}}"#,
            r#"{"circuit_breaker":{"threshold":1}}"#,
            r#"{"circuit_breaker":{"policy":{"last_n":{"window":1,"failures":1,"min":1}}}}"#,
            r#"{"retry":{"backoff":"1s"}}"#,
            r#"{"rate_limit":{"rps":1}}"#,
            r#"{"health_check":{"every":"1s"}}"#,
        ] {
            assert!(
                serde_json::from_str::<FailsafeConfig>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn each_contradiction_names_its_key() {
        for (text, key) in [
            (
                r#"{"circuit_breaker":{"reset_timeout":"1h"}}"#,
                "circuit_breaker.max_reset_timeout",
            ),
            (r#"{"retry":{"max_attempts":0}}"#, "retry.max_attempts"),
            (r#"{"retry":{"max_backoff":"1ms"}}"#, "retry.max_backoff"),
            (r#"{"retry":{"multiplier":0.5}}"#, "retry.multiplier"),
            (
                r#"{"rate_limit":{"enabled":true,"burst_size":0}}"#,
                "rate_limit.burst_size",
            ),
            (
                r#"{"rate_limit":{"enabled":true,"requests_per_second":0}}"#,
                "rate_limit.requests_per_second",
            ),
            (
                r#"{"health_check":{"interval":"0s"}}"#,
                "health_check.interval",
            ),
            (r#"{"health_check":{"timeout":0}}"#, "health_check.timeout"),
        ] {
            let config: FailsafeConfig = serde_json::from_str(text).unwrap();
            let found = config.contradictions();
            assert_eq!(found.len(), 1, "{text}");
            let sentence = found[0].to_string();
            assert!(sentence.starts_with(&format!("{key} ")), "{sentence}");
        }
    }
}
