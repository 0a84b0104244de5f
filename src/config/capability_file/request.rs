//! `config` of a provider: what is sent to it.

use http::{HeaderName, Method};

use super::{body, json, surroundings::Known};
use crate::{
    capability::{
        Endpoint, GraphqlCall, JsonRpcCall, QueryParam, RestCall, Service, Spread, Template,
        ValueTemplate,
    },
    config::{
        section::Section,
        tree::{Entry, Value},
    },
};

/// Values that hold where the caller says nothing else.
pub(super) type StaticParams = Vec<(Box<str>, serde_json::Value)>;

/// `static_params`.
pub(super) fn static_params(config: &mut Section<'_>) -> StaticParams {
    let section = config.section("static_params");
    let pair = |entry: &Entry| (entry.key.as_str().into(), json::value(&entry.node));
    section.entries().map(pair).collect()
}

/// A request to a resource. Static parameters that no placeholder names go into the query.
pub(super) fn rest(config: &mut Section<'_>, fixed: &StaticParams) -> Option<Service> {
    let endpoint = endpoint(config);
    let method = method(config);
    let headers = headers(config);
    let params = params(config);
    let mapped = mapped(config);
    let body = body::read(config);
    let (endpoint, mut query) = endpoint?;
    query.extend(params);
    query.extend(mapped);
    let mut service = Service::Rest(RestCall {
        method: method.unwrap_or(Method::GET),
        endpoint,
        headers,
        query,
        body,
    });
    let used = service.parameters();
    let in_query: Vec<Box<str>> = match &service {
        Service::Rest(call) => call.query.iter().map(|param| param.name.clone()).collect(),
        _ => Vec::new(),
    };
    let named = |name: &str| {
        in_query.iter().any(|used| &**used == name) || used.iter().any(|used| used == name)
    };
    let unnamed = fixed.iter().filter(|(name, _)| !named(name));
    let unnamed: Vec<_> = unnamed
        .map(|(name, _)| QueryParam::new(name, Template::parameter(name)))
        .collect();
    if let Service::Rest(call) = &mut service {
        call.query.extend(unnamed);
    }
    Some(service)
}

/// A GraphQL operation: its document stands in `body.query`, and its variables in `body.variables`; without them all
/// arguments are variables.
pub(super) fn graphql(config: &mut Section<'_>, fixed: &StaticParams) -> Option<Service> {
    let endpoint = endpoint(config);
    config.accept("method");
    let headers = headers(config);
    let mut body = config.section("body");
    let query = match body.plain("query") {
        None => {
            body.refuse("query", "is missing: write the GraphQL document");
            None
        }
        query => query,
    };
    let operation = body.plain("operationName");
    let written = body.node("variables");
    let variables = written.map(|node| body::template(node, &body, "variables"));
    body.finish();
    let (endpoint, _) = endpoint?;
    Some(Service::Graphql(GraphqlCall {
        endpoint,
        headers,
        query: query?.into(),
        operation: operation.map(Into::into),
        variables: with_static(variables, fixed)?,
    }))
}

/// A JSON-RPC request: its method stands in `method`, and what it is given in `params`; without them all arguments are.
pub(super) fn jsonrpc(config: &mut Section<'_>, fixed: &StaticParams) -> Option<Service> {
    let endpoint = endpoint(config);
    let headers = headers(config);
    let method = match config.plain("method") {
        None => {
            config.refuse(
                "method",
                "is missing: write the name of the method that is called",
            );
            None
        }
        method => method,
    };
    let written = config.node("params");
    let params = written.map(|node| body::template(node, config, "params"));
    let (endpoint, _) = endpoint?;
    Some(Service::JsonRpc(JsonRpcCall {
        endpoint,
        headers,
        method: method?.into(),
        params: with_static(params, fixed)?,
    }))
}

/// What is written, or all arguments; static parameters that are not among its members are added to them. `None` if it is
/// written and wrong.
fn with_static(
    written: Option<Option<ValueTemplate>>,
    fixed: &StaticParams,
) -> Option<ValueTemplate> {
    let Some(written) = written else {
        return Some(ValueTemplate::Arguments);
    };
    let mut members = match written? {
        ValueTemplate::Map(members) => members.into_vec(),
        other => return Some(other),
    };
    for (name, _) in fixed {
        if !members.iter().any(|(key, _)| key == name) {
            let value = ValueTemplate::Text(Template::parameter(name));
            members.push((name.clone(), value));
        }
    }
    Some(ValueTemplate::Map(members.into()))
}

