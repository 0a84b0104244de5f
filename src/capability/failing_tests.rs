//! Providers that fail: whose breaker opens, who is asked instead, and what is said of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;

use super::{
    AuthKind, Body, ExecuteFault, Executor, PrivateNetworks, Provider, ValueTemplate,
    samples::{
        auth, called, definition, error, executor, get, outside, outside_under, parts, post, text,
    },
    web::played::{Api, answer, json as json_answer},
};
use crate::failsafe::{CircuitState, FailsafeConfig};

/// An API that answers with a status, which can be changed.
async fn with_status(status: u16) -> (Api, Arc<Mutex<u16>>) {
    let status = Arc::new(Mutex::new(status));
    let said = Arc::clone(&status);
    let api = Api::start(move |_| Some(json_answer(*said.lock().unwrap(), "{\"a\":1}"))).await;
    (api, status)
}

/// A provider at a port where nobody listens.
fn nobody() -> Provider {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    get(&format!("http://{}/", free.local_addr().unwrap()))
}

fn state(executor: &Executor, index: usize) -> CircuitState {
    executor.guards("look")[index]
        .failsafe
        .circuit_breaker
        .state()
}

#[tokio::test]
async fn the_breaker_of_a_provider_opens_on_its_failures_and_not_on_a_404() {
    let (api, status) = with_status(404).await;
    let executor = executor(parts(&json!({}), vec![get(&api.url("/"))]));
    for _ in 0..9 {
        let result = called(&executor, json!({})).await.unwrap();
        assert!(error(&result).contains("404"), "{result}");
    }
    assert_eq!(state(&executor, 0), CircuitState::Closed);
    *status.lock().unwrap() = 503;
    for _ in 0..3 {
        let fault = called(&executor, json!({})).await.unwrap_err();
        assert!(
            matches!(&fault, ExecuteFault::Failed { sent: true, .. }),
            "{fault}"
        );
    }
    assert_eq!(state(&executor, 0), CircuitState::Open);
    let fault = called(&executor, json!({})).await.unwrap_err();
    let ExecuteFault::Open { cause, .. } = fault else {
        panic!("{fault:?}");
    };
    assert!(
        cause.starts_with("127.0.0.1:") && cause.contains("503"),
        "{cause}"
    );
    assert_eq!(api.asked().len(), 12);
    let health = executor.guards("look")[0].failsafe.health_metrics();
    assert_eq!((health.success_count, health.failure_count), (0, 3));
}

#[tokio::test]
async fn capabilities_of_one_host_share_its_breaker_and_a_reload_forgets_nothing() {
    let (api, _) = with_status(500).await;
    let outside = outside();
    let mut other = parts(&json!({}), vec![get(&api.url("/other"))]);
    other.name = super::Name::new("other").unwrap();
    let look = definition(parts(&json!({}), vec![get(&api.url("/"))]));
    let both = [Arc::clone(&look), definition(other)];
    let executor = Executor::new(both, outside.clone());
    for _ in 0..3 {
        let _ = called(&executor, json!({})).await;
    }
    assert!(Arc::ptr_eq(
        &executor.guards("look")[0],
        &executor.guards("other")[0]
    ));
    let again = Executor::new([look], outside);
    assert_eq!(state(&again, 0), CircuitState::Open);
}

#[tokio::test]
async fn the_next_provider_is_asked_when_one_fails_and_that_is_said() {
    let (broken, _) = with_status(502).await;
    let (good, _) = with_status(200).await;
    let providers = vec![
        nobody(),
        get(&broken.url("/")),
        get(&good.url("/")),
        get(&broken.url("/")),
    ];
    let executor = executor(parts(&json!({}), providers));
    assert_eq!(executor.health("look"), None, "nobody has called it");
    let result = called(&executor, json!({})).await.unwrap();
    let health = executor.health("look").unwrap();
    assert_eq!((health.success_count, health.failure_count), (1, 0));
    assert_eq!(text(&result), "{\"a\":1}");
    let said = &result["_meta"]["capability"];
    assert_eq!(said["provider"], format!("127.0.0.1:{}", good.port()));
    let switched = said["instead_of"].as_array().unwrap();
    assert_eq!(switched.len(), 2);
    assert!(switched[0]["error"].as_str().unwrap().contains("refused"));
    assert!(switched[1]["error"].as_str().unwrap().contains("502"));
    assert_eq!((broken.asked().len(), good.asked().len()), (1, 1));
    for _ in 0..3 {
        called(&executor, json!({})).await.unwrap();
    }
    assert_eq!(state(&executor, 0), CircuitState::Open);
    assert_eq!((broken.asked().len(), good.asked().len()), (3, 4));
}

#[tokio::test]
async fn the_next_provider_is_asked_when_one_is_too_slow() {
    let silent = Api::start(|_| None).await;
    let (good, _) = with_status(200).await;
    let mut slow = get(&silent.url("/"));
    slow.timeout = Duration::from_millis(40);
    let executor = executor(parts(&json!({}), vec![slow, get(&good.url("/"))]));
    let result = called(&executor, json!({})).await.unwrap();
    let switched = &result["_meta"]["capability"]["instead_of"][0]["error"];
    assert!(
        switched.as_str().unwrap().starts_with("no answer within"),
        "{result}"
    );
}

