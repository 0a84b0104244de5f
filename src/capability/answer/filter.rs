//! A filter of jq, compiled once.

use std::fmt;

use jaq_core::{Compiler, Ctx, Exn, Native, Vars, compile::Filter as Compiled, data, load};
use jaq_json::{Val, read};
use serde_json::Value;

/// How many values one filter may give: an endless one has an end.
const MOST: usize = 10_000;

/// A filter that can be asked by any number of threads.
pub(in crate::capability) struct Filter(Compiled<Native<data::JustLut<Val>>>);

impl Filter {
    /// Reads a filter. It cannot see the environment.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let defs = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs());
        let funs = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs())
            .filter(|(name, ..)| *name != "env");
        let arena = load::Arena::default();
        let program = load::File {
            code: text,
            path: (),
        };
        let modules = load::Loader::new(defs).load(&arena, program);
        let modules =
            modules.map_err(|_| format!("is no filter of jq that can be read: {text:?}"))?;
        let compiled = Compiler::default().with_funs(funs).compile(modules);
        compiled.map(Self).map_err(|errors| {
            let unknown = errors.iter().flat_map(|(_, errors)| errors).next();
            let name = unknown.map_or("", |(name, _)| name);
            format!("is a filter of jq with the name {name:?}, which nobody has defined: {text:?}")
        })
    }

    /// What it makes of a body: one value as it is, several as a list.
    ///
    /// # Errors
    /// The end of a sentence, if the body is no JSON or the filter does not fit it.
    pub(super) fn run(&self, body: &[u8]) -> Result<Value, String> {
        let input = read::parse_single(body).map_err(|_| "is no JSON".to_owned())?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        let mut values = Vec::new();
        for value in self.0.id.run((context, input)).take(MOST) {
            let value = value.map_err(misfit)?;
            let text = value.to_string();
            values.push(serde_json::from_str(&text).map_err(|_| "becomes no JSON".to_owned())?);
        }
        Ok(match values.len() {
            1 => values.swap_remove(0),
            _ => Value::Array(values),
        })
    }
}

fn misfit(end: Exn<'_, Val>) -> String {
    let why = end
        .get_err()
        .map_or_else(|_| "it halts".to_owned(), |error| error.to_string());
    format!("does not fit its filter: {why}")
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_filter_makes_of_a_body_what_jq_makes_of_it() {
        let body = br#"{"hits":[{"t":"a","n":2},{"t":"b","n":1}],"big":12345678901234567890}"#;
        for (filter, value) in [
            (
                ".hits | map({title: .t})",
                json!([{"title": "a"}, {"title": "b"}]),
            ),
            (".hits[] | select(.n > 1) | .t", json!("a")),
            (".hits[].t", json!(["a", "b"])),
            (".hits | sort_by(.n) | first | .t", json!("b")),
            (".none", json!(null)),
            ("empty", json!([])),
            (".big", json!(12_345_678_901_234_567_890_u64)),
            (
                r#".hits | map(.t) | join("-") | ascii_upcase"#,
                json!("A-B"),
            ),
            ("[limit(3; repeat(1))]", json!([1, 1, 1])),
        ] {
            assert_eq!(
                Filter::parse(filter).unwrap().run(body).unwrap(),
                value,
                "{filter}"
            );
        }
    }

    #[test]
    fn an_endless_filter_has_an_end() {
        let many = Filter::parse("repeat(1)").unwrap().run(b"1").unwrap();
        assert_eq!(many.as_array().unwrap().len(), MOST);
    }

    #[test]
    fn what_is_no_filter_or_does_not_fit_is_said() {
        assert!(Filter::parse(".a |").is_err());
        assert!(
            Filter::parse("env").is_err(),
            "the environment holds secrets"
        );
        assert!(Filter::parse("halt").unwrap().run(b"1").is_err());
        assert!(Filter::parse("nonesuch").unwrap_err().contains("nonesuch"));
        let filter = Filter::parse(".a + 1").unwrap();
        assert!(filter.run(br#"{"a":{}}"#).unwrap_err().contains("fit"));
        assert!(filter.run(b"<html>").is_err());
    }
}
