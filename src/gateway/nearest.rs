//! Which name was probably meant.

/// The candidate nearest to `given`, if one is near enough that a typing mistake explains the difference.
pub(super) fn nearest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if given.len() > LONGEST {
        return None;
    }
    let given = given.to_lowercase();
    candidates
        .into_iter()
        .map(|name| (likeness(&given, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= NEAR_ENOUGH)
        .max_by(|(one, a), (other, b)| one.total_cmp(other).then_with(|| b.cmp(a)))
        .map(|(_, name)| name)
}

/// Nobody mistypes a longer name, and comparing takes the product of both lengths.
const LONGEST: usize = 200;

/// Below this, a suggestion misleads more often than it helps.
const NEAR_ENOUGH: f64 = 0.6;

fn likeness(given: &str, name: &str) -> f64 {
    // A part typed for the whole is near too, but never as near as the whole.
    let part = given.len() >= 3 && name.contains(given);
    let typed = strsim::normalized_damerau_levenshtein(given, name);
    if part { typed.max(0.75) } else { typed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_finds_its_name_and_a_stranger_finds_none() {
        let names = ["echo", "add", "sleep"];
        assert_eq!(nearest("ehco", names), Some("echo"));
        assert_eq!(nearest("Sleeep", names), Some("sleep"));
        assert_eq!(nearest("weather", names), None);
        assert_eq!(nearest(&"echo".repeat(100), names), None);
    }

    #[test]
    fn a_part_of_a_name_is_near_but_the_whole_is_nearer() {
        assert_eq!(nearest("file", ["read_file", "files"]), Some("files"));
        assert_eq!(nearest("read", ["read_text_file"]), Some("read_text_file"));
    }
}
