//! The parameters of an operation: what their arguments are, and where in the request they stand.

use http::{HeaderName, header};
use serde_json::value::RawValue;

use super::{
    arguments::{Arguments, Wanted},
    definitions::{Shared, Written},
    document::{Document, list_of, object_of},
    trouble::Trouble,
};
use crate::{
    capability::{Piece, QueryParam, Spread, Template},
    protocol::RawObject,
};

/// An argument that is a JSON text, because only a text can stand where it goes.
const JSON_TEXT: &str = r#"{"type":"string","contentMediaType":"application/json"}"#;

/// Where the arguments of parameters stand in the request.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// What stands in the path for a name in braces.
    pub(super) path: Vec<(String, Vec<Piece>)>,
    pub(super) query: Vec<QueryParam>,
    pub(super) headers: Vec<(HeaderName, Template)>,
    cookies: Vec<(String, String, bool)>,
}

/// One parameter as the document has it.
struct Parameter<'a> {
    name: String,
    place: Place,
    required: bool,
    object: RawObject<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

/// Reads the parameters of a path and those of one of its operations, which come before the former.
///
/// # Errors
/// If one that is required cannot be sent.
pub(super) fn parameters<'a>(
    (path, operation): (&RawObject<'a>, &RawObject<'a>),
    document: &Document<'a>,
    shared: &mut Shared<'_, 'a>,
    arguments: &mut Arguments,
) -> Result<Placed, Trouble> {
    let mut placed = Placed::default();
    for parameter in all(path, operation, document)? {
        if let Err(trouble) = placed.add(&parameter, shared, arguments)
            && parameter.required
        {
            return Err(trouble);
        }
    }
    placed.put_cookies();
    Ok(placed)
}

fn all<'a>(
    path: &RawObject<'a>,
    operation: &RawObject<'a>,
    document: &Document<'a>,
) -> Result<Vec<Parameter<'a>>, Trouble> {
    let mut found: Vec<Parameter<'a>> = Vec::new();
    let own = list_of(operation, "parameters");
    for raw in own.into_iter().chain(list_of(path, "parameters")) {
        let parameter = Parameter::read(raw, document)?;
        let known =
            |other: &Parameter<'_>| other.name == parameter.name && other.place == parameter.place;
        if !found.iter().any(known) && !parameter.is_ours() {
            found.push(parameter);
        }
    }
    found.sort_by_key(|parameter| !parameter.required);
    Ok(found)
}

impl<'a> Parameter<'a> {
    fn read(raw: &'a RawValue, document: &Document<'a>) -> Result<Self, Trouble> {
        let object = document.object(raw)?;
        let malformed = || Trouble::Malformed("a parameter".to_owned());
        let name: String = object.read("name").ok_or_else(malformed)?;
        let place = match object.read::<String>("in").as_deref() {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            Some("header") => Place::Header,
            Some("cookie") => Place::Cookie,
            _ => return Err(malformed()),
        };
        let required = place == Place::Path || object.read("required") == Some(true);
        Ok(Self {
            name,
            place,
            required,
            object,
        })
    }

    /// Headers that are never parameters (OpenAPI 3.1.1, 4.8.12.2).
    fn is_ours(&self) -> bool {
        let ours = ["accept", "content-type", "authorization"];
        self.place == Place::Header && ours.contains(&self.name.to_ascii_lowercase().as_str())
    }

    /// The schema of its argument, and whether that is a JSON text.
    fn schema(&self, shared: &mut Shared<'_, 'a>) -> Result<Written, Trouble> {
        let written = self
            .object
            .member("schema")
            .map(|schema| shared.write(schema));
        match written {
            Some(written) => written,
            None if self.object.member("content").is_some() => Ok(Written::of(JSON_TEXT)),
            None => Ok(Written::of(r#"{"type":"string"}"#)),
        }
    }

    fn description(&self) -> Option<String> {
        let own: Option<String> = self.object.read("description");
        let schema = || object_of(&self.object, "schema").read("description");
        own.filter(|text| !text.trim().is_empty()).or_else(schema)
    }

    /// The header of a parameter that is one. The name of a cookie is of the same letters (RFC 6265, 4.1.1).
    fn header(&self) -> Result<Option<HeaderName>, Trouble> {
        if !matches!(self.place, Place::Header | Place::Cookie) {
            return Ok(None);
        }
        let name: Result<HeaderName, _> = self.name.parse();
        let name = name.map_err(|_| Trouble::Style(self.name.clone()))?;
        Ok((self.place == Place::Header).then_some(name))
    }

    fn style(&self) -> String {
        self.object.read("style").unwrap_or_default()
    }

    fn spread(&self) -> Spread {
        spread(&self.style(), self.object.read("explode"))
    }
}

/// How an array or an object is written into a query or a form (OpenAPI 3.1.1, 4.8.12.3).
pub(super) fn spread(style: &str, explode: Option<bool>) -> Spread {
    match (style, explode) {
        ("deepObject", _) => Spread::Brackets,
        ("spaceDelimited", None | Some(false)) => Spread::Spaces,
        ("pipeDelimited", None | Some(false)) => Spread::Pipes,
        (_, Some(false)) => Spread::Commas,
        _ => Spread::Repeated,
    }
}

impl Placed {
    fn add<'a>(
        &mut self,
        parameter: &Parameter<'a>,
        shared: &mut Shared<'_, 'a>,
        arguments: &mut Arguments,
    ) -> Result<(), Trouble> {
        let header = parameter.header()?;
        let schema = parameter.schema(shared)?;
        let place = match parameter.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        };
        let name = arguments.add(Wanted {
            name: &parameter.name,
            place,
            schema,
            required: parameter.required,
            description: parameter.description(),
        });
        match header {
            Some(header) => self.headers.push((header, Template::parameter(&name))),
            None if parameter.place == Place::Path => self
                .path
                .push((parameter.name.clone(), in_path(parameter, &name))),
            None if parameter.place == Place::Query => self.query.push(QueryParam {
                name: parameter.name.as_str().into(),
                value: Template::parameter(&name),
                spread: parameter.spread(),
            }),
            None => self
                .cookies
                .push((parameter.name.clone(), name, parameter.required)),
        }
        Ok(())
    }

    /// All cookies stand in one header (RFC 6265, 5.4), which is left out when one of them is absent: so one that may be
    /// absent is sent only where it is alone.
    fn put_cookies(&mut self) {
        let sure: Vec<_> = self
            .cookies
            .iter()
            .filter(|(_, _, required)| *required)
            .collect();
        let sent = match (sure.is_empty(), self.cookies.as_slice()) {
            (true, [alone]) => vec![alone],
            _ => sure,
        };
        let mut pieces = Vec::new();
        for (index, (cookie, argument, _)) in sent.into_iter().enumerate() {
            let before = if index == 0 { "" } else { "; " };
            pieces.push(Piece::Text(format!("{before}{cookie}=").into()));
            pieces.push(Piece::Parameter(argument.as_str().into()));
        }
        if !pieces.is_empty() {
            self.headers.push((header::COOKIE, Template::new(pieces)));
        }
    }
}

/// A parameter in a path in its style; arrays and objects are left to whoever fills the template.
fn in_path(parameter: &Parameter<'_>, argument: &str) -> Vec<Piece> {
    let value = Piece::Parameter(argument.into());
    match parameter.style().as_str() {
        "label" => vec![Piece::Text(".".into()), value],
        "matrix" => vec![Piece::Text(format!(";{}=", parameter.name).into()), value],
        _ => vec![value],
    }
}