#[tokio::test]
async fn what_may_have_run_is_not_asked_of_another() {
    let (broken, _) = with_status(500).await;
    let (good, _) = with_status(200).await;
    let write = |api: &Api| post(&api.url("/"), Body::Json(ValueTemplate::Arguments));
    let of_two = |first: Provider| executor(parts(&json!({}), vec![first, write(&good)]));
    let fault = called(&of_two(write(&broken)), json!({}))
        .await
        .unwrap_err();
    assert!(
        matches!(fault, ExecuteFault::Failed { sent: true, .. }),
        "{fault}"
    );
    assert!(good.asked().is_empty());
    let mut unheard = nobody();
    if let super::Service::Rest(call) = &mut unheard.service {
        call.method = http::Method::POST;
    }
    let result = called(&of_two(unheard), json!({})).await.unwrap();
    assert_eq!(text(&result), "{\"a\":1}");
    let mut repeatable = parts(&json!({}), vec![write(&broken), write(&good)]);
    repeatable.metadata.idempotent = Some(true);
    called(&executor(repeatable), json!({})).await.unwrap();
    assert_eq!(good.asked().len(), 2);
}

#[tokio::test]
async fn a_pause_that_a_provider_asks_for_is_passed_on_and_its_breaker_stays_closed() {
    let pause = [("retry-after", "7")];
    let api = Api::start(move |_| Some(answer(429, &pause, "slow down"))).await;
    let executor = executor(parts(&json!({}), vec![get(&api.url("/"))]));
    for _ in 0..5 {
        let fault = called(&executor, json!({})).await.unwrap_err();
        let retry_after = Duration::from_secs(7);
        assert_eq!(fault, ExecuteFault::Throttled { retry_after });
    }
    assert_eq!(state(&executor, 0), CircuitState::Closed);
}

#[tokio::test]
async fn a_date_to_come_back_at_is_taken_relative_to_the_answers_own() {
    let dates = [
        ("date", "Fri, 27 Nov 2026 10:00:00 GMT"),
        ("retry-after", "Fri, 27 Nov 2026 10:01:30 GMT"),
    ];
    let api = Api::start(move |_| Some(answer(503, &dates, ""))).await;
    let executor = executor(parts(&json!({}), vec![get(&api.url("/"))]));
    let fault = called(&executor, json!({})).await.unwrap_err();
    let ExecuteFault::Failed { retry_after, .. } = fault else {
        panic!("{fault:?}");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(90)));
}

#[tokio::test]
async fn a_credential_that_is_not_accepted_is_no_failure_of_the_provider() {
    let (api, _) = with_status(401).await;
    let mut parts = parts(&json!({}), vec![get(&api.url("/"))]);
    parts.auth = Some(auth(AuthKind::Bearer));
    let executor = executor(parts);
    for _ in 0..4 {
        let result = called(&executor, json!({})).await.unwrap();
        assert!(error(&result).contains("Tell the user"), "{result}");
    }
    assert_eq!(state(&executor, 0), CircuitState::Closed);
}

#[tokio::test]
async fn an_answer_that_is_no_json_although_it_says_so_is_a_failure() {
    let api = Api::start(|_| Some(json_answer(200, "<html>"))).await;
    let executor = executor(parts(&json!({}), vec![get(&api.url("/"))]));
    let fault = called(&executor, json!({})).await.unwrap_err();
    assert!(fault.to_string().contains("no JSON"), "{fault}");
    let health = executor.guards("look")[0].failsafe.health_metrics();
    assert_eq!(health.failure_count, 1);
}

#[tokio::test]
async fn the_last_provider_is_asked_again_where_that_is_safe() {
    let times = Arc::new(Mutex::new(0));
    let said = Arc::clone(&times);
    let api = Api::start(move |_| {
        let mut times = said.lock().unwrap();
        *times += 1;
        let status = if *times % 3 == 0 { 200 } else { 503 };
        Some(json_answer(status, "{\"a\":1}"))
    })
    .await;
    let mut config = FailsafeConfig::default();
    config.retry.initial_backoff = Duration::from_millis(1);
    let of = |provider| {
        let definition = definition(parts(&json!({}), vec![provider]));
        let outside = outside_under(PrivateNetworks::Allowed, config.clone());
        Executor::new([definition], outside)
    };
    let result = called(&of(get(&api.url("/"))), json!({})).await.unwrap();
    assert_eq!(text(&result), "{\"a\":1}");
    assert_eq!(api.asked().len(), 3);
    let write = post(&api.url("/"), Body::Json(ValueTemplate::Arguments));
    let fault = called(&of(write), json!({})).await.unwrap_err();
    assert!(
        matches!(fault, ExecuteFault::Failed { sent: true, .. }),
        "{fault}"
    );
    assert_eq!(api.asked().len(), 4);
}
