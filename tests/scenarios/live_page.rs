//! The live page as a browser and a program meet it: its files, its events, its keys, and what may be done from it.

use serde_json::{Value, json};

use crate::support::{
    Events, Gateway, HttpBackend, Request, Response, Setup, StdioBackend, message, until,
};

const PAGE: &str = "mcp-gateway";

fn action(what: &str, body: Value) -> Request {
    Request::post(&format!("/ui/actions/{what}"), body.to_string()).header("x-requested-by", PAGE)
}

fn events(gateway: &Gateway, key: Option<&str>) -> Events {
    let mut request = Request::new("GET", "/ui/events");
    if let Some(key) = key {
        request = request.header("authorization", &format!("Bearer {key}"));
    }
    let stream = request.open(gateway.address()).unwrap();
    assert_eq!(stream.status, 200);
    Events::of(stream)
}

/// Reads events, of which there is one a second, until one of them tells this of a backend.
fn told(events: &mut Events, backend: &str, tells: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..60 {
        let event = events.json();
        let all = event["backends"].as_array().unwrap();
        let found = all.iter().find(|it| it["name"] == backend && tells(it));
        if let Some(found) = found {
            return found.clone();
        }
    }
    panic!("it was not told");
}

fn names(hello: &Value) -> Vec<&str> {
    let all = hello["backends"].as_array().unwrap();
    all.iter().map(|it| it["name"].as_str().unwrap()).collect()
}

fn done(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["done"].as_str().unwrap().to_owned()
}

pub(crate) fn files() {
    let gateway = Setup::backends(json!({})).start();
    for path in ["/", "/ui", "/ui/"] {
        let page = gateway.page(path);
        assert_eq!(page.status, 200);
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let policy = page.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{rule}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        let base = if path == "/ui/" { "\"./\"" } else { "\"ui/\"" };
        assert!(page.text().contains(&format!("<base href={base}>")));
    }
    let script = gateway.page("/ui/app.js");
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    let tag = script.header("etag").unwrap().to_owned();
    let again = Request::new("GET", "/ui/app.js").header("if-none-match", &tag);
    let known = gateway.send(&again);
    assert_eq!((known.status, known.body.len()), (304, 0));
    assert!(gateway.page("/ui/vendor/LICENSE").text().contains("MIT"));
    assert_eq!(gateway.page("/ui/nothing.js").status, 404);
    assert_eq!(gateway.send(&Request::post("/ui", "{}")).status, 405);
}

