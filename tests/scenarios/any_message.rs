//! Any request and its answer pass `/mcp/{backend}` byte for byte, but for the id and the progress token.

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, FileFailurePersistence, TestRunner},
};
use serde_json::json;

use crate::support::{Gateway, HttpBackend, Session, Setup, StdioBackend, frame::Frame};
use samples::{json, string};

#[expect(dead_code, reason = "texts that are no JSON are for other tests")]
#[path = "../../src/protocol/samples.rs"]
mod samples;

/// How many requests are sent through each kind of backend.
const CASES: u32 = 300;
/// Where proptest keeps the seeds of what once failed.
const REGRESSIONS: &str = "tests/scenarios/any_message.regressions";
/// Stand in a request for what the gateway may change.
const PLACES: [&str; 2] = ["<id>", "<token>"];

/// A request before its id and its token are written, and what the backend answers.
#[derive(Clone, Debug)]
struct Sent {
    text: String,
    id: String,
    token: String,
    answer: String,
}

pub(crate) fn http() {
    let server = HttpBackend::start();
    let gateway = Setup::backends(json!({"server": server.config()})).start();
    let arrived = || server.arrived().into_iter().map(|it| it.body).collect();
    play(&gateway, "/mcp/server", &arrived, str::to_owned);
}

pub(crate) fn stdio() {
    let child = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"child": child.config()})).start();
    // A message is one line there.
    let on_one_line = |text: &str| text.replace(['\r', '\n'], " ");
    play(&gateway, "/mcp/child", &|| child.lines(), on_one_line);
}

fn play(
    gateway: &Gateway,
    path: &str,
    arrived: &dyn Fn() -> Vec<String>,
    carried: impl Fn(&str) -> String,
) {
    let session = gateway.session(path);
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS))),
        ..Config::default()
    });
    let outcome = runner.run(&sent(), |sent| {
        let back = answer(&session, &sent);
        let arrived = arrived().into_iter().rev().find(|text| is_echo(text));
        let arrived = arrived.unwrap_or_default();
        let answer = carried(&sent.answer).replace(PLACES[0], &sent.id);
        for (text, passed) in [(carried(&sent.text), &arrived), (answer, &back)] {
            for value in filled(&text, passed) {
                prop_assert!(is_id(value), "{}\nbecame\n{}", text, passed);
            }
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
}

fn answer(session: &Session, sent: &Sent) -> String {
    let [id, token] = PLACES;
    let text = sent.text.replace(id, &sent.id).replace(token, &sent.token);
    let response = session.send(&text);
    assert_eq!(response.header("content-type"), Some("application/json"));
    response.text()
}

fn is_echo(text: &str) -> bool {
    Frame::parse(text).is_some_and(|frame| frame.method().starts_with("echo/"))
}

fn is_id(text: &str) -> bool {
    let value: Result<serde_json::Value, _> = serde_json::from_str(text);
    value.is_ok_and(|value| value.is_string() || value.is_number())
}

/// What stands in `arrived` at the places that `text` leaves open; an empty value where they differ elsewhere.
fn filled<'a>(text: &str, arrived: &'a str) -> Vec<&'a str> {
    let open = text.replace(PLACES[1], PLACES[0]);
    let fixed: Vec<&str> = open.split(PLACES[0]).collect();
    let inner = |first, last| arrived.strip_prefix(first)?.strip_suffix(last);
    match fixed[..] {
        [whole] if whole == arrived => Vec::new(),
        [first, last] => vec![inner(first, last).unwrap_or_default()],
        [first, middle, last] => inner(first, last)
            .and_then(|inner: &str| inner.split_once(middle))
            .map_or_else(|| vec![""], |(one, other)| vec![one, other]),
        _ => vec![""],
    }
}

