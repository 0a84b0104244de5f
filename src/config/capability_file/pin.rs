//! Is a file still the one that somebody has looked at?

use ring::digest::{SHA256, digest as sha};

const KEY: &str = "sha256:";

/// The SHA-256 of a file's text without its own line `sha256:`, as hexadecimal digits: what `grep -v '^sha256:' FILE |
/// sha256sum` says.
#[must_use]
pub fn digest(text: &str) -> String {
    let bytes = sha(&SHA256, unpinned(text).as_bytes());
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The text with the pin that holds for it, in the place of an earlier one or as its first line.
#[must_use]
pub fn pinned(text: &str) -> String {
    let line = format!("{KEY} {}\n", digest(text));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = lines.iter().position(|line| line.starts_with(KEY));
    let others = |part: &[&str]| {
        part.iter()
            .filter(|line| !line.starts_with(KEY))
            .copied()
            .collect::<String>()
    };
    let (before, after) = lines.split_at(at.unwrap_or(0));
    format!("{}{line}{}", others(before), others(after))
}

fn unpinned(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !line.starts_with(KEY)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_of_the_text_without_it_and_takes_the_place_of_another() {
        let text = "fulcrum: \"1.0\"\nname: a\n";
        let once = pinned(text);
        assert!(
            once.starts_with(&format!("sha256: {}\nfulcrum", digest(text))),
            "{once}"
        );
        assert_eq!(digest(&once), digest(text));
        assert_eq!(pinned(&once), once);
        let inside = "fulcrum: \"1.0\"\nsha256: old\nname: b\n";
        let again = pinned(inside);
        assert_eq!(again.lines().nth(2), Some("name: b"), "{again}");
        assert_ne!(digest(inside), digest(text));
    }

    #[test]
    fn a_digest_is_that_of_sha256sum() {
        assert_eq!(
            digest("sha256: x\nabc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
