//! What odd bytes on a connection do to the call that meets them, and that they do nothing to the next one.

use super::played::{Peer, Stage, call};
use crate::{
    backend::{Answer, Call, CallError},
    failsafe::Outcome,
    protocol::Message,
};

const JSON: &str = "content-type: application/json\r\n";

fn big_call(length: usize) -> Call<'static> {
    let text = "x".repeat(length);
    let params = format!(r#"{{"name":"big","arguments":{{"text":"{text}"}}}}"#);
    Call {
        message: Message::request(b"1", "tools/call", Some(params.as_bytes())),
        ..call("big")
    }
}

/// One call that meets `response`, in which `ID` stands for its id, on the connection of a session.
async fn met(stage: &Stage, peer: &mut Peer, response: &str) -> Result<Answer, CallError> {
    let call = stage.call("odd");
    let heard = peer.hear().await;
    peer.say(response.replace("ID", &heard.id())).await;
    call.await.unwrap()
}

fn result(framing: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{JSON}{framing}")
}

/// An answer, before its id of ten digits takes the place of `ID`.
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":ID,"result":{}}"#;

fn chunked() -> String {
    result(&format!(
        "transfer-encoding: chunked\r\n\r\n1\r\n \r\n{:x};x=\"y\"\r\n{ANSWER}\r\n0\r\nx: y\r\n\r\n",
        ANSWER.len() - "ID".len() + 10
    ))
}

#[tokio::test]
async fn interim_heads_are_passed_over_and_a_body_is_read_however_it_comes() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let interim = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    let answer = met(&stage, &mut peer, &format!("{interim}{}", chunked())).await;
    assert_eq!(answer.unwrap().message.result().unwrap(), "{}");
    let call = stage.call("slow");
    let heard = peer.hear().await;
    for byte in chunked().replace("ID", &heard.id()).as_bytes() {
        peer.say([*byte]).await;
    }
    assert!(call.await.unwrap().is_ok());
    let closing = result(&format!("\r\n{ANSWER}"));
    let call = stage.call("last");
    let heard = peer.hear().await;
    peer.say(closing.replace("ID", &heard.id())).await;
    drop(peer);
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn what_comes_behind_an_answer_is_nobodys_answer() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let answer = met(&stage, &mut peer, &format!("{0}{0}", chunked())).await;
    assert!(answer.is_ok());
    peer.closed().await;
    let _next = stage.call("next");
    assert_eq!(stage.accept().await.hear().await.tool(), "next");
}

#[tokio::test]
async fn a_response_that_is_none_breaks_its_call_and_its_connection_alone() {
    let stage = Stage::with(crate::telemetry::Clock::new(), |settings| {
        settings.failsafe.circuit_breaker.enabled = false;
    })
    .await;
    let mut peer = stage.opened().await;
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(64 << 10));
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(3_000);
    let two = result("content-length: 3\r\ncontent-length: 4\r\n\r\n{}");
    let smuggled = result("content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    let zipped = result("transfer-encoding: gzip\r\n\r\n{}");
    let no_chunk = result("transfer-encoding: chunked\r\n\r\nxyz\r\n");
    for response in [
        "SSH-2.0-OpenSSH_9\r\n",
        "\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        &endless,
        &interim,
        &two,
        &smuggled,
        &zipped,
        &no_chunk,
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    ] {
        let error = met(&stage, &mut peer, response).await.unwrap_err();
        let outcome = error.outcome();
        let is_failure = [Outcome::Lost, Outcome::ProtocolViolation].contains(&outcome);
        assert!(is_failure, "{response:.40}: {error}");
        let next = stage.call("next");
        peer = stage.accept().await;
        let heard = peer.hear().await;
        peer.result(&heard, "{}").await;
        assert!(next.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_long_request_arrives_whole_and_a_long_answer_too() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    for length in [15 << 10, 17 << 10, 3 << 20] {
        let call = stage.ask(big_call(length));
        let heard = peer.hear().await;
        let sent = heard.message.as_ref().unwrap().arguments().unwrap();
        assert_eq!(sent.len(), length + r#"{"text":""}"#.len());
        let text = format!(r#"{{"text":"{}"}}"#, "y".repeat(length));
        peer.result(&heard, &text).await;
        let answer = call.await.unwrap().unwrap();
        assert_eq!(answer.message.result().unwrap(), text);
    }
}

#[tokio::test]
async fn a_refusal_is_heard_before_the_request_is_read_to_its_end() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.ask(big_call(32 << 20));
    peer.answer("413 Content Too Large", "", "").await;
    let error = call.await.unwrap().unwrap_err();
    assert!(
        matches!(error, CallError::Http { status: 413, .. }),
        "{error}"
    );
    let _next = stage.call("next");
    assert_eq!(stage.accept().await.hear().await.tool(), "next");
}
