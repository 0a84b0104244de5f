//! Capabilities as a backend like any other: where they are seen, what becomes of bad files, and files that change.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

use crate::{
    reload::CHANGED,
    support::{Gateway, Setup, until},
};

/// An API that answers each request with the path that was asked for.
pub(crate) fn api() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = answer(stream.unwrap());
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let body = json!({"path": path}).to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(
        stream,
        "{head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A file of a capability that looks for something below `path`.
fn file(name: &str, api: &str, path: &str) -> String {
    json!({
        "fulcrum": "1.0",
        "name": name,
        "description": format!("Looks for {name}"),
        "schema": {"input": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}},
        "providers": {"primary": {"config": {"base_url": api, "path": path}}},
    })
    .to_string()
}

/// A gateway with these files in its directory `apis`.
fn start(files: &[(&str, &str)]) -> Gateway {
    setup(files).start()
}

fn setup(files: &[(&str, &str)]) -> Setup {
    let capabilities = json!({"directories": ["apis"], "allow_private_networks": ["127.0.0.0/8"]});
    let setup = Setup::config(json!({"capabilities": capabilities}));
    let directory = setup.home().join("apis");
    std::fs::create_dir(&directory).unwrap();
    for (name, text) in files {
        std::fs::write(directory.join(name), text).unwrap();
    }
    setup
}

fn row(gateway: &Gateway) -> Value {
    let result = gateway.ask("gateway_list_servers", json!({})).result();
    result["servers"][0].clone()
}

pub(crate) fn like_any_backend() {
    let gateway = start(&[("look.yaml", &file("look", &api(), "/find/{q}"))]);
    let said = gateway
        .invoke("capabilities", "look", json!({"q": "a b/c"}))
        .said();
    assert_eq!(said, r#"{"path":"/find/a%20b%2Fc"}"#);
    let row = row(&gateway);
    assert_eq!(row["name"], "capabilities");
    assert_eq!(
        (&row["tools_count"], &row["status"]),
        (&json!(1), &json!("ready"))
    );
    let session = gateway.session("/mcp/capabilities");
    let tools = session.ask("tools/list", json!({})).result();
    let tool = &tools["tools"][0];
    assert_eq!(
        (&tool["name"], &tool["description"]),
        (&json!("look"), &json!("Looks for look"))
    );
    assert_eq!(tool["inputSchema"]["required"], json!(["q"]));
    assert_eq!(tool["annotations"]["readOnlyHint"], true);
    assert!(
        session
            .call("look", json!({"q": "x"}))
            .said()
            .contains("/find/x")
    );
    let unknown = session.ask("tools/call", json!({"name": "loko", "arguments": {}}));
    assert_eq!(unknown.code(), -32602, "{unknown:?}");
    let found = gateway
        .ask("gateway_search_tools", json!({"query": "look"}))
        .result();
    assert_eq!(found["matches"][0]["server"], "capabilities");
    assert!(gateway.health("capabilities")["success_count"].as_u64() > Some(2));
    assert_eq!(gateway.health("capabilities/look")["success_count"], 2);
    let counted = r#"mcp_backend_requests_total{backend="capabilities",outcome="success"}"#;
    assert!(gateway.sample(counted).unwrap() >= 2.0);
    let wrong = session.call("look", json!({})).result();
    assert_eq!(wrong["isError"], true, "{wrong}");
    let failed = r#"mcp_backend_requests_total{backend="capabilities",outcome="tool_error"}"#;
    assert_eq!(gateway.sample(failed), Some(1.0));
}

pub(crate) fn bad_files_are_named() {
    let api = api();
    let good = file("good", &api, "/good");
    let bad = good.replace("base_url", "base_ulr");
    let gateway = start(&[("a.yaml", &good), ("b.yaml", &bad)]);
    gateway.logged(&[
        "warning: ",
        "b.yaml:1:",
        "did you mean `base_url`?",
        "is left out",
    ]);
    let left_out = row(&gateway)["left_out"].clone();
    assert!(
        left_out[0].as_str().unwrap().contains("b.yaml:1:"),
        "{left_out}"
    );
    assert_eq!(
        gateway.json("/health")["backends"]["capabilities"]["left_out"],
        left_out
    );
    assert!(
        gateway
            .invoke("capabilities", "good", json!({"q": ""}))
            .is_good()
    );
}

pub(crate) fn changed_files_are_read() {
    let api = api();
    let gateway = start(&[("a.yaml", &file("one", &api, "/one"))]);
    let tools = |count: usize| {
        until(&format!("{count} tools are there"), || {
            (row(&gateway)["tools_count"] == json!(count)).then_some(())
        });
    };
    tools(1);
    let counted = || gateway.health("capabilities")["success_count"].as_u64();
    let before = counted();
    let session = gateway.session("/mcp/capabilities");
    let mut heard = session.listen();
    gateway.write("apis/b.yaml", &file("two", &api, "/two"));
    tools(2);
    while !heard.next().unwrap().unwrap().contains(CHANGED) {}
    assert!(counted() >= before, "what was counted of the whole goes on");
    assert!(
        gateway
            .invoke("capabilities", "two", json!({"q": ""}))
            .said()
            .contains("/two")
    );
    gateway.write("apis/b.yaml", &file("two", &api, "/other"));
    until("the new path is called", || {
        let said = gateway
            .invoke("capabilities", "two", json!({"q": ""}))
            .said();
        said.contains("/other").then_some(())
    });
    gateway.write("apis/a.yaml", "no: capability");
    tools(1);
    assert!(row(&gateway)["left_out"][0].is_string());
    let health = gateway.health("capabilities/two");
    assert!(
        health["success_count"].as_u64().unwrap() >= 2,
        "what was counted of a provider stays: {health}"
    );
}

pub(crate) fn tried_out() {
    let good = file("look", &api(), "/find/{q}");
    let cap = |arguments: &[&str]| {
        let setup = setup(&[("a.yaml", &good), ("b.yaml", "no: capability")]);
        setup.arg("cap").args(arguments).run()
    };
    let listed = cap(&["list"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    assert!(
        listed.stdout.starts_with("look\treads\thttp://127.0.0.1:"),
        "{listed:?}"
    );
    assert!(
        listed
            .stdout
            .contains("left out: apis/b.yaml:1:1: unknown key `no`"),
        "{listed:?}"
    );
    let called = cap(&["test", "look", "--args", r#"{"q": "x"}"#]);
    assert_eq!(called.code, 0, "{called:?}");
    let result: Value = serde_json::from_str(&called.stdout).unwrap();
    assert_eq!(result["content"][0]["text"], r#"{"path":"/find/x"}"#);
    let wrong = cap(&["test", "look"]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.stdout.contains("\"isError\": true"), "{wrong:?}");
    let unknown = cap(&["test", "loko"]);
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(
        unknown.stderr.contains("There is no capability `loko`"),
        "{unknown:?}"
    );
    let elsewhere = cap(&["test", "look", "--in", "apis/b.yaml"]);
    assert_eq!(elsewhere.code, 2, "{elsewhere:?}");
}
