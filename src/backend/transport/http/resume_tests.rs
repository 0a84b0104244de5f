//! Calls whose event stream ends before their answer.

use tokio::task::JoinHandle;

use super::played::{Heard, Peer, Stage, call};
use crate::backend::{Answer, Call, CallError, Speaker};

type Waiting = JoinHandle<Result<Answer, CallError>>;

/// Ends the stream of `call` behind an event with an id.
async fn break_off(peer: &mut Peer) -> Heard {
    let heard = peer.hear().await;
    peer.stream().await;
    peer.chunk(b"id: here\nretry: 10\ndata:\n\n").await;
    peer.say("0\r\n\r\n").await;
    heard
}

/// Such a call, and the GET by which its answer is looked for.
async fn looked_for(stage: &Stage) -> (Waiting, Heard, Peer) {
    let mut peer = stage.opened().await;
    let call = stage.call("long");
    let heard = break_off(&mut peer).await;
    drop(peer);
    let mut peer = stage.accept().await;
    let get = peer.hear().await;
    assert!(get.head.contains("last-event-id: here"), "{}", get.head);
    (call, heard, peer)
}

#[tokio::test]
async fn an_answer_is_found_on_the_stream_that_goes_on_even_if_that_is_refused_for_the_moment() {
    let stage = Stage::set().await;
    let (call, heard, mut peer) = looked_for(&stage).await;
    for status in ["409 Conflict", "429 Too Many Requests"] {
        peer.answer(status, "retry-after: 0\r\n", "").await;
        peer = stage.accept().await;
        let get = peer.hear().await;
        assert!(get.head.contains("last-event-id: here"), "{}", get.head);
    }
    peer.stream().await;
    let answer = format!(
        "data: {{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{}}}}\n\n",
        heard.id()
    );
    peer.chunk(answer.as_bytes()).await;
    assert_eq!(call.await.unwrap().unwrap().message.result().unwrap(), "{}");
}

#[tokio::test]
async fn a_session_that_is_forgotten_meanwhile_fails_the_call_and_is_opened_anew_for_the_next() {
    let stage = Stage::set().await;
    let (call, _, mut peer) = looked_for(&stage).await;
    peer.answer("404 Not Found", "", "").await;
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Lost { .. }), "{error}");
    assert!(
        error.to_string().contains("forgotten the session"),
        "{error}"
    );
    let call = stage.call("next");
    let mut peer = stage.accept().await;
    peer.open("two").await;
    let heard = peer.hear().await;
    assert_eq!(heard.tool(), "next");
    peer.result(&heard, "{}").await;
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_stream_of_the_newest_revision_is_not_gone_on_with() {
    let stage = Stage::set().await;
    let modern = |name| {
        stage.ask(Call {
            speaker: Speaker::Modern,
            ..call(name)
        })
    };
    let first = modern("first");
    let mut peer = stage.accept().await;
    let discover = peer.hear().await;
    let found = r#"{"supportedVersions":["2026-07-28"],"capabilities":{}}"#;
    peer.result(&discover, found).await;
    break_off(&mut peer).await;
    let error = first.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Lost { .. }), "{error}");
    let second = modern("second");
    let mut peer = stage.accept().await;
    let heard = peer.hear().await;
    assert_eq!(heard.tool(), "second");
    peer.result(&heard, "{}").await;
    assert!(second.await.unwrap().is_ok());
}
