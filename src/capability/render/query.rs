//! Names and values, as a query and as a form.

use percent_encoding::utf8_percent_encode;
use serde_json::Value;

use super::{
    text::{RESERVED, text},
    values::{Values, word},
};
use crate::capability::{QueryParam, Spread};

/// Adds the pairs that `params` come to. One whose parameter is absent vanishes with its name.
pub(super) fn write(query: &mut String, params: &[QueryParam], values: &Values<'_>) {
    for param in params {
        match param.value.alone().map(|name| values.present(name)) {
            Some(None) => {}
            Some(Some(Value::Array(items))) => list(query, param, items),
            Some(Some(Value::Object(members))) => object(query, param, members),
            Some(Some(value)) => pair(query, &param.name, &word(value)),
            None => {
                if let Some(value) = text(&param.value, values) {
                    pair(query, &param.name, &value);
                }
            }
        }
    }
}

/// Adds one pair.
pub(super) fn pair(query: &mut String, name: &str, value: &str) {
    encoded_pair(
        query,
        name,
        &utf8_percent_encode(value, RESERVED).to_string(),
    );
}

fn encoded_pair(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.extend(utf8_percent_encode(name, RESERVED));
    query.push('=');
    query.push_str(value);
}

fn list(query: &mut String, param: &QueryParam, items: &[Value]) {
    let between = match param.spread {
        Spread::Repeated | Spread::Brackets => {
            for item in items {
                pair(query, &param.name, &word(item));
            }
            return;
        }
        Spread::Commas => ",",
        Spread::Spaces => "%20",
        Spread::Pipes => "%7C",
    };
    if !items.is_empty() {
        let words = items.iter().map(word);
        let words: Vec<_> = words
            .map(|word| utf8_percent_encode(&word, RESERVED).to_string())
            .collect();
        encoded_pair(query, &param.name, &words.join(between));
    }
}

fn object(query: &mut String, param: &QueryParam, members: &serde_json::Map<String, Value>) {
    let there = members.iter().filter(|(_, value)| !value.is_null());
    match param.spread {
        Spread::Repeated => there.for_each(|(key, value)| pair(query, key, &word(value))),
        Spread::Brackets => there.for_each(|(key, value)| {
            pair(query, &format!("{}[{key}]", param.name), &word(value));
        }),
        Spread::Commas | Spread::Spaces | Spread::Pipes => {
            let flat = there.flat_map(|(key, value)| [Value::from(key.as_str()), value.clone()]);
            list(query, param, &flat.collect::<Vec<_>>());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capability::Template;

    fn written(spread: Spread, value: &Value) -> String {
        let said = serde_json::from_value(json!({ "p": value })).unwrap();
        let values = Values {
            said: &said,
            fixed: &[],
            defaults: &[],
        };
        let mut param = QueryParam::new("a b", Template::parameter("p"));
        param.spread = spread;
        let mut query = "k=v".to_owned();
        write(&mut query, &[param], &values);
        query
    }

    #[test]
    fn a_list_is_spread_as_the_definition_says() {
        for (spread, query) in [
            (Spread::Repeated, "k=v&a%20b=1&a%20b=x%26y"),
            (Spread::Brackets, "k=v&a%20b=1&a%20b=x%26y"),
            (Spread::Commas, "k=v&a%20b=1,x%26y"),
            (Spread::Spaces, "k=v&a%20b=1%20x%26y"),
            (Spread::Pipes, "k=v&a%20b=1%7Cx%26y"),
        ] {
            assert_eq!(written(spread, &json!([1, "x&y"])), query);
            assert_eq!(written(spread, &json!([])), "k=v");
        }
    }

    #[test]
    fn an_object_is_spread_as_the_definition_says() {
        let object = json!({"x": 1, "y": "z", "n": null});
        for (spread, query) in [
            (Spread::Repeated, "k=v&x=1&y=z"),
            (Spread::Brackets, "k=v&a%20b%5Bx%5D=1&a%20b%5By%5D=z"),
            (Spread::Commas, "k=v&a%20b=x,1,y,z"),
        ] {
            assert_eq!(written(spread, &object), query);
        }
    }

    #[test]
    fn what_is_absent_or_null_vanishes_with_its_name() {
        assert_eq!(written(Spread::Repeated, &Value::Null), "k=v");
        assert_eq!(written(Spread::Repeated, &json!("")), "k=v&a%20b=");
    }
}