pub(crate) fn what_goes_on() {
    let backend = StdioBackend::new(&[]);
    let mut dead = json!({"http_url": "http://127.0.0.1:9/mcp", "retry": {"enabled": false}});
    dead["circuit_breaker"] = json!({"failure_threshold": 2});
    let backends = json!({"backend": backend.config(), "dead": dead});
    let gateway = Setup::backends(backends).start();
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    let mut events = events(&gateway, None);
    let hello = events.json();
    assert_eq!(hello["kind"], "hello");
    assert_eq!(names(&hello), ["backend", "dead"]);
    assert_eq!(hello["you"], json!({"name": "local", "operator": true}));
    let known = &hello["backends"][0];
    assert_eq!(known["now"]["circuit"], "Closed");
    let columns = known["columns"].as_array().unwrap();
    let good: u64 = columns.iter().filter_map(|it| it[1][0].as_u64()).sum();
    assert_eq!(good, 2, "what came before: a list and a call");
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    let news = told(&mut events, "backend", |it| it["counts"].is_array());
    assert_eq!(news["counts"], json!([1, 0, 0, 0]));
    assert_eq!(news["heat"].as_array().unwrap().len(), 2);
    for _ in 0..3 {
        gateway.invoke("dead", "echo", json!({}));
    }
    let trip = told(&mut events, "dead", |it| it["now"]["circuit"] == "Open");
    assert_eq!(trip["changes"][0]["to"], "Open");
    assert_eq!(trip["changes"][0]["cause"], "unreachable");
    let near = gateway.json("/ui/backends/dead");
    assert_eq!(near["why"]["circuit_state"], "Open");
    let second = Events::of(
        Request::new("GET", "/ui/events")
            .open(gateway.address())
            .unwrap(),
    )
    .json();
    let calls = second["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2, "two were sent, and failed");
    let call = &calls[0];
    assert_eq!(call["backend"], "dead");
    assert_eq!(call["outcome"], "unreachable");
    assert!(call["request_id"].is_string() && call["message"].is_string());
}

pub(crate) fn objectives_and_own_cost() {
    let backend = HttpBackend::start();
    let mut dead = json!({"http_url": "http://127.0.0.1:9/mcp", "retry": {"enabled": false}});
    dead["circuit_breaker"] = json!({"enabled": false});
    dead["slo"] = json!({"availability": 99});
    let gateway = Setup::config(json!({
        "telemetry": {"overhead_budget": "1ms", "server_timing": true},
        "backends": {"backend": backend.config(), "dead": dead},
    }))
    .start();
    let mut events = events(&gateway, None);
    let hello = events.json();
    assert_eq!(
        hello["own"],
        json!({"added_us": null, "budget_us": 1_000, "over_budget": 0})
    );
    for _ in 0..20 {
        gateway.invoke("dead", "echo", json!({}));
        assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    }
    let burns = |it: &Value| it["now"]["objectives"][0]["burning"] == true;
    let told = told(&mut events, "dead", burns);
    let objective = &told["now"]["objectives"][0];
    assert_eq!(
        (&objective["slo"], &objective["objective"]),
        (&json!("availability"), &json!(99.0))
    );
    let burn = &objective["burn_rates"][0];
    assert_eq!(burn["window"], "5m");
    assert!(
        (burn["rate"].as_f64().unwrap() - 100.0).abs() < 1e-6,
        "{burn}"
    );
    let large = json!({"name": "mirror", "arguments": {"message": "x".repeat(9 << 20)}});
    let session = gateway.session("/mcp/backend");
    let answer = session.send(&message(json!(1), "tools/call", &large));
    assert_eq!(answer.status, 200);
    let own = until("it took longer than it may", || {
        let own = events.json()["own"].clone();
        (own["over_budget"] != 0 && own["added_us"].is_array()).then_some(own)
    });
    let quantile = |place: usize| own["added_us"][place].as_u64().unwrap();
    assert!(0 < quantile(0) && quantile(0) <= quantile(1), "{own}");
}

pub(crate) fn viewers_are_bounded() {
    let gateway = Setup::backends(json!({})).start();
    let mut all: Vec<Events> = (0..32).map(|_| events(&gateway, None)).collect();
    let refused = gateway.page("/ui/events");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.header("retry-after").is_some());
    let frame = |events: &mut Events| {
        loop {
            let event = events.json();
            if event["kind"] == "frame" && event["viewers"] == 32 {
                return event;
            }
        }
    };
    let first = frame(&mut all[0]);
    assert_eq!(first["at"], frame(&mut all[31])["at"], "seen once for all");
}

pub(crate) fn rights() {
    let (mine, other) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let keys = json!([{"key": "viewer", "name": "viewer", "backends": ["mine"]}]);
    let auth = json!({"enabled": true, "bearer_token": "operator", "api_keys": keys});
    let backends = json!({"mine": mine.config(), "other": other.config()});
    let config = json!({"auth": auth, "backends": backends});
    let gateway = Setup::config(config.clone()).start();
    assert_eq!(gateway.page("/ui").status, 200, "it holds no data");
    for path in ["/ui/events", "/ui/backends/mine", "/ui/nothing.js"] {
        assert_eq!(gateway.page(path).status, 401, "{path}");
    }
    let with = |request: Request, key: &str| {
        gateway.send(&request.header("authorization", &format!("Bearer {key}")))
    };
    let near = |name: &str| Request::new("GET", &format!("/ui/backends/{name}"));
    assert_eq!(with(near("mine"), "viewer").status, 200);
    assert_eq!(with(near("other"), "viewer").status, 403);
    let mut events = events(&gateway, Some("viewer"));
    let hello = events.json();
    assert_eq!(names(&hello), ["mine"]);
    assert_eq!(hello["you"], json!({"name": "viewer", "operator": false}));
    let mine = json!({"backend": "mine"});
    let force = json!({"backend": "mine", "to": "open"});
    for (what, body) in [
        ("kill", &mine),
        ("revive", &mine),
        ("force", &force),
        ("reload", &json!({})),
    ] {
        let request = action(what, body.clone());
        assert_eq!(gateway.send(&request).status, 401, "{what} without a key");
        let refused = with(request, "viewer");
        assert_eq!(refused.status, 403, "{what}");
        assert!(
            refused.text().contains("for operators"),
            "{}",
            refused.text()
        );
    }
    assert!(done(&with(action("force", force), "operator")).contains("refused by an operator"));
    let mut without = config;
    without["auth"]["api_keys"] = json!([]);
    gateway.configure(&without);
    done(&with(action("reload", json!({})), "operator"));
    while events.next().unwrap().is_some() {}
}

