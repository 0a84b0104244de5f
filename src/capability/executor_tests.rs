//! Calls of capabilities at an API that the test plays: what is sent, and what becomes of the answers.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{
    AuthKind, Body, Calling, ExecuteFault, Executor, KeyPlace, PrivateNetworks, Schema, Service,
    ValueTemplate,
    samples::{
        SECRET, alone, any, auth, called, definition, error, executor, get, outside_with, param,
        parts, post, says, template, text,
    },
    web::played::{Api, json as json_answer},
};
use crate::{
    failsafe::CircuitState,
    telemetry::{Carrier, RequestId, Trace, Tracer},
};

#[tokio::test]
async fn arguments_stand_in_the_path_the_query_and_the_headers() {
    let api = says("[1]").await;
    let mut provider = get(&api.url("/v1/{id}?q={q}&n={n}&fixed=1&list={list}&no={no}"));
    if let Service::Rest(call) = &mut provider.service {
        call.headers = vec![
            ("x-lang".parse().unwrap(), template("{lang}-x")),
            ("x-no".parse().unwrap(), template("{no}")),
        ];
    }
    let names = any(&["id", "q", "n", "list", "no", "lang"]);
    let executor = executor(parts(&names, vec![provider]));
    let arguments = json!({"id": "a/b", "q": "x&y=ü", "n": 5, "list": ["p", "q"], "lang": "de"});
    let result = called(&executor, arguments).await.unwrap();
    assert_eq!(text(&result), "[1]");
    let asked = &api.asked()[0];
    assert_eq!(asked.method(), "GET");
    assert_eq!(
        asked.path(),
        "/v1/a%2Fb?q=x%26y%3D%C3%BC&n=5&fixed=1&list=p&list=q"
    );
    assert_eq!(asked.header("x-lang"), Some("de-x"));
    assert_eq!(asked.header("x-no"), None);
}

#[tokio::test]
async fn arguments_keep_their_type_in_a_nested_body() {
    let api = says("{}").await;
    let filter = [("deep".into(), alone("n")), ("gone".into(), alone("no"))];
    let body = ValueTemplate::Map(
        [
            ("items".into(), alone("items")),
            ("filter".into(), ValueTemplate::Map(filter.into())),
            ("text".into(), ValueTemplate::Text(template("n={n}"))),
            (
                "tags".into(),
                ValueTemplate::List([alone("no"), alone("n")].into()),
            ),
        ]
        .into(),
    );
    let names = any(&["items", "n", "no"]);
    let executor = executor(parts(&names, vec![post(&api.url("/"), Body::Json(body))]));
    let arguments = json!({"items": [{"a": [1, null]}], "n": 1.5});
    called(&executor, arguments).await.unwrap();
    let asked = &api.asked()[0];
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(
        asked.json(),
        json!({"items": [{"a": [1, null]}], "filter": {"deep": 1.5}, "text": "n=1.5", "tags": [1.5]})
    );
}

#[tokio::test]
async fn a_form_and_a_text_are_sent_as_they_are_written() {
    let api = says("{}").await;
    let form = Body::Form(vec![param("a b", "{x}"), param("no", "{no}")]);
    let note = Body::Text {
        content_type: "text/plain".parse().unwrap(),
        text: template("say {x}"),
    };
    for body in [form, note] {
        let executor = executor(parts(&any(&["x", "no"]), vec![post(&api.url("/"), body)]));
        called(&executor, json!({"x": "1 & 2"})).await.unwrap();
    }
    let asked = api.asked();
    assert_eq!(
        asked[0].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        (&*asked[0].body, &*asked[1].body),
        ("a%20b=1%20%26%202", "say 1 & 2")
    );
    assert_eq!(asked[1].header("content-type"), Some("text/plain"));
}

#[tokio::test]
async fn each_credential_is_shown_where_it_belongs() {
    let api = says("{}").await;
    let bearer = format!("Bearer {SECRET}");
    let header = |name: &str, prefix: &str| KeyPlace::Header {
        name: name.parse().unwrap(),
        prefix: prefix.into(),
    };
    let shown = |kind, place: Option<KeyPlace>| {
        let mut auth = auth(kind);
        auth.place = place.unwrap_or(auth.place);
        auth
    };
    for (auth, name, value) in [
        (
            shown(AuthKind::Bearer, None),
            "authorization",
            bearer.clone(),
        ),
        (
            shown(AuthKind::ApiKey, Some(header("x-key", ""))),
            "x-key",
            SECRET.to_owned(),
        ),
        (
            shown(AuthKind::ApiKey, Some(header("authorization", "token"))),
            "authorization",
            format!("token {SECRET}"),
        ),
        (
            shown(AuthKind::Basic, None),
            "authorization",
            format!("Basic {SECRET}"),
        ),
        (
            shown(AuthKind::ApiKey, Some(KeyPlace::Cookie("sid".into()))),
            "cookie",
            format!("sid={SECRET}"),
        ),
    ] {
        let mut parts = parts(&json!({}), vec![get(&api.url("/?a=1"))]);
        parts.auth = Some(auth);
        called(&executor(parts), json!({})).await.unwrap();
        let asked = api.asked().pop().unwrap();
        assert_eq!(asked.header(name), Some(&*value));
        assert_eq!(asked.path(), "/?a=1");
    }
    let mut parts = parts(&json!({}), vec![get(&api.url("/?a=1"))]);
    parts.auth = Some(shown(
        AuthKind::ApiKey,
        Some(KeyPlace::Query("api key".into())),
    ));
    called(&executor(parts), json!({})).await.unwrap();
    let asked = api.asked().pop().unwrap();
    assert_eq!(asked.path(), format!("/?a=1&api%20key={SECRET}"));
}

