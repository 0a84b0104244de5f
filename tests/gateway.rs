//! The gateway as a library, in front of the demo backend of the built binary: what a POST gets.

// The future of a request is as deep here as in the library.
#![recursion_limit = "256"]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "gateway/client.rs"]
mod client;

use std::sync::Arc;

use client::{Client, demo, gateway};
use mcp_gateway::gateway::{
    Caller, GatewaySettings, MetaMcpSettings, MetricsFormat, Naming, Outbound, Route, SurfacedTool,
};
use serde_json::{Value, json};

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|entry| entry["name"].as_str().unwrap()).collect()
}

fn federated() -> GatewaySettings {
    GatewaySettings {
        meta_mcp: MetaMcpSettings {
            enabled: false,
            ..MetaMcpSettings::default()
        },
        ..GatewaySettings::default()
    }
}

#[tokio::test]
async fn servers_are_listed_without_a_session() {
    let client = Client::new(gateway(GatewaySettings::default(), &["one", "two"]));
    let servers = client.ask("gateway_list_servers", json!({})).await["result"]["servers"].clone();
    assert_eq!(names(&servers), ["one", "two"]);
    assert_eq!(servers[0]["tools_count"], 4);
    assert_eq!(servers[0]["circuit_breaker"], "Closed");
    assert_eq!(servers[0]["running"], true);
    client.end().await;
}

#[tokio::test]
async fn a_tool_is_called_in_every_way_it_can_be_named() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let invoked = json!({"server": "demo", "tool": "echo", "arguments": {"message": "hi"}});
    let joined = json!({"tool": "demo:echo", "arguments": "{\"message\":\"hi\"}"});
    let public = json!({"tool": "demo__echo", "arguments": {"message": "hi"}});
    for arguments in [invoked, joined, public] {
        let direct = client.ask("gateway_invoke", arguments.clone()).await;
        assert_eq!(direct["result"]["content"][0]["text"], "hi", "{direct}");
        let trace_id = direct["result"]["_meta"]["trace_id"].as_str().unwrap();
        assert_eq!(trace_id.len(), 36);
        let called = client.call("gateway_invoke", arguments).await;
        assert_eq!(called["content"][0]["text"], "hi", "{called}");
    }
    for name in ["demo__echo", "demo:echo"] {
        let called = client.call(name, json!({"message": "hi"})).await;
        assert_eq!(called["content"][0]["text"], "hi", "{name}: {called}");
    }
    client.end().await;
}

#[tokio::test]
async fn what_does_not_exist_is_refused_with_what_was_meant() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let refused = |answer: Value, code: i64, meant: &str| {
        assert_eq!(answer["error"]["code"], code, "{answer}");
        let said = answer["error"]["message"].as_str().unwrap();
        assert!(
            said.contains(&format!("Did you mean \"{meant}\"")),
            "{said}"
        );
    };
    let asked = json!({"server": "demi", "tool": "echo"});
    refused(client.ask("gateway_invoke", asked).await, -32001, "demo");
    let asked = json!({"server": "demo", "tool": "ehco"});
    let invoked = client.ask("gateway_invoke", asked.clone()).await;
    refused(invoked, -32602, "echo");
    let called = json!({"name": "demo__ehco", "arguments": {}});
    refused(client.ask("tools/call", called).await, -32602, "demo__echo");
    let shown = client.call("gateway_invoke", asked).await;
    assert_eq!(shown["isError"], true);
    assert_eq!(shown["_meta"]["recovery"]["error_code"], "TOOL_NOT_FOUND");
    let read = client
        .ask("resources/read", json!({"uri": "no://such"}))
        .await;
    assert_eq!(read["error"]["code"], -32002);
    client.end().await;
}

#[tokio::test]
async fn the_aggregate_endpoint_lists_meta_tools_and_what_is_surfaced() {
    let mut settings = GatewaySettings::default();
    settings.meta_mcp.surfaced_tools = vec![SurfacedTool {
        server: "demo".to_owned(),
        tool: "add".to_owned(),
    }];
    let client = Client::new(gateway(settings, &["demo"]));
    let listed = client.ask("tools/list", json!({})).await["result"]["tools"].clone();
    let listed = names(&listed);
    assert!(listed.contains(&"gateway_invoke") && listed.contains(&"demo__add"));
    assert_eq!(listed.len(), 8, "{listed:?}");
    client.end().await;
}

#[tokio::test]
async fn the_federated_list_has_every_tool_under_a_name_that_can_be_called() {
    let client = Client::new(gateway(federated(), &["one", "two"]));
    let listed = client.ask("tools/list", json!({})).await["result"]["tools"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 8);
    for name in names(&listed)
        .into_iter()
        .filter(|name| name.ends_with("__add"))
    {
        let sum = client.call(name, json!({"a": 40, "b": 2})).await;
        assert_eq!(sum["structuredContent"]["sum"], 42);
    }
    client.end().await;
}

#[tokio::test]
async fn a_list_that_passes_by_at_one_endpoint_is_news_at_the_other() {
    let mut client = Client::new(gateway(federated(), &["a"]));
    client.open().await;
    let one = client.at("a");
    let told = client
        .hears(Box::pin(one.ask("tools/list", json!({}))))
        .await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
    client.end().await;
}

