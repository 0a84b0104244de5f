//! The mock server and the load generator against each other, through the built binary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Output, Stdio},
};

const PERF: &str = env!("CARGO_BIN_EXE_perf");

/// A mock server that ends with the test.
struct Mock {
    child: Child,
    url: String,
}

impl Mock {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command("upstream", arguments).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = format!("http://127.0.0.1:{}/mcp", line.trim());
        Self { child, url }
    }

    fn load(&self, arguments: &[&str]) -> Output {
        let mut command = command("load", arguments);
        command.arg(&self.url).stderr(Stdio::piped());
        command.output().unwrap()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(PERF);
    command.arg(name).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// What a load printed that was answered well.
fn answered(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn many_callers_are_answered_in_json_and_in_streams() {
    for answer in ["json", "sse"] {
        let mock = Mock::start(&["--answer", answer]);
        let output = mock.load(&[
            "--connections",
            "64",
            "--requests",
            "2000",
            "--expect",
            "hello",
        ]);
        assert!(answered(&output).starts_with("2000 answers"));
    }
}

#[test]
fn a_list_of_a_thousand_tools_passes_whole() {
    let mock = Mock::start(&["--tools", "1000"]);
    let list = [
        "--method",
        "tools/list",
        "--params",
        "{}",
        "--expect",
        "echo_1000",
    ];
    let output = mock.load(&[list.as_slice(), &["--requests", "50"]].concat());
    assert!(answered(&output).starts_with("50 answers"));
}

#[test]
fn a_fault_in_one_answer_of_a_hundred_fails_the_load() {
    for (fault, words) in [
        (["--status", "503"].as_slice(), "status 503"),
        (&["--hang-up"], "closed by the other side"),
        (&["--malformed"], "bytes long"),
    ] {
        let mock = Mock::start(&[fault, &["--every", "100"]].concat());
        assert!(mock.load(&["--requests", "99"]).status.success());
        let output = mock.load(&["--requests", "99"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && errors.contains(words),
            "{errors}"
        );
    }
}

#[test]
fn an_answer_without_what_is_expected_fails_the_load() {
    let output = Mock::start(&[]).load(&["--requests", "1", "--expect", "good bye"]);
    assert!(!output.status.success());
}

#[test]
fn at_a_fixed_rate_a_request_waits_from_the_moment_at_which_it_was_due() {
    let mock = Mock::start(&["--delay", "20"]);
    // One connection takes 20 ms a call and 10 ms pass from one to the next: the 20th is answered after 400 ms at the
    // earliest, and was due after 190.
    let output = mock.load(&["--connections", "1", "--requests", "20", "--rate", "100"]);
    let text = answered(&output);
    let worst: f64 = text
        .lines()
        .next()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(worst >= 209_000.0, "{text}");
}

#[test]
fn over_stdio_lines_are_answered_until_input_ends() {
    let mut child = command("upstream", &["--stdio", "--delay", "1"])
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap()).lines();
    writeln!(input, r#"{{"id":"a","method":"ping"}}"#).unwrap();
    writeln!(
        input,
        r#"{{"id":"b","method":"tools/call","params":{{"name":"echo","arguments":{{"message":"hi"}}}}}}"#
    )
    .unwrap();
    let answers: Vec<String> = answers.take(2).map(Result::unwrap).collect();
    assert_eq!(answers[0], r#"{"jsonrpc":"2.0","id":"a","result":{}}"#);
    assert_eq!(
        answers[1],
        r#"{"jsonrpc":"2.0","id":"b","result":{"content":[{"type":"text","text":"hi"}]}}"#
    );
    drop(input);
    assert!(child.wait().unwrap().success());
}
