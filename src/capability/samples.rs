//! Capabilities as tests need them, and a call of one.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    Auth, AuthKind, Body, CachePolicy, Calling, Definition, Endpoint, ExecuteFault, Executor,
    Guards, Key, Metadata, Name, Outside, Parts, PrivateNetworks, Provider, QueryParam,
    ResponseSpec, RestCall, Schema, Service, Surroundings, Template, Transform, ValueTemplate, Web,
    web::played::{Api, json},
};
use crate::{
    failsafe::FailsafeConfig,
    telemetry::{Clock, RequestId, Secret, Trace},
};

/// A process with one variable.
pub(super) struct Home;

/// What every credential of a test is.
pub(super) const SECRET: &str = "hunter2-and-more";

impl Surroundings for Home {
    fn variable(&self, _: &str) -> Option<Secret> {
        Some(Secret::new(SECRET))
    }

    fn path(&self, text: &str) -> std::path::PathBuf {
        text.into()
    }
}

pub(super) fn template(text: &str) -> Template {
    Template::parse(text, &Home).unwrap()
}

pub(super) fn endpoint(url: &str) -> Endpoint {
    Endpoint::parse(url, &Home).unwrap().0
}

/// `GET url`; what stands behind its question mark are parameters of the query.
pub(super) fn get(url: &str) -> Provider {
    let (endpoint, query) = Endpoint::parse(url, &Home).unwrap();
    of(Service::Rest(RestCall {
        method: http::Method::GET,
        endpoint,
        headers: Vec::new(),
        query,
        body: None,
    }))
}

/// `POST url` with a body.
pub(super) fn post(url: &str, body: Body) -> Provider {
    let mut provider = get(url);
    if let Service::Rest(call) = &mut provider.service {
        call.method = http::Method::POST;
        call.body = Some(body);
    }
    provider
}

pub(super) fn param(name: &str, text: &str) -> QueryParam {
    QueryParam::new(name, template(text))
}

pub(super) fn of(service: Service) -> Provider {
    Provider {
        service,
        timeout: Duration::from_secs(30),
        static_params: Vec::new(),
        response: ResponseSpec::default(),
    }
}

pub(super) fn response_path(mut provider: Provider, path: &str) -> Provider {
    provider.response.path = Some(path.into());
    provider
}

/// A capability named `look` that takes what `properties` say.
pub(super) fn parts(properties: &Value, providers: Vec<Provider>) -> Parts {
    let schema = serde_json::json!({"type": "object", "properties": properties});
    let mut providers = providers.into_iter();
    Parts {
        name: Name::new("look").unwrap(),
        description: "Looks".into(),
        input: Schema::new(schema.to_string()).unwrap(),
        output: None,
        primary: providers.next().unwrap(),
        fallbacks: providers.collect(),
        auth: None,
        cache: CachePolicy::Off,
        metadata: Metadata::default(),
        transform: Transform::default(),
    }
}

pub(super) fn auth(kind: AuthKind) -> Auth {
    Auth::new(Key::Held(Secret::new(SECRET)), kind)
}

/// Executors that may call loopback.
pub(super) fn outside() -> Outside {
    let networks = PrivateNetworks::Only(vec!["127.0.0.0/8".parse().unwrap()]);
    outside_with(networks)
}

pub(super) fn outside_with(networks: PrivateNetworks) -> Outside {
    let mut config = FailsafeConfig::default();
    config.circuit_breaker.failure_threshold = 3;
    config.retry.enabled = false;
    outside_under(networks, config)
}

pub(super) fn outside_under(networks: PrivateNetworks, config: FailsafeConfig) -> Outside {
    let clock = Clock::new();
    Outside {
        web: Web::new(networks),
        guards: Arc::new(Guards::new("capabilities", config, clock.clone())),
        clock,
    }
}

pub(super) fn executor(parts: Parts) -> Executor {
    Executor::new([definition(parts)], outside())
}

pub(super) fn definition(parts: Parts) -> Arc<Definition> {
    Arc::new(Definition::new(parts).unwrap())
}

/// Calls `look`, on behalf of `caller` and within ten seconds.
pub(super) async fn called_by(
    caller: &str,
    executor: &Executor,
    arguments: &Value,
) -> Result<Value, ExecuteFault> {
    let arguments = arguments.to_string();
    let calling = Calling {
        name: "look",
        arguments: Some(arguments.as_bytes()),
        caller,
        request_id: RequestId::random(),
        trace: Trace::none(),
        deadline: Instant::now() + Duration::from_secs(10),
    };
    let result = executor.execute(&calling).await?;
    Ok(serde_json::from_slice(&result).unwrap())
}

pub(super) async fn called(executor: &Executor, arguments: Value) -> Result<Value, ExecuteFault> {
    called_by("me", executor, &arguments).await
}

/// The text of a result that is no error.
pub(super) fn text(result: &Value) -> &str {
    assert_eq!(result.get("isError"), None, "{result}");
    result["content"][0]["text"].as_str().unwrap()
}

/// The sentence of a result that is one.
pub(super) fn error(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap()
}

pub(super) fn alone(name: &str) -> ValueTemplate {
    ValueTemplate::Text(Template::parameter(name))
}

/// Properties of these names that may be anything.
pub(super) fn any(names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| ((*name).to_owned(), serde_json::json!({})))
        .collect()
}

/// An API that always says the same.
pub(super) async fn says(body: &'static str) -> Api {
    Api::start(move |_| Some(json(200, body))).await
}