#[tokio::test]
async fn plain_names_are_prefixed_only_where_they_collide() {
    let mut settings = federated();
    settings.meta_mcp.naming = Naming::Plain;
    let client = Client::new(gateway(settings, &["one", "two"]));
    let listed = client.ask("tools/list", json!({})).await["result"]["tools"].clone();
    let listed = names(&listed);
    assert!(
        listed.contains(&"echo") && listed.contains(&"two__echo"),
        "{listed:?}"
    );
    client.end().await;
}

#[tokio::test]
async fn search_finds_a_tool_and_suggests_where_it_finds_none() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let ask = async |query| {
        client
            .ask("gateway_search_tools", json!({"query": query}))
            .await["result"]
            .clone()
    };
    let found = ask("add two numbers").await;
    assert_eq!(found["matches"][0]["tool"], "add", "{found}");
    assert!(found["matches"][0]["inputSchema"]["properties"]["a"].is_object());
    let nothing = ask("ehco").await;
    assert_eq!(nothing["total"], 0);
    assert_eq!(nothing["suggestions"], json!(["echo"]));
    client.end().await;
}

#[tokio::test]
async fn prompts_and_resources_go_to_the_backend_that_has_them() {
    let client = Client::new(gateway(GatewaySettings::default(), &["one", "two"]));
    let prompts = client.ask("prompts/list", json!({})).await["result"]["prompts"].clone();
    let prompt = names(&prompts).pop().unwrap().to_owned();
    assert!(prompt.starts_with("two/"), "{prompts}");
    let got = client
        .ask(
            "prompts/get",
            json!({"name": prompt, "arguments": {"name": "Ann"}}),
        )
        .await;
    assert!(got["result"]["messages"].is_array(), "{got}");
    let resources = client.ask("resources/list", json!({})).await["result"]["resources"].clone();
    let uri = resources[0]["uri"].clone();
    let read = client.ask("resources/read", json!({"uri": uri})).await;
    assert_eq!(read["result"]["contents"][0]["uri"], uri, "{read}");
    client.end().await;
}

#[tokio::test]
async fn a_backend_endpoint_speaks_with_the_backends_own_words() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let mut direct = client.at("demo");
    let opened = direct.open().await;
    assert_eq!(opened["result"]["protocolVersion"], "2025-06-18");
    assert_ne!(opened["result"]["serverInfo"]["name"], "mcp-gateway");
    let listed = direct.ask("tools/list", json!({})).await["result"]["tools"].clone();
    assert_eq!(names(&listed), ["echo", "add", "sleep", "fail"]);
    let said = direct.call("echo", json!({"message": "😀"})).await;
    assert_eq!(said["content"][0]["text"], "😀");
    let unknown = direct.ask("no/such", json!({})).await;
    assert_eq!(
        unknown["error"]["code"], -32601,
        "the backend's own refusal"
    );
    client.end().await;
}

#[tokio::test]
async fn progress_comes_before_the_answer_on_one_stream() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let direct = client.at("demo");
    let params =
        json!({"name": "sleep", "arguments": {"ms": 300}, "_meta": {"progressToken": "mine"}});
    let messages = direct.stream("tools/call", params).await;
    let (answer, events) = messages.split_last().unwrap();
    assert_eq!(answer["id"], 1);
    assert!(!events.is_empty());
    assert!(
        events
            .iter()
            .all(|event| event["params"]["progressToken"] == "mine")
    );
    client.end().await;
}

#[tokio::test]
async fn a_cancelled_call_has_no_answer() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let mut direct = client.at("demo");
    direct.open().await;
    direct.call("echo", json!({"message": "warm"})).await;
    let call = direct.post(
        json!({"jsonrpc": "2.0", "id": "long", "method": "tools/call",
        "params": {"name": "sleep", "arguments": {"ms": 60_000}}}),
    );
    let cancel = async {
        tokio::task::yield_now().await;
        direct.post(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "long"}})).await
    };
    let (call, cancel) = tokio::join!(call, cancel);
    assert!(matches!(call, Outbound::Accepted));
    assert!(matches!(cancel, Outbound::Accepted));
    client.end().await;
}

#[tokio::test]
async fn a_session_ends_and_is_nobody_elses() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let mut session = client.clone();
    session.open().await;
    assert!(session.ask("tools/list", json!({})).await["result"].is_object());
    let mut elsewhere = session.at("demo");
    elsewhere.session.clone_from(&session.session);
    assert_eq!(elsewhere.status("tools/list").await, 404);
    let id = session.session.clone();
    session
        .gateway
        .end_session(id.as_deref(), &Caller::default())
        .unwrap();
    assert_eq!(session.status("tools/list").await, 404);
    client.end().await;
}

