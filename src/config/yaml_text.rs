//! A tree as YAML that a person would write: blocks for what is long, one line for what is short, quotes where they are needed.

use serde_json::value::RawValue;

use crate::protocol::RawObject;

/// The longest list that is written in one line, in bytes.
const LINE: usize = 80;

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    /// A number, a truth value or nothing, as JSON writes it.
    Plain(String),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The tree of a JSON text; members keep their order.
    pub(super) fn of_json(json: &RawValue) -> Self {
        let text = json.get();
        if let Some(object) = RawObject::parse(text.as_bytes()) {
            let member = |(key, value): &(std::borrow::Cow<'_, str>, &RawValue)| {
                (key.to_string(), Self::of_json(value))
            };
            return Self::Map(object.0.iter().map(member).collect());
        }
        if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(text) {
            return Self::List(list.into_iter().map(Self::of_json).collect());
        }
        serde_json::from_str(text).map_or_else(|_| Self::Plain(text.to_owned()), Self::Text)
    }

    /// The tree as a document, which ends with a line break.
    pub(super) fn document(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Map(members) if !members.is_empty() => block(members, 0, &mut out),
            other => out.push_str(&format!("{}\n", other.in_line().unwrap_or_default())),
        }
        out
    }

    /// The tree in one line, if it is short enough or has no parts.
    fn in_line(&self) -> Option<String> {
        match self {
            Self::Plain(text) => Some(text.clone()),
            Self::Text(text) => Some(scalar(text)),
            Self::Map(members) => members.is_empty().then(|| "{}".to_owned()),
            Self::List(items) => {
                let is_scalar = |item: &Self| matches!(item, Self::Plain(_) | Self::Text(_));
                let items: Option<Vec<String>> = items
                    .iter()
                    .map(|item| item.in_line().filter(|_| is_scalar(item)))
                    .collect();
                let line = format!("[{}]", items?.join(", "));
                (line.len() <= LINE).then_some(line)
            }
        }
    }

    /// The tree behind a key or a dash, whose own children stand `indent` spaces in.
    fn behind(&self, indent: usize, out: &mut String) {
        if let Self::Text(text) = self
            && let Some(lines) = literal(text)
        {
            out.push_str(" |-\n");
            for line in lines {
                let margin = if line.is_empty() { 0 } else { indent };
                out.push_str(&format!("{:margin$}{line}\n", ""));
            }
            return;
        }
        match (self.in_line(), self) {
            (Some(line), _) => out.push_str(&format!(" {line}\n")),
            (None, Self::List(items)) => {
                out.push('\n');
                for item in items {
                    out.push_str(&format!("{:indent$}-", ""));
                    item.in_list(indent + 2, out);
                }
            }
            (None, Self::Map(members)) => {
                out.push('\n');
                block(members, indent, out);
            }
            (None, _) => {}
        }
    }

    /// The tree behind a dash: the first member of a map stands in the dash's own line.
    fn in_list(&self, indent: usize, out: &mut String) {
        match self {
            Self::Map(members) if !members.is_empty() => {
                let mut members_out = String::new();
                block(members, indent, &mut members_out);
                out.push(' ');
                out.push_str(members_out.trim_start_matches(' '));
            }
            other => other.behind(indent, out),
        }
    }
}

fn block(members: &[(String, Tree)], indent: usize, out: &mut String) {
    for (key, value) in members {
        out.push_str(&format!("{:indent$}{}:", "", scalar(key)));
        value.behind(indent + 2, out);
    }
}

/// The lines of a text of several, if a literal block gives them back as they are.
fn literal(text: &str) -> Option<Vec<&str>> {
    let odd = |character: char| character != '\n' && is_odd(character);
    let fits = text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with('\n')
        && !text.contains(odd);
    fits.then(|| text.split('\n').collect())
}

/// A text as a plain scalar where nothing else could be read in it, and else in quotes.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 10] = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan",
    ];
    let fits = |letter: char| {
        letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | ' ')
    };
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && !text.ends_with(' ')
        && text.chars().all(fits)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// JSON's quotes are YAML's double quotes (YAML 1.2, 5.7), except for what YAML does not print.
fn quoted(text: &str) -> String {
    // Writing a string to memory cannot fail.
    let json = serde_json::to_string(text).unwrap_or_default();
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_odd(character) {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
}

/// What YAML does not print (YAML 1.2, 5.1), or takes for a line break.
fn is_odd(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(json: &str) -> Tree {
        Tree::of_json(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_tree_is_written_as_a_person_would() {
        let json = r#"{"a":"one two","b":[1,"2",true,null],"c":{"d":{},"e":[{"f":"x: y","g":"l1\nl2"},[]]},"200":"true","h":"a\nb"}"#;
        let expected = "a: one two\nb: [1, \"2\", true, null]\nc:\n  d: {}\n  e:\n    - f: \"x: y\"\n      g: |-\n        l1\n        l2\n    - []\n\"200\": \"true\"\nh: |-\n  a\n  b\n";
        assert_eq!(tree(json).document(), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(key in any::<String>(), text in any::<String>(), lines in "[ a#:\\-\n|>'\"\u{85}\u{2028}]{0,20}") {
            let written = Tree::Map(vec![(key.clone(), Tree::List(vec![Tree::Text(text.clone()), Tree::Text(lines.clone())]))]);
            let list: Vec<String> = vec![text, lines];
            let read: std::collections::BTreeMap<String, Vec<String>> = serde_saphyr::from_str(&written.document()).unwrap();
            prop_assert_eq!(read, std::collections::BTreeMap::from([(key, list)]));
        }
    }
}
