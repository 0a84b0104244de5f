//! What becomes of the answers of a provider: the data of GraphQL, a part of JSON, a picture, an error for the model.

use serde_json::{Value, json};

use super::{
    GraphqlCall, JsonRpcCall, Schema, Service, Transform, ValueTemplate,
    samples::{
        alone, any, called, endpoint, error, executor, get, of, parts, response_path, says, text,
    },
    web::played::{Api, answer, json as json_answer},
};

#[tokio::test]
async fn a_graphql_call_sends_its_arguments_as_variables() {
    let api = Api::start(|asked| {
        let id = asked.json()["variables"]["id"].clone();
        let body = match id.as_i64() {
            Some(1) => r#"{"data":{"user":{"name":"Ada"}}}"#,
            Some(2) => r#"{"data":{"user":null},"errors":[{"message":"partly"}]}"#,
            _ => r#"{"data":null,"errors":[{"message":"no such user"}]}"#,
        };
        Some(json_answer(200, body))
    })
    .await;
    let call = GraphqlCall {
        endpoint: endpoint(&api.url("/graphql")),
        headers: Vec::new(),
        query: "query($id: Int) { user(id: $id) { name } }".into(),
        operation: None,
        variables: ValueTemplate::Map([("id".into(), alone("id"))].into()),
    };
    let plain = of(Service::Graphql(call));
    let picked = response_path(plain.clone(), "data.user.name");
    let executor_of = |provider| executor(parts(&any(&["id"]), vec![provider]));
    let whole = executor_of(plain);
    let result = called(&whole, json!({"id": 1})).await.unwrap();
    assert_eq!(text(&result), r#"{"user":{"name":"Ada"}}"#);
    let sent = api.asked()[0].json();
    assert_eq!(sent["variables"], json!({"id": 1}));
    assert!(
        sent["query"]
            .as_str()
            .unwrap()
            .starts_with("query($id: Int)")
    );
    let result = called(&executor_of(picked), json!({"id": 1}))
        .await
        .unwrap();
    assert_eq!(text(&result), "\"Ada\"");
    let result = called(&whole, json!({"id": 2})).await.unwrap();
    assert!(text(&result).contains("partly"));
    let result = called(&whole, json!({"id": 3})).await.unwrap();
    assert!(error(&result).contains("no such user"));
}

#[tokio::test]
async fn a_json_rpc_call_tells_faults_of_the_call_from_those_of_the_provider() {
    let api = Api::start(|asked| {
        let body = match asked.json()["params"]["n"].as_i64() {
            Some(1) => r#"{"jsonrpc":"2.0","id":1,"result":[1]}"#,
            Some(2) => r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"n is odd"}}"#,
            _ => r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"it broke"}}"#,
        };
        Some(json_answer(200, body))
    })
    .await;
    let call = JsonRpcCall {
        endpoint: endpoint(&api.url("/rpc")),
        headers: Vec::new(),
        method: "sum".into(),
        params: ValueTemplate::Arguments,
    };
    let executor = executor(parts(&any(&["n"]), vec![of(Service::JsonRpc(call))]));
    let result = called(&executor, json!({"n": 1})).await.unwrap();
    assert_eq!(text(&result), "[1]");
    assert_eq!(api.asked()[0].json()["method"], "sum");
    let result = called(&executor, json!({"n": 2})).await.unwrap();
    assert!(error(&result).contains("n is odd"));
    let fault = called(&executor, json!({"n": 3})).await.unwrap_err();
    assert!(fault.to_string().contains("it broke"), "{fault}");
}

#[tokio::test]
async fn of_an_answer_that_is_given_what_the_definition_names() {
    let body = r#"{"items":[{"id":1,"token":"t","x":0},{"id":2,"token":"u","x":0}],"next_page":2}"#;
    let api = says(body).await;
    let mut parts = parts(&json!({}), vec![response_path(get(&api.url("/")), "items")]);
    parts.transform = Transform {
        project: vec!["id".into(), "token".into()],
        rename: vec![("id".into(), "number".into())],
        redact: vec!["token".into()],
    };
    let result = called(&executor(parts.clone()), json!({})).await.unwrap();
    let given: Value = serde_json::from_str(text(&result)).unwrap();
    assert_eq!(
        given,
        json!([{"number": 1, "token": "***"}, {"number": 2, "token": "***"}])
    );
    assert_eq!(result["_meta"]["capability"], json!({"next": "2"}));
    parts.primary = response_path(get(&api.url("/")), ".items | {ids: map(.id)}");
    parts.transform = Transform::default();
    parts.output = Some(Schema::default());
    let result = called(&executor(parts.clone()), json!({})).await.unwrap();
    assert_eq!(result["structuredContent"], json!({"ids": [1, 2]}));
    parts.primary = response_path(get(&api.url("/")), "items");
    let result = called(&executor(parts), json!({})).await.unwrap();
    assert!(error(&result).contains("output schema"), "{result}");
}

#[tokio::test]
async fn what_is_no_json_is_given_as_what_it_is() {
    let api = Api::start(|asked| {
        let (kind, body) = match asked.path() {
            "/text" => ("text/plain; charset=utf-8", "hello"),
            "/picture" => ("image/png", "\u{1}png"),
            "/bytes" => ("application/zip", "PK"),
            _ => ("application/json", ""),
        };
        let status = if body.is_empty() { 204 } else { 200 };
        Some(answer(status, &[("content-type", kind)], body))
    })
    .await;
    let executor = executor(parts(&any(&["p"]), vec![get(&api.url("/{p}"))]));
    let content = async |path: &str| {
        let result = called(&executor, json!({"p": path})).await.unwrap();
        result["content"][0].clone()
    };
    assert_eq!(content("text").await["text"], "hello");
    let picture = json!({"type": "image", "data": "AXBuZw==", "mimeType": "image/png"});
    assert_eq!(content("picture").await, picture);
    assert_eq!(content("bytes").await["resource"]["blob"], "UEs=");
    assert_eq!(content("none").await["text"], "");
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let api =
        Api::start(|_| Some("HTTP/1.1 200 OK\r\ncontent-length: 11000000\r\n\r\nx".to_owned()))
            .await;
    let executor = executor(parts(&json!({}), vec![get(&api.url("/"))]));
    let result = called(&executor, json!({})).await.unwrap();
    assert!(
        error(&result).contains("longer than 10485760 bytes"),
        "{result}"
    );
}
