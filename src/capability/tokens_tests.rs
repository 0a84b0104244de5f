//! Tokens for a client's id and secret: asked for once, renewed once, never shown.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{
    AuthKind, Executor, Key,
    samples::{auth, called, error, executor, get, parts, text},
    web::played::{Api, Asked, answer, json as json_answer},
};
use crate::{failsafe::CircuitState, telemetry::Secret};

/// An API that gives tokens at `/token`, and takes those that are numbered `good` at least.
async fn with_tokens(good: &Arc<Mutex<u32>>, lifetime: &'static str) -> Api {
    let (given, good) = (Mutex::new(0), Arc::clone(good));
    Api::start(move |asked| {
        let mut given = given.lock().unwrap();
        if asked.path() == "/token" {
            if !asks_rightly(asked) {
                return Some(answer(400, &[], "invalid_client"));
            }
            *given += 1;
            let token = format!(
                r#"{{"access_token":"tok-number-{given}","token_type":"Bearer"{lifetime}}}"#
            );
            return Some(json_answer(200, &token));
        }
        let shown = asked.header("authorization").unwrap_or_default();
        let number = shown
            .strip_prefix("Bearer tok-number-")
            .and_then(|n| n.parse().ok());
        let is_good = number.is_some_and(|number: u32| number >= *good.lock().unwrap());
        let status = if is_good { 200 } else { 401 };
        Some(json_answer(status, &format!("{shown:?}")))
    })
    .await
}

/// With the id and the secret in the body: `c%3Ad` and `p&q` in the forms of RFC 6749, 2.3.1.
fn asks_rightly(asked: &Asked) -> bool {
    asked
        .body
        .starts_with("grant_type=client_credentials&scope=read%20write")
        && asked.body.contains("&client_id=client&client_secret=p%26q")
}

fn with_oauth(api: &Api) -> Executor {
    let mut parts = parts(&json!({}), vec![get(&api.url("/"))]);
    let mut auth = auth(AuthKind::OAuth2 {
        token_endpoint: api.url("/token").parse().unwrap(),
        scopes: vec!["read".into(), "write".into()],
    });
    auth.key = Key::Held(Secret::new("client:p&q"));
    parts.auth = Some(auth);
    executor(parts)
}

/// How often a token was given; each time it is first asked for with the secret in a header, which this API does not take.
fn given(api: &Api) -> usize {
    api.asked()
        .iter()
        .filter(|asked| asked.path() == "/token" && asks_rightly(asked))
        .count()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_shown_from_then_on() {
    let api = with_tokens(&Arc::new(Mutex::new(1)), r#","expires_in":3600"#).await;
    let executor = with_oauth(&api);
    let one = async || {
        let result = called(&executor, json!({})).await.unwrap();
        text(&result).to_owned()
    };
    let (a, b) = tokio::join!(one(), one());
    for said in [a, b, one().await] {
        assert_eq!(said, "\"Bearer tok-number-1\"");
    }
    assert_eq!(given(&api), 1);
    let first = &api.asked()[0];
    // client:p%26q, encoded as RFC 6749, 2.3.1 asks for.
    assert_eq!(
        first.header("authorization"),
        Some("Basic Y2xpZW50OnAlMjZx")
    );
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_shown() {
    let api = with_tokens(&Arc::new(Mutex::new(1)), r#","expires_in":30"#).await;
    let executor = with_oauth(&api);
    for number in 1..3 {
        let result = called(&executor, json!({})).await.unwrap();
        assert_eq!(text(&result), format!("\"Bearer tok-number-{number}\""));
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let good = Arc::new(Mutex::new(1));
    let api = with_tokens(&good, "").await;
    let executor = with_oauth(&api);
    called(&executor, json!({})).await.unwrap();
    *good.lock().unwrap() = 2;
    let result = called(&executor, json!({})).await.unwrap();
    assert_eq!(text(&result), "\"Bearer tok-number-2\"");
    *good.lock().unwrap() = 9;
    let result = called(&executor, json!({})).await.unwrap();
    assert!(error(&result).contains("Tell the user"), "{result}");
    assert!(!result.to_string().contains("tok-number"), "{result}");
    assert_eq!(given(&api), 3);
}

#[tokio::test]
async fn a_new_token_that_is_refused_is_not_asked_for_again_in_the_same_call() {
    let api = with_tokens(&Arc::new(Mutex::new(2)), "").await;
    let executor = with_oauth(&api);
    let result = called(&executor, json!({})).await.unwrap();
    assert!(error(&result).contains("Tell the user"), "{result}");
    assert_eq!(given(&api), 1);
}

#[tokio::test]
async fn who_gives_no_token_is_named_and_no_breaker_opens_for_a_wrong_secret() {
    let api = Api::start(|_| Some(answer(401, &[], "hunter2-and-more"))).await;
    let executor = with_oauth(&api);
    for _ in 0..4 {
        let result = called(&executor, json!({})).await.unwrap();
        assert!(
            error(&result).contains("no token from 127.0.0.1"),
            "{result}"
        );
    }
    let breaker = &executor.guards("look")[0].failsafe.circuit_breaker;
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert!(api.asked().iter().all(|asked| asked.path() == "/token"));
}
