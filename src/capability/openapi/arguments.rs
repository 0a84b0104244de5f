//! The arguments of an operation: each has a name of its own and a schema, and all together are what its tool takes.

use std::collections::HashSet;

use super::{
    definitions::{Shared, Written},
    schema::quoted,
    trouble::Trouble,
};
use crate::{capability::Schema, protocol::RawObject};

/// The longest name of a property that the clients of models take.
const LONGEST: usize = 64;

/// What a tool is called with.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    list: Vec<Argument>,
    names: HashSet<String>,
}

#[derive(Debug)]
struct Argument {
    name: String,
    schema: Written,
    required: bool,
    description: Option<String>,
}

/// An argument that is asked for.
pub(super) struct Wanted<'a> {
    /// What the document calls it.
    pub(super) name: &'a str,
    /// Where it goes, by which it is told apart from another of its name.
    pub(super) place: &'static str,
    pub(super) schema: Written,
    pub(super) required: bool,
    pub(super) description: Option<String>,
}

impl Arguments {
    /// Adds an argument and tells its name, of which a placeholder is made.
    pub(super) fn add(&mut self, wanted: Wanted<'_>) -> String {
        let name = self.free_name(wanted.name, wanted.place);
        self.names.insert(name.clone());
        self.list.push(Argument {
            name: name.clone(),
            schema: wanted.schema,
            required: wanted.required,
            description: wanted.description,
        });
        name
    }

    /// The name in letters, digits, `_` and `-`: what any client takes, and never the name of an environment variable.
    fn free_name(&self, wanted: &str, place: &str) -> String {
        let name = plain(wanted);
        let placed = plain(&format!("{name}_{place}"));
        let numbered = (2_u32..).map(|number| plain(&format!("{placed}_{number}")));
        let first = [name, placed.clone()];
        first
            .into_iter()
            .chain(numbered)
            .find(|name| !self.names.contains(name))
            .unwrap_or_default()
    }

    /// The schema of all of them. Nothing else may be said: a slip in a name is then told, not lost.
    ///
    /// # Errors
    /// If a schema that they refer to cannot be written.
    pub(super) fn schema(&self, shared: &mut Shared<'_, '_>) -> Result<Schema, Trouble> {
        let properties: Vec<String> = self.list.iter().map(Argument::property).collect();
        let required: Vec<&str> = self
            .list
            .iter()
            .filter(|argument| argument.required)
            .map(|argument| &*argument.name)
            .collect();
        let mut text = format!(
            r#"{{"type":"object","properties":{{{}}}"#,
            properties.join(",")
        );
        if !required.is_empty() {
            text.push_str(&format!(
                r#","required":{}"#,
                serde_json::to_string(&required).unwrap_or_default()
            ));
        }
        text.push_str(r#","additionalProperties":false"#);
        let written: Vec<Written> = self
            .list
            .iter()
            .map(|argument| argument.schema.clone())
            .collect();
        let definitions = shared.needed_by(&written)?;
        if !definitions.is_empty() {
            text.push_str(&format!(r#","$defs":{{{definitions}}}"#));
        }
        text.push('}');
        text.shrink_to_fit();
        Schema::new(text).map_err(|_| Trouble::Malformed("a schema".to_owned()))
    }
}

impl Argument {
    /// `"name":{...}` with the description of its own. The default is told and not set: an argument that is absent is left
    /// to the provider, who knows what it means beside the others.
    fn property(&self) -> String {
        let object = RawObject::parse(self.schema.text.as_bytes()).unwrap_or_default();
        let mut description = self
            .description
            .clone()
            .or_else(|| object.read("description"))
            .unwrap_or_default()
            .trim()
            .to_owned();
        if let Some(default) = object.member("default") {
            let space = if description.is_empty() { "" } else { " " };
            description.push_str(&format!("{space}(default: {})", default.get()));
        }
        let mut members: Vec<String> = Vec::new();
        if !description.is_empty() {
            members.push(format!(r#""description":{}"#, quoted(description.trim())));
        }
        let kept = object
            .0
            .iter()
            .filter(|(key, _)| !matches!(&**key, "description" | "default"));
        members.extend(kept.map(|(key, value)| format!("{}:{}", quoted(key), value.get())));
        format!("{}:{{{}}}", quoted(&self.name), members.join(","))
    }
}

/// The text as a name: what does not fit becomes `_`, and it begins with a letter or `_`.
fn plain(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let mut name = String::new();
    for letter in text.trim_end_matches("[]").chars() {
        match letter {
            letter if fits(letter) => name.push(letter),
            _ if !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    let name = name.trim_end_matches(|letter| letter == '_' && !text.ends_with('_'));
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let name = if begins {
        name.to_owned()
    } else {
        format!("_{name}")
    };
    name.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_that_any_client_takes_them() {
        for (text, expected) in [
            ("per_page", "per_page"),
            ("X-Rate", "X-Rate"),
            ("filter[name]", "filter_name"),
            ("ids[]", "ids"),
            ("env.SECRET", "env_SECRET"),
            ("2d", "_2d"),
            ("größe", "gr_e"),
            ("a_", "a_"),
            ("", "_"),
        ] {
            let expected = if text == "größe" { "gr_e" } else { expected };
            assert_eq!(plain(text), expected, "{text}");
        }
        assert_eq!(plain(&"x".repeat(100)).len(), 64);
    }

    #[test]
    fn two_of_one_name_are_told_apart_by_their_places() {
        let mut arguments = Arguments::default();
        let mut add = |place| {
            let wanted = Wanted {
                name: "id",
                place,
                schema: Written::default(),
                required: false,
                description: None,
            };
            arguments.add(wanted)
        };
        assert_eq!(
            [add("path"), add("query"), add("body"), add("body")],
            ["id", "id_query", "id_body", "id_body_2"]
        );
    }
}
