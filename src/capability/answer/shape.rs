//! What is done with a result before it is given: some of it kept, some renamed, some made unreadable.

use serde_json::{Map, Value};

use super::path::{Path, Step};
use crate::capability::Transform;

/// A definition's `transform`, read once.
#[derive(Debug, Default)]
pub(in crate::capability) struct Shape {
    project: Vec<Path>,
    rename: Vec<(Path, Box<str>)>,
    redact: Vec<Box<str>>,
}

const STARS: &str = "***";

impl Shape {
    /// Reads a `transform`.
    ///
    /// # Errors
    /// The key below `transform`, and the end of a sentence that begins with it.
    pub(in crate::capability) fn parse(
        transform: &Transform,
    ) -> Result<Self, (&'static str, String)> {
        let path = |key, text: &str| Path::parse(text).map_err(|sentence| (key, sentence));
        let project = transform.project.iter().map(|text| path("project", text));
        let rename = transform
            .rename
            .iter()
            .map(|(text, name)| Ok((path("rename", text)?, name.clone())));
        Ok(Self {
            project: project.collect::<Result<_, _>>()?,
            rename: rename.collect::<Result<_, _>>()?,
            redact: transform.redact.clone(),
        })
    }

    /// Whether it leaves every value as it is.
    pub(super) fn is_plain(&self) -> bool {
        self.project.is_empty() && self.rename.is_empty() && self.redact.is_empty()
    }

    /// The value as it is given.
    pub(super) fn shaped(&self, mut value: Value) -> Value {
        self.redact(&mut value);
        if !self.project.is_empty() {
            let paths: Vec<&[Step]> = self.project.iter().map(|path| &*path.0).collect();
            value = kept(value, &paths);
        }
        for (path, name) in &self.rename {
            rename(&mut value, &path.0, name);
        }
        value
    }

    /// Puts stars in the place of what nobody may read.
    pub(in crate::capability) fn redact(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    if self.redact.iter().any(|hidden| **hidden == **name) {
                        *value = STARS.into();
                    } else {
                        self.redact(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact(item)),
            _ => {}
        }
    }
}

/// The value with nothing but what the paths name. Of a list that is so of each element.
fn kept(value: Value, paths: &[&[Step]]) -> Value {
    if paths.iter().any(|path| path.is_empty()) {
        return value;
    }
    match value {
        Value::Object(members) => {
            let left = members.into_iter().filter_map(|(name, value)| {
                let below: Vec<&[Step]> =
                    paths.iter().filter_map(|path| below(path, &name)).collect();
                (!below.is_empty()).then(|| (name, kept(value, &below)))
            });
            Value::Object(left.collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let inner: Vec<&[Step]> = paths.iter().map(within).collect();
            items.into_iter().map(|item| kept(item, &inner)).collect()
        }
        other => other,
    }
}

/// The rest of a path that goes through this member.
fn below<'a>(path: &&'a [Step], member: &str) -> Option<&'a [Step]> {
    match path.split_first()? {
        (Step::Name(name), rest) if **name == *member => Some(rest),
        (Step::Each, rest) => Some(rest),
        _ => None,
    }
}

/// A path as each element of a list sees it.
fn within<'a>(path: &&'a [Step]) -> &'a [Step] {
    match path.split_first() {
        Some((Step::Each | Step::Index(_), rest)) => rest,
        _ => path,
    }
}

fn rename(value: &mut Value, path: &[Step], to: &str) {
    let Some((step, rest)) = path.split_first() else {
        return;
    };
    match (step, value) {
        (Step::Name(name), Value::Object(members)) if rest.is_empty() => {
            if let Some(value) = members.remove(&**name) {
                members.insert(to.to_owned(), value);
            }
        }
        (Step::Name(name), Value::Object(members)) => {
            if let Some(value) = members.get_mut(&**name) {
                rename(value, rest, to);
            }
        }
        (_, Value::Array(items)) => {
            let inner = within(&path);
            items.iter_mut().for_each(|item| rename(item, inner, to));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(project: &[&str], renames: &[(&str, &str)], redact: &[&str]) -> Shape {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.into()).collect();
        let each = renames.iter().map(|&(from, to)| (from.into(), to.into()));
        Shape::parse(&Transform {
            project: texts(project),
            rename: each.collect(),
            redact: texts(redact),
        })
        .unwrap()
    }

    #[test]
    fn only_what_is_named_is_kept() {
        let value = json!({"a": 1, "b": {"c": 2, "d": 3}, "items": [{"x": 1, "y": 2}, {"y": 3}]});
        let kept = |paths: &[&str]| shape(paths, &[], &[]).shaped(value.clone());
        assert_eq!(kept(&["a", "b.d"]), json!({"a": 1, "b": {"d": 3}}));
        assert_eq!(
            kept(&["items[*].y"]),
            json!({"items": [{"y": 2}, {"y": 3}]})
        );
        assert_eq!(kept(&["items.x"]), json!({"items": [{"x": 1}, {}]}));
        assert_eq!(kept(&["none"]), json!({}));
        let list = shape(&["y"], &[], &[]).shaped(value["items"].clone());
        assert_eq!(list, json!([{"y": 2}, {"y": 3}]));
    }

    #[test]
    fn members_get_other_names_where_they_stand() {
        let value = json!({"a": {"b": 1}, "items": [{"x": 1}, {"x": 2}]});
        let shaped = shape(
            &[],
            &[("a.b", "c"), ("items[*].x", "id"), ("none", "n")],
            &[],
        );
        assert_eq!(
            shaped.shaped(value),
            json!({"a": {"c": 1}, "items": [{"id": 1}, {"id": 2}]})
        );
    }

    #[test]
    fn what_is_redacted_stands_nowhere_even_under_another_name() {
        let value = json!({"token": "s", "in": [{"token": {"deep": 1}, "ok": 1}]});
        let shaped = shape(&["token", "in"], &[("token", "key")], &["token"]).shaped(value);
        assert_eq!(
            shaped,
            json!({"key": "***", "in": [{"token": "***", "ok": 1}]})
        );
    }
}
