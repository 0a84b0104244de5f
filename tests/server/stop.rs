//! The stop: what has begun may finish, what is silent goes, what hangs is cut.

use std::time::Duration;

use mcp_gateway::server::ServerSettings;
use tokio::net::TcpStream;

use crate::wire::{Running, Wire, ping, post};

const BODY: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
/// A call that the server has begun to read.
async fn begun(server: &Running) -> Wire {
    let mut wire = server.connect().await;
    let length = BODY.len();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    wire.send(&head).await;
    assert_eq!(wire.answer().await.status, 100);
    wire
}

/// A connection that has asked once and keeps quiet.
async fn quiet(server: &Running) -> Wire {
    let mut wire = server.connect().await;
    wire.send(&ping("/mcp", "")).await;
    assert_eq!(wire.answer().await.status, 200);
    wire
}

#[tokio::test]
async fn a_call_in_flight_finishes_and_a_quiet_connection_goes_at_once() {
    let mut server = Running::start(ServerSettings::default());
    let mut call = begun(&server).await;
    let mut quiet = quiet(&server).await;
    server.stop();
    assert_eq!(quiet.closed().await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    call.send(BODY).await;
    assert_eq!(call.answer().await.status, 200);
    assert_eq!(call.closed().await, "");
    server.ended().await;
}

#[tokio::test]
async fn a_call_that_does_not_finish_is_cut_after_the_shutdown_timeout() {
    let mut server = Running::start(ServerSettings {
        shutdown_timeout: Duration::from_millis(20),
        ..ServerSettings::default()
    });
    let mut call = begun(&server).await;
    server.stop();
    assert_eq!(call.closed().await, "");
    server.ended().await;
}

#[tokio::test]
async fn an_open_stream_does_not_hold_the_exit() {
    let mut server = Running::start(ServerSettings::default());
    let (mut stream, head) = server.listen().await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("cache-control"), Some("no-store"));
    server.stop();
    assert_eq!(stream.closed().await, "0\r\n\r\n");
    server.ended().await;
}

#[tokio::test]
async fn a_peer_that_never_asked_does_not_hold_the_exit() {
    let mut server = Running::start(ServerSettings::default());
    let mut silent = server.connect().await;
    let _known = quiet(&server).await;
    server.stop();
    assert_eq!(silent.closed().await, "");
    server.ended().await;
}

/// A call of the demo's `sleep` that has begun to report its progress.
async fn sleeping(server: &Running, ms: u32) -> Wire {
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"sleep","arguments":{{"ms":{ms}}},"_meta":{{"progressToken":"p"}}}}}}"#
    );
    let accept = "Accept: application/json, text/event-stream\r\n";
    let mut wire = server.connect().await;
    wire.send(&post("/mcp/demo", accept, &call)).await;
    let head = wire.answer().await;
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    wire.until(b"notifications/progress").await;
    wire
}

#[tokio::test]
async fn a_stream_that_waits_for_its_answer_gets_it() {
    let mut server = Running::with_demo(ServerSettings::default());
    let mut call = sleeping(&server, 200).await;
    server.stop();
    let rest = call.closed().await;
    assert!(rest.contains("Slept for 200 ms."), "{rest}");
    assert!(
        rest.contains(r#""id":7"#) && rest.ends_with("0\r\n\r\n"),
        "{rest}"
    );
    server.ended().await;
}

#[tokio::test]
async fn a_stream_that_waits_for_too_long_is_cut_and_the_backend_ended() {
    let mut server = Running::with_demo(ServerSettings {
        shutdown_timeout: Duration::from_millis(20),
        ..ServerSettings::default()
    });
    let mut call = sleeping(&server, 2_000).await;
    server.stop();
    let rest = call.closed().await;
    assert!(!rest.contains(r#""id":7"#), "{rest}");
    server.ended().await;
}
