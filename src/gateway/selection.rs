//! Which tools of a backend `/mcp` shows.

use wildmatch::WildMatch;

/// A pattern for names of tools: `*` stands for any characters or none, `?` for exactly one, all others for themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Glob(WildMatch);

/// The tools of a backend that are shown on the aggregate endpoint, by the backend's own names. The others are not there:
/// they are neither listed nor found, and calls of them are refused as those of unknown tools are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolSelection {
    /// Only what one of these matches is shown; absent: everything.
    pub include: Option<Vec<Glob>>,
    /// What one of these matches is not shown, whatever else matches it.
    pub exclude: Vec<Glob>,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The end of a sentence that begins with the text, if it is empty, or written as if more than `*` and `?` had a meaning.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty and matches no tool: write a name such as read_file, with * for any characters and ? for one".to_owned());
        }
        let foreign = |letter: &char| FOREIGN.contains(letter);
        let negated = text.starts_with('!').then_some('!');
        match negated.or_else(|| text.chars().find(foreign)) {
            None => Ok(Self(WildMatch::new(text))),
            Some(letter) => Err(format!(
                "is no pattern, because it holds `{letter}` and only * and ? have a meaning: write one pattern for each name, with ? for a character that is not to be named"
            )),
        }
    }

    fn matches(&self, tool: &str) -> bool {
        self.0.matches(tool)
    }
}

/// What means something in other patterns; no name of a tool that follows the specification holds it.
const FOREIGN: [char; 5] = ['[', ']', '{', '}', '\\'];

impl ToolSelection {
    /// Whether a tool of this name is shown.
    #[must_use]
    pub fn shows(&self, tool: &str) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(tool));
        self.include.as_deref().is_none_or(any) && !any(&self.exclude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(texts: &[&str]) -> Vec<Glob> {
        texts
            .iter()
            .map(|text| Glob::parse(text).unwrap())
            .collect()
    }

    #[test]
    fn a_star_is_any_characters_and_a_question_mark_is_one() {
        let matching = [
            ("read_*", "read_"),
            ("read_*", "read_file"),
            ("*_admin", "users/list_admin"),
            ("*a*b*", "xxaxxbxx"),
            ("*ab", "aab"),
            ("?", "ß"),
            ("get.?", "get.x"),
            ("**", "anything"),
            ("echo", "echo"),
        ];
        for (glob, tool) in matching {
            assert!(Glob::parse(glob).unwrap().matches(tool), "{glob} {tool}");
        }
        let others = [
            ("read_*", "pread_file"),
            ("read_*", "read"),
            ("*_admin", "x_admins"),
            ("*_admin", "x_Admin"),
            ("?", ""),
            ("?", "ab"),
            ("get.?", "getxx"),
            ("echo", "echo2"),
        ];
        for (glob, tool) in others {
            assert!(!Glob::parse(glob).unwrap().matches(tool), "{glob} {tool}");
        }
    }

    #[test]
    fn a_pattern_with_many_stars_takes_no_time() {
        let glob = Glob::parse(&"*a".repeat(60)).unwrap();
        assert!(!glob.matches(&["a".repeat(2000), "b".to_owned()].concat()));
    }

    #[test]
    fn what_means_something_elsewhere_is_refused() {
        for text in ["", "!read", "[rw]*", "{a,b}", "a\\*", "a]", "}"] {
            assert!(Glob::parse(text).is_err(), "{text}");
        }
        assert!(Glob::parse("what!").is_ok());
    }

    #[test]
    fn what_is_excluded_stays_out_even_if_it_is_included() {
        let all = ToolSelection::default();
        assert!(all.shows("anything"));
        let mut selection = ToolSelection {
            include: Some(globs(&["read_*", "stat"])),
            exclude: globs(&["*_admin"]),
        };
        assert!(selection.shows("read_file") && selection.shows("stat"));
        assert!(!selection.shows("write_file") && !selection.shows("read_admin"));
        selection.include = None;
        assert!(selection.shows("write_file") && !selection.shows("read_admin"));
        selection.include = Some(Vec::new());
        assert!(!selection.shows("stat"));
    }
}
