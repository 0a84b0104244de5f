//! How a backend's tool is named on `/mcp`: always 1 to 64 of `[A-Za-z0-9_./-]`, always the same, never taken twice.

use std::collections::HashSet;

use super::settings::Naming;

/// The longest name that clients take.
const LONGEST: usize = 64;
/// `_` and eight hexadecimal digits.
const MARK: usize = 9;
const SEPARATOR: &str = "__";

/// Public names given out so far. Names depend only on the order of asking, and backends are asked in the order of their names.
pub(super) struct Names {
    naming: Naming,
    taken: HashSet<Box<str>>,
}

impl Names {
    /// Starts with these names taken already.
    pub(super) fn new<'a>(naming: Naming, reserved: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            naming,
            taken: reserved.into_iter().map(Into::into).collect(),
        }
    }

    /// The public name of a backend's tool.
    pub(super) fn give(&mut self, backend: &str, tool: &str) -> Box<str> {
        let plain = (self.naming == Naming::Plain).then(|| fit(tool, backend, tool));
        let prefixed = || fit(&[backend, SEPARATOR, tool].concat(), backend, tool);
        let name = plain
            .filter(|name| !self.taken.contains(name))
            .unwrap_or_else(prefixed);
        let name = if self.taken.contains(&name) {
            self.marked(&name, backend, tool)
        } else {
            name
        };
        self.taken.insert(name.clone());
        name
    }

    fn marked(&self, name: &str, backend: &str, tool: &str) -> Box<str> {
        (0_u32..)
            .map(|round| marked(name, backend, tool, round))
            .find(|name| !self.taken.contains(name))
            .unwrap_or_default()
    }
}

/// The name itself if it fits; else what is left of it, with a mark that only this backend and tool have.
fn fit(name: &str, backend: &str, tool: &str) -> Box<str> {
    let fits = (1..=LONGEST).contains(&name.len()) && name.chars().all(is_allowed);
    if fits {
        name.into()
    } else {
        marked(name, backend, tool, 0)
    }
}

fn marked(name: &str, backend: &str, tool: &str, round: u32) -> Box<str> {
    let kept = name
        .chars()
        .map(|letter| if is_allowed(letter) { letter } else { '_' })
        .take(LONGEST - MARK);
    let digest = digest(&[
        backend.as_bytes(),
        &[0],
        tool.as_bytes(),
        &round.to_le_bytes(),
    ]);
    let mut marked: String = kept.collect();
    marked.push('_');
    marked.push_str(&format!("{digest:08x}"));
    marked.into()
}

const fn is_allowed(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '/' | '-')
}

/// FNV-1a with 32 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): the same on every machine and in every version.
fn digest(parts: &[&[u8]]) -> u32 {
    parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0x811c_9dc5, |hash, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefixed_name_is_backend_and_tool() {
        let mut names = Names::new(Naming::Prefixed, []);
        assert_eq!(&*names.give("files", "read"), "files__read");
    }

    #[test]
    fn a_long_or_foreign_name_gets_a_stable_short_form() {
        let long = "x".repeat(200);
        let once = Names::new(Naming::Prefixed, []).give("files", &long);
        let again = Names::new(Naming::Prefixed, []).give("files", &long);
        assert_eq!(once, again);
        assert_eq!(once.len(), LONGEST);
        let foreign = Names::new(Naming::Prefixed, []).give("files", "größe 1");
        assert!(foreign.chars().all(is_allowed), "{foreign}");
        assert!(foreign.starts_with("files__gr__e_1_"));
    }

    #[test]
    fn names_that_would_collide_stay_apart() {
        let mut names = Names::new(Naming::Prefixed, []);
        let one = names.give("a", "b__c");
        let other = names.give("a__b", "c");
        assert_ne!(one, other);
        let same = Names::new(Naming::Prefixed, []).give("a", "b__c");
        assert_eq!(one, same);
    }

    #[test]
    fn plain_names_prefix_only_the_later_of_two() {
        let mut names = Names::new(Naming::Plain, ["gateway_invoke"]);
        assert_eq!(&*names.give("a", "read"), "read");
        assert_eq!(&*names.give("b", "read"), "b__read");
        assert_eq!(&*names.give("b", "gateway_invoke"), "b__gateway_invoke");
    }
}
