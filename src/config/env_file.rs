//! What a file of variables says: one `NAME=value` per line, as shells and container tools write them.

/// The variables of a file in its order, or the number of the first line that is none (counted from 1).
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, u64> {
    let mut variables = Vec::new();
    for (line, number) in text.lines().zip(1_u64..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        variables.push(assignment(line).ok_or(number)?);
    }
    Ok(variables)
}

fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    super::expand::is_name(name).then_some(())?;
    Some((name.to_owned(), unquote(value.trim())?))
}

/// Single quotes keep everything; double quotes know `\n`, `\"` and `\\`; without quotes ` #` begins a comment.
fn unquote(value: &str) -> Option<String> {
    match value.chars().next() {
        Some('\'') => {
            let (inside, rest) = value[1..].split_once('\'')?;
            is_comment(rest).then(|| inside.to_owned())
        }
        Some('"') => double_quoted(&value[1..]),
        _ => Some(
            value
                .split_once(" #")
                .map_or(value, |(before, _)| before)
                .trim_end()
                .to_owned(),
        ),
    }
}

fn double_quoted(text: &str) -> Option<String> {
    let mut inside = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return is_comment(rest.as_str()).then_some(inside),
            '\\' => match rest.next()? {
                'n' => inside.push('\n'),
                other => inside.push(other),
            },
            other => inside.push(other),
        }
    }
}

fn is_comment(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_usual_form_is_read() {
        let text = "# keys\n\nA=1\nexport B = two words # why\nC='a # b'\nD=\"x\\\"y\\n\" # why\nE=\nF=a=b#c\n";
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "a # b"),
            ("D", "x\"y\n"),
            ("E", ""),
            ("F", "a=b#c"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parse(text), Ok(expected.to_vec()));
    }

    #[test]
    fn a_line_that_is_no_assignment_is_named_by_its_number() {
        assert_eq!(parse("A=1\nnonsense\n"), Err(2));
        assert_eq!(parse("1A=1"), Err(1));
        assert_eq!(parse("A='open"), Err(1));
        assert_eq!(parse("A=\"open"), Err(1));
        assert_eq!(parse("A='x' y"), Err(1));
    }
}
