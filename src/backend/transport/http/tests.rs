//! What a caller sees of each way an HTTP backend can answer, break and come back.

use std::{sync::LazyLock, time::Duration};

use tokio::time::Instant;

use super::played::{CREDENTIAL, LONG, Stage, call, listening};
use crate::{
    backend::{Call, CallError, Spent},
    failsafe::Outcome,
    protocol::Message,
    telemetry::Clock,
};

pub(super) fn error(id: &str, code: i64, message: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#)
}

#[tokio::test]
async fn answers_pass_byte_true_and_calls_share_a_connection_and_a_session() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    for result in [r#"{"n":12345678901234567890.10,"x":"\u00e9"}"#, "{ }"] {
        let call = stage.call("echo");
        let heard = peer.hear().await;
        assert!(heard.head.starts_with("post /mcp?key=s3cret http/1.1"));
        for header in [
            "mcp-session-id: one",
            "mcp-protocol-version: 2025-06-18",
            "accept: application/json, text/event-stream",
            "x-request-id: ",
        ] {
            assert!(heard.head.contains(header), "{}", heard.head);
        }
        peer.result(&heard, result).await;
        let answer = call.await.unwrap().unwrap();
        assert_eq!(answer.message.result().unwrap(), result);
    }
    assert_eq!(stage.backend.status().restarts, 0);
}

#[tokio::test]
async fn a_call_looks_at_the_clock_when_it_is_answered_and_when_it_is_timed_before_it_is_sent() {
    let clock = Clock::new();
    let stage = Stage::with(clock.clone(), |_| ()).await;
    let mut peer = stage.opened().await;
    static SPENT: LazyLock<Spent> = LazyLock::new(Spent::default);
    for (spent, looks) in [(None, 1), (Some(&*SPENT), 2)] {
        let before = clock.reads.total();
        let call = stage.ask(Call {
            spent,
            ..call("echo")
        });
        let heard = peer.hear().await;
        peer.result(&heard, "{}").await;
        let answer = call.await.unwrap().unwrap();
        assert_eq!(clock.reads.total() - before, looks);
        assert!(answer.waited > std::time::Duration::ZERO);
        assert_eq!(spent.map_or(answer.waited, Spent::backend), answer.waited);
    }
}

#[tokio::test]
async fn an_event_stream_brings_progress_before_the_answer() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let (call, mut events) = listening("slow");
    let call = stage.ask(call);
    let heard = peer.hear().await;
    let id = heard.id();
    peer.stream().await;
    peer.chunk(b"id: 0\r\nretry: 5\r\ndata:\r\n\r\n: a comment\r\n\r\n")
        .await;
    peer.chunk(b"event: ping\ndata: not for us\n\n").await;
    let progress = format!(
        "event: message\r\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\r\ndata: \"params\":{{\"progressToken\":{id},\"progress\":1,\"message\":\"½\"}}}}\r\n\r\n"
    );
    let half = progress.find('½').unwrap() + 1;
    let (before, after) = progress.as_bytes().split_at(half);
    peer.chunk(before).await;
    peer.chunk(after).await;
    let event = events.recv().await;
    assert_eq!(event.progress_token(), Some(&br#""theirs""#[..]));
    assert!(!call.is_finished());
    peer.chunk(format!("data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{}}}}\n\n").as_bytes())
        .await;
    assert_eq!(call.await.unwrap().unwrap().message.result().unwrap(), "{}");
}

#[tokio::test]
async fn an_error_that_names_the_request_is_an_answer_whatever_the_status() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let long = "x".repeat(20_000);
    for status in ["404 Not Found", "400 Bad Request"] {
        let call = stage.call("odd");
        let id = peer.hear().await.id();
        peer.answer(status, "", &error(&id, -32601, &long)).await;
        let answer = call.await.unwrap().unwrap();
        assert_eq!(answer.message.error_code(), Some(-32601), "{status}");
    }
    assert_eq!(stage.backend.status().restarts, 0);
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_told_and_the_breaker_untouched() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.ask(Call {
        deadline: Instant::now() + LONG / 2,
        ..call("eager")
    });
    peer.hear().await;
    peer.answer("429 Too Many Requests", "retry-after: 20\r\n", "")
        .await;
    let retry_after = Duration::from_secs(20);
    assert_eq!(
        call.await.unwrap().unwrap_err(),
        CallError::Throttled { retry_after }
    );
    assert_eq!(stage.backend.status().health_metrics.failure_count, 0);
}

#[tokio::test]
async fn a_credential_that_is_not_accepted_is_named_and_never_shown() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.call("private");
    peer.hear().await;
    peer.answer("401 Unauthorized", "", "").await;
    let error = call.await.unwrap().unwrap_err();
    let headers = "authorization".into();
    assert_eq!(
        error,
        CallError::Denied {
            status: 401,
            headers
        }
    );
    assert_eq!(stage.backend.status().health_metrics.failure_count, 0);
}

#[tokio::test]
async fn what_a_backend_repeats_of_its_credential_stays_out_of_the_error() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.call("debug");
    peer.hear().await;
    let body = format!("Traceback: {CREDENTIAL}\u{1b}[31m\n");
    peer.answer("500 Internal Server Error", "", &body).await;
    let error = call.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("Traceback"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    assert!(!error.contains('\u{1b}'), "{error}");
    let printed = format!("{:?}", stage.backend);
    assert!(!printed.contains("s3cret"), "{printed}");
}

