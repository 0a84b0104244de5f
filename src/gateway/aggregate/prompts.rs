//! prompts/get and completion/complete on `/mcp`: prompts are named `backend/prompt`.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::to_raw_value;

use crate::{
    gateway::{
        facade::Gateway,
        member::Member,
        raw_object::{RawObject, Text},
        replies::Refusal,
        request::Request,
        transparent::finished,
    },
    protocol::Message,
};

impl Gateway {
    pub(super) async fn get_prompt(self: &Arc<Self>, request: &Request) -> Result<Bytes, Refusal> {
        let name = request.message.name().unwrap_or_default();
        let (member, own_name) = self.prompt(request, &name)?;
        let message = request.message.edit().name(own_name).finish_message();
        let answer = self.forward(request, member, message, true).await;
        Ok(finished(request, member, answer))
    }

    /// A completion goes to the backend of the prompt or resource that it is for.
    pub(super) async fn complete(self: &Arc<Self>, request: &Request) -> Result<Bytes, Refusal> {
        let params = request.message.params().unwrap_or_default();
        let object = RawObject::parse(&params).unwrap_or_default();
        let reference: RawObject<'_> = object.read("ref").ok_or_else(no_reference)?;
        let (member, message) = match (reference.read("name"), reference.read("uri")) {
            (Some(Text(name)), _) => {
                let (member, own_name) = self.prompt(request, &name)?;
                (
                    Arc::clone(member),
                    renamed(request, object, reference, own_name),
                )
            }
            (None, Some(Text(uri))) => {
                let member = self.backend_of(request, &uri).await?;
                (member, Some(request.message.clone()))
            }
            (None, None) => return Err(no_reference()),
        };
        let message = message.ok_or_else(no_reference)?;
        let answer = self.forward(request, &member, message, true).await;
        Ok(finished(request, &member, answer))
    }

    /// The backend of a prompt, and the prompt's own name there.
    fn prompt<'a>(
        &self,
        request: &Request,
        name: &'a str,
    ) -> Result<(&Arc<Member>, &'a str), Refusal> {
        let unknown = || Refusal::UnknownPrompt(name.into());
        let (backend, own_name) = name.split_once('/').ok_or_else(unknown)?;
        if self.find(backend).is_none() {
            return Err(unknown());
        }
        Ok((self.member(backend, &request.caller)?, own_name))
    }
}

/// The request with the prompt's own name in its `ref`, every other value as it was.
fn renamed<'a>(
    request: &Request,
    mut params: RawObject<'a>,
    mut reference: RawObject<'a>,
    own_name: &str,
) -> Option<Message> {
    let name = to_raw_value(own_name).ok()?;
    // Both borrow from here on what lives no longer than this function.
    let mut reference = RawObject(std::mem::take(&mut reference.0));
    reference.replace("name", &name);
    let reference = to_raw_value(&reference).ok()?;
    let mut params = RawObject(std::mem::take(&mut params.0));
    params.replace("ref", &reference);
    let params = serde_json::to_vec(&params).ok()?;
    Some(Message::request(
        request.id(),
        "completion/complete",
        Some(&params),
    ))
}

fn no_reference() -> Refusal {
    Refusal::InvalidParams(
        "`completion/complete` came without a `ref` that names a prompt or a resource, so nothing was asked. Send `ref: {type, name}` or `ref: {type, uri}`.".into(),
    )
}
