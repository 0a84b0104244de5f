//! What Markdown shows: blocks of code, the commands of a tour, and whether what they print is what is shown.

/// One command and what it is said to print.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) command: String,
    pub(crate) shown: String,
}

/// The steps in the `console` blocks between `heading` and the next heading of its level.
///
/// A command goes on in the next line after a backslash, to the `done` of a loop, and to the closing word of a here-document.
pub(crate) fn steps(markdown: &str, heading: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_block = false;
    let mut ending = None;
    let lines = markdown.lines().enumerate();
    let section = lines.skip_while(|(_, line)| *line != heading).skip(1);
    for (index, line) in section.take_while(|(_, line)| !line.starts_with("## ")) {
        match (in_block, line) {
            (false, "```console") => in_block = true,
            (false, _) => {}
            (true, "```") => in_block = false,
            (true, _) => add(&mut steps, &mut ending, index + 1, line),
        }
    }
    steps
}

/// The contents of all blocks in this language.
pub(crate) fn blocks<'a>(markdown: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("\n```{language}\n");
    let after = markdown.split(&opening).skip(1);
    after
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .collect()
}

/// The first shown line that was not printed; `…` stands for anything within a line, a line of its own for any lines.
pub(crate) fn missing(shown: &str, printed: &str) -> Option<String> {
    let mut rest = printed;
    for line in shown.lines() {
        for part in line
            .split('…')
            .map(str::trim_end)
            .filter(|part| !part.is_empty())
        {
            let Some(at) = rest.find(part) else {
                return Some(line.to_owned());
            };
            rest = &rest[at + part.len()..];
        }
    }
    None
}

/// What the last line of a command looks like when it is not its first.
enum Ending {
    /// It does not end with a backslash.
    NoBackslash,
    /// It is this word: `done`, or what closes a here-document.
    Word(String),
}

impl Ending {
    fn of(command: &str) -> Option<Self> {
        if command.ends_with('\\') {
            return Some(Self::NoBackslash);
        }
        if command.starts_with("for ") {
            return Some(Self::Word("done".to_owned()));
        }
        let (_, after) = command.split_once("<<")?;
        let word = after.split_whitespace().next()?;
        Some(Self::Word(word.trim_matches('\'').to_owned()))
    }

    fn is(&self, line: &str) -> bool {
        match self {
            Self::NoBackslash => !line.ends_with('\\'),
            Self::Word(word) => line.trim() == word,
        }
    }
}

/// Adds one line of a block: a command, the rest of one, or something printed.
fn add(steps: &mut Vec<Step>, ending: &mut Option<Ending>, number: usize, line: &str) {
    if let (Some(last), Some(step)) = (&ending, steps.last_mut()) {
        step.command = format!("{}\n{line}", step.command);
        if last.is(line) {
            *ending = None;
        }
    } else if let Some(command) = line.strip_prefix("$ ") {
        *ending = Ending::of(command);
        steps.push(Step {
            line: number,
            command: command.to_owned(),
            shown: String::new(),
        });
    } else if let Some(step) = steps.last_mut() {
        step.shown = format!("{}{line}\n", step.shown);
    }
}

#[test]
fn steps_are_read_with_their_continuations_and_output() {
    let markdown = "## Tour\ntext\n```console\n$ one \\\n  two\nout …\n$ cat <<'EOF'\n$ a\nEOF\n```\n```sh\n$ no\n```\n## Next\n```console\n$ no\n```\n";
    let steps = steps(markdown, "## Tour");
    let read: Vec<(usize, &str, &str)> = steps
        .iter()
        .map(|step| (step.line, step.command.as_str(), step.shown.as_str()))
        .collect();
    assert_eq!(
        read,
        [
            (4, "one \\\n  two", "out …\n"),
            (7, "cat <<'EOF'\n$ a\nEOF", "")
        ]
    );
}

#[test]
fn blocks_are_found_by_their_language() {
    let markdown = "a\n```yaml\none: 1\n```\n```json\n{}\n```\n```yaml\ntwo: 2\n```\n";
    assert_eq!(blocks(markdown, "yaml"), ["one: 1\n", "two: 2\n"]);
}

#[test]
fn what_is_shown_must_be_printed_in_its_order() {
    assert_eq!(
        missing("{\"a\":…,\"c\"…}\n", "{\"a\":1,\"b\":2,\"c\":3}"),
        None
    );
    assert_eq!(missing("b…a\n", "a b"), Some("b…a".to_owned()));
    assert_eq!(missing("a\nb\n", "b\na\n"), Some("b".to_owned()));
}
