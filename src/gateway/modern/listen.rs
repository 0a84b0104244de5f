//! `subscriptions/listen`: a stream of what changes, for as long as its client stays.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tokio::{runtime::Handle, time::Instant};

use crate::{
    gateway::{
        facade::Gateway,
        inbound::{EventStream, Outbound, Route},
        member::Member,
        raw_object::RawObject,
        replies::Refusal,
        request::Request,
        router::Place,
        sessions::Session,
        stream::step_by_step,
    },
    protocol::{Message, Revision},
};

const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// What a client wants to hear of (MCP 2026-07-28, basic/patterns/subscriptions, notification filter).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    #[serde(skip_serializing_if = "is_false")]
    tools_list_changed: bool,
    #[serde(skip_serializing_if = "is_false")]
    prompts_list_changed: bool,
    #[serde(skip_serializing_if = "is_false")]
    resources_list_changed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_subscriptions: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands the field over by reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// One subscription: a session that nobody can name, and whose stream is this one.
struct Subscription {
    filter: Filter,
    id: Box<RawValue>,
    acknowledgement: Option<Bytes>,
    changes: Option<Pin<Box<dyn EventStream>>>,
    _ending: Ending,
}

/// Ends the session with the stream, and what was asked of the backend for it.
struct Ending {
    gateway: Arc<Gateway>,
    session: Arc<Session>,
    member: Option<Arc<Member>>,
    request: Request,
    uris: Vec<String>,
}

impl Gateway {
    /// Opens the stream of one subscription.
    pub(super) async fn subscribe_stateless(
        self: &Arc<Self>,
        place: Place,
        request: Request,
    ) -> Result<Outbound, Refusal> {
        let mut filter = wanted(&request.message)?;
        let (route, member) = match place {
            Place::Aggregate => (Route::Aggregate, None),
            Place::Backend(member) => (Route::Backend(member.name().into()), Some(member)),
        };
        let now = self.clock.now();
        let session = self
            .sessions
            .open(&request.caller, &route, Revision::LATEST_LEGACY, now)?;
        // Before anything is asked of the backend, so that no change is missed.
        let changes = Box::into_pin(session.listen());
        let mut ending = Ending {
            gateway: Arc::clone(self),
            session,
            member,
            request,
            uris: Vec::new(),
        };
        ending.subscribe(filter.resource_subscriptions).await;
        filter.resource_subscriptions = ending.uris.clone();
        let id = id_of(&ending.request);
        let subscription = Subscription {
            acknowledgement: Some(acknowledgement(&filter, &id)),
            filter,
            id,
            changes: Some(changes),
            _ending: ending,
        };
        let stream = step_by_step(subscription, |mut subscription| async move {
            let message = subscription.next().await?;
            Some((message, subscription))
        });
        Ok(Outbound::Stream(stream))
    }
}

impl Ending {
    /// Asks the backend for changes of these resources; those that it agrees to are kept. `/mcp` has nobody to ask.
    async fn subscribe(&mut self, uris: Vec<String>) {
        let Some(member) = self.member.clone() else {
            return;
        };
        for uri in uris {
            if !self.session.subscribe(&uri) {
                return;
            }
            let message = about("resources/subscribe", &uri);
            let answer = self
                .gateway
                .forward(&self.request, &member, message, false)
                .await;
            if answer.is_ok_and(|answer| answer.message.result().is_some()) {
                self.uris.push(uri);
            } else {
                self.session.unsubscribe(&uri);
            }
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let session = Arc::clone(&self.session);
        let _ = self.gateway.sessions.end(session.id(), session.caller());
        let Some(member) = self.member.take() else {
            return;
        };
        let gateway = Arc::clone(&self.gateway);
        let mut request = self.request.clone();
        let uris = std::mem::take(&mut self.uris);
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if uris.is_empty() || gateway.is_draining() {
            return;
        }
        request.deadline = Instant::now() + gateway.settings.request_timeout;
        runtime.spawn(async move {
            for uri in uris {
                if !gateway.is_wanted(&session, &uri) {
                    let message = about("resources/unsubscribe", &uri);
                    let _ = gateway.forward(&request, &member, message, false).await;
                }
            }
        });
    }
}

impl Subscription {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(acknowledgement) = self.acknowledgement.take() {
            return Some(acknowledgement);
        }
        loop {
            let changes = self.changes.as_mut()?;
            let change = poll_fn(|context| changes.as_mut().poll_next(context)).await;
            let Some(change) = change else {
                self.changes = None;
                return Some(closing(&self.id));
            };
            if let Ok(change) = Message::parse(change)
                && self.filter.wants(&change)
            {
                return Some(tagged(&change, &self.id));
            }
        }
    }
}

