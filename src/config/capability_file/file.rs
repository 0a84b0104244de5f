//! One file: a definition, or everything that is wrong with it.

use std::{path::Path, sync::Arc, time::Duration};

use super::{auth, json, pin, provider};
use crate::{
    capability::{
        CachePolicy, Definition, Executor, Fault, Metadata, Name, Parts, Schema, Transform,
    },
    config::{
        Environment, Finding,
        reading::{Findings, Reading},
        section::Section,
        tree::{self, Node, Value},
        values,
    },
};

/// What a file comes to.
#[derive(Debug)]
pub struct Found {
    /// The capability, if nothing is wrong and everything that it needs is there.
    pub definition: Option<Definition>,
    /// What is wrong, or why it is left out although nothing is.
    pub problems: Vec<Finding>,
    /// What has no effect.
    pub warnings: Vec<Finding>,
}

impl Found {
    /// Reads the text of a file.
    #[must_use]
    pub fn read(text: &str, file: &Arc<Path>, environment: &Environment) -> Self {
        let findings = Findings::default();
        let reading = Reading {
            environment,
            findings: &findings,
        };
        let definition = match tree::parse_file(text, file) {
            Ok(root) => {
                if let Some(finding) = provider::elsewhere(&root, reading) {
                    return Self::left_out(finding);
                }
                let parts = parts(&root, reading);
                check_pin(&root, text, reading);
                parts.and_then(|parts| built(parts, &root, reading))
            }
            Err(finding) => {
                findings.problem(&finding.place, finding.sentence);
                None
            }
        };
        let (problems, warnings) = findings.sorted();
        Self {
            definition: definition.filter(|_| problems.is_empty()),
            problems,
            warnings,
        }
    }
}

impl Found {
    /// Nothing of a file that is not served for this reason is looked at.
    fn left_out(reason: Finding) -> Self {
        Self {
            definition: None,
            problems: vec![reason],
            warnings: Vec::new(),
        }
    }
}

fn built(parts: Parts, root: &Node, reading: Reading<'_>) -> Option<Definition> {
    let checked = Definition::new(parts).and_then(|definition| {
        Executor::check(&definition)?;
        Ok(definition)
    });
    checked
        .map_err(|fault| {
            let Fault { at, sentence } = fault;
            let place = place_of(root, &at);
            reading
                .findings
                .problem(&place.at, format!("`{at}` {sentence}"));
        })
        .ok()
}

/// The node that a path leads to, or the last one on the way that is there.
fn place_of<'a>(root: &'a Node, path: &str) -> &'a Node {
    let mut node = root;
    let steps = path.split(['.', '[', ']']).filter(|step| !step.is_empty());
    for step in steps {
        let next = match &node.value {
            Value::Map(entries) => {
                let named = |key: &str| key.eq_ignore_ascii_case(step);
                entries
                    .iter()
                    .find(|entry| named(&entry.key))
                    .map(|entry| &entry.node)
            }
            Value::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => return node,
        }
    }
    node
}

fn parts(root: &Node, reading: Reading<'_>) -> Option<Parts> {
    let mut section = Section::new(root, &root.at, "", reading);
    format(&mut section);
    section.accept("name");
    let name = match section.place_of("name") {
        Some(_) => section.optional("name", Name::new),
        None => {
            section.refuse("name", "is missing: write the name of the tool");
            None
        }
    };
    let description = section.plain("description").unwrap_or_default();
    let schemas = schemas(&mut section);
    let providers = provider::all(&mut section);
    let auth = auth::read(&mut section);
    let cache = cache(&mut section);
    let metadata = metadata(&mut section);
    let transform = transform(&mut section);
    section.accept("sha256");
    for key in ["webhooks", "projection", "response_transform"] {
        section.without_effect(key);
    }
    confined(&mut section, "visible_in_states");
    section.finish();
    let (input, output) = schemas?;
    let (primary, fallbacks) = providers?;
    Some(Parts {
        name: name?,
        description: description.trim().into(),
        input,
        output,
        primary,
        fallbacks,
        auth,
        cache,
        metadata,
        transform,
    })
}

fn format(section: &mut Section<'_>) {
    section.accept("fulcrum");
    if section.place_of("fulcrum").is_none() {
        section.refuse(
            "fulcrum",
            "is missing, so this is no capability: write fulcrum: \"1.0\"",
        );
    }
    section.optional("fulcrum", |text| match text {
        "1.0" => Ok(()),
        _ => Err("is a format that is not known: write \"1.0\"".to_owned()),
    });
}

