//! `failsafe`, for all backends and per backend: a backend that writes one key keeps the others of the whole.

use super::circuit_breaker;
use crate::{
    config::{section::Section, values},
    failsafe::{FailsafeConfig, HealthCheckConfig, RateLimitConfig, RetryConfig},
};

/// Reads the section `failsafe`.
pub(in crate::config) fn read_global(root: &mut Section<'_>) -> FailsafeConfig {
    let mut section = root.section("failsafe");
    let config = read(&mut section, &FailsafeConfig::default());
    section.finish();
    config
}

/// Reads the four sections of a failsafe below `section`, over `defaults`.
pub(super) fn read(section: &mut Section<'_>, defaults: &FailsafeConfig) -> FailsafeConfig {
    let mut config = defaults.clone();
    circuit_breaker::read(
        section.section("circuit_breaker"),
        &mut config.circuit_breaker,
    );
    retry(section.section("retry"), &mut config.retry);
    rate_limit(section.section("rate_limit"), &mut config.rate_limit);
    health_check(section.section("health_check"), &mut config.health_check);
    let inherited = defaults.contradictions();
    for contradiction in config.contradictions() {
        if !inherited.contains(&contradiction) {
            section
                .section(contradiction.section)
                .refuse(contradiction.key, &contradiction.reason);
        }
    }
    config
}

fn retry(mut section: Section<'_>, config: &mut RetryConfig) {
    section.flag("enabled", &mut config.enabled);
    section.read(
        "max_attempts",
        &mut config.max_attempts,
        values::whole(0..=100),
    );
    section.read(
        "initial_backoff",
        &mut config.initial_backoff,
        values::duration,
    );
    section.read("max_backoff", &mut config.max_backoff, values::duration);
    section.read("multiplier", &mut config.multiplier, values::decimal);
    section.finish();
}

fn rate_limit(mut section: Section<'_>, config: &mut RateLimitConfig) {
    section.flag("enabled", &mut config.enabled);
    section.read(
        "requests_per_second",
        &mut config.requests_per_second,
        values::whole(0..=u32::MAX),
    );
    section.read(
        "burst_size",
        &mut config.burst_size,
        values::whole(0..=u32::MAX),
    );
    section.finish();
}

fn health_check(mut section: Section<'_>, config: &mut HealthCheckConfig) {
    section.flag("enabled", &mut config.enabled);
    section.read("interval", &mut config.interval, values::duration);
    section.read("timeout", &mut config.timeout, values::duration);
    section.finish();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        config::load::tests::read as read_file,
        failsafe::{
            CircuitBreakerConfig, CircuitMode, SlowCallConfig, ToolCircuitsConfig, TripPolicy,
        },
    };

    fn of_a(failsafe: &str) -> Result<FailsafeConfig, Vec<String>> {
        let text = format!("failsafe: {failsafe}\nbackends: {{a: {{command: x}}}}");
        read_file(&text, &[]).map(|mut config| config.backends.remove(0).failsafe)
    }

    #[test]
    fn every_key_is_read() {
        let config = of_a(
            "{circuit_breaker: {enabled: true, mode: shadow, jitter: 7, slow_call: {duration: 2s, rate: 60, window: 30s, minimum_calls: 3}, tools: {enabled: false, max: 9}, success_threshold: 2, half_open_max_calls: 3, reset_timeout: 4s, max_reset_timeout: 5s, probe_lease: 1h, policy: {last_n: {window: 6, failures: 3, minimum: 4}}}, retry: {enabled: false, max_attempts: 2, initial_backoff: 0, max_backoff: 1s, multiplier: 1.5}, rate_limit: {enabled: true, requests_per_second: 9, burst_size: 8}, health_check: {enabled: false, interval: 7s, timeout: 6s}}",
        );
        let expected = FailsafeConfig {
            circuit_breaker: CircuitBreakerConfig {
                enabled: true,
                mode: CircuitMode::Shadow,
                failure_threshold: 5,
                jitter: 7,
                slow_call: Some(SlowCallConfig {
                    duration: Duration::from_secs(2),
                    rate: 60,
                    window: Duration::from_secs(30),
                    minimum_calls: 3,
                }),
                tools: ToolCircuitsConfig {
                    enabled: false,
                    max: 9,
                },
                success_threshold: 2,
                half_open_max_calls: 3,
                reset_timeout: Duration::from_secs(4),
                max_reset_timeout: Duration::from_secs(5),
                probe_lease: Duration::from_secs(3600),
                policy: TripPolicy::LastN {
                    window: 6,
                    failures: 3,
                    minimum: 4,
                },
            },
            retry: RetryConfig {
                enabled: false,
                max_attempts: 2,
                initial_backoff: Duration::ZERO,
                max_backoff: Duration::from_secs(1),
                multiplier: 1.5,
            },
            rate_limit: RateLimitConfig {
                enabled: true,
                requests_per_second: 9,
                burst_size: 8,
            },
            health_check: HealthCheckConfig {
                enabled: false,
                interval: Duration::from_secs(7),
                timeout: Duration::from_secs(6),
            },
        };
        assert_eq!(config, Ok(expected));
    }

    #[test]
    fn a_contradiction_is_told_once_at_its_key() {
        let problems =
            of_a("{circuit_breaker: {reset_timeout: 5s, max_reset_timeout: 1s}}").unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].starts_with(
                "g.yaml:1:49: `failsafe.circuit_breaker.max_reset_timeout` is shorter"
            ),
            "{problems:?}"
        );
    }
}
