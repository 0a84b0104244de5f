//! `body` of a request, and everything else in a file that has placeholders.

use http::{HeaderValue, header::CONTENT_TYPE};

use super::{json, request, surroundings::Known};
use crate::{
    capability::{Body, Template, ValueTemplate},
    config::{
        expand,
        section::Section,
        tree::{Node, Value},
    },
};

/// The body as its media type wants it: JSON if nothing else is said.
pub(super) fn read(config: &mut Section<'_>) -> Option<Body> {
    let content_type = config.optional("body_content_type", |text| {
        HeaderValue::from_str(text).map_err(|_| {
            format!("cannot stand in the header {CONTENT_TYPE}: write one such as text/plain")
        })
    });
    let node = config.node("body")?;
    let path = config.path_of("body");
    let media = content_type.as_ref().and_then(|value| value.to_str().ok());
    match media.map(|media| media.split(';').next().unwrap_or_default().trim()) {
        None | Some("application/json") => template(node, config, "body").map(Body::Json),
        Some("application/x-www-form-urlencoded") => {
            let section = Section::new(node, &node.at, &path, config.reading());
            let fields = section
                .entries()
                .flat_map(|entry| request::param(&section, entry));
            Some(Body::Form(fields.collect()))
        }
        Some(_) => Some(Body::Text {
            text: text(node, config, &path)?,
            content_type: content_type?,
        }),
    }
}

/// A JSON value with placeholders in its strings.
pub(super) fn template(node: &Node, section: &Section<'_>, key: &str) -> Option<ValueTemplate> {
    value(node, section, &section.path_of(key))
}

fn value(node: &Node, section: &Section<'_>, path: &str) -> Option<ValueTemplate> {
    Some(match &node.value {
        Value::Nothing | Value::Literal(_) => ValueTemplate::Constant(json::value(node)),
        Value::Scalar(_) => ValueTemplate::Text(text(node, section, path)?),
        Value::List(items) => {
            let items = items.iter().map(|item| value(item, section, path));
            ValueTemplate::List(items.collect::<Option<Vec<_>>>()?.into())
        }
        Value::Map(entries) => {
            let members = entries.iter().map(|entry| {
                let value = value(&entry.node, section, &format!("{path}.{}", entry.key))?;
                Some((entry.key.as_str().into(), value))
            });
            ValueTemplate::Map(members.collect::<Option<Vec<_>>>()?.into())
        }
    })
}

/// Text with placeholders and variables of the environment.
pub(super) fn text(node: &Node, section: &Section<'_>, path: &str) -> Option<Template> {
    let written = section.plain_of(node, path)?;
    let reading = section.reading();
    let known = Known(reading.environment);
    let expanded = expand::expand(&written, reading.environment).map_err(|error| error.to_string());
    expanded
        .and_then(|text| Template::parse(&text, &known))
        .map_err(|sentence| {
            let sentence = format!("`{path}` {sentence}");
            reading.findings.problem(&node.at, sentence);
        })
        .ok()
}
