//! The Rust SDK's client uses the demo backend through the built binary, as any client of it would.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and these share what they do in functions"
)]

#[path = "scenarios/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "of what the scenarios stand on, this needs only the built binary"
)]
mod support;

use rmcp::{
    RoleClient, ServiceExt,
    model::{
        CallToolRequestParams, CallToolResult, GetPromptRequestParams, ReadResourceRequestParams,
        ResourceContents,
    },
    service::RunningService,
    transport::StreamableHttpClientTransport,
};
use serde_json::{Value, json};
use support::{Gateway, Setup};

type Client = RunningService<RoleClient, ()>;

#[tokio::test]
async fn rmcp_uses_one_backend_under_its_own_names() {
    let gateway = Setup::unconfigured().start();
    let client = connect(&gateway, "/mcp/demo").await;
    calls_tools(&client, "echo", "add", "fail").await;
    reads_a_resource_and_gets_a_prompt(&client).await;
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn rmcp_uses_all_backends_under_prefixed_names() {
    let gateway = Setup::unconfigured()
        .env("MCP_GATEWAY_META_MCP__ENABLED", "false")
        .start();
    let client = connect(&gateway, "/mcp").await;
    calls_tools(&client, "demo__echo", "demo__add", "demo__fail").await;
    reads_a_resource_and_gets_a_prompt(&client).await;
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn rmcp_finds_and_calls_a_tool_through_the_meta_tools() {
    let gateway = Setup::unconfigured().start();
    let client = connect(&gateway, "/mcp").await;
    let found = call(
        &client,
        "gateway_search_tools",
        json!({"query": "add two numbers"}),
    )
    .await;
    assert!(text(&found).contains("add"), "{found:?}");
    let request = json!({"server": "demo", "tool": "echo", "arguments": {"message": "hello"}});
    let echoed = call(&client, "gateway_invoke", request).await;
    assert!(text(&echoed).contains("hello"), "{echoed:?}");
    reads_a_resource_and_gets_a_prompt(&client).await;
    client.cancel().await.unwrap();
}

async fn connect(gateway: &Gateway, path: &str) -> Client {
    let uri = format!("http://{}{path}", gateway.address());
    ().serve(StreamableHttpClientTransport::from_uri(uri))
        .await
        .unwrap()
}

async fn calls_tools(client: &Client, echo: &str, add: &str, fail: &str) {
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert!(
        [echo, add, fail].iter().all(|name| names.contains(name)),
        "{names:?}"
    );
    let echoed = call(client, echo, json!({"message": "grüß dich \u{1f980}"})).await;
    assert!(text(&echoed).contains("grüß dich \u{1f980}"), "{echoed:?}");
    let added = call(client, add, json!({"a": 19, "b": 23})).await;
    assert!(text(&added).contains("42"), "{added:?}");
    let failed = call(client, fail, json!({"message": "as asked"})).await;
    assert_eq!(failed.is_error, Some(true));
    assert!(text(&failed).contains("as asked"), "{failed:?}");
}

async fn reads_a_resource_and_gets_a_prompt(client: &Client) {
    let resources = client.list_all_resources().await.unwrap();
    let uri = resources.first().unwrap().uri.clone();
    let read = client
        .read_resource(ReadResourceRequestParams::new(uri))
        .await
        .unwrap();
    let is_text = |contents: &ResourceContents| matches!(contents, ResourceContents::TextResourceContents { text, .. } if !text.is_empty());
    assert!(read.contents.iter().any(is_text), "{read:?}");

    let prompts = client.list_all_prompts().await.unwrap();
    let prompt = prompts.first().unwrap();
    let mut request = GetPromptRequestParams::new(prompt.name.clone());
    let named = prompt.arguments.iter().flatten();
    let arguments = named.map(|argument| (argument.name.clone(), Value::from("Bern")));
    request.arguments = Some(arguments.collect());
    let got = client.get_prompt(request).await.unwrap();
    assert!(!got.messages.is_empty());
}

async fn call(client: &Client, tool: &str, arguments: Value) -> CallToolResult {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    client.call_tool(request).await.unwrap()
}

fn text(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|block| block.as_text());
    texts.map(|block| block.text.as_str()).collect()
}