/// A key that keeps some callers from a capability cannot be passed over.
fn confined(section: &mut Section<'_>, key: &'static str) {
    section.accept(key);
    if section.place_of(key).is_some() {
        section.refuse(
            key,
            "keeps callers from this capability in a way that is not known here: say who may call it in auth.api_keys of the configuration",
        );
    }
}

fn schemas(root: &mut Section<'_>) -> Option<(Schema, Option<Schema>)> {
    let mut section = root.section("schema");
    let input = schema(&mut section, "input");
    let output = output(&mut section);
    section.finish();
    Some((input?.unwrap_or_default(), output?))
}

/// Results that are no objects cannot be described to clients (MCP 2025-11-25, server/tools, output schema).
fn output(section: &mut Section<'_>) -> Option<Option<Schema>> {
    let of_object = section.node("output").is_none_or(|node| {
        let schema = json::value(node);
        let of = schema.get("type");
        of.is_none_or(|of| of == "object")
    });
    if of_object {
        return schema(section, "output");
    }
    let at = section.place_of("output").unwrap_or(section.at());
    let sentence = format!(
        "`{}` describes no object, so clients are not told of it",
        section.path_of("output")
    );
    section.reading().findings.warn(at, sentence);
    Some(None)
}

/// `Some(None)` if it is not written, `None` if it is wrong.
fn schema(section: &mut Section<'_>, key: &'static str) -> Option<Option<Schema>> {
    let Some(node) = section.node(key) else {
        return Some(None);
    };
    match Schema::new(json::text(node)) {
        Ok(schema) => Some(Some(schema)),
        Err(sentence) => {
            section.refuse(key, &sentence);
            None
        }
    }
}

fn cache(root: &mut Section<'_>) -> CachePolicy {
    let mut section = root.section("cache");
    let mut ttl = Duration::ZERO;
    section.read("ttl", &mut ttl, values::duration);
    let on = section.optional("strategy", |text| match text {
        "none" => Ok(false),
        "exact" | "ttl" => Ok(true),
        _ => Err("is no way of keeping answers: write none or exact".to_owned()),
    });
    section.without_effect("key_template");
    section.finish();
    match on {
        Some(true) if !ttl.is_zero() => CachePolicy::Exact { ttl },
        _ => CachePolicy::Off,
    }
}

fn metadata(root: &mut Section<'_>) -> Metadata {
    let mut section = root.section("metadata");
    let texts = |texts: Vec<String>| texts.into_iter().map(Into::into).collect();
    let metadata = Metadata {
        category: section.plain("category").map(Into::into),
        tags: section.texts("tags").map(texts).unwrap_or_default(),
        read_only: section.optional("read_only", values::flag),
        destructive: section.optional("destructive", values::flag),
        idempotent: section.optional("idempotent", values::flag),
        open_world: section.optional("open_world", values::flag),
    };
    // Words for people, and for what chooses tools elsewhere.
    for key in [
        "cost_category",
        "execution_time",
        "produces",
        "consumes",
        "chains_with",
        "rate_limit",
        "license",
        "docs",
        "notes",
    ] {
        section.accept(key);
    }
    let shared = section
        .plain("exposure")
        .is_none_or(|text| text == "shared");
    if !shared {
        confined(&mut section, "exposure");
    }
    confined(&mut section, "identity_owner");
    section.finish();
    metadata
}

fn transform(root: &mut Section<'_>) -> Transform {
    let mut section = root.section("transform");
    let boxed = |texts: Option<Vec<String>>| -> Vec<Box<str>> {
        texts
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect()
    };
    let project = boxed(section.texts("project"));
    let redact = boxed(section.texts("redact"));
    let rename = section.section("rename");
    let rename = rename
        .entries()
        .filter_map(|entry| {
            let path = rename.path_of(&entry.key);
            let name = rename.plain_of(&entry.node, &path)?;
            Some((entry.key.as_str().into(), name.into()))
        })
        .collect();
    section.finish();
    Transform {
        project,
        rename,
        redact,
    }
}

