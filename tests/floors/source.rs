//! One source file as the rules see it: its paths, functions, test modules and top-level items.

use std::{collections::HashMap, ops::Range};

use crate::tokens::{Kind, Token, closing, tokens};

/// A source file: its place below the root of the repository, and what is written in it.
pub(crate) struct Source {
    /// With forward slashes, such as `src/gateway/router.rs`.
    pub(crate) place: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    /// The token ranges of `#[cfg(test)] mod name { .. }`.
    tests: Vec<Range<usize>>,
}

/// A path such as `crate::backend::Call`, from a `use` or from an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    /// The name it is imported under; `None` outside a `use`.
    pub(crate) imported_as: Option<String>,
    pub(crate) line: usize,
    /// How many inline modules it is written inside.
    pub(crate) inline_depth: usize,
}

/// A function with a body.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) code_lines: usize,
}

impl Source {
    pub(crate) fn new(place: &str, text: &str) -> Self {
        let tokens = tokens(text);
        let tests = test_modules(&tokens);
        Self {
            place: place.to_owned(),
            text: text.to_owned(),
            tokens,
            tests,
        }
    }

    /// The floor this file belongs to: the folder below `src`, if it is in one.
    pub(crate) fn floor(&self) -> Option<&str> {
        self.place
            .strip_prefix("src/")?
            .split_once('/')
            .map(|(floor, _)| floor)
    }

    /// How deep the file's module lies below the crate root: 0 for `src/lib.rs`, 1 for `src/gateway/mod.rs`.
    pub(crate) fn depth(&self) -> usize {
        let below = self.place.strip_prefix("src/").unwrap_or(&self.place);
        let is_its_folder = ["mod.rs", "lib.rs", "main.rs"]
            .iter()
            .any(|name| below.ends_with(name));
        below.split('/').count() - usize::from(is_its_folder)
    }

    /// Lines that hold code, test modules left out.
    pub(crate) fn code_lines(&self) -> usize {
        let product = self
            .tokens
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.in_tests(*index));
        lines_of(product.map(|(_, token)| token))
    }

    /// Every function that has a body, nested ones too.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let starts = self
            .tokens
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| pair[0].is("fn"));
        starts
            .filter_map(|(at, pair)| {
                let name = pair[1].word()?.to_owned();
                let open = body_of(&self.tokens, at)?;
                let body = &self.tokens[open + 1..closing(&self.tokens, open)];
                Some(Function {
                    name,
                    line: pair[0].line,
                    code_lines: lines_of(body.iter()),
                })
            })
            .collect()
    }

    /// Every path in the file, each leaf of a grouped `use` as a path of its own.
    pub(crate) fn paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        let mut modules: Vec<usize> = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            modules.retain(|end| at < *end);
            if self.opens_module(at) {
                modules.push(closing(&self.tokens, at + 2));
            }
            let depth = modules.len();
            at = if self.tokens[at].is("use") {
                use_tree(&self.tokens, at + 1, &Vec::new(), depth, &mut found)
            } else {
                plain_path(&self.tokens, at, depth, &mut found)
            };
        }
        // A precise-capturing `use<>` names nothing.
        found.retain(|path| !path.segments.is_empty());
        found
    }

    /// The file's paths, each also as what its first name was imported for.
    pub(crate) fn resolved_paths(&self) -> Vec<Path> {
        let paths = self.paths();
        let mut imports: HashMap<&str, Vec<&Path>> = HashMap::new();
        for path in &paths {
            if let Some(name) = &path.imported_as {
                imports.entry(name).or_default().push(path);
            }
        }
        let mut resolved = Vec::new();
        for path in &paths {
            let first = path.segments.first().map_or("", String::as_str);
            let sources = imports.get(first).filter(|_| path.imported_as.is_none());
            match sources {
                Some(sources) => resolved.extend(sources.iter().map(|source| joined(source, path))),
                None => resolved.push(path.clone()),
            }
        }
        resolved
    }

    /// The lines of top-level items that are neither modules nor re-exports.
    pub(crate) fn definitions(&self) -> Vec<usize> {
        let mut lines = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let item = after_visibility(&self.tokens, after_attributes(&self.tokens, at));
            let Some(token) = self.tokens.get(item) else {
                break;
            };
            let end = item_end(&self.tokens, item);
            let declares =
                token.is("mod") && self.tokens.get(end).is_some_and(|last| last.marks(';'));
            if !declares && !token.is("use") {
                lines.push(token.line);
            }
            at = end + 1;
        }
        lines
    }

    fn in_tests(&self, index: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&index))
    }

    fn opens_module(&self, at: usize) -> bool {
        self.tokens[at].is("mod") && self.tokens.get(at + 2).is_some_and(|open| open.marks('{'))
    }
}

fn joined(source: &Path, path: &Path) -> Path {
    let mut segments = source.segments.clone();
    segments.extend(path.segments.iter().skip(1).cloned());
    Path {
        segments,
        ..path.clone()
    }
}

