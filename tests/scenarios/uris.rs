//! Two backends that have the same URIs, on `/mcp`: both are listed, read and heard, each under a name of its own.

use serde_json::{Value, json};

use crate::{
    heard::{UPDATED, listen_at, next},
    support::{Era, EraBackend, Gateway, Session, Setup, StdioBackend, until},
};

/// Two backends of one era, named `a` and `b`, with the same resource and template, and the one among them that comes later.
struct Both {
    a: EraBackend,
    b: EraBackend,
    gateway: Gateway,
    scheme: &'static str,
}

impl Both {
    fn of(era: Era) -> Self {
        let (a, b) = (EraBackend::start(era), EraBackend::start(era));
        let gateway = Setup::backends(json!({"b": b.config(), "a": a.config()})).start();
        let scheme = if era == Era::Legacy {
            "legacy"
        } else {
            "modern"
        };
        Self {
            a,
            b,
            gateway,
            scheme,
        }
    }

    /// A URI as its backend writes it.
    fn own(&self, path: &str) -> String {
        format!("{}:///{path}", self.scheme)
    }

    /// The same of the second backend on `/mcp`.
    fn named(&self, path: &str) -> String {
        format!("mcp-gateway://b/{}:///{path}", self.scheme)
    }

    fn backends(&self) -> [(&EraBackend, String); 2] {
        [(&self.a, self.own("one")), (&self.b, self.named("one"))]
    }
}

fn each(play: impl Fn(&Both)) {
    for era in [Era::Legacy, Era::Modern] {
        play(&Both::of(era));
    }
}

/// The `uri` of each request of this method that arrived.
fn asked(backend: &EraBackend, method: &str) -> Vec<Value> {
    let bodies = backend.received(method).into_iter();
    let body = |body: &str| serde_json::from_str::<Value>(body).unwrap();
    bodies
        .map(|arrived| body(&arrived.body)["params"]["uri"].clone())
        .collect()
}

fn listed(client: &Session, method: &str, list: &str, key: &str) -> Vec<Value> {
    let result = client.ask(method, json!({})).result();
    let entries = result[list].as_array().unwrap().iter();
    entries.map(|entry| entry[key].clone()).collect()
}

pub(crate) fn both_are_listed() {
    each(|both| {
        let client = both.gateway.session("/mcp");
        let [(_, first), (_, second)] = both.backends();
        assert_eq!(
            listed(&client, "resources/list", "resources", "uri"),
            [first, second]
        );
        let templates = "resources/templates/list";
        assert_eq!(
            listed(&client, templates, "resourceTemplates", "uriTemplate"),
            [both.own("{name}"), both.named("{name}")]
        );
        let direct = both.gateway.session("/mcp/b");
        let list = listed(&direct, "resources/list", "resources", "uri");
        assert_eq!(list, [both.own("one")]);
    });
}

pub(crate) fn both_can_be_read() {
    each(|both| {
        let client = both.gateway.session("/mcp");
        let read = |uri: &str| {
            let read = client.ask("resources/read", json!({"uri": uri})).result();
            read["contents"][0]["uri"].as_str().unwrap().to_owned()
        };
        assert!(!read(&both.own("one")).starts_with("mcp-gateway:"));
        assert!(asked(&both.b, "resources/read").is_empty());
        assert!(read(&both.named("one")).starts_with("mcp-gateway://b/"));
        read(&both.named("a%20b"));
        assert_eq!(asked(&both.a, "resources/read"), [both.own("one")]);
        assert_eq!(
            asked(&both.b, "resources/read"),
            [both.own("one"), both.own("a%20b")]
        );
        for (backend, template) in [
            (&both.a, both.own("{name}")),
            (&both.b, both.named("{name}")),
        ] {
            let reference = json!({"type": "ref/resource", "uri": template});
            let params = json!({"ref": reference, "argument": {"name": "name", "value": "o"}});
            assert!(client.ask("completion/complete", params).is_good());
            let asked = &backend.received("completion/complete")[0].body;
            let asked: Value = serde_json::from_str(asked).unwrap();
            assert_eq!(asked["params"]["ref"]["uri"], both.own("{name}"));
            assert_eq!(asked["params"]["argument"]["value"], "o");
        }
        let nobody = client.ask("resources/read", json!({"uri": "mcp-gateway://c/x:///one"}));
        assert_eq!(nobody.code(), -32002, "{}", nobody.text);
    });
}

