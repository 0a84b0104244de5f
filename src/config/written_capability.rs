//! A capability that was made of an OpenAPI document, as the file that a person would write.

use crate::{
    capability::{
        AuthKind, Body, KeyPlace, Parts, Piece, QueryParam, RestCall, Service, Spread, Template,
        ValueTemplate, openapi::Scheme,
    },
    config::yaml_text::Tree,
};

/// The version of the format.
const FORMAT: &str = "1.0";

/// The text of the file. `auth` is what the capability wants to be shown, and where that comes from: `env:NAME`.
#[must_use]
pub fn written_capability(parts: &Parts, auth: Option<(&Scheme, &str)>) -> String {
    let mut members = vec![
        ("fulcrum", text(FORMAT)),
        ("name", text(parts.name.as_str())),
        ("description", text(&parts.description)),
        (
            "schema",
            map(vec![("input", Tree::of_json(parts.input.raw()))]),
        ),
    ];
    if let Service::Rest(call) = &parts.primary.service {
        let primary = vec![("service", text("rest")), ("config", config(call))];
        members.push(("providers", map(vec![("primary", map(primary))])));
    }
    if let Some((scheme, key)) = auth {
        members.push(("auth", written_auth(scheme, key)));
    }
    if !parts.metadata.tags.is_empty() {
        let tags = parts.metadata.tags.iter().map(|tag| escaped(tag)).collect();
        members.push(("metadata", map(vec![("tags", Tree::List(tags))])));
    }
    map(members).document()
}

fn config(call: &RestCall) -> Tree {
    let endpoint = &call.endpoint;
    let mut members = vec![
        ("base_url", text(&endpoint.origin.to_string())),
        ("path", template(&endpoint.path)),
        ("method", text(call.method.as_str())),
    ];
    if !call.headers.is_empty() {
        let header =
            |(name, value): &(http::HeaderName, Template)| (name.to_string(), template(value));
        members.push((
            "headers",
            Tree::Map(call.headers.iter().map(header).collect()),
        ));
    }
    if !call.query.is_empty() {
        members.push(("params", params(&call.query)));
    }
    let (content_type, body) = match &call.body {
        None => return map(members),
        Some(Body::Json(value)) => (None, value_tree(value)),
        Some(Body::Form(fields)) => (Some("application/x-www-form-urlencoded"), params(fields)),
        Some(Body::Text { content_type, text }) => (content_type.to_str().ok(), template(text)),
    };
    members.extend(content_type.map(|content_type| ("body_content_type", escaped(content_type))));
    members.push(("body", body));
    map(members)
}

fn params(params: &[QueryParam]) -> Tree {
    Tree::Map(
        params
            .iter()
            .map(|param| (param.name.to_string(), value(param)))
            .collect(),
    )
}

/// The value of a parameter, and how its array is written where that is not one parameter for each element.
fn value(param: &QueryParam) -> Tree {
    let spread = match param.spread {
        Spread::Repeated => return template(&param.value),
        Spread::Commas => "commas",
        Spread::Spaces => "spaces",
        Spread::Pipes => "pipes",
        Spread::Brackets => "brackets",
    };
    map(vec![
        ("value", template(&param.value)),
        ("spread", text(spread)),
    ])
}

fn value_tree(value: &ValueTemplate) -> Tree {
    match value {
        ValueTemplate::Constant(value) => serde_json::value::to_raw_value(value).map_or_else(
            |_| Tree::Plain("null".to_owned()),
            |raw| Tree::of_json(&raw),
        ),
        ValueTemplate::Text(value) => template(value),
        ValueTemplate::List(items) => Tree::List(items.iter().map(value_tree).collect()),
        ValueTemplate::Map(members) => Tree::Map(
            members
                .iter()
                .map(|(key, value)| (key.to_string(), value_tree(value)))
                .collect(),
        ),
        ValueTemplate::Arguments => Tree::Map(Vec::new()),
    }
}

/// The template as it is written. What was made of a document holds no secret, and no braces but those of its parameters.
fn template(template: &Template) -> Tree {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Parameter(name) => format!("{{{name}}}"),
        Piece::Secret(_) => String::new(),
    };
    let text: String = template.pieces().iter().map(piece).collect();
    escaped(&text)
}

/// A text of a key in which variables are put in their places: it holds none.
fn escaped(text: &str) -> Tree {
    Tree::Text(text.replace("${", "$${"))
}

