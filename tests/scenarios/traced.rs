//! One trace from a client to a backend, told to a collector; and what happens where that is not there.

use std::collections::HashSet;

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{
    Collector, EraBackend, Gateway, HttpBackend, Request, Setup, StdioBackend, hex, said, until,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

fn traced(traces: Value, backends: Value) -> Gateway {
    Setup::config(json!({"telemetry": {"traces": traces}, "backends": backends}))
        .env("OTEL_BSP_SCHEDULE_DELAY", "20")
        .start()
}

fn call(path: &str, tool: &str) -> Request {
    call_saying(path, tool, json!({}))
}

fn call_saying(path: &str, tool: &str, meta: Value) -> Request {
    let params = json!({"name": tool, "arguments": {"message": "hi"}, "_meta": meta});
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
    Request::post(path, body.to_string())
}

/// That each span is the parent of the next.
fn assert_chain(spans: &[Span]) {
    for pair in spans.windows(2) {
        assert_eq!(pair[1].parent_span_id, pair[0].span_id, "{pair:#?}");
    }
}

/// The `traceparent` that a message bears in `_meta`.
fn carried(text: &str) -> String {
    let message: Value = serde_json::from_str(text).unwrap();
    let carried = &message["params"]["_meta"]["traceparent"];
    carried.as_str().unwrap_or_default().to_owned()
}

fn says_revision(span: &Span) -> bool {
    let mut keys = span.attributes.iter().map(|it| &*it.key);
    keys.any(|key| key == "mcp.protocol.version")
}

pub(crate) fn to_a_stdio_backend() {
    let (collector, backend) = (Collector::start(), StdioBackend::new(&[]));
    let gateway = traced(
        json!({"endpoint": collector.url()}),
        json!({"stdio": backend.config()}),
    );
    let meta = json!({"traceparent": PARENT, "tracestate": "a=1", "baggage": "user=1", "x": 1e3});
    let answer = gateway.send(&call_saying("/mcp/stdio", "echo", meta));
    assert_eq!(answer.reply().said(), "hi");
    let received = backend.received("tools/call").pop().unwrap();
    let names = ["POST /mcp/{backend}", "tools/call echo"];
    let spans = collector.trace(TRACE, &names);
    assert_eq!(hex(&spans[0].parent_span_id), "b7ad6b7169203331");
    let all = collector.spans();
    let client = all
        .iter()
        .find(|span| span.kind == SpanKind::Client as i32)
        .unwrap();
    let server = all
        .iter()
        .find(|span| span.name == names[1] && span.kind == SpanKind::Server as i32)
        .unwrap();
    assert_chain(&[spans[0].clone(), server.clone(), client.clone()]);
    assert_eq!(
        carried(&received),
        format!("00-{TRACE}-{}-01", hex(&client.span_id)),
        "the backend is called from the span of its call: {received}"
    );
    let message: Value = serde_json::from_str(&received).unwrap();
    let meta = &message["params"]["_meta"];
    assert_eq!(
        (&meta["tracestate"], &meta["baggage"]),
        (&json!("a=1"), &json!("user=1"))
    );
    assert_eq!(meta["x"], json!(1e3));
    for (key, value) in [
        ("mcp.method.name", "tools/call"),
        ("gen_ai.tool.name", "echo"),
        ("gen_ai.operation.name", "execute_tool"),
        ("backend", "stdio"),
        ("network.transport", "pipe"),
    ] {
        assert_eq!(said(client, key), value, "{key}");
    }
    assert_eq!(said(server, "jsonrpc.request.id"), "7");
    assert!(!says_revision(server), "nobody has told it: {server:#?}");
    assert_eq!(said(&spans[0], "http.response.status_code"), "200");
    assert!(
        all.iter()
            .any(|span| span.name == "queue" && span.parent_span_id == server.span_id)
    );
    let ids: HashSet<_> = all.iter().map(|span| said(span, "request_id")).collect();
    let id = answer.header("x-request-id").unwrap();
    assert!(ids.contains(id), "{ids:?} {id}");
    assert_eq!(answer.header("x-trace-id"), Some(TRACE));
    assert_eq!(
        answer.header("traceresponse"),
        Some(&*format!("00-{TRACE}-{}-01", hex(&spans[0].span_id)))
    );
    gateway.logged(&["Request completed successfully", TRACE, id]);
}

pub(crate) fn to_an_http_backend() {
    let (collector, backend) = (Collector::start(), HttpBackend::start());
    let gateway = traced(
        json!({"endpoint": collector.url()}),
        json!({"http": backend.config()}),
    );
    let asked = call("/mcp/http", "echo")
        .header("traceparent", PARENT)
        .header("tracestate", "a=1")
        .header("baggage", "user=1");
    assert_eq!(gateway.send(&asked).reply().said(), "hi");
    let arrived = backend.arrived();
    let arrived = arrived
        .iter()
        .find(|arrived| arrived.body.contains("tools/call"))
        .unwrap();
    let client = until("the span of the call", || {
        let spans = collector.spans().into_iter();
        spans
            .into_iter()
            .find(|span| span.kind == SpanKind::Client as i32 && span.name == "tools/call echo")
    });
    let from = format!("00-{TRACE}-{}-01", hex(&client.span_id));
    assert_eq!(arrived.header("traceparent"), Some(&*from));
    assert_eq!(arrived.header("tracestate"), Some("a=1"));
    assert_eq!(arrived.header("baggage"), Some("user=1"));
    assert_eq!(carried(&arrived.body), from, "{}", arrived.body);
    assert_eq!(said(&client, "server.address"), "127.0.0.1");
    assert_eq!(
        said(&client, "server.port"),
        backend.address().port().to_string()
    );
}

pub(crate) fn through_invoke() {
    let (collector, backend) = (Collector::start(), StdioBackend::new(&[]));
    let gateway = traced(
        json!({"endpoint": collector.url()}),
        json!({"stdio": backend.config()}),
    );
    let reply = gateway.invoke("stdio", "echo", json!({"message": "hi"}));
    let id = reply.result()["_meta"]["trace_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let names = ["POST /mcp", "gateway_invoke", "tools/call echo"];
    assert_chain(&collector.trace(&id, &names));
}

pub(crate) fn over_grpc() {
    let (collector, backend) = (Collector::start(), StdioBackend::new(&[]));
    let traces = json!({"endpoint": collector.url(), "protocol": "grpc", "headers": {"x-key": "k3y-of-the-collector"}, "service_name": "edge"});
    let gateway = traced(traces, json!({"stdio": backend.config()}));
    gateway.send(&call("/mcp/stdio", "echo").header("traceparent", PARENT));
    collector.trace(TRACE, &["POST /mcp/{backend}", "tools/call echo"]);
    assert_eq!(collector.headers()[0]["x-key"], "k3y-of-the-collector");
    let resource = collector.exports()[0].resource_spans[0]
        .resource
        .clone()
        .unwrap();
    let resource = format!("{resource:?}");
    assert!(
        resource.contains("service.name") && resource.contains("edge"),
        "{resource}"
    );
    assert!(
        gateway.log().iter().all(|line| !line.contains("k3y-of")),
        "a secret in the log"
    );
}

pub(crate) fn by_the_standard_variables() {
    let (collector, backend) = (Collector::start(), StdioBackend::new(&[]));
    let mut gateway = Setup::backends(json!({"stdio": backend.config()}))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=of%20them")
        // So long that only the end sends them.
        .env("OTEL_BSP_SCHEDULE_DELAY", "3600000")
        .start();
    gateway.send(&call("/mcp/stdio", "echo").header("traceparent", PARENT));
    assert_eq!(collector.exports().len(), 0);
    gateway.signal(Signal::TERM);
    assert!(gateway.wait().success());
    collector.trace(TRACE, &["POST /mcp/{backend}", "tools/call echo"]);
    assert_eq!(collector.headers()[0]["x-key"], "of them");
}

pub(crate) fn one_decision() {
    let (collector, backend) = (Collector::start(), StdioBackend::new(&[]));
    let traces = json!({"endpoint": collector.url(), "sample": 0});
    let gateway = traced(traces, json!({"stdio": backend.config()}));
    let unsampled = call("/mcp/stdio", "echo").header("traceparent", UNSAMPLED);
    let answer = gateway.send(&unsampled);
    assert_eq!(answer.header("x-trace-id"), Some(TRACE));
    assert!(answer.header("traceresponse").unwrap().ends_with("-00"));
    assert!(
        carried(&backend.received("tools/call")[0]).ends_with("-00"),
        "the backend is told not to either"
    );
    // Nobody has decided: the share of all is none.
    gateway.send(&call("/mcp/stdio", "echo"));
    assert!(carried(&backend.received("tools/call")[1]).ends_with("-00"));
    // A client that records its trace has decided for all behind it.
    gateway.send(&call("/mcp/stdio", "echo").header("traceparent", PARENT));
    collector.trace(TRACE, &["tools/call echo"]);
    assert_eq!(
        collector
            .spans()
            .iter()
            .filter(|span| span.kind == SpanKind::Client as i32)
            .count(),
        1
    );
}

pub(crate) fn off_unless_asked_for() {
    let (stdio, http) = (StdioBackend::new(&[]), HttpBackend::start());
    let gateway = Setup::backends(json!({"stdio": stdio.config(), "http": http.config()})).start();
    let answer = gateway.send(&call_saying(
        "/mcp/stdio",
        "echo",
        json!({"traceparent": PARENT, "z": 1.0}),
    ));
    assert_eq!(answer.header("traceresponse"), None);
    let received = stdio.received("tools/call").pop().unwrap();
    assert!(
        received.contains(&format!(r#""_meta":{{"traceparent":"{PARENT}","z":1.0}}"#)),
        "{received}"
    );
    // What a client says in headers goes on, by header and by message.
    gateway.send(&call("/mcp/http", "echo").header("traceparent", PARENT));
    let arrived = http.arrived();
    let arrived = arrived
        .iter()
        .find(|arrived| arrived.body.contains("tools/call"))
        .unwrap();
    assert_eq!(arrived.header("traceparent"), Some(PARENT));
    assert_eq!(carried(&arrived.body), PARENT);
}

pub(crate) fn a_modern_call() {
    let collector = Collector::start();
    let backend = EraBackend::start(crate::support::Era::Modern);
    let gateway = traced(
        json!({"endpoint": collector.url()}),
        json!({"new": backend.config()}),
    );
    // A client of the older era: it is introduced, and its trace is told beside that.
    gateway.send(&call("/mcp/new", "echo").header("traceparent", PARENT));
    collector.trace(TRACE, &["POST /mcp/{backend}", "tools/call echo"]);
}

pub(crate) fn a_collector_that_is_not_there() {
    let backend = StdioBackend::new(&[]);
    let collector = Collector::start();
    collector.refuse(true);
    let gateway = traced(
        json!({"endpoint": collector.url(), "timeout": "1s"}),
        json!({"stdio": backend.config()}),
    );
    for _ in 0..50 {
        assert_eq!(
            gateway.send(&call("/mcp/stdio", "echo")).reply().said(),
            "hi"
        );
    }
    gateway.logged(&["WARN", "Traces cannot be exported"]);
    collector.refuse(false);
    let sent = call("/mcp/stdio", "echo").header("traceparent", PARENT);
    until("a trace arrives again", || {
        gateway.send(&sent);
        collector
            .spans()
            .iter()
            .any(|span| hex(&span.trace_id) == TRACE)
            .then_some(())
    });
    gateway.logged(&["INFO", "Traces are exported again"]);
}

pub(crate) fn failures_say_why() {
    let (collector, backend) = (Collector::start(), StdioBackend::new(&[]));
    let gateway = traced(
        json!({"endpoint": collector.url()}),
        json!({"stdio": backend.config(), "gone": {"http_url": "http://127.0.0.1:1/mcp", "retry": {"enabled": false}}}),
    );
    gateway.send(&call("/mcp/gone", "echo").header("traceparent", PARENT));
    let spans = collector.trace(TRACE, &["tools/call echo", "POST /mcp/{backend}"]);
    let all = collector.spans();
    let client = all
        .iter()
        .find(|span| span.kind == SpanKind::Client as i32)
        .unwrap();
    let status = client.status.clone().unwrap();
    assert_eq!(status.code, 2, "{client:#?}");
    assert!(
        status.message.contains("no connection to 127.0.0.1:1"),
        "{status:?}"
    );
    assert!(!said(client, "error.type").is_empty());
    assert_eq!(spans.len(), 2);
}
