//! What a capability sends to its API, and what a client is given of the answer.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::support::{Api, Gateway, Reply, Says, Setup};

/// What every credential in this file is.
const KEY: &str = "hunter2-and-more";

/// A file that defines `look`, which takes these properties and is answered by this provider.
pub(crate) fn file(properties: Value, service: &str, config: Value) -> Value {
    json!({
        "fulcrum": "1.0",
        "name": "look",
        "description": "Looks something up",
        "schema": {"input": {"type": "object", "properties": properties}},
        "providers": {"primary": {"service": service, "config": config}},
    })
}

/// Writes files into the directory of capabilities.
pub(crate) fn written(setup: Setup, files: &[Value]) -> Setup {
    let directory = setup.home().join("capabilities");
    std::fs::create_dir_all(&directory).unwrap();
    for (index, file) in files.iter().enumerate() {
        std::fs::write(directory.join(format!("{index}.yaml")), file.to_string()).unwrap();
    }
    setup
}

/// A gateway that serves these files and may call loopback.
pub(crate) fn serving(files: &[Value]) -> Gateway {
    let capabilities =
        json!({"directories": ["capabilities"], "allow_private_networks": ["127.0.0.1/32"]});
    let setup = Setup::config(json!({"capabilities": capabilities}))
        .env("KEY", KEY)
        .env("CLIENT", &format!("client:{KEY}"));
    written(setup, files).start()
}

pub(crate) fn look(gateway: &Gateway, arguments: Value) -> Reply {
    gateway.invoke("capabilities", "look", arguments)
}

pub(crate) fn placeholders() {
    let api = Api::saying(200, json!({"data": {"items": [{"id": 1}, {"id": 2}]}}));
    let properties = json!({
        "id": {"type": "string"}, "q": {"type": "string"}, "n": {"type": "number"},
        "tags": {"type": "array"}, "filter": {"type": "object"}, "absent": {},
    });
    let config = json!({
        "base_url": api.url(""), "path": "/v1/{id}", "method": "POST",
        "headers": {"X-Query": "<{q}>", "X-Absent": "{absent}"},
        "params": {"q": "{q}", "tag": "{tags}", "no": "{absent}"},
        "body": {"n": "{n}", "text": "n is {n}", "deep": {"list": ["{tags}", "{absent}"], "filter": "{filter}"}, "no": "{absent}"},
        "response_path": "data.items[*].id",
    });
    let gateway = serving(&[file(properties, "rest", config)]);
    let arguments =
        json!({"id": "../a b", "q": "x&y", "n": 1.5, "tags": ["p", "q"], "filter": {"a": [null]}});
    let reply = look(&gateway, arguments);
    assert_eq!(reply.said(), "[1,2]");
    let asked = api.last();
    assert_eq!(
        (&*asked.method, &*asked.path),
        ("POST", "/v1/..%2Fa%20b?q=x%26y&tag=p&tag=q")
    );
    assert_eq!(asked.header("x-query"), Some("<x&y>"));
    assert_eq!(asked.header("x-absent"), None);
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        body,
        json!({"n": 1.5, "text": "n is 1.5", "deep": {"list": [["p", "q"]], "filter": {"a": [null]}}})
    );
    for (arguments, word) in [
        (json!({"id": 5}), "`id`"),
        (json!({"q": "x"}), "`id`"),
        (json!({"id": ".."}), "`id`"),
    ] {
        let reply = look(&gateway, arguments);
        assert_eq!(reply.refusal(), "INVALID_PARAM", "{}", reply.said());
        assert!(reply.said().contains(word), "{}", reply.said());
    }
    assert_eq!(api.arrived().len(), 1, "what does not fit is not sent");
}

pub(crate) fn credentials() {
    let api = Api::saying(200, json!({"ok": true}));
    let config = json!({"base_url": api.url(""), "path": "/"});
    let with = |auth: Value| {
        let mut file = file(json!({}), "rest", config.clone());
        file["auth"] = auth;
        let gateway = serving(&[file]);
        let reply = look(&gateway, json!({}));
        assert!(reply.is_good(), "{}", reply.said());
        assert!(!gateway.log().join("\n").contains(KEY));
        api.last()
    };
    let authorization = |auth: Value| with(auth).header("authorization").map(ToOwned::to_owned);
    let bearer = authorization(json!({"required": true, "type": "bearer", "key": "env:KEY"}));
    assert_eq!(bearer, Some(format!("Bearer {KEY}")));
    let token = authorization(
        json!({"required": true, "type": "api_key", "key": "{env.KEY}", "header": "Authorization", "prefix": "Token"}),
    );
    assert_eq!(token, Some(format!("Token {KEY}")));
    let basic = authorization(json!({"required": true, "type": "basic", "key": "env:KEY"}));
    assert_eq!(basic, Some(format!("Basic {KEY}")));
    let asked =
        with(json!({"required": true, "type": "api_key", "key": "env:KEY", "header": "X-Key"}));
    assert_eq!(asked.header("x-key"), Some(KEY));
    let asked =
        with(json!({"required": true, "type": "api_key", "key": "env:KEY", "param": "key"}));
    assert_eq!(asked.path, format!("/?key={KEY}"));
}

