//! The scripted backends themselves: a situation is worth what its script is worth.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use serde_json::json;

use crate::support::{
    Forgetting, HttpBackend, Mood, Reply, Request, Session, StdioBackend, VERBATIM, message,
};

/// What a scripted stdio backend writes when it reads `lines`.
fn converse(backend: &StdioBackend, lines: &[String]) -> Vec<String> {
    let (program, arguments) = backend.command();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut answers = Vec::new();
    for line in lines {
        writeln!(input, "{line}").unwrap();
        let mut answer = Vec::new();
        output.read_until(b'\n', &mut answer).unwrap();
        answers.push(String::from_utf8_lossy(&answer).trim_end().to_owned());
    }
    drop(input);
    child.wait().unwrap();
    answers
}

fn call(tool: &str) -> String {
    message(
        json!(7),
        "tools/call",
        &json!({"name": tool, "arguments": {"message": "hi"}}),
    )
}

pub(crate) fn stdio() {
    let backend = StdioBackend::new(&["--pages=2"]);
    let answers = converse(
        &backend,
        &[
            message(json!("a"), "initialize", &json!({})),
            message(json!(2), "tools/list", &json!({})),
            call("echo"),
            call("verbatim"),
            call("invalid_utf8"),
            call("exit_now"),
        ],
    );
    let replies: Vec<Reply> = answers
        .iter()
        .map(|answer| Reply::from_text(Vec::new(), answer.clone()))
        .collect();
    assert_eq!(replies[0].id(), "\"a\"");
    assert_eq!(replies[1].result()["nextCursor"], "1");
    assert_eq!(replies[2].said(), "hi");
    assert_eq!(replies[3].raw_result(), VERBATIM);
    assert_eq!(replies[4].said(), "\u{fffd}");
    assert_eq!(answers[5], "");
}

pub(crate) fn journal() {
    let backend = StdioBackend::new(&[]);
    converse(&backend, &[call("exit_once")]);
    converse(&backend, &[call("exit_once"), call("echo")]);
    assert_eq!(backend.starts(), 2);
    assert_eq!(backend.pids().len(), 2);
    assert_eq!(backend.calls("exit_once"), 2);
    assert_eq!(backend.calls("echo"), 1);
    assert_eq!(backend.received("tools/call").len(), 3);
}

pub(crate) fn http() {
    let backend = HttpBackend::start();
    let session = Session::open(backend.address(), "/mcp", &[]);
    assert_eq!(session.call("echo", json!({"message": "hi"})).said(), "hi");
    assert_eq!(session.call("verbatim", json!({})).raw_result(), VERBATIM);
    for tool in [
        "sse_plain",
        "sse_priming",
        "sse_comments",
        "sse_crlf",
        "sse_multiline",
    ] {
        assert_eq!(
            session.call(tool, json!({})).said(),
            "streamed 😀 é",
            "{tool}"
        );
    }
    assert_eq!(session.call("sse_progress", json!({})).before.len(), 3);
    backend.feel(Mood::Status(429, "retry-after: 1\r\n"));
    assert_eq!(session.send(&call("echo")).header("retry-after"), Some("1"));
    backend.feel(Mood::HangingUp);
    assert!(session.post(&call("echo")).send(backend.address()).is_err());
    backend.forget(Forgetting::NotFound);
    assert_eq!(session.send(&call("echo")).status, 404);
    assert_eq!(backend.arrivals("echo"), 4);
    assert_eq!(backend.calls("echo"), 2);
    assert_eq!(backend.asked("initialize"), 1);
}

pub(crate) fn port() {
    let mut backend = HttpBackend::start();
    let address = backend.address();
    backend.close();
    assert!(Request::new("GET", "/mcp").send(address).is_err());
    backend.reopen();
    assert_eq!(backend.address(), address);
    assert_eq!(
        Request::new("GET", "/mcp").send(address).unwrap().status,
        405
    );
}
