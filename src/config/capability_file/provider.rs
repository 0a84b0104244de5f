//! `providers`: who answers a capability's calls.

use std::time::Duration;

use super::request;
use crate::{
    capability::{Provider, ResponseFormat, ResponseSpec},
    config::{
        Finding,
        reading::{Findings, Reading},
        section::Section,
        suggest,
        tree::Node,
    },
};

/// Services that can be called, and those that files of other gateways name too.
const OURS: [&str; 3] = ["rest", "graphql", "jsonrpc"];
const OTHERS: [&str; 2] = ["cli", "mcp"];

/// How long one attempt may take if nothing is written.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The first provider and those behind it; none if the first cannot be called.
pub(super) fn all(root: &mut Section<'_>) -> Option<(Provider, Vec<Provider>)> {
    let mut section = root.section("providers");
    if section.place_of("primary").is_none() {
        section.refuse(
            "primary",
            "is missing: write who answers, with `service` and `config`",
        );
    }
    section.accept("primary");
    let written = section.place_of("primary").is_some();
    let primary = written.then(|| one(section.section("primary"))).flatten();
    let fallbacks = section.sections("fallback");
    let fallbacks = fallbacks.into_iter().filter_map(one).collect();
    section.finish();
    Some((primary?, fallbacks))
}

fn one(mut section: Section<'_>) -> Option<Provider> {
    let written = section.plain("service");
    let service = written.as_deref().unwrap_or("rest");
    section.accept("cost_per_call");
    let mut timeout = TIMEOUT;
    section.time("timeout", &mut timeout);
    if !OURS.contains(&service) {
        section.accept("config");
        unknown(&section, service);
        return None;
    }
    let mut config = section.section("config");
    let static_params = request::static_params(&mut config);
    let service = match service {
        "graphql" => request::graphql(&mut config, &static_params),
        "jsonrpc" => request::jsonrpc(&mut config, &static_params),
        _ => request::rest(&mut config, &static_params),
    };
    let response = response(&mut config);
    config.finish();
    section.finish();
    Some(Provider {
        service: service?,
        timeout,
        static_params,
        response,
    })
}

/// Why a file is left out whose calls go to a service that we do not have: that is no fault of the file, but nobody must
/// think that it is called.
pub(super) fn elsewhere(root: &Node, reading: Reading<'_>) -> Option<Finding> {
    let unread = Findings::default();
    let quiet = Reading {
        findings: &unread,
        ..reading
    };
    let mut root = Section::new(root, &root.at, "", quiet);
    let mut primary = root.section("providers").section("primary");
    let service = primary.plain("service")?;
    let at = primary.place_of("service")?;
    let sentence = left_out("providers.primary.service", &service);
    OTHERS
        .contains(&&*service)
        .then(|| Finding::new(at, sentence))
}

fn left_out(path: &str, service: &str) -> String {
    format!(
        "`{path}` is `{service}`, which this gateway does not call, so it is left out: write a backend with `command` or `http_url` in its place"
    )
}

fn unknown(section: &Section<'_>, service: &str) {
    let path = section.path_of("service");
    let at = section.place_of("service").unwrap_or(section.at());
    let findings = section.reading().findings;
    if OTHERS.contains(&service) {
        return findings.warn(at, left_out(&path, service));
    }
    let advice = suggest::advice(service, OURS);
    findings.problem(
        at,
        format!("`{path}`: there is no service `{service}`: {advice}"),
    );
}

fn response(config: &mut Section<'_>) -> ResponseSpec {
    let mut format = ResponseFormat::Auto;
    config.read("response_format", &mut format, |text| match text {
        "auto" => Ok(ResponseFormat::Auto),
        "json" => Ok(ResponseFormat::Json),
        "text" => Ok(ResponseFormat::Text),
        "binary" => Ok(ResponseFormat::Binary),
        _ => Err("is no format that can be read: write json, text or binary".to_owned()),
    });
    ResponseSpec {
        path: config.plain("response_path").map(Into::into),
        format,
    }
}
