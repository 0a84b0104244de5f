//! `circuit_breaker`: when calls stop flowing, and how they come back.

use std::time::Duration;

use crate::{
    config::{section::Section, values},
    failsafe::{CircuitBreakerConfig, CircuitMode, SlowCallConfig, ToolCircuitsConfig, TripPolicy},
};

/// Reads the section `circuit_breaker` over what `config` says.
pub(super) fn read(mut section: Section<'_>, config: &mut CircuitBreakerConfig) {
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
    section.read("jitter", &mut config.jitter, values::whole(0..=100));
    section.read("mode", &mut config.mode, mode);
    policy(&mut section, &mut config.policy);
    if config.policy != TripPolicy::Consecutive && section.place_of("failure_threshold").is_some() {
        section.refuse(
            "failure_threshold",
            "counts failures in a row, and the policy that holds here counts otherwise: remove one of the two, or write policy: consecutive beside it",
        );
    }
    slow_call(&mut section, config);
    tools(&mut section, &mut config.tools);
    section.finish();
}

fn mode(text: &str) -> Result<CircuitMode, String> {
    let known = CircuitMode::ALL
        .into_iter()
        .find(|mode| mode.label() == text);
    known.ok_or_else(|| {
        "is no mode: write automatic, shadow, forced_open, forced_closed or disabled".to_owned()
    })
}

/// `policy: consecutive`, or a section `policy.last_n` or `policy.time_window`.
fn policy(section: &mut Section<'_>, target: &mut TripPolicy) {
    if !section.is_section("policy") {
        section.read("policy", target, |text| match text {
            "consecutive" => Ok(TripPolicy::Consecutive),
            _ => Err(
                "is no policy: write consecutive, or a section last_n with window and failures, or a section time_window with window and failure_rate"
                    .to_owned(),
            ),
        });
        return;
    }
    let mut policy = section.section("policy");
    let of_time = policy.is_section("time_window");
    if of_time && policy.is_section("last_n") {
        policy.refuse(
            "last_n",
            "stands beside time_window, and a breaker has one policy: remove one of the two",
        );
    }
    *target = if of_time {
        policy.accept("last_n");
        time_window(policy.section("time_window"), *target)
    } else {
        last_n(policy.section("last_n"), *target)
    };
    policy.finish();
}

/// Over the same policy of the whole, if that is what holds there.
fn last_n(mut section: Section<'_>, inherited: TripPolicy) -> TripPolicy {
    let (mut window, mut failures, mut minimum) = (20, 10, 1);
    if let TripPolicy::LastN {
        window: w,
        failures: f,
        minimum: m,
    } = inherited
    {
        (window, failures, minimum) = (w, f, m);
    } else {
        ask_for(
            &section,
            ["window", "failures"],
            "say how many of the last calls are looked at, and how many failures among them open the breaker",
        );
    }
    section.read("window", &mut window, values::whole(1..=32));
    section.read("failures", &mut failures, values::whole(1..=32));
    section.read("minimum", &mut minimum, values::whole(1..=32));
    section.finish();
    TripPolicy::LastN {
        window,
        failures,
        minimum,
    }
}

fn time_window(mut section: Section<'_>, inherited: TripPolicy) -> TripPolicy {
    let (mut window, mut failure_rate, mut minimum_calls) = (Duration::from_secs(60), 50, 10);
    if let TripPolicy::TimeWindow {
        window: w,
        failure_rate: r,
        minimum_calls: m,
    } = inherited
    {
        (window, failure_rate, minimum_calls) = (w, r, m);
    } else {
        ask_for(
            &section,
            ["window", "failure_rate"],
            "say how far back is looked, and how many percent of failures open the breaker",
        );
    }
    section.time("window", &mut window);
    section.read("failure_rate", &mut failure_rate, values::whole(1..=100));
    section.read(
        "minimum_calls",
        &mut minimum_calls,
        values::whole(1..=u32::MAX),
    );
    section.finish();
    TripPolicy::TimeWindow {
        window,
        failure_rate,
        minimum_calls,
    }
}

/// `slow_call: off`, or a section; its window is that of the policy, if that has one.
fn slow_call(section: &mut Section<'_>, config: &mut CircuitBreakerConfig) {
    if !section.is_section("slow_call") {
        section.read("slow_call", &mut config.slow_call, |text| match text {
            "off" => Ok(None),
            _ => Err("is no section: write one with duration and rate, or off".to_owned()),
        });
        return;
    }
    let mut section = section.section("slow_call");
    let mut slow = config.slow_call.unwrap_or(SlowCallConfig {
        duration: Duration::ZERO,
        rate: 50,
        window: match config.policy {
            TripPolicy::TimeWindow { window, .. } => window,
            _ => Duration::from_secs(60),
        },
        minimum_calls: 10,
    });
    section.time("duration", &mut slow.duration);
    section.read("rate", &mut slow.rate, values::whole(1..=100));
    section.time("window", &mut slow.window);
    section.read(
        "minimum_calls",
        &mut slow.minimum_calls,
        values::whole(1..=u32::MAX),
    );
    if config.slow_call.is_none() {
        ask_for(
            &section,
            ["duration", "rate"],
            "say from when on a call is slow, and how many percent of slow calls open the breaker",
        );
    }
    section.finish();
    config.slow_call = Some(slow);
}

