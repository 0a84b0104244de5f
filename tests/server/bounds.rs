//! What a peer may send, and how long it may take.

use std::time::Duration;

use mcp_gateway::server::{LimitSettings, ServerSettings};

use crate::wire::{Running, ping, post};

const SOON: Duration = Duration::from_millis(20);

fn limited(limits: LimitSettings) -> Running {
    Running::start(ServerSettings {
        limits,
        ..ServerSettings::default()
    })
}

fn small() -> Running {
    limited(LimitSettings {
        max_body_size: 100,
        ..LimitSettings::default()
    })
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_length() {
    let server = small();
    let refused = server.ask(&post("/mcp", "", &"x".repeat(101))).await;
    assert_eq!(refused.status, 413);
    assert!(refused.sentence().contains("100 bytes"), "{refused:?}");
    assert_eq!(server.ask(&ping("/mcp", "")).await.status, 200);
}

#[tokio::test]
async fn a_body_over_the_limit_in_chunks_is_refused_where_it_passes_it() {
    let server = small();
    let mut wire = server.connect().await;
    wire.send("POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    for _ in 0..2 {
        wire.send(&format!("40\r\n{}\r\n", "x".repeat(64))).await;
    }
    assert_eq!(wire.answer().await.status, 413);
}

#[tokio::test]
async fn a_client_that_reads_only_after_sending_everything_still_gets_the_refusal() {
    let server = small();
    let mut wire = server.connect().await;
    wire.send(&post("/mcp", "", &"x".repeat(8 << 20))).await;
    assert_eq!(wire.answer().await.status, 413);
    wire.send(&ping("/mcp", "")).await;
    assert_eq!(wire.answer().await.status, 200);
}

#[tokio::test]
async fn a_client_that_asks_first_need_not_send_what_would_be_refused() {
    let server = small();
    let mut wire = server.connect().await;
    wire.send("POST /mcp HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 413);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let server = limited(LimitSettings {
        body_timeout: SOON,
        ..LimitSettings::default()
    });
    let mut wire = server.connect().await;
    wire.send("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
        .await;
    assert_eq!(wire.answer().await.status, 408);
    wire.closed().await;
}

#[tokio::test]
async fn a_peer_that_says_nothing_or_trickles_its_first_head_is_closed() {
    let server = limited(LimitSettings {
        head_timeout: SOON,
        ..LimitSettings::default()
    });
    for beginning in ["", "PRI * HTTP/2.0\r\n", "POST /mcp HTTP/1.1\r\nHost: loc"] {
        let mut wire = server.connect().await;
        wire.send(beginning).await;
        assert_eq!(wire.closed().await, "", "{beginning:?}");
    }
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_closed_even_if_a_head_trickles() {
    let server = limited(LimitSettings {
        idle_timeout: SOON,
        ..LimitSettings::default()
    });
    for rest in ["", "POST /mcp HTTP/1.1\r\nHost: loc"] {
        let mut wire = server.connect().await;
        wire.send(&ping("/mcp", "")).await;
        assert_eq!(wire.answer().await.status, 200);
        wire.send(rest).await;
        wire.closed().await;
    }
}

#[tokio::test]
async fn an_open_stream_is_no_silence_and_says_now_and_then_that_it_is_there() {
    let server = Running::start(ServerSettings {
        keep_alive_interval: SOON,
        limits: LimitSettings {
            idle_timeout: SOON,
            ..LimitSettings::default()
        },
        ..ServerSettings::default()
    });
    let (mut stream, head) = server.listen().await;
    assert_eq!(head.status, 200);
    for _ in 0..5 {
        stream.until(b": keep-alive\n\n").await;
    }
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused() {
    let server = limited(LimitSettings {
        max_head_size: 8 << 10,
        ..LimitSettings::default()
    });
    let filler = format!("X-Filler: {}\r\n", "x".repeat(9 << 10));
    assert_eq!(server.ask(&ping("/mcp", &filler)).await.status, 431);
}

#[tokio::test]
async fn connections_over_the_bound_wait_for_a_place() {
    let server = limited(LimitSettings {
        max_connections: 1,
        ..LimitSettings::default()
    });
    let mut first = server.connect().await;
    first.send(&ping("/mcp", "")).await;
    assert_eq!(first.answer().await.status, 200);
    let mut second = server.connect().await;
    second.send(&ping("/mcp", "")).await;
    first.send(&ping("/mcp", "")).await;
    assert_eq!(first.answer().await.status, 200);
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}