fn lines_of<'a>(tokens: impl Iterator<Item = &'a Token>) -> usize {
    let mut last = 0;
    let mut count = 0;
    for token in tokens {
        let first = token.line.max(last + 1);
        count += (token.last_line + 1).saturating_sub(first);
        last = last.max(token.last_line);
    }
    count
}

/// The opening brace of the function at `at`; `None` for a declaration without a body.
fn body_of(tokens: &[Token], at: usize) -> Option<usize> {
    let mut index = at;
    while let Some(token) = tokens.get(index) {
        match token.kind {
            Kind::Mark('{') => return Some(index),
            Kind::Mark(';') => return None,
            Kind::Mark('(' | '[') => index = closing(tokens, index),
            _ => {}
        }
        index += 1;
    }
    None
}

fn test_modules(tokens: &[Token]) -> Vec<Range<usize>> {
    let attributes = tokens
        .windows(3)
        .enumerate()
        .filter(|(_, three)| three[0].marks('#') && three[2].is("cfg"));
    attributes
        .filter_map(|(at, _)| {
            let end = closing(tokens, at + 1);
            let names_test = tokens[at..end]
                .windows(3)
                .any(|three| three[2].is("test") && !three[0].is("not"));
            let item = after_visibility(tokens, after_attributes(tokens, at));
            let inline = tokens.get(item).is_some_and(|token| token.is("mod"))
                && tokens.get(item + 2)?.marks('{');
            (names_test && inline).then(|| at..closing(tokens, item + 2) + 1)
        })
        .collect()
}

fn after_attributes(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token.marks('#')) {
        let open = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|token| token.marks('!')));
        at = closing(tokens, open) + 1;
    }
    at
}

fn after_visibility(tokens: &[Token], at: usize) -> usize {
    let is_public = tokens.get(at).is_some_and(|token| token.is("pub"));
    let is_limited = is_public && tokens.get(at + 1).is_some_and(|token| token.marks('('));
    if is_limited {
        closing(tokens, at + 1) + 1
    } else {
        at + usize::from(is_public)
    }
}

/// The last token of the item at `at`: its semicolon, or the brace that closes its body.
fn item_end(tokens: &[Token], at: usize) -> usize {
    let is_use = tokens.get(at).is_some_and(|token| token.is("use"));
    let mut index = at;
    while let Some(token) = tokens.get(index) {
        match token.kind {
            Kind::Mark(';') => return index,
            Kind::Mark('{') if !is_use => return closing(tokens, index),
            Kind::Mark('{' | '(' | '[') => index = closing(tokens, index),
            _ => {}
        }
        index += 1;
    }
    tokens.len()
}

/// Reads one tree of a `use` from `at`, adds each leaf to `found`, and returns the index after it.
fn use_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    depth: usize,
    found: &mut Vec<Path>,
) -> usize {
    let mut segments = prefix.to_vec();
    let mut alias = None;
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        match &token.kind {
            Kind::Mark('{') => return use_group(tokens, at, &segments, depth, found),
            Kind::Word(word) if word == "as" => {
                at += 1;
                alias = tokens.get(at).and_then(Token::word).map(str::to_owned);
            }
            Kind::Word(word) if word == "self" && !segments.is_empty() => {}
            Kind::Word(word) => segments.push(word.clone()),
            Kind::Mark('*') => segments.push("*".to_owned()),
            Kind::Path => {}
            _ => break,
        }
        at += 1;
    }
    let imported_as = alias.or_else(|| segments.last().cloned());
    found.push(Path {
        segments,
        imported_as,
        line,
        inline_depth: depth,
    });
    at
}

fn use_group(
    tokens: &[Token],
    open: usize,
    prefix: &[String],
    depth: usize,
    found: &mut Vec<Path>,
) -> usize {
    let close = closing(tokens, open);
    let mut at = open + 1;
    while at < close {
        at = use_tree(tokens, at, prefix, depth, found).max(at);
        at += usize::from(at < close);
    }
    close + 1
}

/// Reads the path at `at`, if one begins there, and returns the index after it.
fn plain_path(tokens: &[Token], mut at: usize, depth: usize, found: &mut Vec<Path>) -> usize {
    let Some(first) = tokens[at].word() else {
        return at + 1;
    };
    let line = tokens[at].line;
    let mut segments = vec![first.to_owned()];
    while let [
        Token {
            kind: Kind::Path, ..
        },
        next,
        ..,
    ] = &tokens[at + 1..]
    {
        let segment = match &next.kind {
            Kind::Word(word) => word.clone(),
            Kind::Mark('*') => "*".to_owned(),
            _ => break,
        };
        segments.push(segment);
        at += 2;
    }
    found.push(Path {
        segments,
        imported_as: None,
        line,
        inline_depth: depth,
    });
    at + 1
}
