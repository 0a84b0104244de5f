//! What is heard of an HTTP backend outside of calls, how it is listened to again, and what is asked of it for that.

use std::sync::Arc;

use tokio::{
    task::JoinHandle,
    time::{Duration, Instant, advance, pause, resume},
};

use super::{
    ear::BEGIN_TIMEOUT,
    played::{Heard, LONG, Peer, Stage, call},
};
use crate::{
    backend::{Answer, Call, CallError, Speaker},
    protocol::Era,
};

const TELLS: &str = r#"{"tools":{"listChanged":true},"resources":{"subscribe":true}}"#;
const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
const UPDATED: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}"#;

fn soon() -> Instant {
    Instant::now() + LONG
}

/// A session with a backend that may have something to say, and the GET by which it is listened to.
async fn heard_of(stage: &Stage) -> (Peer, Heard) {
    let backend = Arc::clone(&stage.backend);
    let era = tokio::spawn(async move { backend.era(soon()).await });
    let mut peer = stage.accept().await;
    let initialize = peer.hear().await;
    peer.welcome_as(&initialize, "one", TELLS).await;
    assert_eq!(era.await.unwrap(), Ok(Era::Legacy));
    let get = peer.hear().await;
    assert!(get.head.starts_with("get "), "{}", get.head);
    (peer, get)
}

fn event(data: &str) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

#[tokio::test]
async fn a_stream_that_is_refused_for_the_moment_is_asked_for_again_when_the_backend_says() {
    let stage = Stage::set().await;
    let (mut peer, _) = heard_of(&stage).await;
    for status in [
        "409 Conflict",
        "429 Too Many Requests",
        "503 Service Unavailable",
        "400 Bad Request",
    ] {
        peer.answer(status, "retry-after: 0\r\n", "").await;
        // The connection is given up with what it may still say.
        peer = stage.accept().await;
        assert!(peer.hear().await.head.starts_with("get "), "{status}");
    }
}

#[tokio::test]
async fn a_backend_that_offers_no_stream_is_not_asked_for_one_again() {
    for status in [
        "404 Not Found",
        "405 Method Not Allowed",
        "501 Not Implemented",
        "200 OK",
    ] {
        let stage = Stage::set().await;
        let (mut peer, _) = heard_of(&stage).await;
        peer.answer(status, "retry-after: 0\r\n", "").await;
        let call = stage.call("echo");
        let mut peer = stage.accept().await;
        let heard = peer.hear().await;
        assert_eq!(heard.tool(), "echo", "{status}");
        peer.result(&heard, "{}").await;
        assert!(call.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_stream_that_does_not_begin_is_given_up_and_asked_for_again() {
    let stage = Stage::set().await;
    let (peer, _) = heard_of(&stage).await;
    pause();
    advance(BEGIN_TIMEOUT + Duration::from_secs(1)).await;
    resume();
    peer.closed().await;
    let mut peer = stage.accept().await;
    assert!(peer.hear().await.head.starts_with("get "));
}

#[tokio::test]
async fn a_stream_that_breaks_is_gone_on_with_behind_what_was_heard() {
    let stage = Stage::set().await;
    let mut notices = stage.backend.notices();
    let (mut peer, get) = heard_of(&stage).await;
    assert!(!get.head.contains("last-event-id"), "{}", get.head);
    peer.stream().await;
    peer.chunk(format!("id: seven\nretry: 10\ndata: {CHANGED}\n\n").as_bytes())
        .await;
    notices.recv().await.unwrap();
    drop(peer);
    let get = stage.accept().await.hear().await;
    assert!(get.head.contains("last-event-id: seven"), "{}", get.head);
}

#[tokio::test]
async fn a_backend_of_both_eras_tells_of_a_change_once() {
    let stage = Stage::set().await;
    let mut notices = stage.backend.notices();
    let (mut legacy, _) = heard_of(&stage).await;
    legacy.stream().await;
    legacy.chunk(&event(CHANGED)).await;
    let told = notices.recv().await.unwrap();
    assert_eq!(told.bytes(), CHANGED);
    let backend = Arc::clone(&stage.backend);
    let info = tokio::spawn(async move { backend.modern_info(soon()).await });
    let mut modern = stage.accept().await;
    let discover = modern.hear().await;
    let found = format!(r#"{{"supportedVersions":["2026-07-28"],"capabilities":{TELLS}}}"#);
    modern.result(&discover, &found).await;
    assert!(info.await.unwrap().unwrap().is_some());
    let listen = modern.hear().await;
    assert_eq!(listen.method(), Some("subscriptions/listen"));
    modern.stream().await;
    let agreed = r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true}}}"#;
    modern.chunk(&event(agreed)).await;
    modern.chunk(&event(CHANGED)).await;
    assert_eq!(notices.recv().await.unwrap().bytes(), CHANGED);
    legacy.chunk(&event(CHANGED)).await;
    legacy.chunk(&event(UPDATED)).await;
    assert_eq!(notices.recv().await.unwrap().bytes(), UPDATED);
    drop(modern);
    let mut modern = stage.accept().await;
    modern.hear().await;
    legacy.chunk(&event(CHANGED)).await;
    assert_eq!(notices.recv().await.unwrap().bytes(), CHANGED);
}

/// A call of a client of the newest revision.
fn modern_call(stage: &Stage, name: &str) -> JoinHandle<Result<Answer, CallError>> {
    stage.ask(Call {
        speaker: Speaker::Modern,
        ..call(name)
    })
}

#[tokio::test]
async fn a_sick_backend_is_not_asked_what_it_speaks_before_each_call() {
    let stage = Stage::set().await;
    let first = modern_call(&stage, "first");
    let mut peer = stage.accept().await;
    assert_eq!(peer.hear().await.method(), Some("server/discover"));
    peer.answer("503 Service Unavailable", "connection: close\r\n", "")
        .await;
    let mut peer = stage.accept().await;
    peer.open("one").await;
    for (name, waiting) in [("first", Some(first)), ("second", None), ("third", None)] {
        let call = waiting.unwrap_or_else(|| modern_call(&stage, name));
        let heard = peer.hear().await;
        assert_eq!(heard.tool(), name);
        peer.result(&heard, "{}").await;
        assert!(call.await.unwrap().is_ok());
    }
}