fn endpoint(config: &mut Section<'_>) -> Option<(Endpoint, Vec<QueryParam>)> {
    let environment = config.reading().environment;
    let whole = config.text("endpoint");
    let base = config.text("base_url");
    let path = config.text("path");
    let (key, url) = match (whole, base) {
        (Some(_), Some(_)) => {
            config.refuse(
                "endpoint",
                "and `base_url` are both written, but a provider is reached at one URL: remove one of them",
            );
            return None;
        }
        (Some(url), None) => ("endpoint", url),
        (None, Some(base)) => ("base_url", joined(&base, path.as_deref())),
        (None, None) => {
            config.refuse(
                "base_url",
                "is missing, and so is `endpoint`: write the URL of the provider",
            );
            return None;
        }
    };
    Endpoint::parse(&url, &Known(environment))
        .map_err(|sentence| config.refuse(key, &sentence))
        .ok()
}

fn joined(base: &str, path: Option<&str>) -> String {
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return base.to_owned();
    };
    let (base, path) = (base.trim_end_matches('/'), path.trim_start_matches('/'));
    format!("{base}/{path}")
}

fn method(config: &mut Section<'_>) -> Option<Method> {
    config.optional("method", |text| {
        let method: Option<Method> = text.to_ascii_uppercase().parse().ok();
        let usual = |method: &Method| {
            let usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
            usual.contains(&method.as_str())
        };
        method.filter(usual).ok_or_else(|| {
            "is no method of a request: write GET, POST, PUT, PATCH or DELETE".to_owned()
        })
    })
}

/// Headers that belong to the connection.
const OF_CONNECTION: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];

fn headers(config: &mut Section<'_>) -> Vec<(HeaderName, Template)> {
    let section = config.section("headers");
    let read = |entry: &Entry| {
        let path = section.path_of(&entry.key);
        let name = entry.key.parse::<HeaderName>();
        let fault = match &name {
            Err(_) => Some("is no name of a header: use letters, digits and `-`"),
            Ok(name) if OF_CONNECTION.contains(&name.as_str()) => {
                Some("is a header that the gateway writes itself: remove it")
            }
            Ok(_) => None,
        };
        if let Some(fault) = fault {
            let findings = section.reading().findings;
            findings.problem(&entry.at, format!("`{path}` {fault}"));
            return None;
        }
        Some((name.ok()?, body::text(&entry.node, &section, &path)?))
    };
    section.entries().filter_map(read).collect()
}

fn params(config: &mut Section<'_>) -> Vec<QueryParam> {
    let section = config.section("params");
    section
        .entries()
        .flat_map(|entry| param(&section, entry))
        .collect()
}

/// One parameter, several of one name for a list, or one that says how its array is written.
pub(super) fn param(section: &Section<'_>, entry: &Entry) -> Vec<QueryParam> {
    let path = section.path_of(&entry.key);
    let one = |node| body::text(node, section, &path).map(|text| QueryParam::new(&entry.key, text));
    match &entry.node.value {
        Value::List(items) => items.iter().filter_map(one).collect(),
        Value::Map(_) => {
            let mut spread = Section::new(&entry.node, &entry.at, &path, section.reading());
            let how = spread.optional("spread", how_spread);
            let value = spread.node("value").and_then(one);
            if spread.place_of("value").is_none() {
                spread.refuse("value", "is missing: write the value, such as \"{name}\"");
            }
            spread.finish();
            let value = value.map(|param| QueryParam {
                spread: how.unwrap_or_default(),
                ..param
            });
            value.into_iter().collect()
        }
        _ => one(&entry.node).into_iter().collect(),
    }
}

fn how_spread(text: &str) -> Result<Spread, String> {
    match text {
        "repeated" => Ok(Spread::Repeated),
        "commas" => Ok(Spread::Commas),
        "spaces" => Ok(Spread::Spaces),
        "pipes" => Ok(Spread::Pipes),
        "brackets" => Ok(Spread::Brackets),
        _ => Err(
            "is no way of writing an array: write repeated, commas, spaces, pipes or brackets"
                .to_owned(),
        ),
    }
}

/// `param_map`: arguments that have another name in the query.
fn mapped(config: &mut Section<'_>) -> Vec<QueryParam> {
    let section = config.section("param_map");
    let read = |entry: &Entry| {
        let name = section.plain_of(&entry.node, &section.path_of(&entry.key))?;
        Some(QueryParam::new(&name, Template::parameter(&entry.key)))
    };
    section.entries().filter_map(read).collect()
}
