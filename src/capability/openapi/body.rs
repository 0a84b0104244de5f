//! The body of an operation: its members become arguments where it is a plain object, and else it is one argument.

use http::{HeaderName, HeaderValue, header};
use serde_json::value::RawValue;

use super::{
    arguments::{Arguments, Wanted},
    definitions::Shared,
    document::{Document, object_of},
    media::Media,
    parameter::spread,
    plain_object::{Member, PlainObject},
    trouble::Trouble,
};
use crate::{
    capability::{Body, QueryParam, Template, ValueTemplate},
    protocol::RawObject,
};

/// What is sent, and the header that says what it is where that is not plain.
pub(super) struct Sent {
    pub(super) body: Body,
    pub(super) header: Option<(HeaderName, Template)>,
}

/// Who is asked while a body is read.
pub(super) struct Reader<'r, 's, 'a> {
    pub(super) document: &'r Document<'a>,
    pub(super) shared: &'r mut Shared<'s, 'a>,
    pub(super) arguments: &'r mut Arguments,
}

impl<'a> Reader<'_, '_, 'a> {
    /// The body of an operation, if it has one that can be sent. One that need not be sent is left out where it cannot be.
    ///
    /// # Errors
    /// If it must be sent and cannot be.
    pub(super) fn body(&mut self, operation: &RawObject<'a>) -> Result<Option<Sent>, Trouble> {
        let Some(raw) = operation.member("requestBody") else {
            return Ok(None);
        };
        let request = self.document.object(raw)?;
        let required = request.read("required") == Some(true);
        let content = object_of(&request, "content");
        let best = content
            .0
            .iter()
            .min_by_key(|(media_type, _)| Media::of(media_type));
        let Some((media_type, media)) = best else {
            return Ok(None);
        };
        if Media::of(media_type) == Media::Other {
            let types: Vec<&str> = content.0.iter().map(|(name, _)| &**name).collect();
            return if required {
                Err(Trouble::BodyType(types.join(" or ")))
            } else {
                Ok(None)
            };
        }
        let media = self.document.object(media)?;
        let about = About {
            description: request.read("description"),
            required,
        };
        self.in_type(media_type, &media, about).map(Some)
    }

    fn in_type(
        &mut self,
        media_type: &str,
        media: &RawObject<'a>,
        about: About,
    ) -> Result<Sent, Trouble> {
        let body = match (Media::of(media_type), media.member("schema")) {
            (Media::Json, Some(schema)) => Body::Json(self.json(schema, about)?),
            (Media::Json, None) => Body::Json(ValueTemplate::Text(self.whole("{}", about))),
            (Media::Form, schema) => Body::Form(self.form(schema, media)?),
            (Media::Text | Media::Other, _) => Body::Text {
                content_type: content_type(media_type)?,
                text: self.whole(r#"{"type":"string"}"#, about),
            },
        };
        let plain = matches!(media_type, "application/json" | "*/*" | "application/*");
        let header = (matches!(body, Body::Json(_)) && !plain)
            .then(|| (header::CONTENT_TYPE, Template::text(media_type)));
        Ok(Sent { body, header })
    }

    fn json(&mut self, schema: &'a RawValue, about: About) -> Result<ValueTemplate, Trouble> {
        let plain = PlainObject::read(schema, self.document);
        // Members that must be there make the body one that must be there: so it is one argument where it need not be.
        let spread = plain.filter(|object| {
            about.required || object.members.iter().all(|member| !member.required)
        });
        let Some(object) = spread else {
            let written = self.shared.write(schema)?;
            let name = self.arguments.add(Wanted {
                name: "body",
                place: "body",
                schema: written,
                required: about.required,
                description: about.description,
            });
            return Ok(ValueTemplate::Text(Template::parameter(&name)));
        };
        let members = object.members.iter().map(|member| {
            let name = self.member(member)?;
            Ok((
                member.name.as_str().into(),
                ValueTemplate::Text(Template::parameter(&name)),
            ))
        });
        Ok(ValueTemplate::Map(members.collect::<Result<_, Trouble>>()?))
    }

    fn form(
        &mut self,
        schema: Option<&'a RawValue>,
        media: &RawObject<'a>,
    ) -> Result<Vec<QueryParam>, Trouble> {
        let plain = schema.and_then(|schema| PlainObject::read(schema, self.document));
        let object = plain
            .ok_or_else(|| Trouble::BodyType("a form whose fields are not known".to_owned()))?;
        let encodings = object_of(media, "encoding");
        let fields = object.members.iter().map(|member| {
            let name = self.member(member)?;
            let encoding = object_of(&encodings, &member.name);
            let style: String = encoding.read("style").unwrap_or_default();
            Ok(QueryParam {
                name: member.name.as_str().into(),
                value: Template::parameter(&name),
                spread: spread(&style, encoding.read("explode")),
            })
        });
        fields.collect()
    }

    fn member(&mut self, member: &Member<'a>) -> Result<String, Trouble> {
        let schema = self.shared.write(member.schema)?;
        Ok(self.arguments.add(Wanted {
            name: &member.name,
            place: "body",
            schema,
            required: member.required,
            description: None,
        }))
    }

    fn whole(&mut self, schema: &str, about: About) -> Template {
        let name = self.arguments.add(Wanted {
            name: "body",
            place: "body",
            schema: super::definitions::Written::of(schema),
            required: about.required,
            description: about.description,
        });
        Template::parameter(&name)
    }
}

/// What is said of a body besides what it is.
struct About {
    description: Option<String>,
    required: bool,
}

fn content_type(media_type: &str) -> Result<HeaderValue, Trouble> {
    let text = if media_type.contains('*') {
        "text/plain"
    } else {
        media_type
    };
    HeaderValue::from_str(text).map_err(|_| Trouble::BodyType(media_type.to_owned()))
}
