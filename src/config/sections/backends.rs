//! `backends`: the servers behind the gateway, each with a name of its own.

use std::{collections::BTreeMap, time::Duration};

use super::{
    failsafe,
    names::{self, Names},
    slo, transport,
};
use crate::{
    backend::{BackendSettings, StdioSettings, TransportSettings},
    config::{section::Section, values},
    failsafe::FailsafeConfig,
    gateway::{Glob, SloSettings, ToolSelection},
};

/// What `backends` says.
#[derive(Debug, Default)]
pub(in crate::config) struct Backends {
    /// Every name that is written.
    pub(in crate::config) names: Names,
    /// Those that are enabled and whole.
    pub(in crate::config) settings: Vec<BackendSettings>,
    /// Which tools of those backends that say so are shown on the aggregate endpoint.
    pub(in crate::config) selections: BTreeMap<Box<str>, ToolSelection>,
    /// What those backends are held to that say so.
    pub(in crate::config) slos: BTreeMap<Box<str>, SloSettings>,
}

/// Reads all backends over the failsafe of the whole; a call ends after `request_timeout` at the latest.
pub(in crate::config) fn read(
    root: &mut Section<'_>,
    defaults: &FailsafeConfig,
    request_timeout: Duration,
) -> Backends {
    let mut backends = Backends::default();
    for (name, mut section) in root.section("backends").each() {
        let mut enabled = true;
        section.flag("enabled", &mut enabled);
        backends.names.add(name, enabled);
        if let Some(fault) = names::fault(name) {
            let sentence = format!("`{name}` {fault}");
            section.reading().findings.problem(section.at(), sentence);
        }
        if enabled {
            let selection = selection(&mut section).map(|selection| (name.into(), selection));
            backends.selections.extend(selection);
            let slo = slo::read(&mut section).map(|slo| (name.into(), slo));
            backends.slos.extend(slo);
            let settings = backend(name, section, defaults, request_timeout);
            backends.settings.extend(settings);
        }
    }
    backends
}

fn backend(
    name: &str,
    mut section: Section<'_>,
    defaults: &FailsafeConfig,
    request_timeout: Duration,
) -> Option<BackendSettings> {
    let transport = transport::read(&mut section);
    let whole = transport.is_some();
    let mut settings = BackendSettings::new(name, transport.unwrap_or_else(nowhere));
    settings.description = section.text("description");
    settings.failsafe = failsafe::read(&mut section, defaults);
    limits(&mut section, &mut settings);
    if let Some(tools) = section.texts("repeatable_tools") {
        settings.repeatable_tools = tools;
    }
    section.read("protocol_version", &mut settings.revision, values::revision);
    settings.stop_when_idle_for = section.optional("stop_when_idle_for", values::some_time);
    oauth(&mut section);
    elsewhere(&mut section);
    refuse_slower_than_ever(&mut section, &settings);
    if let (true, Some(at)) = (
        settings.timeout > request_timeout,
        section.place_of("timeout"),
    ) {
        section.reading().findings.warn(
            at,
            format!(
                "`{}` is longer than server.request_timeout ({request_timeout:?}), which ends the call first: raise that one too",
                section.path_of("timeout")
            ),
        );
    }
    section.finish();
    whole.then_some(settings)
}

/// Not a part of the backend's own settings, which would make another backend of it when this is changed.
fn selection(section: &mut Section<'_>) -> Option<ToolSelection> {
    section.accept("tools");
    section.place_of("tools")?;
    let mut tools = section.section("tools");
    let selection = ToolSelection {
        include: tools.list("include", Glob::parse),
        exclude: tools.list("exclude", Glob::parse).unwrap_or_default(),
    };
    tools.finish();
    Some(selection)
}