fn check_pin(root: &Node, text: &str, reading: Reading<'_>) {
    let mut section = Section::new(root, &root.at, "", reading);
    let Some(pin) = section.plain("sha256") else {
        return;
    };
    if !pin.eq_ignore_ascii_case(&pin::digest(text)) {
        section.refuse(
            "sha256",
            "is the pin of another text: this file was changed after somebody had pinned it. Look at what was changed, and run `mcp-gateway cap pin` on it",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{
        Body, KeyPlace, Piece, QueryParam, Service, Spread, Template, ValueTemplate,
    };

    fn found(text: &str) -> Found {
        let variables = [("TOKEN".to_owned(), "hunter2".to_owned())];
        let environment: Environment = variables.into_iter().collect();
        Found::read(text, &Path::new("c.yaml").into(), &environment)
    }

    fn definition(text: &str) -> Definition {
        let found = found(text);
        assert_eq!(found.problems, []);
        found.definition.unwrap()
    }

    fn problems(text: &str) -> Vec<String> {
        let found = found(text);
        assert_eq!(found.definition, None);
        found.problems.iter().map(Finding::to_string).collect()
    }

    const HEAD: &str = "fulcrum: \"1.0\"\nname: look\n";

    const REST: &str = r#"fulcrum: "1.0"
name: look
description: >
  Looks for ${WORDS}.
schema:
  input:
    type: object
    properties: {q: {type: string}, ids: {type: array}, days: {type: integer, default: 7}, user: {type: string}}
    required: [q]
  output: {type: object}
providers:
  primary:
    service: rest
    timeout: 5
    cost_per_call: 0
    config:
      base_url: https://a.example/v1/
      path: /users/{user}/items
      method: post
      headers: {Accept: application/json, X-Key: "k {env.TOKEN}"}
      params: {q: "{q}", ids: {value: "{ids}", spread: commas}, fixed: 1, both: [a, "{q}"]}
      param_map: {days: d}
      static_params: {zone: auto, user: me}
      body: {text: "{q}", list: ["{ids}", 1.5, true], deep: {none: ~, plain: "7"}}
      response_path: data.items
      response_format: json
  fallback:
    - config: {endpoint: "https://b.example/find?q={q}"}
auth: {required: true, type: api_key, key: "env:TOKEN", param: api_key}
cache: {strategy: exact, ttl: 300}
metadata: {category: words, tags: [a, b], read_only: true, execution_time: fast}
transform: {project: ["items[0]"], rename: {"items[0]": item}, redact: [email]}
"#;

    #[test]
    fn every_part_of_a_file_is_read() {
        let look = definition(REST);
        assert_eq!(&*look.description, "Looks for ${WORDS}.");
        assert_eq!(look.input.properties(), ["q", "ids", "days", "user"]);
        assert_eq!(look.cached_for(), Some(Duration::from_secs(300)));
        assert_eq!(look.primary.timeout, Duration::from_secs(5));
        assert_eq!(look.primary.response.path.as_deref(), Some("data.items"));
        let auth = look.auth.clone().unwrap();
        assert_eq!(auth.place, KeyPlace::Query("api_key".into()));
        assert_eq!(look.transform.rename, [("items[0]".into(), "item".into())]);
        assert_eq!(&*look.metadata.tags, ["a".into(), "b".into()]);
        let other = &look.fallbacks[0].service;
        assert_eq!(other.endpoint().origin.to_string(), "https://b.example");
    }

    #[test]
    fn a_request_is_read_with_its_placeholders() {
        let look = definition(REST);
        let Service::Rest(call) = &look.primary.service else {
            panic!("not rest");
        };
        assert_eq!(call.method, http::Method::POST);
        let texts: Vec<_> = call.endpoint.path.parameters().collect();
        assert_eq!(texts, ["user"]);
        let secret = call.headers.iter().flat_map(|(_, value)| value.pieces());
        assert_eq!(
            secret
                .filter(|piece| matches!(piece, Piece::Secret(_)))
                .count(),
            1
        );
        let param = |name: &str, value: Template| QueryParam::new(name, value);
        let commas = QueryParam {
            spread: Spread::Commas,
            ..param("ids", Template::parameter("ids"))
        };
        let expected = [
            param("q", Template::parameter("q")),
            commas,
            param("fixed", Template::text("1")),
            param("both", Template::text("a")),
            param("both", Template::parameter("q")),
            param("d", Template::parameter("days")),
            // Named by no placeholder, and so a part of the query; `user` is one of the path.
            param("zone", Template::parameter("zone")),
        ];
        assert_eq!(call.query, expected);
        let Some(Body::Json(ValueTemplate::Map(members))) = &call.body else {
            panic!("no JSON");
        };
        let ValueTemplate::List(items) = &members[1].1 else {
            panic!("no list");
        };
        assert_eq!(items[0], ValueTemplate::Text(Template::parameter("ids")));
        assert_eq!(items[1], ValueTemplate::Constant(1.5.into()));
        let ValueTemplate::Map(deep) = &members[2].1 else {
            panic!("no map");
        };
        assert_eq!(deep[1].1, ValueTemplate::Text(Template::text("7")));
    }

    #[test]
    fn graphql_and_json_rpc_take_their_arguments_as_variables_and_params() {
        let text = "providers: {primary: {service: graphql, config: {endpoint: https://a.example/graphql, body: {query: \"query($n: Int) { me(n: $n) {id} }\", variables: {n: \"{n}\"}}}}}\nschema: {input: {properties: {n: {}}}}\n";
        let Service::Graphql(call) = definition(&format!("{HEAD}{text}")).primary.service.clone()
        else {
            panic!("not graphql");
        };
        assert!(call.query.ends_with("{id} }"), "{}", call.query);
        let expected = ValueTemplate::Map(Box::new([(
            "n".into(),
            ValueTemplate::Text(Template::parameter("n")),
        )]));
        assert_eq!(call.variables, expected);
        let text = "providers: {primary: {service: jsonrpc, config: {endpoint: https://a.example, method: eth_call, params: [\"{n}\", latest]}}}\nschema: {input: {properties: {n: {}}}}\n";
        let Service::JsonRpc(call) = definition(&format!("{HEAD}{text}")).primary.service.clone()
        else {
            panic!("not jsonrpc");
        };
        assert_eq!(&*call.method, "eth_call");
        assert!(matches!(call.params, ValueTemplate::List(_)));
    }

    #[test]
    fn what_is_wrong_is_said_where_it_stands() {
        for (text, expected) in [
            ("name: look", "c.yaml:1:1: `fulcrum` is missing"),
            (
                "fulcrum: \"1.0\"\nname: a b",
                "c.yaml:2:7: `name`: `a b` is no name of a tool",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\ncahce: {ttl: 1}",
                "c.yaml:3:1: unknown key `cahce`: did you mean `cache`?",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\nproviders:\n  primary:\n    service: rset",
                "c.yaml:5:5: `providers.primary.service`: there is no service `rset`: did you mean `rest`?",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\nproviders:\n  primary:\n    config:\n      base_url: https://a.example\n      params:\n        x: \"{nope}\"",
                "c.yaml:8:12: `providers.primary.config.params.x` has the placeholder `{nope}`",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\nproviders: {primary: {config: {path: /x}}}",
                "`providers.primary.config.base_url` is missing",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\nproviders: {primary: {config: {base_url: \"https://{h}.example\"}}}",
                "`providers.primary.config.base_url` has a placeholder where the host stands",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\nmetadata: {exposure: personal}",
                "`metadata.exposure` keeps callers from this capability",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\nauth: {required: true, type: bearer, key: \"env:NONE\"}",
                "`auth.key` needs the environment variable NONE",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\nauth: {type: oauth, key: \"oauth:google\"}",
                "`auth.type` is `oauth`, a login by a person",
            ),
            (
                "fulcrum: \"1.0\"\nname: a\nsha256: 00",
                "c.yaml:3:1: `sha256` is the pin of another text",
            ),
        ] {
            let problems = problems(text);
            assert!(
                problems.iter().any(|problem| problem.contains(expected)),
                "{expected}: {problems:?}"
            );
        }
    }

    #[test]
    fn a_credential_that_is_not_required_may_be_missing() {
        let text = "auth: {required: false, type: bearer, key: \"env:NONE\"}\nproviders: {primary: {config: {base_url: https://a.example}}}";
        assert_eq!(definition(&format!("{HEAD}{text}")).auth, None);
        let none = "auth: {required: false, type: none}\nproviders: {primary: {config: {base_url: https://a.example}}}";
        assert_eq!(definition(&format!("{HEAD}{none}")).auth, None);
    }

    #[test]
    fn what_is_pinned_is_read_as_long_as_it_stays_the_same() {
        let text =
            format!("{HEAD}providers: {{primary: {{config: {{base_url: https://a.example}}}}}}\n");
        let pinned = pin::pinned(&text);
        definition(&pinned);
        let problems = problems(&pinned.replace("a.example", "b.example"));
        assert!(
            problems[0].contains("is the pin of another text"),
            "{problems:?}"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(fulcrum|name|providers|primary|config|base_url|auth|[:{}\\[\\]\"]|[ \n]|\\PC){0,40}") {
            let _ = found(&text);
        }
    }
}
