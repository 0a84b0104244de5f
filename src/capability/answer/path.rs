//! A plain path into JSON: `data.items[0].name`, `$.items[*].id`, `["odd name"].x`.

use serde_json::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::capability) enum Step {
    /// A member of an object; of a list, that of each element.
    Name(Box<str>),
    /// An element of a list; below zero counted from its end.
    Index(i64),
    /// Each element of a list, or each value of an object.
    Each,
}

/// A path, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::capability) struct Path(pub(super) Box<[Step]>);

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("is no path into JSON: {text:?}; write one such as data.items[0].name");
        let mut steps = Vec::new();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        rest = rest.strip_prefix('.').unwrap_or(rest);
        while !rest.is_empty() {
            let (step, length) = step(rest).ok_or_else(wrong)?;
            steps.push(step);
            rest = &rest[length..];
            rest = match rest.strip_prefix('.') {
                Some("") => return Err(wrong()),
                Some(more) => more,
                None if rest.is_empty() || rest.starts_with('[') => rest,
                None => return Err(wrong()),
            };
        }
        Ok(Self(steps.into()))
    }

    /// What stands there.
    pub(super) fn pick(&self, value: &Value) -> Option<Value> {
        pick(value, &self.0)
    }
}

/// The step that the text begins with, and its length.
fn step(text: &str) -> Option<(Step, usize)> {
    if let Some(inside) = text.strip_prefix('[') {
        let (inside, _) = inside.split_once(']')?;
        let length = inside.len() + 2;
        let quoted = |mark: char| inside.strip_prefix(mark)?.strip_suffix(mark);
        let step = match quoted('"').or_else(|| quoted('\'')) {
            Some(name) => Step::Name(name.into()),
            None if inside.is_empty() || inside == "*" => Step::Each,
            None => Step::Index(inside.parse().ok()?),
        };
        return Some((step, length));
    }
    let name = text
        .split(['.', '['])
        .next()
        .filter(|name| !name.is_empty())?;
    let step = match name {
        "*" => Step::Each,
        name => Step::Name(name.into()),
    };
    Some((step, name.len()))
}

fn pick(value: &Value, steps: &[Step]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value.clone());
    };
    match (step, value) {
        (Step::Name(name), Value::Object(members)) => pick(members.get(&**name)?, rest),
        (Step::Name(name), Value::Array(items)) => match name.parse::<i64>() {
            Ok(index) => pick(element(items, index)?, rest),
            Err(_) => Some(items.iter().filter_map(|item| pick(item, steps)).collect()),
        },
        (Step::Index(index), Value::Array(items)) => pick(element(items, *index)?, rest),
        (Step::Each, Value::Array(items)) => {
            Some(items.iter().filter_map(|item| pick(item, rest)).collect())
        }
        (Step::Each, Value::Object(members)) => Some(
            members
                .values()
                .filter_map(|item| pick(item, rest))
                .collect(),
        ),
        _ => None,
    }
}

fn element(items: &[Value], index: i64) -> Option<&Value> {
    let at = usize::try_from(index.unsigned_abs()).ok()?;
    let at = if index < 0 {
        items.len().checked_sub(at)?
    } else {
        at
    };
    items.get(at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_finds_what_stands_there() {
        let body =
            json!({"data": {"items": [{"id": 1, "a.b": "x"}, {"id": 2}, {}]}, "by": {"x": 1}});
        for (path, found) in [
            ("data.items[0].id", Some(json!(1))),
            ("$.data.items[1]", Some(json!({"id": 2}))),
            ("data.items.1.id", Some(json!(2))),
            ("data.items[-2].id", Some(json!(2))),
            ("data.items[*].id", Some(json!([1, 2]))),
            ("data.items.*.id", Some(json!([1, 2]))),
            ("data.items.id", Some(json!([1, 2]))),
            ("by[*]", Some(json!([1]))),
            (r#"data["items"][0]["a.b"]"#, Some(json!("x"))),
            ("$", Some(body.clone())),
            ("data.none", None),
            ("data.items[9]", None),
            ("data.items[-9]", None),
        ] {
            assert_eq!(Path::parse(path).unwrap().pick(&body), found, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_said_when_it_is_read() {
        for path in ["a..b", "a.", "a[x]", "a[0", "a[0]b", ".."] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }
}
