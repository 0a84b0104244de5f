//! What a Rust file is made of, as far as the floor rules need it: words and marks with their lines, no comments.

/// One word, mark or literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier, a keyword or a number.
    Word(String),
    /// `::`
    Path,
    /// Any other single mark.
    Mark(char),
    /// A string or character literal; what it says is not code.
    Literal,
}

/// A token and the lines it covers, counted from 1.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) line: usize,
    pub(crate) last_line: usize,
}

impl Token {
    /// Whether this is the word.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    /// Whether this is the mark.
    pub(crate) fn marks(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// The word, if it is one.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// Reads a file into tokens. It never fails: what it does not know is a mark.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader {
        chars: text.chars().collect(),
        at: 0,
        line: 1,
        tokens: Vec::new(),
    };
    while reader.at < reader.chars.len() {
        reader.step();
    }
    reader.tokens
}

/// The index of the mark that closes the bracket at `open`, or the end.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Mark('{' | '(' | '[') => depth += 1,
            Kind::Mark('}' | ')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Reader {
    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.skip_until('\n'),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('\'', _) => self.quote(),
            (':', ':') => self.push(Kind::Path, 2),
            (c, _) if c.is_whitespace() => self.advance(1),
            (c, _) if c.is_alphanumeric() || c == '_' => self.word(),
            (c, _) => self.push(Kind::Mark(c), 1),
        }
    }

    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn advance(&mut self, count: usize) {
        let end = (self.at + count).min(self.chars.len());
        self.line += self.chars[self.at..end]
            .iter()
            .filter(|c| **c == '\n')
            .count();
        self.at = end;
    }

    fn push(&mut self, kind: Kind, count: usize) {
        let line = self.line;
        self.advance(count);
        self.tokens.push(Token {
            kind,
            line,
            last_line: self.line,
        });
    }

    fn skip_until(&mut self, end: char) {
        while self.at < self.chars.len() && self.peek(0) != end {
            self.advance(1);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ if self.at >= self.chars.len() => return,
                _ => {
                    self.advance(1);
                    continue;
                }
            }
            self.advance(2);
            if depth == 0 {
                return;
            }
        }
    }

    fn word(&mut self) {
        let length = self.chars[self.at..]
            .iter()
            .take_while(|c| c.is_alphanumeric() || **c == '_')
            .count();
        let word: String = self.chars[self.at..self.at + length].iter().collect();
        let hashes = self.chars[self.at + length..]
            .iter()
            .take_while(|c| **c == '#')
            .count();
        let quoted = self.peek(length + hashes) == '"';
        match word.as_str() {
            "r" | "br" | "cr" if quoted => self.raw_string(length, hashes),
            "b" | "c" if quoted && hashes == 0 => {
                self.advance(length);
                self.string();
            }
            "b" if self.peek(length) == '\'' => {
                self.advance(length);
                self.quote();
            }
            _ => self.push(Kind::Word(word), length),
        }
    }

    fn string(&mut self) {
        let mut length = 1;
        while self.at + length < self.chars.len() && self.peek(length) != '"' {
            length += if self.peek(length) == '\\' { 2 } else { 1 };
        }
        self.push(Kind::Literal, length + 1);
    }

    fn raw_string(&mut self, prefix: usize, hashes: usize) {
        let mut length = prefix + hashes + 1;
        let ends = |reader: &Self, at: usize| {
            reader.peek(at) == '"' && (1..=hashes).all(|n| reader.peek(at + n) == '#')
        };
        while self.at + length < self.chars.len() && !ends(self, length) {
            length += 1;
        }
        self.push(Kind::Literal, length + 1 + hashes);
    }

    /// A character literal or a lifetime: `'x'` and `'\..'` are literals, `'x` is not.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            let mut length = 3;
            while self.at + length < self.chars.len() && self.peek(length) != '\'' {
                length += 1;
            }
            self.push(Kind::Literal, length + 1);
        } else if self.peek(2) == '\'' {
            self.push(Kind::Literal, 3);
        } else {
            self.push(Kind::Mark('\''), 1);
        }
    }
}
