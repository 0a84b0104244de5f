//! The schemas that are referred to: each is written once for the whole document, and given to the operations that need it.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::value::RawValue;

use super::{
    document::Document,
    schema::{Definitions, Writer},
    trouble::Trouble,
};

/// What the definitions of one operation may take, in bytes. A model reads the whole of it with each list of tools, and the
/// largest known bodies refer to half a megabyte; what is farther away than that takes anything, and the provider judges.
const LONGEST: usize = 48 << 10;
/// What stands for a schema that found no more room.
const ANYTHING: &str =
    r#"{"description":"Left out here for its length: see the API's own documentation."}"#;

/// A schema as it is written now, and the schemas that it refers to.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) text: String,
    refers: Vec<Use>,
}

impl Written {
    /// A schema without references, as it is.
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            refers: Vec::new(),
        }
    }
}

/// A reference to a definition.
#[derive(Clone, Copy, Debug)]
struct Use {
    definition: usize,
    /// About the value itself that refers to it.
    same: bool,
}

/// All schemas of a document that were referred to so far.
pub(super) struct Shared<'d, 'a> {
    document: &'d Document<'a>,
    known: HashMap<String, usize>,
    names: HashSet<String>,
    list: Vec<Definition<'a>>,
}

struct Definition<'a> {
    name: String,
    raw: &'a RawValue,
    written: Option<Written>,
}

impl<'d, 'a> Shared<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>) -> Self {
        Self {
            document,
            known: HashMap::new(),
            names: HashSet::new(),
            list: Vec::new(),
        }
    }

    /// Writes a schema anew.
    ///
    /// # Errors
    /// If it is no schema, or has a reference that leads nowhere.
    pub(super) fn write(&mut self, raw: &'a RawValue) -> Result<Written, Trouble> {
        let mut references = References {
            shared: self,
            refers: Vec::new(),
        };
        let document = references.shared.document;
        let mut writer = Writer {
            document,
            definitions: &mut references,
            out: String::new(),
        };
        writer.schema(raw, true, 0)?;
        let text = writer.out;
        Ok(Written {
            text,
            refers: references.refers,
        })
    }

    /// The members of `$defs` that these schemas need, those that are nearest first; empty if they need none.
    ///
    /// # Errors
    /// If one of them cannot be written, or is about itself without end.
    pub(super) fn needed_by(&mut self, schemas: &[Written]) -> Result<String, Trouble> {
        let mut waiting: VecDeque<usize> = VecDeque::new();
        let mut seen = HashSet::new();
        let mut text = String::new();
        let enter = |uses: &[Use], waiting: &mut VecDeque<usize>, seen: &mut HashSet<usize>| {
            waiting.extend(
                uses.iter()
                    .map(|used| used.definition)
                    .filter(|definition| seen.insert(*definition)),
            );
        };
        schemas
            .iter()
            .for_each(|schema| enter(&schema.refers, &mut waiting, &mut seen));
        while let Some(next) = waiting.pop_front() {
            self.ensure(next)?;
            let definition = &self.list[next];
            let written = definition.written.as_ref();
            let fits = written.filter(|written| text.len() + written.text.len() <= LONGEST);
            if let Some(written) = fits {
                enter(&written.refers, &mut waiting, &mut seen);
            }
            let comma = if text.is_empty() { "" } else { "," };
            let schema = fits.map_or(ANYTHING, |written| &written.text);
            text.push_str(&format!(r#"{comma}"{}":{schema}"#, definition.name));
        }
        self.without_circle(&seen)?;
        Ok(text)
    }

    fn ensure(&mut self, definition: usize) -> Result<(), Trouble> {
        if self.list[definition].written.is_none() {
            let written = self.write(self.list[definition].raw)?;
            self.list[definition].written = Some(written);
        }
        Ok(())
    }

    /// A schema that is about the same value as itself can never be judged: who tries does not come to an end.
    fn without_circle(&self, definitions: &HashSet<usize>) -> Result<(), Trouble> {
        let mut done = HashSet::new();
        definitions
            .iter()
            .try_for_each(|start| self.descend(*start, &mut Vec::new(), &mut done))
    }

    fn descend(
        &self,
        at: usize,
        way: &mut Vec<usize>,
        done: &mut HashSet<usize>,
    ) -> Result<(), Trouble> {
        if way.contains(&at) {
            return Err(Trouble::Circle(self.list[at].name.clone()));
        }
        if !done.insert(at) {
            return Ok(());
        }
        way.push(at);
        let written = self.list[at].written.as_ref();
        for used in written
            .iter()
            .flat_map(|written| &written.refers)
            .filter(|used| used.same)
        {
            self.descend(used.definition, way, done)?;
        }
        way.pop();
        Ok(())
    }

    fn definition(&mut self, reference: &str) -> Result<usize, Trouble> {
        if let Some(known) = self.known.get(reference) {
            return Ok(*known);
        }
        let raw = self.document.target(reference)?;
        let name = self.free_name(reference);
        let definition = self.list.len();
        self.list.push(Definition {
            name,
            raw,
            written: None,
        });
        self.known.insert(reference.to_owned(), definition);
        Ok(definition)
    }

    /// The last step of the reference in letters that need no escape, with a number if another has it.
    fn free_name(&mut self, reference: &str) -> String {
        let last = reference.rsplit('/').next().unwrap_or_default();
        let fits =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
        let name: String = last
            .chars()
            .map(|letter| if fits(letter) { letter } else { '_' })
            .collect();
        let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
        let name = std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !self.names.contains(name))
            .unwrap_or_default();
        self.names.insert(name.clone());
        name
    }
}

/// Notes what one schema refers to.
struct References<'s, 'd, 'a> {
    shared: &'s mut Shared<'d, 'a>,
    refers: Vec<Use>,
}

impl Definitions for References<'_, '_, '_> {
    fn name(&mut self, reference: &str, same: bool) -> Result<String, Trouble> {
        let definition = self.shared.definition(reference)?;
        self.refers.push(Use { definition, same });
        Ok(self.shared.list[definition].name.clone())
    }
}