/// A request in any notation, its members in any order, beside members that nobody knows.
fn sent() -> impl Strategy<Value = Sent> {
    let unknown = (select(&["x", "x", "x-é", "ID ", ""][..]), json())
        .prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let members = (method(), params(), prop::collection::vec(unknown, 0..3));
    let order = any::<[u8; 8]>();
    (members, id(), id(), order, space()).prop_map(|(members, id, token, order, space)| {
        let ((method, is_error), params, unknown) = members;
        let mut all = vec![
            r#""jsonrpc": "2.0""#.to_owned(),
            format!("\"id\":{space}{}", PLACES[0]),
            format!("{space}\"method\"{space}:{method}"),
        ];
        all.extend(
            params
                .iter()
                .map(|params| format!("\"params\":{space}{params}")),
        );
        all.extend(unknown);
        let mut ordered: Vec<_> = all.into_iter().zip(order).collect();
        ordered.sort_by_key(|(_, place)| *place);
        let all: Vec<_> = ordered.into_iter().map(|(member, _)| member).collect();
        Sent {
            text: format!("{space}{{{space}{}{space}}}{space}", all.join(",")),
            answer: expected(params.as_deref().unwrap_or("null"), is_error),
            id,
            token,
        }
    })
}

/// A method in one of its notations, and whether it is answered with an error.
fn method() -> impl Strategy<Value = (&'static str, bool)> {
    let methods = [
        (r#""echo/result""#, false),
        (r#""echo\/\u0072esult""#, false),
        (r#""echo/é😀\n""#, false),
        (r#""echo/error""#, true),
    ];
    select(methods.to_vec())
}

/// A string or a whole number, of any size.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![string(), "0|-?[1-9][0-9]{0,30}", Just("-0".to_owned())]
}

/// All that may stand as params, or nothing.
fn params() -> impl Strategy<Value = Option<String>> {
    let items = prop::collection::vec(json(), 0..4);
    prop_oneof![
        1 => Just(None),
        1 => Just(Some("null".to_owned())),
        2 => items.prop_map(|items| Some(format!("[{}]", items.join(" , ")))),
        8 => object().prop_map(Some),
    ]
}

/// Members of any name and, among them, at times `_meta`, or a text that is carried in other ways than a short one.
fn object() -> impl Strategy<Value = String> {
    let long = prop_oneof![9 => Just(0), 1 => select(&[9_000_usize, 70_000][..])];
    (members(), prop::option::of(meta()), long, any::<usize>()).prop_map(
        |(mut all, meta, long, turn)| {
            all.extend(meta);
            all.extend((long > 0).then(|| format!("\"long\":\"{}\"", "é".repeat(long))));
            turned(all, turn)
        },
    )
}

fn meta() -> impl Strategy<Value = String> {
    (members(), any::<bool>(), any::<usize>()).prop_map(|(mut all, has_token, turn)| {
        all.extend(has_token.then(|| format!("\"progressToken\": {}", PLACES[1])));
        format!("\"_meta\" :{}", turned(all, turn))
    })
}

fn members() -> impl Strategy<Value = Vec<String>> {
    let member = (string(), json(), space())
        .prop_map(|(name, value, space)| format!("{space}{name}{space}:{value}{space}"));
    prop::collection::vec(member, 0..5)
}

/// An object whose members begin with any of them.
fn turned(mut members: Vec<String>, turn: usize) -> String {
    let turn = turn.checked_rem(members.len()).unwrap_or_default();
    members.rotate_left(turn);
    format!("{{{}}}", members.join(","))
}

fn space() -> impl Strategy<Value = &'static str> {
    select(&["", "", " ", "\n", "\r\n\t"][..])
}

/// What the scripted backends answer to a method that begins with `echo/`, as `offer` writes it.
fn expected(params: &str, is_error: bool) -> String {
    let answer = if is_error {
        format!(r#""error":{{"code":-32602,"message":"echo","data":{params}}}"#)
    } else {
        format!(r#""result":{{"echo":{params}}}"#)
    };
    format!(r#"{{"jsonrpc":"2.0","id":{},{answer}}}"#, PLACES[0])
}