pub(crate) fn only_from_the_page() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let own = format!("http://{}", gateway.address());
    let kill = || action("kill", json!({"backend": "backend"}));
    for (foreign, status) in [
        (kill().without("x-requested-by"), 403),
        (kill().header("x-requested-by", "somebody"), 403),
        (kill().header("origin", "https://evil.example"), 403),
        (kill().header("origin", "http://127.0.0.1:1"), 403),
        (kill().header("sec-fetch-site", "cross-site"), 403),
        (kill().header("sec-fetch-site", "same-site"), 403),
        (kill().header("content-type", "text/plain"), 415),
        (kill().body(|_| String::new()), 400),
        (action("explode", json!({"backend": "backend"})), 404),
        (action("kill", json!({"backend": "nobody"})), 404),
        (action("force", json!({"backend": "backend"})), 400),
    ] {
        let answer = gateway.send(&foreign);
        assert_eq!(answer.status, status, "{foreign:?}: {}", answer.text());
        assert!(answer.header("access-control-allow-origin").is_none());
    }
    let asked = Request::new("OPTIONS", "/ui/actions/kill").header("origin", &own);
    assert_eq!(gateway.send(&asked).status, 405);
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    let from_page = kill()
        .header("origin", &own)
        .header("sec-fetch-site", "same-origin");
    done(&gateway.send(&from_page));
    assert!(!gateway.invoke("backend", "echo", json!({})).is_good());
}

pub(crate) fn actions() {
    let backend = StdioBackend::new(&[]);
    let config = json!({"backends": {"backend": backend.config()}});
    let gateway = Setup::config(config.clone()).start();
    let act = |what: &str, body: Value| done(&gateway.send(&action(what, body)));
    let echo = || gateway.invoke("backend", "echo", json!({}));
    let force = |to: &str| act("force", json!({"backend": "backend", "to": to}));
    assert!(echo().is_good());
    assert!(force("open").contains("every call is refused by an operator"));
    assert_eq!(echo().refusal(), "CIRCUIT_OPEN");
    assert!(force("closed").contains("every call goes by an operator"));
    for _ in 0..9 {
        gateway.invoke("backend", "exit", json!({}));
    }
    assert_eq!(
        gateway.circuit("backend"),
        "Closed",
        "whatever they come to"
    );
    assert!(force("auto").contains("closed since"));
    let mode = || gateway.json("/health")["backends"]["backend"]["circuit_mode"].clone();
    assert_eq!(mode(), "automatic");
    assert!(act("kill", json!({"backend": "backend"})).contains("stopped"));
    assert!(!echo().is_good());
    assert!(act("revive", json!({"backend": "backend"})).contains("connected"));
    assert!(echo().is_good());
    let mut more = config;
    more["backends"]["second"] = json!({"http_url": "http://127.0.0.1:9/mcp"});
    gateway.configure(&more);
    act("reload", json!({}));
    assert!(gateway.json("/health")["backends"]["second"].is_object());
    let second = gateway.send(&action("revive", json!({"backend": "second"})));
    assert!(done(&second).contains("could not be reached"));
    gateway.logged(&["Circuit forced by an operator", "caller=local", "to=Open"]);
}
