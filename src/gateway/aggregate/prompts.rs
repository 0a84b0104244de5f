//! prompts/get and completion/complete on `/mcp`: prompts are named `backend/prompt`, and where names are plain, the first
//! of each name as its backend names it.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::to_raw_value;

use crate::{
    gateway::{
        Naming, catalogue::Kind, facade::Gateway, inbound::Caller, member::Member,
        replies::Refusal, request::Request, table::Table, transparent::finished,
    },
    protocol::{Message, RawObject, Text},
};

impl Gateway {
    pub(super) async fn get_prompt(self: &Arc<Self>, request: &Request) -> Result<Bytes, Refusal> {
        let name = request.message.name().unwrap_or_default();
        let (member, own_name) = self.prompt(request, &name).await?;
        let message = request.message.edit().name(own_name).finish_message();
        let answer = self.forward(request, &member, message, true).await;
        let answer = self.linked(request, &member, answer).await;
        Ok(finished(request, &member, answer))
    }

    /// A completion goes to the backend of the prompt or resource that it is for.
    pub(super) async fn complete(self: &Arc<Self>, request: &Request) -> Result<Bytes, Refusal> {
        let params = request.message.params().unwrap_or_default();
        let object = RawObject::parse(&params).unwrap_or_default();
        let reference: RawObject<'_> = object.read("ref").ok_or_else(no_reference)?;
        let (member, message) = match (reference.read("name"), reference.read("uri")) {
            (Some(Text(name)), _) => {
                let (member, own_name) = self.prompt(request, &name).await?;
                (
                    member,
                    respelt(request, object, reference, "name", own_name),
                )
            }
            (None, Some(Text(uri))) => {
                let (member, own) = self.backend_of(request, &uri).await?;
                let message = if own == uri {
                    Some(request.message.clone())
                } else {
                    respelt(request, object, reference, "uri", own)
                };
                (member, message)
            }
            (None, None) => return Err(no_reference()),
        };
        let message = message.ok_or_else(no_reference)?;
        let answer = self.forward(request, &member, message, true).await;
        Ok(finished(request, &member, answer))
    }

    /// The backend of a prompt, and the prompt's own name there.
    async fn prompt<'a>(
        self: &Arc<Self>,
        request: &Request,
        name: &'a str,
    ) -> Result<(Arc<Member>, &'a str), Refusal> {
        let caller = &request.caller;
        if let Some(member) = self.plain_prompt(name) {
            return own(member, caller, name);
        }
        if let Some((backend, own_name)) = name.split_once('/')
            && self.table().find(backend).is_some()
        {
            return Ok((self.member(backend, caller)?, own_name));
        }
        if self.names_are_plain() {
            self.freshen(&[Kind::Prompts], caller).await;
        }
        let member = self.plain_prompt(name);
        own(
            member.ok_or_else(|| Refusal::UnknownPrompt(name.into()))?,
            caller,
            name,
        )
    }

    fn plain_prompt(&self, own_name: &str) -> Option<Arc<Member>> {
        self.table().plain_prompt(own_name).cloned()
    }

    fn names_are_plain(&self) -> bool {
        self.table().names_are_plain()
    }
}

impl Table {
    /// The name of a backend's prompt on `/mcp`.
    pub(in crate::gateway) fn prompt_name(&self, member: &Member, own_name: &str) -> String {
        match self.plain_prompt(own_name) {
            Some(first) if first.name() == member.name() => own_name.to_owned(),
            _ => [member.name(), "/", own_name].concat(),
        }
    }

    /// The backend whose prompt needs no prefix: the first that offers one of this name, whoever asks.
    fn plain_prompt(&self, own_name: &str) -> Option<&Arc<Member>> {
        let offers = |member: &&Arc<Member>| {
            let listing = member.catalogue().listing(Kind::Prompts);
            listing.is_some_and(|listing| listing.find(own_name).is_some())
        };
        let members = self.names_are_plain().then(|| self.members())?;
        members.iter().find(offers)
    }

    fn names_are_plain(&self) -> bool {
        self.settings().meta_mcp.naming == Naming::Plain
    }
}

/// A prompt under its own name; who may not use its backend does not learn which it is.
fn own<'a>(
    member: Arc<Member>,
    caller: &Caller,
    name: &'a str,
) -> Result<(Arc<Member>, &'a str), Refusal> {
    if !caller.may_use(member.name()) {
        return Err(Refusal::UnknownPrompt(name.into()));
    }
    Ok((member, name))
}

/// The request with another `name` or `uri` in its `ref`, every other value as it was.
fn respelt<'a>(
    request: &Request,
    mut params: RawObject<'a>,
    mut reference: RawObject<'a>,
    key: &'static str,
    own_name: &str,
) -> Option<Message> {
    let name = to_raw_value(own_name).ok()?;
    // Both borrow from here on what lives no longer than this function.
    let mut reference = RawObject(std::mem::take(&mut reference.0));
    reference.replace(key, &name);
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
