//! `cap import`: an OpenAPI document as files of capabilities.

use std::{collections::BTreeSet, fs, io, path::Path, time::Duration};

use super::{args::ImportOptions, key, looked::show, report};
use crate::{
    capability::openapi::{
        DocumentText, Imported, Operation, Selection, Wish, import as import_document, is_url,
        read_document,
    },
    cli::ended::Ended,
    config::written_capability,
};

/// How long a document may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of the files.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// How many were written anew, or hold the same already.
    pub(super) files: usize,
    /// Files that hold something else and were left alone.
    pub(super) kept: Vec<String>,
    /// Where the credentials come from that the capabilities want.
    pub(super) keys: BTreeSet<String>,
}

pub(super) fn import(options: &ImportOptions) -> Result<(), Ended> {
    let bytes = read_document(&options.spec, PATIENCE).map_err(|error| {
        Ended::Failed(format!(
            "{} cannot be read ({error}), so nothing is imported. Mend its name, or try again.",
            options.spec
        ))
    })?;
    let selection = Selection::new(options.include.clone(), options.exclude.clone());
    let wish = Wish {
        base_url: options.base_url.as_deref(),
        document_url: is_url(&options.spec).then_some(options.spec.as_str()),
        selection: &selection,
    };
    let imported = DocumentText::new(&bytes).and_then(|text| import_document(&text, &wish));
    let imported = imported
        .map_err(|why| Ended::Failed(format!("{} {why}. Nothing is imported.", options.spec)))?;
    let written = write_all(&imported, options).map_err(|error| {
        Ended::Failed(format!(
            "The files cannot be written into {} ({error}), so not all are there. Name a directory that can be written with --out.",
            options.out.display()
        ))
    })?;
    let report = report::report(&imported, &written, &options.out);
    if imported.operations.is_empty() || !written.kept.is_empty() {
        Err(Ended::Failed(report))
    } else {
        show(&report)
    }
}

fn write_all(imported: &Imported, options: &ImportOptions) -> io::Result<Written> {
    let mut written = Written::default();
    if !imported.operations.is_empty() {
        fs::create_dir_all(&options.out)?;
    }
    for operation in &imported.operations {
        let name = operation.parts.name.as_str();
        let path = options.out.join(format!("{name}.yaml"));
        let text = text(operation, &imported.title, options, &mut written.keys);
        if !options.force && holds_something_else(&path, &text)? {
            written.kept.push(path.display().to_string());
        } else {
            fs::write(&path, text)?;
            written.files += 1;
        }
    }
    Ok(written)
}

fn text(
    operation: &Operation,
    title: &str,
    options: &ImportOptions,
    keys: &mut BTreeSet<String>,
) -> String {
    let said = options.key.as_deref();
    let scheme = key::shown(&operation.security, said);
    let auth = scheme.as_ref().map(|scheme| {
        (
            scheme,
            said.map_or_else(|| key::named_after(title, scheme), str::to_owned),
        )
    });
    keys.extend(auth.iter().map(|(_, key)| key.clone()));
    written_capability(
        &operation.parts,
        auth.as_ref().map(|(scheme, key)| (*scheme, key.as_str())),
    )
}

fn holds_something_else(path: &Path, text: &str) -> io::Result<bool> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes != text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