fn written_auth(scheme: &Scheme, key: &str) -> Tree {
    let kind = match scheme.kind {
        AuthKind::Bearer => "bearer",
        AuthKind::ApiKey => "api_key",
        AuthKind::Basic => "basic",
        AuthKind::OAuth2 { .. } => "oauth2",
    };
    let mut members = vec![
        ("required", Tree::Plain("true".to_owned())),
        ("type", text(kind)),
        ("key", text(key)),
    ];
    match &scheme.place {
        KeyPlace::Header { name, prefix } if scheme.kind == AuthKind::ApiKey => {
            members.push(("header", text(name.as_str())));
            members.push(("prefix", text(prefix)));
        }
        KeyPlace::Header { .. } => {}
        KeyPlace::Query(name) => members.push(("param", text(name))),
        KeyPlace::Cookie(name) => members.push(("cookie", text(name))),
    }
    if let AuthKind::OAuth2 {
        token_endpoint,
        scopes,
    } = &scheme.kind
    {
        members.push(("token_endpoint", escaped(&token_endpoint.to_string())));
        members.push((
            "scopes",
            Tree::List(scopes.iter().map(|scope| escaped(scope)).collect()),
        ));
    }
    map(members)
}

fn text(text: &str) -> Tree {
    Tree::Text(text.to_owned())
}

fn map(members: Vec<(&str, Tree)>) -> Tree {
    Tree::Map(
        members
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::*;
    use crate::{
        capability::{
            Auth, Definition, Key,
            openapi::{DocumentText, Security, Selection, Wish, import},
        },
        config::{Environment, Found},
        telemetry::Secret,
    };

    const DOCUMENT: &str = r##"
openapi: 3.1.0
servers: [{url: https://api.example/v1}]
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    header: {type: apiKey, in: header, name: X-Key}
    query: {type: apiKey, in: query, name: key}
    cookie: {type: apiKey, in: cookie, name: sid}
    client: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://a.example/token, scopes: {}}}}
paths:
  /a/{id}?v=2:
    get:
      description: "First: ${HOME} 'and'\n\n  - second"
      tags: ["a ${HOME}", "true"]
      security: [{bearer: []}]
      parameters:
        - {name: id, in: path, schema: {type: string, enum: ["1", "true", a: b]}}
        - {name: c, in: query, explode: false, schema: {type: array}}
        - {name: s, in: query, style: spaceDelimited, schema: {type: array}}
        - {name: p, in: query, style: pipeDelimited, schema: {type: array}}
        - {name: "${d}[]", in: query, style: deepObject, schema: {type: object, properties: {x: {maximum: 1.5}}}}
        - {name: X-Head, in: header, schema: {type: string}}
        - {name: sid, in: cookie, schema: {type: string}}
    put: {security: [{basic: []}], requestBody: {content: {text/markdown: {}}}}
    post: {security: [{header: []}], requestBody: {content: {application/x-www-form-urlencoded: {schema: {properties: {a: {}, b: {}}}, encoding: {a: {style: deepObject}}}}}}
    patch: {security: [{query: []}], requestBody: {required: true, content: {application/merge-patch+json: {schema: {type: object}}}}}
    delete: {security: [{client: [x, y]}], requestBody: {content: {application/json: {schema: {properties: {a: {}, "b c": {}}}}}}}
  /none: {get: {security: [{cookie: []}]}, put: {}}
"##;

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        let document = DocumentText::new(DOCUMENT.as_bytes()).unwrap();
        let selection = Selection::default();
        let wish = Wish {
            base_url: None,
            document_url: None,
            selection: &selection,
        };
        let imported = import(&document, &wish).unwrap();
        assert_eq!(imported.skipped, []);
        assert_eq!(imported.operations.len(), 7);
        let environment: Environment = [("TOKEN".to_owned(), "hunter2".to_owned())]
            .into_iter()
            .collect();
        for operation in imported.operations {
            let shown = match &operation.security {
                Security::Shown(scheme) => Some((scheme, "env:TOKEN")),
                Security::Unsaid | Security::Nothing => None,
            };
            let text = written_capability(&operation.parts, shown);
            let file: Arc<Path> = Path::new("a.yaml").into();
            let found = Found::read(&text, &file, &environment);
            assert_eq!(found.problems, [], "{text}");
            assert_eq!(found.warnings, [], "{text}");
            let auth = shown.map(|(scheme, _)| Auth {
                key: Key::Held(Secret::new("hunter2")),
                kind: scheme.kind.clone(),
                place: scheme.place.clone(),
            });
            let expected = Definition::new(Parts {
                auth,
                ..operation.parts
            })
            .unwrap();
            assert_eq!(found.definition.as_ref(), Some(&expected), "{text}");
        }
    }
}