pub(crate) fn both_are_heard() {
    each(|both| {
        let (anna, bert) = (both.gateway.session("/mcp"), both.gateway.session("/mcp"));
        let say = |client: &Session, method: &str, uri: &str| {
            let params = json!({"uri": uri});
            assert!(client.ask(&format!("resources/{method}"), params).is_good());
        };
        let [(_, first), (_, second)] = both.backends();
        say(&anna, "subscribe", &first);
        say(&anna, "subscribe", &second);
        say(&bert, "subscribe", &first);
        let (mut by_anna, mut by_bert) = (anna.listen(), bert.listen());
        both.a.listeners(1);
        both.b.listeners(1);
        for (backend, name) in both.backends() {
            backend.tell(UPDATED, json!({"uri": both.own("one"), "x": 1}));
            let told = next(&mut by_anna, &[UPDATED]);
            assert_eq!(told["params"]["uri"], name);
            assert_eq!(told["params"]["x"], 1);
        }
        // What the second one said is nothing to who has subscribed to the first.
        both.a
            .tell(UPDATED, json!({"uri": both.own("one"), "x": 2}));
        let heard = [(); 2].map(|()| next(&mut by_bert, &[UPDATED])["params"]["x"].clone());
        assert_eq!(heard, [1, 2]);
        say(&anna, "unsubscribe", &second);
        say(&anna, "unsubscribe", &first);
        if both.scheme == "legacy" {
            assert_eq!(asked(&both.b, "resources/unsubscribe"), [both.own("one")]);
            assert!(asked(&both.a, "resources/unsubscribe").is_empty());
            bert.end();
            until("what an ended session heard is asked for no more", || {
                (asked(&both.a, "resources/unsubscribe") == [both.own("one")]).then_some(())
            });
        }
    });
}

/// What a tool of the second backend links to is read there, though the first has a resource of that URI.
pub(crate) fn links_lead_to_their_backend() {
    let backends = ["a", "b"].map(|_| StdioBackend::new(&[]));
    let gateway = Setup::backends(json!({"a": backends[0].config(), "b": backends[1].config()}));
    let gateway = gateway.start();
    let client = gateway.session("/mcp");
    for (server, uri) in [("a", "memo:///one"), ("b", "mcp-gateway://b/memo:///one")] {
        let answer = client.call(&format!("{server}__verbatim"), json!({})).text;
        // A number that no JSON value of ours can hold.
        assert!(answer.contains("1e400"), "{answer}");
        let answer: Value = serde_json::from_str(&answer.replace("1e400", "1")).unwrap();
        let content = &answer["result"]["content"];
        assert_eq!(content[3]["uri"], "file:///a%20b", "nobody else's");
        assert_eq!(content[4]["resource"]["uri"], uri);
        assert!(client.ask("resources/read", json!({"uri": uri})).is_good());
    }
    for backend in &backends {
        assert_eq!(backend.received("resources/read").len(), 1);
    }
}

pub(crate) fn the_closest_template() {
    let wide = StdioBackend::new(&["--template=memo:///{+path}"]);
    let close = StdioBackend::new(&["--template=memo:///notes/{id}"]);
    let config = json!({"a": wide.config(), "b": close.config()});
    let gateway = Setup::backends(config).start();
    let client = gateway.session("/mcp");
    for uri in ["memo:///notes/7", "memo:///else/7"] {
        assert!(client.ask("resources/read", json!({"uri": uri})).is_good());
    }
    for (backend, uri) in [(&wide, "else"), (&close, "notes")] {
        let asked = backend.received("resources/read");
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(asked[0].contains(uri), "{asked:?}");
    }
}

pub(crate) fn heard_by_a_modern_client() {
    each(|both| {
        let [(_, first), (_, second)] = both.backends();
        let wanted = json!({"resourceSubscriptions": [first, second]});
        let mut events = listen_at("/mcp", &both.gateway, wanted);
        both.a.listeners(1);
        both.b.listeners(1);
        for (backend, name) in both.backends() {
            backend.tell(UPDATED, json!({"uri": both.own("one")}));
            assert_eq!(next(&mut events, &[UPDATED])["params"]["uri"], name);
        }
    });
}