impl Filter {
    fn wants(&self, change: &Message) -> bool {
        match change.method().unwrap_or_default() {
            "notifications/tools/list_changed" => self.tools_list_changed,
            "notifications/prompts/list_changed" => self.prompts_list_changed,
            "notifications/resources/list_changed" => self.resources_list_changed,
            // The session is told of no resource but those it has subscribed to.
            "notifications/resources/updated" => !self.resource_subscriptions.is_empty(),
            _ => false,
        }
    }
}

fn wanted(message: &Message) -> Result<Filter, Refusal> {
    let params = message.params().unwrap_or_default();
    RawObject::parse(&params)
        .and_then(|params| params.read("notifications"))
        .ok_or_else(|| {
            Refusal::InvalidParams(
                "`subscriptions/listen` came without a `notifications` object that could be read, so nothing was opened. Name what to hear of, such as {\"toolsListChanged\": true}.".into(),
            )
        })
}

fn id_of(request: &Request) -> Box<RawValue> {
    serde_json::from_slice(request.id()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn about(method: &str, uri: &str) -> Message {
    #[derive(Serialize)]
    struct Resource<'a> {
        uri: &'a str,
    }
    let params = serde_json::to_vec(&Resource { uri }).unwrap_or_default();
    Message::request(b"0", method, Some(&params))
}

fn acknowledgement(filter: &Filter, id: &RawValue) -> Bytes {
    #[derive(Serialize)]
    struct Params<'a> {
        notifications: &'a Filter,
    }
    let params = serde_json::to_vec(&Params {
        notifications: filter,
    });
    let params = params.unwrap_or_default();
    tagged(&Message::notification(ACKNOWLEDGED, Some(&params)), id)
}

/// The same notification with the subscription's id in its `_meta`.
fn tagged(message: &Message, id: &RawValue) -> Bytes {
    let params = message.params().unwrap_or_default();
    let mut params = RawObject::parse(&params).unwrap_or_default();
    let mut meta: RawObject<'_> = params.read("_meta").unwrap_or_default();
    meta.replace(SUBSCRIPTION_ID, id);
    let meta = to_raw_value(&meta).unwrap_or_default();
    params.replace("_meta", &meta);
    let params = serde_json::to_vec(&params).unwrap_or_default();
    let method = message.method().unwrap_or_default();
    Message::notification(method, Some(&params)).bytes().clone()
}

/// What is said when it is we who end the stream.
fn closing(id: &RawValue) -> Bytes {
    let id = id.get();
    let result = format!(r#"{{"resultType":"complete","_meta":{{"{SUBSCRIPTION_ID}":{id}}}}}"#);
    Message::response(id.as_bytes(), result.as_bytes())
        .bytes()
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_bears_the_id_of_its_subscription_beside_what_it_had() {
        let change = Message::notification(
            "notifications/resources/updated",
            Some(br#"{"uri":"a:b","_meta":{"x":1.0}}"#),
        );
        let id = RawValue::from_string("\"s\"".to_owned()).unwrap();
        assert_eq!(
            tagged(&change, &id),
            r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b","_meta":{"x":1.0,"io.modelcontextprotocol/subscriptionId":"s"}}}"#
        );
    }

    #[test]
    fn nothing_is_heard_of_that_was_not_asked_for() {
        let filter = Filter {
            prompts_list_changed: true,
            ..Filter::default()
        };
        let heard = |method| filter.wants(&Message::notification(method, None));
        assert!(heard("notifications/prompts/list_changed"));
        assert!(!heard("notifications/tools/list_changed"));
        assert!(!heard("notifications/resources/updated"));
        assert!(!heard("notifications/message"));
    }
}
