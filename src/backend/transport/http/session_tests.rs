//! Sessions that an HTTP backend forgets, and those that are opened while something else happens.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    played::{LONG, Stage, call},
    tests::error,
};
use crate::{
    backend::{Call, CallError},
    failsafe::Outcome,
    telemetry::Clock,
};

const LOST: &str =
    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}"#;

#[tokio::test]
async fn a_forgotten_session_is_opened_again_and_the_refused_call_sent_again() {
    for lost in ["404 Not Found", "200 OK", "400 Bad Request"] {
        let stage = Stage::set().await;
        let mut peer = stage.opened().await;
        let call = stage.call("again");
        peer.hear().await;
        peer.answer(
            lost,
            "content-type: application/json\r\nconnection: close\r\n",
            LOST,
        )
        .await;
        let mut peer = stage.accept().await;
        peer.open("two").await;
        let heard = peer.hear().await;
        assert_eq!(heard.tool(), "again");
        assert!(heard.head.contains("mcp-session-id: two"), "{}", heard.head);
        peer.result(&heard, "{}").await;
        assert!(call.await.unwrap().is_ok(), "{lost}");
        let status = stage.backend.status();
        assert_eq!(
            (status.restarts, status.health_metrics.failure_count),
            (1, 0)
        );
    }
}

#[tokio::test]
async fn a_404_is_about_the_session_whatever_its_error_says_in_whatever_words() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.call("again");
    let id = peer.hear().await.id();
    let refusal = error(&id, -32001, "never heard of you");
    peer.answer("404 Not Found", "", &refusal).await;
    let mut peer = stage.accept().await;
    peer.open("two").await;
    let heard = peer.hear().await;
    assert_eq!(heard.tool(), "again");
    peer.result(&heard, "{}").await;
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn calls_that_find_the_session_forgotten_together_open_one_new_session() {
    let stage = Stage::set().await;
    let mut first = stage.opened().await;
    let calls = [stage.call("a"), stage.call("b")];
    first.hear().await;
    let mut second = stage.accept().await;
    second.hear().await;
    first.answer("404 Not Found", "", "").await;
    second.answer("404 Not Found", "", "").await;
    let mut peer = stage.accept().await;
    peer.open("two").await;
    let heard = peer.hear().await;
    let mut other = stage.accept().await;
    let also = other.hear().await;
    assert_eq!(also.method(), Some("tools/call"));
    peer.result(&heard, "{}").await;
    other.result(&also, "{}").await;
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(stage.backend.status().restarts, 1);
}

#[tokio::test]
async fn a_backend_that_forgets_each_session_is_asked_twice_and_no_more() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.call("again");
    peer.hear().await;
    peer.answer("404 Not Found", "", LOST).await;
    let mut peer = stage.accept().await;
    peer.open("two").await;
    peer.hear().await;
    peer.answer("404 Not Found", "", LOST).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::ProtocolViolation);
    assert_eq!(stage.backend.status().restarts, 1);
}

#[tokio::test]
async fn a_call_that_has_begun_to_run_is_not_sent_again_whatever_its_error_says() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.call("chat");
    let id = peer.hear().await.id();
    peer.stream().await;
    let progress = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{id},"progress":1}}}}"#
    );
    let answer = error(&id, -32000, "chat session not found");
    peer.chunk(format!("data: {progress}\n\ndata: {answer}\n\n").as_bytes())
        .await;
    let answer = call.await.unwrap().unwrap();
    assert_eq!(answer.message.error_code(), Some(-32000));
}

#[tokio::test]
async fn a_backend_without_sessions_has_none_to_forget() {
    let stage = Stage::set().await;
    let call = stage.call("chat");
    let mut peer = stage.accept().await;
    peer.open("").await;
    let id = peer.hear().await.id();
    peer.json(&error(&id, -32000, "chat session not found"))
        .await;
    let answer = call.await.unwrap().unwrap();
    assert_eq!(answer.message.error_code(), Some(-32000));
    let call = stage.call("other");
    peer.hear().await;
    peer.answer("404 Not Found", "", "no such page").await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::CallerFault, "{error}");
}

#[tokio::test]
async fn a_call_that_never_left_because_the_handshake_broke_is_sent_again() {
    let stage = Stage::set().await;
    let call = stage.call("patient");
    drop(stage.accept().await);
    let mut peer = stage.accept().await;
    peer.open("one").await;
    let heard = peer.hear().await;
    assert_eq!(heard.tool(), "patient");
    peer.result(&heard, "{}").await;
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_probe_of_the_breaker_opens_a_new_session_first() {
    let (clock, advance) = Clock::mocked();
    let stage = Stage::with(clock, |settings| {
        settings.failsafe.circuit_breaker.failure_threshold = 1;
    })
    .await;
    let mut peer = stage.opened().await;
    let call = stage.call("stale");
    peer.hear().await;
    peer.answer("500 Internal Server Error", "", "unknown session")
        .await;
    assert!(call.await.unwrap().is_err());
    advance(Duration::from_secs(60));
    let probe = stage.ask(now(&stage, "probe"));
    let mut peer = stage.accept().await;
    peer.open("two").await;
    let heard = peer.hear().await;
    assert!(heard.head.contains("mcp-session-id: two"), "{}", heard.head);
    peer.result(&heard, "{}").await;
    assert!(probe.await.unwrap().is_ok());
    let next = stage.ask(now(&stage, "next"));
    let heard = peer.hear().await;
    assert_eq!(heard.tool(), "next");
    peer.result(&heard, "{}").await;
    assert!(next.await.unwrap().is_ok());
}

fn now(stage: &Stage, name: &str) -> Call<'static> {
    Call {
        started: stage.backend.clock().now(),
        ..call(name)
    }
}

#[tokio::test]
async fn a_session_that_is_opened_while_the_backend_is_stopped_is_not_kept() {
    let stage = Stage::set().await;
    let call = stage.call("late");
    let mut peer = stage.accept().await;
    let initialize = peer.hear().await;
    stage.backend.kill(Instant::now() + LONG).await;
    peer.welcome(&initialize, "one").await;
    assert_eq!(call.await.unwrap().unwrap_err(), CallError::Stopped);
    assert!(!stage.backend.status().running);
}