#[tokio::test]
async fn a_name_and_a_password_are_shown_in_base64() {
    let api = says("{}").await;
    let mut parts = parts(&json!({}), vec![get(&api.url("/"))]);
    let mut auth = auth(AuthKind::Basic);
    auth.key = super::Key::Held(crate::telemetry::Secret::new("Aladdin:open sesame"));
    parts.auth = Some(auth);
    called(&executor(parts), json!({})).await.unwrap();
    let shown = api.asked()[0]
        .header("authorization")
        .map(ToOwned::to_owned);
    assert_eq!(shown.as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_never_sent() {
    let api = says("{}").await;
    let mut parts = parts(
        &json!({"n": {"type": "integer"}, "id": {}}),
        vec![get(&api.url("/{id}"))],
    );
    parts.input = Schema::new(
        json!({"type": "object", "properties": {"n": {"type": "integer"}, "id": {}}, "required": ["n"]}).to_string(),
    )
    .unwrap();
    let executor = executor(parts);
    for (arguments, word) in [
        (json!({"n": "x", "id": 1}), "`n`"),
        (json!({"id": 1}), "\"n\" is a required property"),
        (json!({"n": 1}), "`id`"),
        (json!({"n": 1, "id": ".."}), "`id`"),
    ] {
        let result = called(&executor, arguments).await.unwrap();
        assert!(error(&result).contains(word), "{result}");
        let recovery = &result["_meta"]["recovery"];
        assert_eq!(recovery["error_code"], "INVALID_PARAM");
        let part = |name: &str| recovery[name].as_str().unwrap();
        assert_eq!(error(&result), [part("message"), part("suggest")].join(" "));
    }
    assert!(api.asked().is_empty());
}

#[tokio::test]
async fn a_header_takes_no_line_end_from_a_caller() {
    let api = says("{}").await;
    let mut provider = get(&api.url("/"));
    if let Service::Rest(call) = &mut provider.service {
        call.headers = vec![("x-a".parse().unwrap(), template("{a}"))];
    }
    let executor = executor(parts(&any(&["a"]), vec![provider]));
    let result = called(&executor, json!({"a": "x\r\nx-admin: 1"}))
        .await
        .unwrap();
    assert!(error(&result).contains("x-a"), "{result}");
    assert!(api.asked().is_empty());
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_and_the_model_reads_why() {
    let api = says("{}").await;
    let url = format!("http://2130706433:{}/", api.port());
    let definition = definition(parts(&json!({}), vec![get(&url)]));
    let executor = Executor::new([definition], outside_with(PrivateNetworks::Refused));
    let result = called(&executor, json!({})).await.unwrap();
    assert!(
        error(&result).contains("allow_private_networks"),
        "{result}"
    );
    assert!(api.asked().is_empty());
    let breaker = &executor.guards("look")[0].failsafe.circuit_breaker;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test]
async fn no_error_repeats_a_credential() {
    let api = Api::start(|asked| {
        Some(json_answer(
            if asked.path().contains("bad") {
                400
            } else {
                500
            },
            &format!("{:?}", asked.head),
        ))
    })
    .await;
    let mut parts = parts(&any(&["p"]), vec![get(&api.url("/{p}?t={env.TOKEN}"))]);
    let mut shown = auth(AuthKind::ApiKey);
    shown.place = KeyPlace::Query("key".into());
    parts.auth = Some(shown);
    let executor = executor(parts);
    let result = called(&executor, json!({"p": "bad"})).await.unwrap();
    assert!(
        error(&result).contains("***") && !result.to_string().contains(SECRET),
        "{result}"
    );
    let fault = called(&executor, json!({"p": "worse"})).await.unwrap_err();
    let said = format!("{fault} {fault:?} {executor:?}");
    assert!(said.contains("***") && !said.contains(SECRET), "{said}");
    assert!(api.asked()[0].path().contains(SECRET));
}

#[tokio::test]
async fn the_provider_is_told_of_the_trace_and_of_no_baggage() {
    let api = says("{}").await;
    let executor = executor(parts(&json!({}), vec![get(&api.url("/"))]));
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let trace = Tracer::off().begin(&Carrier {
        traceparent: Some(parent),
        tracestate: Some("a=1"),
        baggage: Some("user=1"),
    });
    let calling = |trace| Calling {
        name: "look",
        arguments: None,
        caller: "",
        request_id: RequestId::random(),
        trace,
        deadline: Instant::now() + Duration::from_secs(10),
    };
    executor.execute(&calling(&trace)).await.unwrap();
    executor.execute(&calling(Trace::none())).await.unwrap();
    let asked = api.asked();
    assert_eq!(asked[0].header("traceparent"), Some(parent));
    assert_eq!(asked[0].header("tracestate"), Some("a=1"));
    assert_eq!(asked[0].header("baggage"), None);
    assert_eq!(asked[1].header("traceparent"), None);
}

#[tokio::test]
async fn what_nobody_has_defined_is_not_there() {
    let api = says("{}").await;
    let executor = executor(parts(&json!({}), vec![get(&api.url("/"))]));
    let calling = Calling {
        name: "other",
        arguments: None,
        caller: "",
        request_id: RequestId::random(),
        trace: Trace::none(),
        deadline: Instant::now() + Duration::from_secs(10),
    };
    let fault = executor.execute(&calling).await.unwrap_err();
    assert_eq!(fault, ExecuteFault::Unknown("other".into()));
}
