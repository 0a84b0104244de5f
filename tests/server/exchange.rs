//! What is asked and answered: paths, methods, media types, both versions of HTTP.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mcp_gateway::server::ServerSettings;
use tokio::net::TcpStream;

use crate::wire::{Running, bare, ping};

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[tokio::test]
async fn curl_with_its_defaults_gets_json_and_so_does_every_client_that_takes_it() {
    let server = Running::start(ServerSettings::default());
    for accept in [
        "",
        "Accept: */*\r\n",
        "Accept: application/json\r\n",
        "Accept: application/json, text/event-stream\r\n",
    ] {
        let answer = server.ask(&ping("/mcp", accept)).await;
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["id"], 1);
    }
}

#[tokio::test]
async fn a_client_that_takes_only_streams_gets_a_stream_of_one_event() {
    let server = Running::start(ServerSettings::default());
    let answer = server
        .ask(&ping("/mcp", "Accept: text/event-stream\r\n"))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert!(answer.body.contains("data: {"), "{}", answer.body);
}

#[tokio::test]
async fn a_client_that_takes_neither_is_told_what_to_accept() {
    let server = Running::start(ServerSettings::default());
    let answer = server.ask(&ping("/mcp", "Accept: text/html\r\n")).await;
    assert_eq!(answer.status, 406);
    assert!(answer.sentence().contains("text/html"), "{answer:?}");
    let listen = bare("GET", "/mcp", "Accept: text/html\r\n");
    assert_eq!(server.ask(&listen).await.status, 406);
}

#[tokio::test]
async fn a_body_that_says_it_is_not_json_is_refused_and_one_that_says_nothing_is_read() {
    let server = Running::start(ServerSettings::default());
    let length = PING.len();
    let typed = |line: &str| {
        format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\n{line}Content-Length: {length}\r\n\r\n{PING}"
        )
    };
    let refused = server.ask(&typed("Content-Type: text/plain\r\n")).await;
    assert_eq!(refused.status, 415);
    assert!(
        refused.sentence().contains("application/json"),
        "{refused:?}"
    );
    assert_eq!(server.ask(&typed("")).await.status, 200);
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let server = Running::start(ServerSettings::default());
    for (method, path, allowed) in [
        ("PUT", "/mcp", "POST, GET, DELETE"),
        ("OPTIONS", "/mcp/demo", "POST, GET, DELETE"),
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/metrics", "GET, HEAD"),
    ] {
        let answer = server.ask(&bare(method, path, "")).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allowed));
        assert!(answer.sentence().contains(allowed), "{answer:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_lists_those_that_are() {
    let server = Running::start(ServerSettings::default());
    for path in ["/uix", "/ui/x", "/mcp/a/b", "/health/x"] {
        let answer = server.ask(&bare("GET", path, "")).await;
        assert_eq!(answer.status, 404, "{path}");
        let sentence = answer.sentence();
        assert!(
            sentence.contains("/mcp") && sentence.contains("/health"),
            "{sentence}"
        );
    }
}

#[tokio::test]
async fn the_pages_are_there_in_their_forms() {
    let server = Running::start(ServerSettings::default());
    let json = "application/json";
    let text = "text/plain; version=0.0.4; charset=utf-8";
    for (path, accept, kind) in [
        ("/livez", "", json),
        ("/readyz", "", json),
        ("/health", "", json),
        ("/health/backends", "", json),
        ("/metrics.json", "", json),
        ("/metrics", "Accept: application/json\r\n", json),
        ("/metrics", "", text),
        ("/metrics", "Accept: */*\r\n", text),
        (
            "/metrics",
            "Accept: application/openmetrics-text;q=0.9, text/plain;q=0.8\r\n",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    ] {
        let answer = server.ask(&bare("GET", path, accept)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        let parsed = serde_json::from_str::<serde_json::Value>(&answer.body);
        assert_eq!(parsed.is_ok(), kind == json, "{path}");
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests_also_sent_ahead() {
    let server = Running::start(ServerSettings::default());
    let mut wire = server.connect().await;
    for _ in 0..3 {
        wire.send(&ping("/mcp", "")).await;
        assert_eq!(wire.answer().await.status, 200);
    }
    let two = [ping("/mcp", ""), bare("GET", "/livez", "")].concat();
    wire.send(&two).await;
    assert_eq!(wire.answer().await.status, 200);
    assert_eq!(wire.answer().await.body, r#"{"status":"alive"}"#);
}

#[tokio::test]
async fn http_2_without_encryption_is_spoken_on_the_same_port() {
    let server = Running::start(ServerSettings::default());
    let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let spoken = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (mut sender, connection) = spoken.unwrap();
    tokio::spawn(connection);
    let post = |host: &str| {
        Request::post(format!("http://{host}/mcp"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(PING)))
            .unwrap()
    };
    let mut other = sender.clone();
    let (first, second) = tokio::join!(
        sender.send_request(post("localhost")),
        other.send_request(post("evil.example")),
    );
    let first = first.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    assert!(first.headers().contains_key("x-request-id"));
    let body = first.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["id"], 1);
    assert_eq!(second.unwrap().status(), StatusCode::FORBIDDEN);
}
