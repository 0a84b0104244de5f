//! JSON of what YAML says, in the order in which it is written.

use serde_json::Value as Json;

use crate::config::tree::{Node, Value};

/// The JSON text of a part of a file.
pub(super) fn text(node: &Node) -> String {
    let mut text = String::new();
    write(node, &mut text);
    text
}

/// The same as a value.
pub(super) fn value(node: &Node) -> Json {
    serde_json::from_str(&text(node)).unwrap_or_default()
}

fn write(node: &Node, to: &mut String) {
    match &node.value {
        Value::Nothing => to.push_str("null"),
        Value::Scalar(text) => to.push_str(&quoted(text)),
        Value::Literal(text) => to.push_str(&literal(text).to_string()),
        Value::List(items) => {
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, to);
                write(item, to);
            }
            to.push(']');
        }
        Value::Map(entries) => {
            to.push('{');
            for (index, entry) in entries.iter().enumerate() {
                separate(index, to);
                to.push_str(&quoted(&entry.key));
                to.push(':');
                write(&entry.node, to);
            }
            to.push('}');
        }
    }
}

fn separate(index: usize, to: &mut String) {
    if index > 0 {
        to.push(',');
    }
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// A number or a truth value as YAML writes them (YAML 1.2, core schema); what JSON has no word for stays text.
pub(super) fn literal(text: &str) -> Json {
    match text.to_ascii_lowercase().as_str() {
        "true" => return true.into(),
        "false" => return false.into(),
        _ => {}
    }
    let radix = |prefix, radix| {
        let digits = text.strip_prefix(prefix)?;
        i64::from_str_radix(digits, radix).ok()
    };
    let plain = text.strip_prefix('+').unwrap_or(text);
    let whole = plain.parse::<i64>().ok();
    if let Some(number) = radix("0x", 16).or(radix("0o", 8)).or(whole) {
        return number.into();
    }
    if let Ok(number) = plain.parse::<u64>() {
        return number.into();
    }
    let number = plain.parse().ok().and_then(serde_json::Number::from_f64);
    number.map_or_else(|| text.into(), Json::Number)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::tree;

    #[test]
    fn types_and_order_are_those_of_the_file() {
        let yaml =
            "z: '1'\na: 1\nf: 1.50\nt: true\nn: ~\nl: [yes, \"no\", 0x10, .inf]\ns: \"a\\\"b\"\n";
        let node = tree::parse_file(yaml, &Path::new("c.yaml").into()).unwrap();
        assert_eq!(
            text(&node),
            r#"{"z":"1","a":1,"f":1.5,"t":true,"n":null,"l":["yes","no",16,".inf"],"s":"a\"b"}"#
        );
        assert_eq!(value(&node)["l"][2], 16);
    }
}