/// A call ends at its timeout, so none can take longer.
fn refuse_slower_than_ever(section: &mut Section<'_>, settings: &BackendSettings) {
    let breaker = &settings.failsafe.circuit_breaker;
    let written =
        section.place_of("circuit_breaker").is_some() || section.place_of("timeout").is_some();
    if written && breaker.slow_after() >= settings.timeout && breaker.slow_call.is_some() {
        let sentence = format!(
            "calls a call slow that takes {:?}, but each ends at the timeout of this backend, {:?}: give a shorter duration or a longer timeout",
            breaker.slow_after(),
            settings.timeout
        );
        section
            .section("circuit_breaker")
            .refuse("slow_call", &sentence);
    }
}

/// Stands in for a transport that is not written, so that the other keys are read all the same.
fn nowhere() -> TransportSettings {
    TransportSettings::Stdio(StdioSettings::new("", &[]))
}

fn limits(section: &mut Section<'_>, settings: &mut BackendSettings) {
    section.time("timeout", &mut settings.timeout);
    section.read(
        "max_concurrency",
        &mut settings.max_concurrency,
        values::whole(1..=100_000),
    );
    section.read(
        "max_queue",
        &mut settings.max_queue,
        values::whole(0..=1_000_000),
    );
    section.read(
        "max_client_sessions",
        &mut settings.max_client_sessions,
        values::whole(0..=100_000),
    );
    section.read(
        "max_message_size",
        &mut settings.max_message_size,
        values::whole(1024..=1 << 30),
    );
}

/// A login that cannot be made is refused, not skipped: every call would fail with 401.
fn oauth(section: &mut Section<'_>) {
    if section.place_of("oauth").is_none() {
        section.accept("oauth");
        return;
    }
    let mut oauth = section.section("oauth");
    let mut enabled = true;
    oauth.flag("enabled", &mut enabled);
    if enabled {
        section.refuse(
            "oauth",
            "asks for a login by OAuth, which this version cannot make, so every call would be denied: put a token into `headers` as Authorization, or set oauth.enabled to false",
        );
    }
}

