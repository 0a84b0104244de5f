//! `failsafe`, for all backends and per backend: a backend that writes one key keeps the others of the whole.

use crate::{
    config::{section::Section, values},
    failsafe::{
        CircuitBreakerConfig, FailsafeConfig, HealthCheckConfig, RateLimitConfig, RetryConfig,
        TripPolicy,
    },
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
    circuit_breaker(
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

fn circuit_breaker(mut section: Section<'_>, config: &mut CircuitBreakerConfig) {
    section.flag("enabled", &mut config.enabled);
    for (key, target) in [
        ("failure_threshold", &mut config.failure_threshold),
        ("success_threshold", &mut config.success_threshold),
        ("half_open_max_calls", &mut config.half_open_max_calls),
    ] {
        section.read(key, target, values::whole(0..=u32::MAX));
    }
    section.time("reset_timeout", &mut config.reset_timeout);
    section.time("max_reset_timeout", &mut config.max_reset_timeout);
    section.time("probe_lease", &mut config.probe_lease);
    if section.place_of("max_reset_timeout").is_none() {
        config.max_reset_timeout = config.max_reset_timeout.max(config.reset_timeout);
    }
    policy(&mut section, &mut config.policy);
    section.finish();
}

/// `policy: consecutive`, or a section `policy.last_n`.
fn policy(section: &mut Section<'_>, target: &mut TripPolicy) {
    if !section.is_section("policy") {
        section.read("policy", target, |text| match text {
            "consecutive" => Ok(TripPolicy::Consecutive),
            _ => Err(
                "is no policy: write consecutive, or a section last_n with window and failures"
                    .to_owned(),
            ),
        });
        return;
    }
    let mut policy = section.section("policy");
    let mut last_n = policy.section("last_n");
    let (mut window, mut failures, mut minimum) = (20, 10, 1);
    last_n.read("window", &mut window, values::whole(1..=32));
    last_n.read("failures", &mut failures, values::whole(1..=32));
    last_n.read("minimum", &mut minimum, values::whole(1..=32));
    for key in ["window", "failures"] {
        if last_n.place_of(key).is_none() {
            last_n.refuse(key, "is missing: say how many of the last calls are looked at, and how many failures among them open the breaker");
        }
    }
    last_n.finish();
    policy.finish();
    *target = TripPolicy::LastN {
        window,
        failures,
        minimum,
    };
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
    use crate::config::load::tests::read as read_file;

    fn of_a(failsafe: &str) -> Result<FailsafeConfig, Vec<String>> {
        let text = format!("failsafe: {failsafe}\nbackends: {{a: {{command: x}}}}");
        read_file(&text, &[]).map(|mut config| config.backends.remove(0).failsafe)
    }

    #[test]
    fn every_key_is_read() {
        let config = of_a(
            "{circuit_breaker: {enabled: false, failure_threshold: 1, success_threshold: 2, half_open_max_calls: 3, reset_timeout: 4s, max_reset_timeout: 5s, probe_lease: 1h, policy: {last_n: {window: 6, failures: 3, minimum: 4}}}, retry: {enabled: false, max_attempts: 2, initial_backoff: 0, max_backoff: 1s, multiplier: 1.5}, rate_limit: {enabled: true, requests_per_second: 9, burst_size: 8}, health_check: {enabled: false, interval: 7s, timeout: 6s}}",
        );
        let expected = FailsafeConfig {
            circuit_breaker: CircuitBreakerConfig {
                enabled: false,
                failure_threshold: 1,
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

    #[test]
    fn a_policy_is_a_word_or_a_section() {
        let consecutive = of_a("{circuit_breaker: {policy: consecutive}}").unwrap();
        assert_eq!(consecutive.circuit_breaker.policy, TripPolicy::Consecutive);
        for text in [
            "{policy: rate}",
            "{policy: {last_n: {window: 4}}}",
            "{policy: {lastn: {}}}",
        ] {
            assert!(
                of_a(&format!("{{circuit_breaker: {text}}}")).is_err(),
                "{text}"
            );
        }
    }
}
