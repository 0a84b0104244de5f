//! Who may ask: hosts, origins, keys, limits.

use mcp_gateway::{
    server::{ApiKey, AuthSettings, BearerToken, ServerSettings},
    telemetry::Secret,
};

use crate::wire::{Running, bare, ping};

fn locked() -> ServerSettings {
    let key = |key: &str, rate_limit| ApiKey {
        key: Secret::new(key),
        name: key.to_owned(),
        backends: None,
        allowed_tools: None,
        denied_tools: Vec::new(),
        rate_limit,
        admin: false,
    };
    ServerSettings {
        auth: AuthSettings {
            enabled: true,
            bearer_token: Some(BearerToken::Given(Secret::new("master"))),
            api_keys: vec![key("alpha", None), key("twice", Some(2))],
            public_paths: vec!["/health".to_owned()],
        },
        ..ServerSettings::default()
    }
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_every_path() {
    let server = Running::start(ServerSettings::default());
    for path in ["/mcp", "/mcp/demo", "/health", "/metrics", "/nowhere"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example:39400\r\n\r\n");
        let answer = server.ask(&request).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(
            answer.sentence().contains("server.public_url"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_foreign_origin_is_refused_and_a_local_page_is_not() {
    let server = Running::start(ServerSettings::default());
    let from = async |origin| {
        server
            .ask(&ping("/mcp", &format!("Origin: {origin}\r\n")))
            .await
    };
    for foreign in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
    ] {
        let answer = from(foreign).await;
        assert_eq!(answer.status, 403, "{foreign}");
        assert!(
            answer.sentence().contains("server.public_url"),
            "{answer:?}"
        );
    }
    assert_eq!(from("http://localhost:6274").await.status, 200);
}

#[tokio::test]
async fn the_public_name_is_ours_where_it_is_configured() {
    let server = Running::start(ServerSettings {
        public_url: Some(http::Uri::from_static("https://mcp.example")),
        ..ServerSettings::default()
    });
    let request = "GET /livez HTTP/1.1\r\nHost: mcp.example\r\n\r\n";
    assert_eq!(server.ask(request).await.status, 200);
}

#[tokio::test]
async fn a_request_without_a_host_is_no_request() {
    let server = Running::start(ServerSettings::default());
    let answer = server.ask("GET /livez HTTP/1.1\r\n\r\n").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn with_auth_on_nothing_but_the_public_paths_answers_without_a_key() {
    let server = Running::start(locked());
    for path in [
        "/mcp",
        "/mcp/demo",
        "/metrics",
        "/metrics.json",
        "/health/backends",
        "/livez",
        "/readyz",
        "/ui/events",
        "/ui/backends/demo",
        "/ui/nothing",
    ] {
        let answer = server.ask(&bare("GET", path, "")).await;
        assert_eq!(answer.status, 401, "{path}");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, Some("Bearer realm=\"mcp-gateway\""));
        assert!(
            answer.sentence().contains("Authorization: Bearer"),
            "{answer:?}"
        );
    }
    assert_eq!(server.ask(&ping("/mcp", "")).await.status, 401);
    assert_ne!(server.ask(&bare("GET", "/health", "")).await.status, 401);
}

#[tokio::test]
async fn each_key_opens_and_a_wrong_one_does_not() {
    let server = Running::start(locked());
    let with = async |header| {
        server
            .ask(&ping("/mcp", &format!("{header}\r\n")))
            .await
            .status
    };
    for right in [
        "Authorization: Bearer master",
        "Authorization: bearer alpha",
        "X-API-Key: alpha",
    ] {
        assert_eq!(with(right).await, 200, "{right}");
    }
    for wrong in [
        "Authorization: Bearer Master",
        "Authorization: Basic master",
        "X-API-Key: alph",
        "X-API-Key:",
    ] {
        assert_eq!(with(wrong).await, 401, "{wrong}");
    }
}

#[tokio::test]
async fn a_key_over_its_own_limit_is_told_so_and_the_others_go_on() {
    let server = Running::start(locked());
    let twice = ping("/mcp", "X-API-Key: twice\r\n");
    assert_eq!(server.ask(&twice).await.status, 200);
    assert_eq!(server.ask(&twice).await.status, 200);
    let refused = server.ask(&twice).await;
    assert_eq!(refused.status, 429);
    let after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&after), "{after}");
    let body = refused.body.to_lowercase();
    assert!(!body.contains("circuit"), "{body}");
    let alpha = ping("/mcp", "X-API-Key: alpha\r\n");
    assert_eq!(server.ask(&alpha).await.status, 200);
}
