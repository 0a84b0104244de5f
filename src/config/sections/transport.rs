//! How one backend is reached: `command` or `http_url`, and the keys that go with each.

use http::{HeaderName, HeaderValue};

use crate::{
    backend::{HttpSettings, StdioSettings, TransportSettings},
    config::{expand, section::Section, values},
    telemetry::Secret,
};

/// Keys that mean something only with the other way of reaching a backend.
const STDIO_ONLY: [&str; 4] = ["args", "env", "cwd", "stop_when_idle_for"];
const HTTP_ONLY: [&str; 1] = ["headers"];

/// Headers that belong to the connection or to the session and cannot be configured.
const OURS: [&str; 5] = [
    "connection",
    "content-length",
    "mcp-protocol-version",
    "mcp-session-id",
    "transfer-encoding",
];

/// What is written, if it is whole; what is wrong is reported.
pub(super) fn read(section: &mut Section<'_>) -> Option<TransportSettings> {
    let stdio = stdio(section);
    let http = http(section);
    let has_command = section.place_of("command").is_some();
    let has_url = section.place_of("http_url").is_some();
    match (has_command, has_url) {
        (true, true) => {
            section.refuse(
                "http_url",
                "and `command` are both written, but a backend is reached one way: remove one of them",
            );
            None
        }
        (true, false) => {
            misplaced(section, &HTTP_ONLY, "http_url");
            stdio.map(TransportSettings::Stdio)
        }
        (false, true) => {
            misplaced(section, &STDIO_ONLY, "command");
            http.map(TransportSettings::Http)
        }
        (false, false) => {
            unreachable(section);
            None
        }
    }
}

/// A backend of another kind is skipped with the warning of its key.
fn unreachable(section: &Section<'_>) {
    if section.place_of("a2a_url").is_none() {
        section.refuse(
            "command",
            "is missing, and so is `http_url`: write one of the two, so that the backend can be reached",
        );
    }
}

fn misplaced(section: &Section<'_>, keys: &[&str], other: &str) {
    for key in keys {
        if section.place_of(key).is_some() {
            section.refuse(
                key,
                &format!("goes only with `{other}`, so it would have no effect here: remove it"),
            );
        }
    }
}

fn stdio(section: &mut Section<'_>) -> Option<StdioSettings> {
    let words = section.unquoted("command", |text| {
        shlex::split(text)
            .filter(|words| !words.is_empty())
            .ok_or_else(|| {
                "is not a command: write a program and its arguments as for a shell, quotes closed"
                    .to_owned()
            })
    });
    let args = section.texts("args").unwrap_or_default();
    let cwd = section.text("cwd");
    let mut env: std::collections::BTreeMap<String, Secret> = section
        .reading()
        .environment
        .of_files()
        .map(|(name, value)| (name.to_owned(), Secret::new(value)))
        .collect();
    for (name, _, value) in section.secrets("env") {
        if !expand::is_name(name) {
            section.refuse(
                "env",
                &format!(
                    "sets `{name}`, which is no name of a variable: use letters, digits and `_`"
                ),
            );
        }
        env.insert(name.to_owned(), value);
    }
    let environment = section.reading().environment;
    let mut words = words?.into_iter();
    let program = environment.path(&words.next()?);
    Some(StdioSettings {
        program: program.to_string_lossy().into_owned(),
        args: words.chain(args).collect(),
        env,
        cwd: cwd.map(|cwd| environment.path(&cwd)),
        supervisor: None,
    })
}

fn http(section: &mut Section<'_>) -> Option<HttpSettings> {
    let url = section.unquoted("http_url", values::url);
    section.accept("streamable_http");
    let headers = headers(section);
    Some(HttpSettings { url: url?, headers })
}

pub(super) fn headers(section: &mut Section<'_>) -> Vec<(HeaderName, Secret)> {
    let findings = section.reading().findings;
    let mut headers = Vec::new();
    for (name, at, value) in section.secrets("headers") {
        let fault = match (name.parse(), HeaderValue::from_str(value.expose())) {
            (Err(_), _) => "is no name of a header: use letters, digits and `-`",
            (Ok(name), _) if OURS.contains(&HeaderName::as_str(&name)) => {
                "is a header that the gateway writes itself: remove it"
            }
            (_, Err(_)) => {
                "has a value that cannot stand in a header: keep it to visible characters on one line"
            }
            (Ok(name), Ok(_)) => {
                headers.push((name, value));
                continue;
            }
        };
        findings.problem(
            at,
            format!("`{}.{name}` {fault}", section.path_of("headers")),
        );
    }
    headers
}
