//! Answers that are given again: whose, of what, and to whom.

use std::{sync::Mutex, time::Duration};

use serde_json::{Value, json};

use super::{
    AuthKind, CachePolicy, Executor, Parts,
    samples::{any, auth, called, called_by, definition, executor, get, outside, parts, text},
    web::played::{Api, json as json_answer},
};

/// An API that counts.
async fn counting() -> Api {
    let count = Mutex::new(0);
    Api::start(move |asked| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let status = if asked.path().contains("bad") {
            404
        } else {
            200
        };
        Some(json_answer(status, &count.to_string()))
    })
    .await
}

fn kept(api: &Api) -> Parts {
    let mut parts = parts(&any(&["a", "b"]), vec![get(&api.url("/?a={a}&b={b}"))]);
    parts.cache = CachePolicy::Exact {
        ttl: Duration::from_secs(60),
    };
    parts
}

async fn answer_of(executor: &Executor, arguments: Value) -> String {
    text(&called(executor, arguments).await.unwrap()).to_owned()
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_and_another_one_its_own() {
    let api = counting().await;
    let executor = executor(kept(&api));
    for (arguments, count) in [
        (json!({"a": 1, "b": 2}), "1"),
        (json!({"b": 2, "a": 1}), "1"),
        (json!({"a": 1}), "2"),
        (json!({"a": "1"}), "3"),
    ] {
        assert_eq!(answer_of(&executor, arguments).await, count);
    }
    for count in ["404", "404"] {
        let result = called(&executor, json!({"a": "bad"})).await.unwrap();
        assert!(result.to_string().contains(count));
    }
    assert_eq!(api.asked().len(), 5);
}

#[tokio::test]
async fn nothing_is_kept_of_what_changes_something_or_does_not_ask_for_it() {
    let api = counting().await;
    let mut writes = kept(&api);
    writes.metadata.read_only = Some(false);
    let mut off = kept(&api);
    off.cache = CachePolicy::Off;
    for parts in [writes, off] {
        let executor = executor(parts);
        let first = answer_of(&executor, json!({})).await;
        assert_ne!(answer_of(&executor, json!({})).await, first);
    }
}

#[tokio::test]
async fn what_is_asked_for_with_a_credential_is_given_to_nobody_else() {
    let api = counting().await;
    let public = executor(kept(&api));
    let mut private = kept(&api);
    private.auth = Some(auth(AuthKind::Bearer));
    let private = executor(private);
    let asked = async |executor: &Executor, caller| {
        let result = called_by(caller, executor, &json!({})).await.unwrap();
        text(&result).to_owned()
    };
    assert_eq!(asked(&private, "me").await, "1");
    assert_eq!(asked(&private, "you").await, "2");
    assert_eq!(asked(&private, "me").await, "1");
    assert_eq!(asked(&public, "me").await, "3");
    assert_eq!(asked(&public, "you").await, "3");
}

#[tokio::test]
async fn a_reload_forgets_what_was_kept_for_definitions_may_have_changed() {
    let api = counting().await;
    let outside = outside();
    let executor = || Executor::new([definition(kept(&api))], outside.clone());
    assert_eq!(answer_of(&executor(), json!({})).await, "1");
    assert_eq!(answer_of(&executor(), json!({})).await, "2");
}

#[tokio::test]
async fn calls_at_the_same_time_go_out_once() {
    let api = counting().await;
    let executor = executor(kept(&api));
    let one = || answer_of(&executor, json!({}));
    let (a, b, c) = tokio::join!(one(), one(), one());
    assert_eq!([a, b, c], ["1", "1", "1"]);
    assert_eq!(api.asked().len(), 1);
}
