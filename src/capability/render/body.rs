//! Placeholders in JSON.

use serde_json::{Map, Value};

use super::{text::text, values::Values};
use crate::capability::ValueTemplate;

/// The value; none if it is a parameter that is absent, or text with one in it. `used` are the names that other parts of
/// the request use up.
pub(super) fn value(template: &ValueTemplate, values: &Values<'_>, used: &[&str]) -> Option<Value> {
    Some(match template {
        ValueTemplate::Constant(constant) => constant.clone(),
        ValueTemplate::Text(written) => match written.alone() {
            Some(name) => values.of(name)?.clone(),
            None => Value::String(text(written, values)?),
        },
        ValueTemplate::List(items) => items
            .iter()
            .filter_map(|item| value(item, values, used))
            .collect(),
        ValueTemplate::Map(members) => {
            let present = members
                .iter()
                .filter_map(|(key, member)| Some((key.to_string(), value(member, values, used)?)));
            Value::Object(present.collect::<Map<_, _>>())
        }
        ValueTemplate::Arguments => Value::Object(values.rest(used)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capability::Template;

    fn alone(name: &str) -> ValueTemplate {
        ValueTemplate::Text(Template::parameter(name))
    }

    fn mixed(name: &str) -> ValueTemplate {
        let pieces = vec![
            crate::capability::Piece::Text("<".into()),
            crate::capability::Piece::Parameter(name.into()),
        ];
        ValueTemplate::Text(Template::new(pieces))
    }

    #[test]
    fn a_parameter_alone_keeps_its_type_and_an_absent_one_vanishes_with_its_key() {
        let said = json!({"n": 7, "list": [1, {"a": null}], "no": null, "text": "t"});
        let said = serde_json::from_value(said).unwrap();
        let values = Values {
            said: &said,
            fixed: &[],
            defaults: &[],
        };
        let nested: Box<[_]> = [
            ("deep".into(), alone("list")),
            ("gone".into(), alone("none")),
        ]
        .into();
        let template = ValueTemplate::Map(
            [
                ("n".into(), alone("n")),
                ("m".into(), mixed("n")),
                ("absent".into(), alone("none")),
                ("half".into(), mixed("none")),
                ("null".into(), alone("no")),
                ("nested".into(), ValueTemplate::Map(nested)),
                (
                    "items".into(),
                    ValueTemplate::List([alone("none"), alone("text")].into()),
                ),
                ("constant".into(), ValueTemplate::Constant(json!(1.5))),
            ]
            .into(),
        );
        assert_eq!(
            value(&template, &values, &[]).unwrap(),
            json!({
                "n": 7, "m": "<7", "null": null, "nested": {"deep": [1, {"a": null}]},
                "items": ["t"], "constant": 1.5,
            })
        );
        let rest = value(&ValueTemplate::Arguments, &values, &["n", "list"]);
        assert_eq!(rest.unwrap(), json!({"no": null, "text": "t"}));
    }
}