#[tokio::test]
async fn rights_hold_in_lists_and_calls() {
    let mut client = Client::new(gateway(GatewaySettings::default(), &["mine", "other"]));
    client.caller = Arc::new(Caller {
        name: "limited".into(),
        backends: Some(vec!["mine".to_owned()]),
        denied_tools: vec!["sleep".to_owned()],
        ..Caller::default()
    });
    let servers = client.ask("gateway_list_servers", json!({})).await["result"]["servers"].clone();
    assert_eq!(names(&servers), ["mine"]);
    let direct = client.at("mine");
    let listed = direct.ask("tools/list", json!({})).await["result"]["tools"].clone();
    assert_eq!(names(&listed), ["echo", "add", "fail"]);
    for asked in [
        json!({"server": "other", "tool": "echo"}),
        json!({"server": "mine", "tool": "sleep"}),
    ] {
        let refused = client.ask("gateway_invoke", asked).await;
        assert_eq!(refused["error"]["code"], -32003, "{refused}");
    }
    assert_eq!(client.at("other").status("tools/list").await, 403);
    let kill = client
        .ask("gateway_kill_server", json!({"server": "mine"}))
        .await;
    assert_eq!(kill["error"]["code"], -32003);
    client.end().await;
}

#[tokio::test]
async fn a_stopped_backend_says_how_to_revive_it() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let server = json!({"server": "demo"});
    let echo = json!({"server": "demo", "tool": "echo", "arguments": {"message": "x"}});
    let killed = client.ask("gateway_kill_server", server.clone()).await;
    assert_eq!(killed["result"]["status"]["status"], "stopped", "{killed}");
    let refused = client.ask("gateway_invoke", echo.clone()).await["result"].clone();
    let recovery = &refused["structuredContent"]["recovery"];
    assert_eq!(recovery["error_code"], "BACKEND_UNREACHABLE", "{refused}");
    assert!(
        recovery["suggest"]
            .as_str()
            .unwrap()
            .contains("gateway_revive_server")
    );
    let revived = client.ask("gateway_revive_server", server).await;
    assert_eq!(revived["result"]["revived"], true, "{revived}");
    let said = client.ask("gateway_invoke", echo).await;
    assert_eq!(said["result"]["content"][0]["text"], "x");
    client.end().await;
}

#[tokio::test]
async fn batches_are_answered_in_order_where_the_revision_has_them() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    let ping = |id: u8| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let answer = client::reply(
        client
            .post(json!([ping(1), note, {"id": 2}, ping(3)]))
            .await,
    );
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.as_array().unwrap().len(), 3, "{answer}");
    assert_eq!(answer[0]["id"], 1);
    assert_eq!(answer[1]["error"]["code"], -32600);
    assert_eq!(answer[2]["id"], 3);
    let mut newer = client.clone();
    newer.open().await;
    assert_eq!(
        client::reply(newer.post(json!([ping(1)])).await).status,
        400
    );
    client.end().await;
}

#[tokio::test]
async fn pages_tell_what_happened() {
    let client = Client::new(gateway(GatewaySettings::default(), &["demo"]));
    client.call("demo:echo", json!({"message": "x"})).await;
    client.call("demo:fail", json!({"message": "x"})).await;
    let page = client.gateway.metrics(MetricsFormat::Text);
    let page = std::str::from_utf8(&page).unwrap();
    for line in [
        "mcp_backend_requests_total{backend=\"demo\",outcome=\"tool_error\"} 1",
        "mcp_tool_duration_seconds_count{backend=\"demo\",tool=\"echo\"} 1",
        "mcp_circuit_state{backend=\"demo\"} 0",
        "mcp_sessions 0",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let family = name.split('{').next().unwrap();
        let stem = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| family.strip_suffix(suffix))
            .unwrap_or(family);
        let typed = |name: &str| page.contains(&format!("# TYPE {name} "));
        assert!(typed(stem) || typed(family), "{line}");
    }
    let (status, health) = client.gateway.health();
    let health: Value = serde_json::from_slice(&health).unwrap();
    assert_eq!((status, &health["status"]), (200, &json!("healthy")));
    assert_eq!(health["backends"]["demo"]["running"], true);
    let metrics: Value = serde_json::from_slice(&client.gateway.metrics_json()).unwrap();
    assert_eq!(metrics["backends"]["demo"]["circuit_state"], "Closed");
    client.end().await;
    assert_eq!(
        client.gateway.health().0,
        503,
        "a gateway that ends is not well"
    );
    assert_eq!(client.status("ping").await, 503);
    assert!(
        client
            .gateway
            .listen(&Route::Aggregate, None, &Caller::default())
            .is_err()
    );
}

#[tokio::test]
async fn a_backend_that_is_missing_is_named_and_the_others_answer() {
    let mut backends = vec![demo("well")];
    backends.push(client::missing("gone"));
    let client = Client::new(client::over(GatewaySettings::default(), backends));
    let listed = client.ask("gateway_list_tools", json!({})).await["result"].clone();
    assert_eq!(listed["total"], 4);
    assert_eq!(listed["missing"][0]["server"], "gone", "{listed}");
    let prompts = client.ask("prompts/list", json!({})).await["result"].clone();
    assert_eq!(
        prompts["_meta"]["missing"][0]["server"], "gone",
        "{prompts}"
    );
    client.end().await;
}
