//! A JSON value with placeholders in its strings.

use super::Template;

/// The body of a request, or a part of it, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueTemplate {
    /// A value without a placeholder: a number, a truth value, null, or anything else that stays as it is.
    Constant(serde_json::Value),
    /// A string. A parameter alone becomes the argument as it is, whatever its type.
    Text(Template),
    /// An array. An element whose parameter is absent is left out.
    List(Box<[ValueTemplate]>),
    /// An object. A member whose parameter is absent is left out with its key.
    Map(Box<[(Box<str>, ValueTemplate)]>),
    /// All arguments that no path, query or header of the same call uses, as one object.
    Arguments,
}

impl ValueTemplate {
    /// Calls `see` for the name of each parameter, with where it stands below `at`.
    pub(super) fn parameters(&self, at: &str, see: &mut impl FnMut(&str, &str)) {
        match self {
            Self::Constant(_) | Self::Arguments => {}
            Self::Text(template) => template.parameters().for_each(|name| see(at, name)),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.parameters(&format!("{at}[{index}]"), see);
                }
            }
            Self::Map(members) => {
                for (key, value) in members {
                    value.parameters(&format!("{at}.{key}"), see);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_seen_with_its_place() {
        let body = ValueTemplate::Map(Box::new([
            ("a".into(), ValueTemplate::Constant(1.into())),
            (
                "b".into(),
                ValueTemplate::List(Box::new([
                    ValueTemplate::Text(Template::text("x")),
                    ValueTemplate::Text(Template::parameter("q")),
                ])),
            ),
        ]));
        let mut seen = Vec::new();
        body.parameters("body", &mut |at, name| seen.push(format!("{at} {name}")));
        assert_eq!(seen, ["body.b[1] q"]);
    }
}