pub(crate) fn tokens() {
    let given = Mutex::new(0);
    let calls = Mutex::new(0);
    let api = Api::start(move |asked| {
        if asked.path == "/token" {
            let mut given = given.lock().unwrap();
            *given += 1;
            return Some(Says::json(
                200,
                json!({"access_token": format!("token-number-{given}"), "expires_in": 3600}),
            ));
        }
        // The first token ends after one call.
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        let is_first = asked.header("authorization") == Some("Bearer token-number-1");
        let status = if is_first && *calls > 1 { 401 } else { 200 };
        Some(Says::json(status, json!({"ok": true})))
    });
    let config = json!({"base_url": api.url(""), "path": "/"});
    let mut file = file(json!({}), "rest", config);
    file["auth"] = json!({
        "required": true, "type": "oauth2", "key": "env:CLIENT", "token_endpoint": api.url("/token"), "scopes": ["read"],
    });
    let gateway = serving(&[file]);
    for _ in 0..3 {
        let reply = look(&gateway, json!({}));
        assert!(reply.is_good(), "{}", reply.said());
    }
    let last = api.last();
    assert_eq!(last.header("authorization"), Some("Bearer token-number-2"));
    let asked = api.arrived();
    let tokens: Vec<_> = asked.iter().filter(|it| it.path == "/token").collect();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[0].body, "grant_type=client_credentials&scope=read");
    // client:hunter2-and-more, each percent-encoded, in base64.
    let shown = "Basic Y2xpZW50Omh1bnRlcjIlMkRhbmQlMkRtb3Jl";
    assert_eq!(tokens[0].header("authorization"), Some(shown));
    assert!(!gateway.log().join("\n").contains("token-number"));
}

pub(crate) fn graphql() {
    let api = Api::start(|asked| {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        Some(match body["variables"]["id"].as_i64() {
            Some(1) => Says::json(200, json!({"data": {"user": {"name": "Ada"}}})),
            _ => Says::json(
                200,
                json!({"data": null, "errors": [{"message": "no such user"}]}),
            ),
        })
    });
    let query = "query($id: Int) { user(id: $id) { name } }";
    let config = json!({
        "base_url": api.url(""), "path": "/graphql",
        "body": {"query": query, "variables": {"id": "{id}"}},
    });
    let gateway = serving(&[file(json!({"id": {"type": "integer"}}), "graphql", config)]);
    assert_eq!(
        look(&gateway, json!({"id": 1})).said(),
        r#"{"user":{"name":"Ada"}}"#
    );
    let sent: Value = serde_json::from_str(&api.last().body).unwrap();
    assert_eq!(
        (&sent["query"], &sent["variables"]),
        (&json!(query), &json!({"id": 1}))
    );
    let reply = look(&gateway, json!({"id": 2}));
    assert!(
        !reply.is_good() && reply.said().contains("no such user"),
        "{}",
        reply.said()
    );
}

pub(crate) fn secrets_and_redaction() {
    let api = Api::start(|asked| {
        let status = if asked.path.contains("bad") { 422 } else { 200 };
        let said = format!("{:?} {}", asked.headers, asked.path);
        Some(Says::json(
            status,
            json!({"said": said, "token": "t-0", "items": [{"token": "t-1", "x": 1}]}),
        ))
    });
    let config = json!({"base_url": api.url(""), "path": "/{p}", "params": {"also": "{env.KEY}"}});
    let mut file = file(json!({"p": {"type": "string"}}), "rest", config);
    file["auth"] = json!({"required": true, "type": "bearer", "key": "env:KEY"});
    file["transform"] =
        json!({"project": ["items", "token"], "rename": {"token": "hidden"}, "redact": ["token"]});
    let gateway = serving(&[file]);
    let given: Value = serde_json::from_str(&look(&gateway, json!({"p": "good"})).said()).unwrap();
    assert_eq!(
        given,
        json!({"hidden": "***", "items": [{"token": "***", "x": 1}]})
    );
    let reply = look(&gateway, json!({"p": "bad"}));
    assert!(
        reply.said().contains("422") && reply.said().contains("***"),
        "{}",
        reply.said()
    );
    assert!(!reply.said().contains("t-1"), "{}", reply.said());
    assert!(!reply.raw_result().contains(KEY));
    assert!(api.last().path.contains(KEY));
    let line = gateway.logged(&["Provider gave no result"]);
    let url = format!("url=\"{}\"", api.url("/bad"));
    for part in [
        "execute{capability=\"look\" request_id=",
        "execute_provider{capability=\"look\" provider=",
        "method=\"GET\"",
        &url,
        "status=422",
        "latency_ms=",
    ] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    let log = gateway.log().join("\n");
    assert!(!log.contains(KEY), "{log}");
}

pub(crate) fn too_long() {
    let api = Api::start(|_| Some(Says::text(200, &"x".repeat(11 << 20))));
    let config = json!({"base_url": api.url(""), "path": "/"});
    let gateway = serving(&[file(json!({}), "rest", config)]);
    let reply = look(&gateway, json!({}));
    assert!(
        !reply.is_good() && reply.said().contains("longer than 10485760 bytes"),
        "{}",
        reply.said()
    );
}

pub(crate) fn pages() {
    let api = Api::start(|asked| {
        let next = "<http://127.0.0.1/items?page=2>; rel=\"next\"";
        Some(match &*asked.path {
            "/linked" => Says::json(200, json!([1])).header("link", next),
            _ => Says::json(200, json!({"items": [1], "next_cursor": "abc"})),
        })
    });
    let config = |path: &str, part: &str| json!({"base_url": api.url(""), "path": path, "response_path": part});
    for (config, next) in [
        (config("/linked", "$"), "http://127.0.0.1/items?page=2"),
        (config("/named", ".items | map(. + 1)"), "abc"),
    ] {
        let gateway = serving(&[file(json!({}), "rest", config)]);
        let reply = look(&gateway, json!({}));
        assert_eq!(reply.result()["_meta"]["capability"]["next"], next);
    }
}
