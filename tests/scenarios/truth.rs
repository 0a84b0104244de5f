//! What passes through unchanged: results, arguments, and every framing of an event stream.

use std::collections::BTreeMap;

use serde_json::{json, value::RawValue};

use crate::support::{Gateway, HttpBackend, Reply, Setup, StdioBackend, VERBATIM, message};

const ARGUMENTS: &str = r#"{"big":18446744073709551615,"huge":-1e400,"exact":1.50,"e":1E5,"text":"\u00e9\ud83d\ude00 😀\/","":{"deep":[[],{}]},"$ref":null}"#;

fn call(tool: &str, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
    )
}

fn invoke(gateway: &Gateway, server: &str, tool: &str, arguments: &str) -> Reply {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{{"server":"{server}","tool":"{tool}","arguments":{arguments}}}}}"#
    );
    gateway
        .send(&crate::support::Request::post("/mcp", body))
        .reply()
}

fn members(object: &str) -> BTreeMap<String, Box<RawValue>> {
    serde_json::from_str(object).unwrap()
}

/// The same members with the same text, but for what the gateway adds to `_meta`.
fn same_but_meta(passed: &str, sent: &str) {
    let (mut passed, mut sent) = (members(passed), members(sent));
    let (passed_meta, sent_meta) = (passed.remove("_meta"), sent.remove("_meta"));
    let text = |members: BTreeMap<String, Box<RawValue>>| -> Vec<String> {
        members
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect()
    };
    assert_eq!(text(passed), text(sent));
    let passed_meta = members(passed_meta.as_deref().map_or("{}", RawValue::get));
    for (name, value) in members(sent_meta.as_deref().map_or("{}", RawValue::get)) {
        assert_eq!(passed_meta[&name].get(), value.get(), "_meta.{name}");
    }
}

pub(crate) fn results() {
    let (stdio, http) = (StdioBackend::new(&[]), HttpBackend::start());
    let gateway = Setup::backends(json!({"stdio": stdio.config(), "http": http.config()})).start();
    for backend in ["stdio", "http"] {
        let session = gateway.session(&format!("/mcp/{backend}"));
        let direct = session.send(&call("verbatim", "{}")).reply();
        assert_eq!(direct.id(), "\"x\"");
        assert_eq!(direct.raw_result(), VERBATIM, "/mcp/{backend}");
        same_but_meta(
            invoke(&gateway, backend, "verbatim", "{}").raw_result(),
            VERBATIM,
        );
    }
}

pub(crate) fn arguments() {
    let (stdio, http) = (StdioBackend::new(&[]), HttpBackend::start());
    let gateway = Setup::backends(json!({"stdio": stdio.config(), "http": http.config()})).start();
    let mirrored = format!(r#"{{"content":[],"structuredContent":{ARGUMENTS}}}"#);
    for backend in ["stdio", "http"] {
        let session = gateway.session(&format!("/mcp/{backend}"));
        let direct = session.send(&call("mirror", ARGUMENTS)).reply();
        assert_eq!(direct.raw_result(), mirrored, "/mcp/{backend}");
        same_but_meta(
            invoke(&gateway, backend, "mirror", ARGUMENTS).raw_result(),
            &mirrored,
        );
    }
}

pub(crate) fn unknown_fields_of_a_request() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let session = gateway.session("/mcp/backend");
    let body = r#"{"jsonrpc":"2.0","x-first":1e400,"id":9007199254740993,"method":"tools/call","params":{"_meta":{"vendor/y":{"n":1.0}},"name":"echo","x-new":[1.50],"arguments":{"message":"😀"}},"x-last":{}}"#;
    let reply = session.send(body).reply();
    assert_eq!(
        (reply.id(), reply.said().as_str()),
        ("9007199254740993", "😀")
    );
    let arrived = backend.received("tools/call").pop().unwrap();
    for kept in [
        r#""x-new":[1.50]"#,
        r#""vendor/y":{"n":1.0}"#,
        r#"{"message":"😀"}"#,
    ] {
        assert!(arrived.contains(kept), "{kept} in {arrived}");
    }
}

pub(crate) fn event_streams() {
    let server = HttpBackend::start();
    let gateway = Setup::backends(json!({"server": server.config()})).start();
    let session = gateway.session("/mcp/server");
    for tool in [
        "sse_plain",
        "sse_priming",
        "sse_comments",
        "sse_crlf",
        "sse_multiline",
        "sse_bytewise",
        "sse_progress",
        "sse_other_fields",
    ] {
        assert_eq!(
            session.call(tool, json!({})).said(),
            "streamed 😀 é",
            "{tool} directly"
        );
        let invoked = gateway.invoke("server", tool, json!({}));
        assert_eq!(invoked.said(), "streamed 😀 é", "{tool} by gateway_invoke");
    }
}

pub(crate) fn progress_before_the_result() {
    let (stdio, http) = (StdioBackend::new(&[]), HttpBackend::start());
    let gateway = Setup::backends(json!({"stdio": stdio.config(), "http": http.config()})).start();
    for (backend, tool) in [("stdio", "progress"), ("http", "sse_progress")] {
        let session = gateway.session(&format!("/mcp/{backend}"));
        let params = json!({"name": tool, "arguments": {}, "_meta": {"progressToken": "my token"}});
        let reply = session.ask("tools/call", params);
        assert!(reply.is_good(), "{reply:?}");
        assert_eq!(reply.before.len(), 3, "{backend}: {:?}", reply.before);
        for (step, event) in reply.before.iter().enumerate() {
            assert!(event.contains(r#""progressToken":"my token""#), "{event}");
            assert!(
                event.contains(&format!(r#""progress":{}"#, step + 1)),
                "in order: {event}"
            );
        }
    }
}

pub(crate) fn progress_in_time() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let session = gateway.session("/mcp/backend");
    let params =
        json!({"name": "progress_only", "arguments": {"steps": 2}, "_meta": {"progressToken": 5}});
    let mut events = session.stream(&message(json!(1), "tools/call", &params));
    for step in 1..=2 {
        let event = events.next().unwrap().unwrap();
        assert!(
            event.contains(&format!(r#""progress":{step}"#)),
            "while the call is open: {event}"
        );
    }
}

pub(crate) fn stream_cut_short() {
    let server = HttpBackend::start();
    let gateway = Setup::backends(json!({"server": server.config()})).start();
    let reply = gateway.invoke("server", "sse_cut_short", json!({}));
    assert!(!reply.is_good(), "{reply:?}");
    assert!(!reply.refusal().is_empty(), "{reply:?}");
    assert_eq!(server.calls("sse_cut_short"), 1);
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
}