fn tools(section: &mut Section<'_>, config: &mut ToolCircuitsConfig) {
    let mut section = section.section("tools");
    section.flag("enabled", &mut config.enabled);
    section.read("max", &mut config.max, values::whole(0..=10_000));
    section.finish();
}

fn ask_for(section: &Section<'_>, keys: [&str; 2], meaning: &str) {
    for key in keys {
        if section.place_of(key).is_none() {
            section.refuse(key, &format!("is missing: {meaning}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::load::tests::read as read_file, failsafe::FailsafeConfig};

    fn of_a(breaker: &str) -> Result<CircuitBreakerConfig, Vec<String>> {
        let text =
            format!("failsafe: {{circuit_breaker: {breaker}}}\nbackends: {{a: {{command: x}}}}");
        let config = read_file(&text, &[])?;
        let failsafe: Vec<FailsafeConfig> = config
            .backends
            .into_iter()
            .map(|backend| backend.failsafe)
            .collect();
        Ok(failsafe[0].circuit_breaker.clone())
    }

    #[test]
    fn a_policy_is_a_word_or_a_section() {
        let policy = |text: &str| of_a(&format!("{{policy: {text}}}")).unwrap().policy;
        assert_eq!(policy("consecutive"), TripPolicy::Consecutive);
        assert_eq!(
            policy("{last_n: {window: 4, failures: 2}}"),
            TripPolicy::LastN {
                window: 4,
                failures: 2,
                minimum: 1
            }
        );
        assert_eq!(
            policy("{time_window: {window: 30s, failure_rate: 40}}"),
            TripPolicy::TimeWindow {
                window: Duration::from_secs(30),
                failure_rate: 40,
                minimum_calls: 10
            }
        );
    }

    #[test]
    fn what_contradicts_itself_is_refused_at_its_key_with_the_cure() {
        for (text, key, cure) in [
            ("{policy: rate}", "policy", "write consecutive"),
            (
                "{policy: {last_n: {window: 4}}}",
                "policy.last_n.failures",
                "is missing",
            ),
            ("{policy: {lastn: {}}}", "policy.lastn", "last_n"),
            (
                "{policy: {time_window: {failure_rate: 5}}}",
                "policy.time_window.window",
                "is missing",
            ),
            (
                "{policy: {time_window: {window: 1s, failure_rate: 0}}}",
                "policy.time_window.failure_rate",
                "1",
            ),
            (
                "{policy: {time_window: {window: 2h, failure_rate: 5}}}",
                "policy",
                "give 100 to 3600000 ms",
            ),
            (
                "{policy: {time_window: {window: 1s, failure_rate: 5}, last_n: {window: 4, failures: 2}}}",
                "policy.last_n",
                "remove one of the two",
            ),
            (
                "{failure_threshold: 3, policy: {last_n: {window: 4, failures: 2}}}",
                "failure_threshold",
                "remove one of the two",
            ),
            ("{slow_call: {rate: 5}}", "slow_call.duration", "is missing"),
            ("{slow_call: 5s}", "slow_call", "with duration and rate"),
            (
                "{slow_call: {duration: 1s, rate: 5, window: 9s}, policy: {time_window: {window: 8s, failure_rate: 5}}}",
                "slow_call",
                "give both the same window",
            ),
            ("{mode: off}", "mode", "forced_open"),
            (
                "{enabled: false, mode: shadow}",
                "mode",
                "remove one of the two",
            ),
            ("{jitter: 200}", "jitter", "100"),
            ("{tools: {max: 0}}", "tools", "give 1 or more"),
        ] {
            let problems = of_a(text).unwrap_err();
            let named = format!("`failsafe.circuit_breaker.{key}`");
            let told = |problem: &String| problem.contains(&named) && problem.contains(cure);
            assert!(problems.iter().any(told), "{text}: {problems:?}");
        }
    }

    #[test]
    fn a_backend_keeps_what_it_does_not_write_of_a_policy_and_cannot_set_what_that_ignores() {
        let read = |breaker: &str| {
            let text = format!(
                "failsafe: {{circuit_breaker: {{policy: {{time_window: {{window: 9s, failure_rate: 40, minimum_calls: 7}}}}}}}}\nbackends: {{a: {{command: x, circuit_breaker: {breaker}}}}}"
            );
            read_file(&text, &[])
        };
        let kept = read("{policy: {time_window: {failure_rate: 60}}}").unwrap();
        assert_eq!(
            kept.backends[0].failsafe.circuit_breaker.policy,
            TripPolicy::TimeWindow {
                window: Duration::from_secs(9),
                failure_rate: 60,
                minimum_calls: 7
            }
        );
        let ignored = read("{failure_threshold: 3}").unwrap_err();
        assert!(
            ignored[0].contains("or write policy: consecutive"),
            "{ignored:?}"
        );
        assert!(read("{failure_threshold: 3, policy: consecutive}").is_ok());
    }

    #[test]
    fn the_window_of_slow_calls_is_that_of_the_policy() {
        let config = of_a(
            "{policy: {time_window: {window: 9s, failure_rate: 5}}, slow_call: {duration: 1s, rate: 5}}",
        );
        let slow = config.unwrap().slow_call.unwrap();
        assert_eq!(slow.window, Duration::from_secs(9));
    }
}
