//! Links to resources and whole resources in a result on `/mcp`: where another backend would be read under the same URI, they are
//! named as `resources/list` names them, so that each can be read as it is given. What `gateway_invoke` hands on stays as it is.

use std::{borrow::Cow, sync::Arc};

use memchr::memmem;
use serde_json::value::{RawValue, to_raw_value};

use super::{
    aggregate::with_uri, catalogue::Kind, facade::Gateway, member::Member, request::Request, uris,
};
use crate::{
    backend::{Answer, CallError},
    protocol::{Message, RawObject, Text},
};

impl Gateway {
    /// An answer with its links as this client can read them; nearly every one stays as it is.
    pub(super) async fn linked(
        self: &Arc<Self>,
        request: &Request,
        member: &Member,
        answer: Result<Answer, CallError>,
    ) -> Result<Answer, CallError> {
        let mut answer = answer?;
        let is_alone = self.table().members().len() < 2;
        if is_alone || memmem::find(answer.message.bytes(), b"\"resource").is_none() {
            return Ok(answer);
        }
        if let Some(message) = Box::pin(self.renamed(request, member, &answer.message)).await {
            answer.message = message;
        }
        Ok(answer)
    }

    async fn renamed(
        self: &Arc<Self>,
        request: &Request,
        member: &Member,
        message: &Message,
    ) -> Option<Message> {
        let (caller, result) = (&request.caller, message.result()?);
        self.freshen(&[Kind::Resources, Kind::Templates], caller)
            .await;
        let named = |uri: &str| {
            let found = self.offering(caller, uri);
            let is_anothers = found.is_some_and(|(found, _)| found.name() != member.name());
            (is_anothers || uris::is_ours(uri)).then(|| uris::named(member.name(), uri))
        };
        let result = with_links(&result, &named)?;
        Some(Message::response(message.id().unwrap_or(b"null"), &result))
    }
}

/// A result of a tool or a prompt in which `named` names what is linked to; none where nothing has another name.
fn with_links(result: &[u8], named: &impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let mut result = RawObject::parse(result)?;
    let (member, blocks): (_, Vec<&RawValue>) = match result.read("content") {
        Some(blocks) => ("content", blocks),
        None => ("messages", result.read("messages")?),
    };
    let mut is_renamed = false;
    let blocks: Vec<Cow<'_, RawValue>> = blocks
        .into_iter()
        .map(|block| match relinked(block, named) {
            Some(block) => {
                is_renamed = true;
                Cow::Owned(block)
            }
            None => Cow::Borrowed(block),
        })
        .collect();
    let blocks = is_renamed.then(|| to_raw_value(&blocks).ok()).flatten()?;
    result.replace(member, &blocks);
    serde_json::to_vec(&result).ok()
}

/// A block of content, or a message with one; none where it stays as it is.
fn relinked(block: &RawValue, named: &impl Fn(&str) -> Option<String>) -> Option<Box<RawValue>> {
    let object: RawObject<'_> = serde_json::from_str(block.get()).ok()?;
    let within = |name: &'static str, value: Box<RawValue>| {
        let mut object: RawObject<'_> = serde_json::from_str(block.get()).ok()?;
        object.replace(name, &value);
        to_raw_value(&object).ok()
    };
    let kind: Option<Text<'_>> = object.read("type");
    match kind.as_ref().map(|Text(kind)| &**kind) {
        Some("resource_link") => renamed(block, named),
        Some("resource") => within("resource", renamed(object.member("resource")?, named)?),
        Some(_) => None,
        None => within("content", relinked(object.member("content")?, named)?),
    }
}

fn renamed(resource: &RawValue, named: &impl Fn(&str) -> Option<String>) -> Option<Box<RawValue>> {
    let text = resource.get().as_bytes();
    let Text(uri) = RawObject::parse(text)?.read("uri")?;
    let renamed = with_uri(text, &named(&uri)?)?;
    RawValue::from_string(String::from_utf8(renamed).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(result: &str) -> Option<String> {
        let named = |uri: &str| (uri == "a:/1").then(|| "mcp-gateway://b/a:/1".to_owned());
        with_links(result.as_bytes(), &named).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn what_another_backend_would_be_read_for_is_named_and_all_else_stays() {
        assert_eq!(
            linked(r#"{"x":1e400,"content":[{"type":"resource_link","uri":"a:/1","n":1.0},{"type":"resource","resource":{"uri":"a:/1","text":""},"y":1},{"type":"resource_link","uri":"a:/2"},{"type":"text","text":"a:/1"},7],"isError":false}"#).unwrap(),
            r#"{"x":1e400,"content":[{"type":"resource_link","uri":"mcp-gateway://b/a:/1","n":1.0},{"type":"resource","resource":{"uri":"mcp-gateway://b/a:/1","text":""},"y":1},{"type":"resource_link","uri":"a:/2"},{"type":"text","text":"a:/1"},7],"isError":false}"#
        );
        assert_eq!(
            linked(r#"{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"a:/1"}}}]}"#).unwrap(),
            r#"{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"mcp-gateway://b/a:/1"}}}]}"#
        );
    }

    #[test]
    fn what_needs_no_other_name_is_not_written_anew() {
        for result in [
            r#"{"content":[{"type":"resource_link","uri":"a:/2"}]}"#,
            r#"{"content":[{"type":"text","text":"\"resource"}]}"#,
            r#"{"content":7}"#,
            r#"{}"#,
        ] {
            assert_eq!(linked(result), None, "{result}");
        }
    }
}
