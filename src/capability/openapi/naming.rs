//! How an operation's tool is called: always the same for the same document, within the limits of all clients, and unlike all
//! others.

use std::collections::HashSet;

use ring::digest::{SHA256, digest};

use super::path::{Part, parts};

/// The longest name that clients take.
const LONGEST: usize = 64;
/// `_` and eight hexadecimal digits.
const MARK: usize = 9;

/// The names that are given.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// A name for an operation: its own if it has one, else what its method and its path say.
    pub(super) fn give(&mut self, own: Option<&str>, method: &str, path: &str) -> String {
        let own = own.map(plain).filter(|name| !name.is_empty());
        let name = fit(own.unwrap_or_else(|| spoken(method, path)));
        let route = format!("{method} {path}");
        let name = if self.0.contains(&name) {
            marked(&name, &route)
        } else {
            name
        };
        self.0.insert(name.clone());
        name
    }
}

/// `get_users_id` for `GET /users/{id}`.
fn spoken(method: &str, path: &str) -> String {
    let mut words = vec![method.to_ascii_lowercase()];
    words.extend(parts(path).into_iter().map(|part| match part {
        Part::Text(text) | Part::Named(text) => plain(text),
    }));
    words.retain(|word| !word.is_empty());
    words.join("_")
}

/// The text in letters, digits, `_` and `-`.
fn plain(text: &str) -> String {
    let mut name = String::new();
    for letter in text.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') => {
                name.push(letter);
            }
            _ if !name.is_empty() && !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    name.trim_end_matches('_').to_owned()
}

fn fit(name: String) -> String {
    if name.len() <= LONGEST {
        name
    } else {
        marked(&name, &name)
    }
}

fn marked(name: &str, of: &str) -> String {
    let mark = digest(&SHA256, of.as_bytes());
    let mark: String = mark
        .as_ref()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let kept: String = name.chars().take(LONGEST - MARK).collect();
    format!("{kept}_{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_operations_own_or_its_method_and_path() {
        let mut names = Names::default();
        assert_eq!(
            names.give(Some("repos/get-content"), "GET", "/x"),
            "repos_get-content"
        );
        assert_eq!(
            names.give(Some("Pets.list (all)"), "GET", "/y"),
            "Pets_list_all"
        );
        assert_eq!(
            names.give(None, "GET", "/users/{user.id}/posts"),
            "get_users_user_id_posts"
        );
        assert_eq!(names.give(Some("größe"), "PUT", "/"), "gr_e");
        assert_eq!(names.give(Some("日本"), "PUT", "/"), "put");
    }

    #[test]
    fn long_names_and_names_of_others_get_a_mark_that_stays() {
        let long = "x".repeat(80);
        let (once, again) = (
            Names::default().give(Some(&long), "GET", "/"),
            Names::default().give(Some(&long), "GET", "/"),
        );
        assert_eq!(once, again);
        assert_eq!(once.len(), LONGEST);
        let mut names = Names::default();
        let first = names.give(Some("a b"), "GET", "/1");
        let second = names.give(Some("a.b"), "GET", "/2");
        assert_eq!((first.as_str(), second.len()), ("a_b", "a_b".len() + MARK));
    }
}
