//! Resources on `/mcp`: the backend is the one that lists the URI, or has a template for it; or the one that the URI names.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    gateway::{
        catalogue::Kind,
        facade::Gateway,
        inbound::Caller,
        member::Member,
        notices::{is_of, sees},
        replies::Refusal,
        request::Request,
        sessions::Session,
        transparent::finished,
        uri_template::{could_be, written},
        uris,
    },
    protocol::{Message, RawObject, Text},
};

/// A backend, and the URI of one of its resources as it is known there.
pub(in crate::gateway) type Found<'a> = (Arc<Member>, &'a str);

impl Gateway {
    pub(super) async fn read_resource(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        let uri = uri_of(request)?;
        let (member, own) = self.backend_of(request, &uri).await?;
        if own == uri {
            let message = request.message.clone();
            let answer = self.forward(request, &member, message, true).await;
            return Ok(finished(request, &member, answer));
        }
        let params = request.message.params().unwrap_or_default();
        let params = with_uri(&params, own).unwrap_or_default();
        let message = Message::request(request.id(), "resources/read", Some(&params));
        let answer = self.forward(request, &member, message, true).await;
        let result = answer.as_ref().ok().and_then(|it| it.message.result());
        match result.and_then(|result| renamed_contents(member.name(), &result)) {
            Some(result) => Ok(request.respond(&result)),
            None => Ok(finished(request, &member, answer)),
        }
    }

    pub(super) async fn subscribe_resource(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        let uri = uri_of(request)?;
        let (member, own) = self.backend_of(request, &uri).await?;
        self.subscribe(&member, request, own).await
    }

    pub(super) async fn unsubscribe_resource(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        let uri = uri_of(request)?;
        let (member, own) = self.backend_of(request, &uri).await?;
        Ok(self.unsubscribe(&member, request, own).await)
    }

    /// The backend that offers this URI, or a template that is written so.
    pub(in crate::gateway) async fn backend_of<'a>(
        self: &Arc<Self>,
        request: &Request,
        uri: &'a str,
    ) -> Result<Found<'a>, Refusal> {
        if let Some(found) = self.offering(&request.caller, uri) {
            return Ok(found);
        }
        self.freshen(&[Kind::Resources, Kind::Templates], &request.caller)
            .await;
        self.offering(&request.caller, uri)
            .ok_or_else(|| Refusal::UnknownResource(uri.into()))
    }

    /// The same among what is known.
    pub(in crate::gateway) fn offering<'a>(
        &self,
        caller: &Caller,
        uri: &'a str,
    ) -> Option<Found<'a>> {
        let table = self.table();
        if uris::is_ours(uri) {
            let (backend, own) = uris::parted(uri)?;
            let member = table.find(&backend)?;
            return caller.may_use(&backend).then(|| (Arc::clone(member), own));
        }
        let listed = |member: &&Arc<Member>| {
            let listing = member.catalogue().listing(Kind::Resources);
            listing.is_some_and(|listing| listing.find(uri).is_some())
        };
        let found = table.members_for(caller).find(listed);
        let found = found.or_else(|| closest(table.members_for(caller), uri))?;
        Some((Arc::clone(found), uri))
    }

    /// The URIs under which a session has subscribed to this resource of a backend: that of the backend, and ours.
    pub(in crate::gateway) fn subscribed_as<'a>(
        &self,
        session: &Session,
        member: &Member,
        own: &'a str,
    ) -> [Option<Cow<'a, str>>; 2] {
        let is_own = || session.is_subscribed(own);
        if is_of(session, member) {
            return [is_own().then_some(own.into()), None];
        }
        if !sees(session, member) {
            return [None, None];
        }
        // Nobody may offer it any more that did when it was subscribed to.
        let is_its = || {
            let found = self.offering(session.caller(), own);
            found.is_none_or(|(found, _)| found.name() == member.name())
        };
        let is_plain = !uris::is_ours(own) && is_own() && is_its();
        let ours = uris::named(member.name(), own);
        [
            is_plain.then_some(own.into()),
            session.is_subscribed(&ours).then_some(ours.into()),
        ]
    }
}

/// The backend with the template that says most of this URI; of several, the first.
fn closest<'a>(
    members: impl Iterator<Item = &'a Arc<Member>>,
    uri: &str,
) -> Option<&'a Arc<Member>> {
    let mut closest = None;
    for member in members {
        let Some(says) = says_of(member, uri) else {
            continue;
        };
        if closest.is_none_or(|(most, _)| says > most) {
            closest = Some((says, member));
        }
    }
    closest.map(|(_, member)| member)
}

/// How much the closest template of a backend says of a URI; none where none fits.
fn says_of(member: &Member, uri: &str) -> Option<usize> {
    let listing = member.catalogue().listing(Kind::Templates)?;
    let says = |template: &str| match template == uri {
        true => Some(usize::MAX),
        false => could_be(template, uri).then(|| written(template)),
    };
    listing
        .entries
        .iter()
        .filter_map(|entry| says(&entry.key))
        .max()
}

fn uri_of(request: &Request) -> Result<Cow<'_, str>, Refusal> {
    request.message.uri().ok_or_else(|| {
        let method = request.message.method().unwrap_or_default();
        Refusal::InvalidParams(
            format!("`{method}` came without `params.uri`, so nothing was done. Send a URI from resources/list.").into(),
        )
    })
}

/// The same object with another `uri`, every other value as it was.
pub(in crate::gateway) fn with_uri(object: &[u8], uri: &str) -> Option<Vec<u8>> {
    let uri = to_raw_value(uri).ok()?;
    let mut object = RawObject::parse(object)?;
    object.replace("uri", &uri);
    serde_json::to_vec(&object).ok()
}

/// What a backend gave to read, named as its resources are that are asked for by our names.
fn renamed_contents(backend: &str, result: &[u8]) -> Option<Vec<u8>> {
    let mut result = RawObject::parse(result)?;
    let contents: Vec<&RawValue> = result.read("contents")?;
    let renamed = |content: &RawValue| {
        let text = content.get();
        let Text(uri) = RawObject::parse(text.as_bytes())?.read("uri")?;
        let text = with_uri(text.as_bytes(), &uris::named(backend, &uri))?;
        serde_json::from_slice(&text).ok()
    };
    let contents: Vec<Box<RawValue>> = contents
        .into_iter()
        .map(|content| renamed(content).unwrap_or_else(|| content.to_owned()))
        .collect();
    let contents = to_raw_value(&contents).ok()?;
    result.replace("contents", &contents);
    serde_json::to_vec(&result).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_read_is_named_as_it_was_asked_for_and_stays_else_as_it_was() {
        let result =
            br#"{"x":1e400,"contents":[{"uri":"a:/1","n":1.0},{"uri":"a:/1/2"},7],"ttlMs":0}"#;
        let renamed = renamed_contents("b", result).unwrap();
        assert_eq!(
            String::from_utf8(renamed).unwrap(),
            r#"{"x":1e400,"contents":[{"uri":"mcp-gateway://b/a:/1","n":1.0},{"uri":"mcp-gateway://b/a:/1/2"},7],"ttlMs":0}"#
        );
        assert!(renamed_contents("b", br#"{"resultType":"input_required"}"#).is_none());
    }
}
