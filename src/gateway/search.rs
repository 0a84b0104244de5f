//! Finds tools by words, ranked with BM25 over their names and descriptions.

use bm25::{Embedder, EmbedderBuilder, Scorer, Tokenizer};

/// How often the name counts against the description: a tool that is called what is sought comes first.
const NAME_WEIGHT: usize = 3;

/// An index over a list of texts; hits are places in that list.
pub(super) struct SearchIndex {
    embedder: Embedder<u32, Words>,
    scorer: Scorer<usize>,
}

/// One hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) place: usize,
    pub(super) score: f32,
}

impl SearchIndex {
    /// Indexes tools given as server, name and description.
    pub(super) fn new<'a>(tools: impl Iterator<Item = [&'a str; 3]>) -> Self {
        let texts: Vec<String> = tools.map(text).collect();
        let corpus: Vec<&str> = texts.iter().map(String::as_str).collect();
        let embedder =
            EmbedderBuilder::<u32, Words>::with_tokenizer_and_fit_to_corpus(Words, &corpus).build();
        let mut scorer = Scorer::new();
        for (place, text) in corpus.iter().enumerate() {
            scorer.upsert(&place, embedder.embed(text));
        }
        Self { embedder, scorer }
    }

    /// All tools that have one of the words, the best first, equals in the order of the list.
    pub(super) fn find(&self, query: &str) -> Vec<Hit> {
        let mut hits: Vec<Hit> = self
            .scorer
            .matches(&self.embedder.embed(query))
            .into_iter()
            .map(|hit| Hit {
                place: hit.id,
                score: hit.score,
            })
            .collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.place.cmp(&b.place)));
        hits
    }
}

fn text([server, name, description]: [&str; 3]) -> String {
    let mut text = String::new();
    for _ in 0..NAME_WEIGHT {
        text.push_str(name);
        text.push(' ');
    }
    text.push_str(server);
    text.push(' ');
    text.push_str(description);
    text
}

/// Splits at everything that is no letter or digit and where `camelCase` turns, in lower case, plurals without their `s`.
struct Words;

impl Tokenizer for Words {
    fn tokenize(&self, input_text: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut was_lower = false;
        for letter in input_text.chars() {
            let turns = was_lower && letter.is_uppercase();
            if turns || !letter.is_alphanumeric() {
                finish(&mut words, &mut word);
            }
            if letter.is_alphanumeric() {
                word.extend(letter.to_lowercase());
            }
            was_lower = letter.is_lowercase() || letter.is_numeric();
        }
        finish(&mut words, &mut word);
        words
    }
}

fn finish(words: &mut Vec<String>, word: &mut String) {
    if word.is_empty() {
        return;
    }
    let mut word = std::mem::take(word);
    if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
    words.push(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_part_at_signs_and_turns_and_lose_their_plural() {
        assert_eq!(
            Words.tokenize("readTextFiles list_directory HTTP2, größe: class"),
            [
                "read",
                "text",
                "file",
                "list",
                "directory",
                "http2",
                "größe",
                "class"
            ]
        );
    }

    #[test]
    fn the_tool_that_is_called_so_comes_before_one_that_mentions_it() {
        let tools = [
            ["notes", "append", "Append to a file of notes"],
            ["files", "read_file", "Reads from disk"],
            ["web", "fetch", "Gets a page"],
        ];
        let index = SearchIndex::new(tools.into_iter());
        let places: Vec<usize> = index.find("file").iter().map(|hit| hit.place).collect();
        assert_eq!(places, [1, 0]);
        assert!(index.find("weather").is_empty());
    }

    #[test]
    fn equals_come_in_the_order_of_the_list() {
        let tools = [["a", "same", "x"]; 20];
        let index = SearchIndex::new(tools.into_iter());
        let places: Vec<usize> = index.find("same").iter().map(|hit| hit.place).collect();
        assert_eq!(places, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn an_empty_index_finds_nothing() {
        assert!(SearchIndex::new(std::iter::empty()).find("x").is_empty());
    }
}
