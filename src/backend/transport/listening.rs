//! The subscription by which a modern backend tells of changes outside of calls, as its own words say what it tells of
//! (MCP 2026-07-28, basic/patterns/subscriptions).

use serde::Serialize;
use serde_json::value::to_raw_value;

use super::{ServerInfo, watched::Wanted, wire};
use crate::protocol::{Message, RawObject};

/// The first message of a subscription.
pub(super) const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
/// The lists that can change, and what is said of that.
const LISTS: [(&str, &str); 3] = [
    ("tools", "notifications/tools/list_changed"),
    ("prompts", "notifications/prompts/list_changed"),
    ("resources", "notifications/resources/list_changed"),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    tools_list_changed: bool,
    prompts_list_changed: bool,
    resources_list_changed: bool,
    resource_subscriptions: Vec<&'a str>,
}

#[derive(Serialize)]
struct Params<'a> {
    notifications: Filter<'a>,
}

/// The request that opens it.
pub(super) fn subscription(info: &ServerInfo, wanted: &Wanted) -> Message {
    let params = Params {
        notifications: Filter {
            tools_list_changed: info.tells_of("tools"),
            prompts_list_changed: info.tells_of("prompts"),
            resources_list_changed: info.tells_of("resources"),
            resource_subscriptions: wanted.uris.iter().map(|uri| &**uri).collect(),
        },
    };
    let params = serde_json::to_vec(&params).unwrap_or_default();
    Message::request(b"0", "subscriptions/listen", Some(&params)).with_sender(wire::ourselves())
}

/// Of which lists the backend tells in a subscription, as the message says that opens it: a bit for each of [`LISTS`].
pub(super) fn agreed(acknowledged: &Message) -> u64 {
    let params = acknowledged.params().unwrap_or_default();
    let params = RawObject::parse(&params).unwrap_or_default();
    let filter: RawObject<'_> = params.read("notifications").unwrap_or_default();
    let agreed =
        |(kind, _): &(&str, &str)| filter.read(&format!("{kind}ListChanged")) == Some(true);
    bits(agreed)
}

/// The bit of the list that has changed, as `notice` says; 0 where it says something else.
pub(super) fn list_of(notice: &Message) -> u64 {
    bits(|(_, method)| notice.method() == Some(method))
}

fn bits(is_set: impl Fn(&(&str, &str)) -> bool) -> u64 {
    let bit = |(index, list)| u64::from(is_set(list)) << index;
    LISTS.iter().enumerate().map(bit).sum()
}

/// The id of the subscription in which this is said, as JSON.
pub(super) fn subscription_of(message: &Message) -> Option<Vec<u8>> {
    memchr::memmem::find(message.bytes(), b"subscriptionId")?;
    let params = message.params()?;
    let meta: RawObject<'_> = RawObject::parse(&params)?.read("_meta")?;
    Some(meta.member(SUBSCRIPTION_ID)?.get().into())
}

/// A message of a subscription as others hear it, without the subscription's id; nothing of what only opens it. What is of no
/// subscription stays as it is.
pub(super) fn untagged(message: Message) -> Option<Message> {
    if message.method() == Some(ACKNOWLEDGED) {
        return None;
    }
    if memchr::memmem::find(message.bytes(), b"subscriptionId").is_none() {
        return Some(message);
    }
    without_id(&message)
}

fn without_id(message: &Message) -> Option<Message> {
    let method = message.method()?;
    let params = message.params().unwrap_or_default();
    let mut params = RawObject::parse(&params).unwrap_or_default();
    let mut meta: RawObject<'_> = params.read("_meta").unwrap_or_default();
    meta.0.retain(|(key, _)| key != SUBSCRIPTION_ID);
    let meta = to_raw_value(&meta).ok()?;
    if meta.get() == "{}" {
        params.0.retain(|(key, _)| key != "_meta");
    } else {
        params.replace("_meta", &meta);
    }
    let params = serde_json::to_vec(&params).ok()?;
    let params = (params != b"{}").then_some(&*params);
    Some(Message::notification(method, params))
}

impl ServerInfo {
    /// Whether it declares that it tells when the list of this kind changes.
    pub(super) fn tells_of(&self, kind: &str) -> bool {
        self.declares(kind, "listChanged")
    }

    /// Whether it may have something to say that belongs to no call.
    pub(super) fn may_tell(&self) -> bool {
        LISTS.iter().any(|(kind, _)| self.tells_of(kind))
            || self.declares("resources", "subscribe")
            || self.capability("logging")
    }

    /// What is said when lists may have changed unseen.
    pub(super) fn changes(&self) -> impl Iterator<Item = Message> + '_ {
        LISTS
            .iter()
            .filter(|(kind, _)| self.tells_of(kind))
            .map(|(_, method)| Message::notification(method, None))
    }

    /// Whether it declares this capability.
    #[must_use]
    pub fn capability(&self, name: &str) -> bool {
        let said = RawObject::parse(&self.initialize_result).unwrap_or_default();
        let capabilities: RawObject<'_> = said.read("capabilities").unwrap_or_default();
        capabilities.member(name).is_some()
    }

    fn declares(&self, kind: &str, what: &str) -> bool {
        let said = RawObject::parse(&self.initialize_result).unwrap_or_default();
        let capabilities: RawObject<'_> = said.read("capabilities").unwrap_or_default();
        let kind: RawObject<'_> = capabilities.read(kind).unwrap_or_default();
        kind.read(what).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_a_subscription_loses_its_id_and_nothing_else() {
        let heard = |params: &str| {
            let method = "notifications/resources/updated";
            let message = Message::notification(method, Some(params.as_bytes()));
            let untagged = untagged(message).unwrap();
            String::from_utf8(untagged.params().unwrap_or_default().to_vec()).unwrap()
        };
        assert_eq!(
            heard(r#"{"uri":"a:b","_meta":{"io.modelcontextprotocol/subscriptionId":7}}"#),
            r#"{"uri":"a:b"}"#
        );
        assert_eq!(
            heard(r#"{"_meta":{"x":1e0,"io.modelcontextprotocol/subscriptionId":7},"uri":"a:b"}"#),
            r#"{"_meta":{"x":1e0},"uri":"a:b"}"#
        );
        let tagged = br#"{"_meta":{"io.modelcontextprotocol/subscriptionId":7}}"#;
        let tagged = Message::notification(ACKNOWLEDGED, Some(tagged));
        assert_eq!(subscription_of(&tagged).as_deref(), Some(&b"7"[..]));
        assert_eq!(
            heard(r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":7}}"#),
            ""
        );
        assert!(untagged(Message::notification(ACKNOWLEDGED, None)).is_none());
    }
}