#[tokio::test]
async fn a_server_error_is_sent_again_only_where_that_is_safe() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let once = stage.call("once");
    peer.hear().await;
    peer.answer("503 Service Unavailable", "", "full").await;
    let error = once.await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::ServerError);
    let twice = stage.ask(Call {
        repeatable: true,
        ..call("twice")
    });
    let mut peer = stage.accept().await;
    assert_eq!(peer.hear().await.tool(), "twice");
    peer.answer("500 Internal Server Error", "", "").await;
    let mut peer = stage.accept().await;
    let heard = peer.hear().await;
    assert_eq!(heard.tool(), "twice");
    peer.result(&heard, "{}").await;
    assert!(twice.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_call_whose_connection_breaks_after_it_was_read_is_never_sent_again() {
    for broken in ["", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"] {
        let stage = Stage::set().await;
        let mut peer = stage.opened().await;
        let call = stage.ask(call("once"));
        assert_eq!(peer.hear().await.tool(), "once");
        peer.say(broken).await;
        drop(peer);
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.outcome(), Outcome::Lost, "{error}");
        let _next = stage.call("next");
        assert_eq!(stage.accept().await.hear().await.tool(), "next");
    }
}

#[tokio::test]
async fn a_kept_connection_that_the_backend_has_closed_is_passed_over() {
    let stage = Stage::set().await;
    drop(stage.opened().await);
    stage.settle().await;
    let call = stage.call("next");
    let mut peer = stage.accept().await;
    let heard = peer.hear().await;
    assert_eq!(heard.tool(), "next");
    peer.result(&heard, "{}").await;
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn what_is_no_answer_to_the_request_breaks_the_protocol() {
    let stage = Stage::with(Clock::new(), |settings| {
        settings.max_message_size = 30_000;
        settings.failsafe.circuit_breaker.enabled = false;
    })
    .await;
    drop(stage.opened().await);
    stage.settle().await;
    let json = "content-type: application/json\r\n";
    let long = "x".repeat(30_001);
    let answers = [
        ("200 OK", r#"{"jsonrpc":"2.0","id":9999,"result":{}}"#),
        ("200 OK", "<html>"),
        ("200 OK", ""),
        ("200 OK", &long),
        ("202 Accepted", ""),
        ("302 Found", ""),
    ];
    for (status, body) in answers {
        let call = stage.call("odd");
        let mut peer = stage.accept().await;
        peer.hear().await;
        let headers = format!("{json}connection: close\r\n");
        peer.answer(status, &headers, body).await;
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(
            error.outcome(),
            Outcome::ProtocolViolation,
            "{status}: {error}"
        );
    }
}

#[tokio::test]
async fn an_event_stream_without_an_answer_or_with_one_too_long_fails_the_call_alone() {
    let stage = Stage::with(Clock::new(), |settings| settings.max_message_size = 1_000).await;
    let mut peer = stage.opened().await;
    let call = stage.call("mute");
    peer.hear().await;
    peer.stream().await;
    peer.chunk(b"data: {\"jsonrpc\":\"2.0\",\"id\":9999,\"result\":{}}\n\n")
        .await;
    peer.say("0\r\n\r\n").await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::Lost, "{error}");
    let call = stage.call("loud");
    let mut peer = stage.accept().await;
    peer.hear().await;
    peer.stream().await;
    peer.chunk(format!("data: {}\n\n", "x".repeat(1_001)).as_bytes())
        .await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::ProtocolViolation, "{error}");
    peer.closed().await;
}

#[tokio::test]
async fn what_is_too_long_and_not_the_answer_is_passed_over() {
    let stage = Stage::with(Clock::new(), |settings| settings.max_message_size = 1_000).await;
    let mut peer = stage.opened().await;
    let call = stage.call("noisy");
    let id = peer.hear().await.id();
    peer.stream().await;
    let long = "x".repeat(2_000);
    for event in [
        format!(r#"{{"method":"notifications/message","params":"{long}"}}"#),
        format!(r#"{{"result":"{long}","jsonrpc":"2.0","id":1}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
    ] {
        peer.chunk(format!("data: {event}\n\n").as_bytes()).await;
    }
    assert!(call.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_cancelled_at_the_backend_and_its_connection_closed() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.call("slow");
    let id = peer.hear().await.id();
    call.abort();
    peer.closed().await;
    let told = stage.accept().await.hear().await;
    let told = told.message.unwrap();
    assert_eq!(told.method(), Some("notifications/cancelled"));
    assert_eq!(told.cancelled_id(), Some(id.as_bytes()));
    assert_eq!(stage.backend.status().health_metrics.failure_count, 0);
}

#[tokio::test]
async fn a_request_of_the_backend_on_a_stream_is_answered() {
    let stage = Stage::set().await;
    let mut peer = stage.opened().await;
    let call = stage.call("asks");
    let id = peer.hear().await.id();
    peer.stream().await;
    let ping = Message::request(id.as_bytes(), "ping", None);
    peer.chunk(format!("data: {}\n\n", String::from_utf8_lossy(ping.bytes())).as_bytes())
        .await;
    let mut other = stage.accept().await;
    let heard = other.hear().await;
    assert_eq!(heard.message.as_ref().unwrap().result().unwrap(), "{}");
    assert!(!call.is_finished());
    peer.chunk(format!("data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{}}}}\n\n").as_bytes())
        .await;
    assert!(call.await.unwrap().is_ok());
}
