//! All operations of a document: which became capabilities, and why the others did not.

use http::Method;
use serde_json::value::RawValue;

use super::{
    definitions::Shared,
    document::{Document, DocumentText, object_of},
    naming::Names,
    operation::{Found, Operation, Reading, tags},
    selection::{Chosen, Selection},
    server::Servers,
    trouble::Trouble,
};
use crate::{
    capability::{Definition, Executor, Fault},
    protocol::RawObject,
};

/// What a path item calls the operations that bring an answer, and those that bring none.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "patch", "head", "options", "trace",
];
const WITH_ANSWER: usize = 5;

/// How a document is imported.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The URL that all operations are below, over what the document says.
    pub base_url: Option<&'a str>,
    /// Where the document came from, if that is a URL.
    pub document_url: Option<&'a str>,
    /// Which operations are wanted.
    pub selection: &'a Selection,
}

/// What a document gave.
#[derive(Debug)]
pub struct Imported {
    /// What the API is called.
    pub title: Box<str>,
    /// The operations, in the order of the document.
    pub operations: Vec<Operation>,
    /// Those that are left out.
    pub skipped: Vec<Skipped>,
}

/// An operation that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its method and path.
    pub operation: Box<str>,
    /// Why.
    pub trouble: Trouble,
}

/// Reads all operations of a document.
///
/// # Errors
/// The end of a sentence that begins with the document, if it is none that can be read.
pub fn import(text: &DocumentText, wish: &Wish<'_>) -> Result<Imported, String> {
    let document = Document::new(text)?;
    let servers = Servers {
        document: &document,
        base_url: wish.base_url,
        document_url: wish.document_url,
    };
    let shared = Shared::new(&document);
    let title = object_of(&document.root, "info")
        .read::<String>("title")
        .unwrap_or_default();
    let mut import = Import {
        reading: Reading {
            document: &document,
            servers,
            shared,
        },
        names: Names::default(),
        wish,
        imported: Imported {
            title: title.trim().into(),
            operations: Vec::new(),
            skipped: Vec::new(),
        },
    };
    for (path, item) in object_of(&document.root, "paths").0 {
        if !path.starts_with("x-") {
            import.path(&path, item);
        }
    }
    Ok(import.imported)
}

struct Import<'i, 'a> {
    reading: Reading<'i, 'a>,
    names: Names,
    wish: &'i Wish<'i>,
    imported: Imported,
}

impl<'a> Import<'_, 'a> {
    fn path(&mut self, path: &str, item: &'a RawValue) {
        let item = match self.reading.document.object(item) {
            Ok(item) => item,
            Err(trouble) => return self.skip(path, trouble),
        };
        for (index, method) in METHODS.into_iter().enumerate() {
            let Some(operation) = item.member(method) else {
                continue;
            };
            let method = method.to_ascii_uppercase();
            let operation = match self.reading.document.object(operation) {
                Ok(_) if index >= WITH_ANSWER => Err(Trouble::Method(method.clone())),
                Ok(operation) => self.operation((&method, path), &item, &operation),
                Err(trouble) => Err(trouble),
            };
            match operation {
                Ok(operation) => self.imported.operations.push(operation),
                Err(trouble) => self.skip(&format!("{method} {path}"), trouble),
            }
        }
    }

    fn operation(
        &mut self,
        (method, path): (&str, &str),
        item: &RawObject<'a>,
        operation: &RawObject<'a>,
    ) -> Result<Operation, Trouble> {
        let own: Option<String> = operation.read("operationId");
        // A name is given also to what is not taken, so that no choice changes the names of the others.
        let name = self.names.give(own.as_deref(), method, path);
        let tags = tags(operation);
        let names = [own.as_deref().unwrap_or(&name), &name];
        if !self.wish.selection.wants(&Chosen {
            tags: &tags,
            path,
            names,
        }) {
            return Err(Trouble::NotChosen);
        }
        if operation.read("deprecated") == Some(true) {
            return Err(Trouble::Deprecated);
        }
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Trouble::Method(method.to_owned()))?;
        let operation = self.reading.operation(&Found {
            method,
            path,
            name: &name,
            item,
            operation,
        })?;
        usable(operation)
    }

    fn skip(&mut self, operation: &str, trouble: Trouble) {
        self.imported.skipped.push(Skipped {
            operation: operation.into(),
            trouble,
        });
    }
}

/// The operation, if a call of it could be judged and sent.
fn usable(operation: Operation) -> Result<Operation, Trouble> {
    let fault = |fault: Fault| Trouble::Schema(fault.to_string());
    let definition = Definition::new(operation.parts.clone()).map_err(fault)?;
    Executor::check(&definition).map_err(fault)?;
    Ok(operation)
}
