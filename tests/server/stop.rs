//! The stop: what has begun may finish, what is silent goes, what hangs is cut.

use std::time::Duration;

use mcp_gateway::server::ServerSettings;
use tokio::net::TcpStream;

use crate::wire::{Running, Wire, ping};

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
