//! One operation as a capability.

use std::time::Duration;

use http::Method;

use super::{
    arguments::{Arguments, Wanted},
    body::Reader,
    definitions::{Shared, Written},
    document::Document,
    parameter::{Placed, parameters},
    path::{Part, parts, template, without_query},
    security::{Security, security},
    server::Servers,
    trouble::Trouble,
};
use crate::{
    capability::{
        CachePolicy, Endpoint, Metadata, Name, Parts, Piece, Provider, QueryParam, ResponseSpec,
        RestCall, Service, Transform,
    },
    protocol::RawObject,
};

/// How long one attempt may take, as in a file that says nothing of it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An operation that is a capability but for the credential that it wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The capability without a credential.
    pub parts: Parts,
    /// What it wants to be shown.
    pub security: Security,
}

/// An operation where the document has it.
pub(super) struct Found<'f, 'a> {
    pub(super) method: Method,
    pub(super) path: &'f str,
    pub(super) name: &'f str,
    pub(super) item: &'f RawObject<'a>,
    pub(super) operation: &'f RawObject<'a>,
}

/// What operations are read with.
pub(super) struct Reading<'r, 'a> {
    pub(super) document: &'r Document<'a>,
    pub(super) servers: Servers<'r, 'a>,
    pub(super) shared: Shared<'r, 'a>,
}

impl<'a> Reading<'_, 'a> {
    /// The capability that an operation is.
    ///
    /// # Errors
    /// What keeps it from being one.
    pub(super) fn operation(&mut self, found: &Found<'_, 'a>) -> Result<Operation, Trouble> {
        let security = security(found.operation, self.document)?;
        let server = self.servers.of(found.operation, found.item)?;
        let mut arguments = Arguments::default();
        let at = (found.item, found.operation);
        let mut placed = parameters(at, self.document, &mut self.shared, &mut arguments)?;
        let (path, fixed) = without_query(found.path);
        fill_path(path, &mut placed, &mut arguments);
        let mut reader = Reader {
            document: self.document,
            shared: &mut self.shared,
            arguments: &mut arguments,
        };
        let sent = reader.body(found.operation)?;
        let path = template(&server.path, path, |name| {
            let place = placed.path.iter().find(|(known, _)| known == name);
            place.map(|(_, pieces)| pieces.clone()).unwrap_or_default()
        })?;
        let (body, header) = sent.map_or((None, None), |sent| (Some(sent.body), sent.header));
        placed.headers.extend(header);
        let known = |param: &QueryParam| placed.query.iter().any(|other| other.name == param.name);
        let fixed: Vec<_> = fixed.into_iter().filter(|param| !known(param)).collect();
        placed.query.extend(fixed);
        let call = RestCall {
            method: found.method.clone(),
            endpoint: Endpoint {
                origin: server.origin,
                path,
            },
            headers: placed.headers,
            query: placed.query,
            body,
        };
        let input = arguments.schema(&mut self.shared)?;
        let malformed = |what: &str| Trouble::Malformed(what.to_owned());
        let parts = Parts {
            name: Name::new(found.name).map_err(|_| malformed("its name"))?,
            description: description(found).into(),
            input,
            output: None,
            primary: Provider {
                service: Service::Rest(call),
                timeout: TIMEOUT,
                static_params: Vec::new(),
                response: ResponseSpec::default(),
            },
            fallbacks: Vec::new(),
            auth: None,
            cache: CachePolicy::Off,
            metadata: Metadata {
                tags: tags(found.operation),
                ..Metadata::default()
            },
            transform: Transform::default(),
        };
        Ok(Operation { parts, security })
    }
}

/// Names in the path that no parameter describes are texts that must be there.
fn fill_path(path: &str, placed: &mut Placed, arguments: &mut Arguments) {
    for part in parts(path) {
        let Part::Named(name) = part else { continue };
        if placed.path.iter().any(|(known, _)| known == name) {
            continue;
        }
        let argument = arguments.add(Wanted {
            name,
            place: "path",
            schema: Written::of(r#"{"type":"string"}"#),
            required: true,
            description: None,
        });
        placed
            .path
            .push((name.to_owned(), vec![Piece::Parameter(argument.into())]));
    }
}

/// The operation's tags.
pub(super) fn tags(operation: &RawObject<'_>) -> Vec<Box<str>> {
    operation.read("tags").unwrap_or_default()
}

/// What the document says of it: a line, and more where there is more.
fn description(found: &Found<'_, '_>) -> String {
    let text = |key: &str| {
        found
            .operation
            .read::<String>(key)
            .or_else(|| found.item.read(key))
            .unwrap_or_default()
    };
    let (summary, more) = (text("summary"), text("description"));
    let (summary, more) = (summary.trim(), more.trim());
    match (summary, more) {
        ("", "") => format!("{} {}", found.method, found.path),
        (text, "") | ("", text) => text.to_owned(),
        (summary, more) if more.starts_with(summary) => more.to_owned(),
        (summary, more) => format!("{summary}\n\n{more}"),
    }
}