/// Keys that other gateways know. `passthrough` asks that arguments are not touched, and they never are.
fn elsewhere(section: &mut Section<'_>) {
    section.accept("passthrough");
    for key in [
        "secrets",
        "idle_timeout",
        "a2a_url",
        "runtime_profile",
        "identity_propagation",
    ] {
        section.without_effect(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backend::HttpSettings,
        config::load::tests::{read, warnings},
        protocol::Revision,
        telemetry::Secret,
    };

    fn stdio(settings: &BackendSettings) -> &StdioSettings {
        match &settings.transport {
            TransportSettings::Stdio(stdio) => stdio,
            _ => panic!("not stdio"),
        }
    }

    fn http(settings: &BackendSettings) -> &HttpSettings {
        match &settings.transport {
            TransportSettings::Http(http) => http,
            _ => panic!("not http"),
        }
    }

    #[test]
    fn a_command_is_split_as_a_shell_splits_and_args_follow() {
        let text = "backends:\n  a: {command: \"npx -y '@x/y z' ${DIR:-/tmp}\", args: [--n, 1], cwd: ~/w, env: {A: 1, B: }}\n";
        let config = read(text, &[("HOME", "/home/me")]).unwrap();
        let stdio = stdio(&config.backends[0]);
        assert_eq!(stdio.program, "npx");
        assert_eq!(stdio.args, ["-y", "@x/y z", "/tmp", "--n", "1"]);
        assert_eq!(stdio.cwd.as_deref(), Some("/home/me/w".as_ref()));
        assert_eq!(stdio.env["A"], Secret::new("1"));
        assert_eq!(stdio.env["B"], Secret::new(""));
    }

    #[test]
    fn a_url_takes_headers_and_each_limit_is_read() {
        let text = "backends:\n  web:\n    http_url: https://example.org/mcp\n    streamable_http: true\n    headers: {Authorization: \"Bearer ${T}\"}\n    timeout: 10s\n    max_concurrency: 2\n    max_queue: 0\n    max_client_sessions: 0\n    protocol_version: 2025-03-26\n    description: Web\n    repeatable_tools: [look]\n    passthrough: true\n";
        let config = read(text, &[("T", "t0ken")]).unwrap();
        assert_eq!(config.warnings, []);
        let settings = &config.backends[0];
        assert_eq!(http(settings).url, "https://example.org/mcp");
        assert_eq!(http(settings).headers[0].0, "authorization");
        assert_eq!(http(settings).headers[0].1.expose(), "Bearer t0ken");
        assert_eq!(settings.timeout, Duration::from_secs(10));
        assert_eq!((settings.max_concurrency, settings.max_queue), (2, 0));
        assert_eq!(settings.max_client_sessions, 0);
        assert_eq!(settings.revision, Revision::V2025_03_26);
        assert_eq!(settings.repeatable_tools, ["look"]);
    }

    #[test]
    fn no_call_can_be_slower_than_its_timeout() {
        let text = "backends:\n  a: {command: a, timeout: 2s, circuit_breaker: {slow_call: {duration: 2s, rate: 50}}}\n";
        let problems = read(text, &[]).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let told = "`backends.a.circuit_breaker.slow_call` calls a call slow that takes 2s";
        assert!(problems[0].contains(told), "{problems:?}");
    }

    #[test]
    fn one_key_of_a_backend_keeps_the_others_of_the_whole() {
        let text = "failsafe: {circuit_breaker: {failure_threshold: 9, reset_timeout: 10m}, retry: {max_attempts: 7}}\nbackends:\n  a: {command: a, circuit_breaker: {reset_timeout: 1s}}\n  b: {command: b, retry: {enabled: false}}\n";
        let config = read(text, &[]).unwrap();
        let a = &config.backends[0].failsafe;
        assert_eq!(a.circuit_breaker.failure_threshold, 9);
        assert_eq!(a.circuit_breaker.reset_timeout, Duration::from_secs(1));
        assert_eq!(a.retry.max_attempts, 7);
        let b = &config.backends[1].failsafe;
        assert_eq!(b.circuit_breaker.reset_timeout, Duration::from_secs(600));
        assert!(!b.retry.enabled);
    }

    #[test]
    fn a_disabled_backend_is_skipped_whatever_it_says() {
        let text = "backends: {a: {enabled: false, command: \"x ${MISSING}\", nonsense: 1}}";
        assert_eq!(read(text, &[]).unwrap().backends, []);
    }

    #[test]
    fn what_is_shown_of_a_backend_is_no_setting_of_the_backend() {
        let text = "backends: {a: {command: x, tools: {include: [\"read_*\"], exclude: [\"${WHAT}_admin\"]}}, b: {command: x}, c: {enabled: false, tools: {include: [\"\"]}}}";
        let config = read(text, &[("WHAT", "*")]).unwrap();
        let plain = read("backends: {a: {command: x}, b: {command: x}}", &[]).unwrap();
        assert_eq!(config.backends, plain.backends);
        let selections = config.gateway.meta_mcp.selections;
        assert_eq!(selections.len(), 1);
        let a = &selections["a"];
        assert!(a.shows("read_file") && !a.shows("write_file") && !a.shows("read_admin"));
    }

    const FAULTS: &[(&str, &str)] = &[
        ("a/b: {command: x}", "g.yaml:2:3: `a/b` is no name"),
        (
            "a: {}",
            "g.yaml:2:3: `backends.a.command` is missing, and so is `http_url`",
        ),
        (
            "a: {command: x, http_url: http://h}",
            "g.yaml:2:19: `backends.a.http_url` and `command` are both written",
        ),
        (
            "a: {command: \"x 'y\"}",
            "g.yaml:2:16: `backends.a.command` is not a command",
        ),
        (
            "a: {http_url: h}",
            "g.yaml:2:17: `backends.a.http_url` is not a URL",
        ),
        (
            "a: {http_url: http://h, cwd: /}",
            "g.yaml:2:27: `backends.a.cwd` goes only with `command`",
        ),
        (
            "a: {command: x, headers: {A: b}}",
            "g.yaml:2:19: `backends.a.headers` goes only with `http_url`",
        ),
        (
            "a: {http_url: http://h, headers: {\"A B\": s3cret}}",
            "g.yaml:2:37: `backends.a.headers.A B` is no name of a header",
        ),
        (
            "a: {http_url: http://h, headers: {A: \"s3cret\\n\"}}",
            "g.yaml:2:37: `backends.a.headers.A` has a value",
        ),
        (
            "a: {http_url: http://h, headers: {Mcp-Session-Id: s3cret}}",
            "g.yaml:2:37: `backends.a.headers.Mcp-Session-Id` is a header that the gateway writes",
        ),
        (
            "a: {command: x, oauth: {client_secret: s3cret}}",
            "g.yaml:2:19: `backends.a.oauth` asks for a login",
        ),
        (
            "a: {command: x, timeout: 0}",
            "g.yaml:2:28: `backends.a.timeout`: `0` leaves no time",
        ),
        (
            "a: {command: x, max_concurrency: 0}",
            "g.yaml:2:36: `backends.a.max_concurrency`: `0` is not a whole number from 1",
        ),
        (
            "a: {command: x, protocol_version: 2020-01-01}",
            "g.yaml:2:37: `backends.a.protocol_version`: `2020-01-01` is no revision",
        ),
        (
            "a: {command: x, circiut_breaker: {}}",
            "g.yaml:2:19: unknown key `backends.a.circiut_breaker`: did you mean `circuit_breaker`?",
        ),
        (
            "a: {command: x, retry: {max_backoff: 1ms}}",
            "g.yaml:2:27: `backends.a.retry.max_backoff` is shorter than initial_backoff",
        ),
        (
            "a: {command: x, env: {A-B: s3cret}}",
            "g.yaml:2:19: `backends.a.env` sets `A-B`",
        ),
        (
            "a: {command: x, tools: {include: [read_*, \"\"]}}",
            "g.yaml:2:45: `backends.a.tools.include`: `` is empty",
        ),
        (
            "a: {command: x, tools: {exclude: [\"[ab]*\"]}}",
            "g.yaml:2:37: `backends.a.tools.exclude`: `[ab]*` is no pattern, because it holds `[`",
        ),
        (
            "a: {command: x, tools: {include: read_*}}",
            "g.yaml:2:36: `backends.a.tools.include` must be a list",
        ),
        (
            "a: {command: x, tools: {includes: []}}",
            "g.yaml:2:27: unknown key `backends.a.tools.includes`: did you mean `include`?",
        ),
        (
            "a: {command: x, tools: [read_*]}",
            "g.yaml:2:26: `backends.a.tools` must be a section",
        ),
    ];

    #[test]
    fn each_fault_names_its_place_and_what_to_do() {
        for (text, expected) in FAULTS {
            let problems = read(&format!("backends:\n  {text}\n"), &[]).unwrap_err();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].starts_with(expected), "{text}: {problems:?}");
            assert!(!problems[0].contains("s3cret"), "{problems:?}");
        }
    }

    #[test]
    fn keys_without_effect_are_warned_of_once_each() {
        let text = "backends:\n  a: {command: x, idle_timeout: 5m, secrets: [], timeout: 60s, oauth: {enabled: false}}\n  b: {a2a_url: https://example.org}\n";
        let config = read(text, &[]).unwrap();
        assert_eq!(config.backends.len(), 1);
        let warnings = warnings(&config);
        assert_eq!(warnings.len(), 4, "{warnings:?}");
        assert!(warnings[0].contains("`backends.a.idle_timeout` is not supported"));
        assert!(warnings[1].contains("`backends.a.secrets` is not supported"));
        assert!(warnings[2].contains("`backends.a.timeout` is longer than server.request_timeout"));
        assert!(warnings[3].contains("`backends.b.a2a_url` is not supported"));
    }
}
