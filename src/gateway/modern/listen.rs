//! `subscriptions/listen`: a stream of what changes, for as long as its client stays.

use std::{
    collections::{HashMap, HashSet},
    mem,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, timeout_at},
};

use crate::{
    gateway::{
        facade::Gateway,
        inbound::{EventStream, Outbound, Route},
        member::Member,
        replies::Refusal,
        request::Request,
        router::Place,
        sessions::{Lists, MOST_SUBSCRIPTIONS, Session, Way},
        stream::{next_message, step_by_step},
    },
    protocol::{Era, Message, RawObject},
};

const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// How long a client waits for its backends to agree; what is not answered by then is not acknowledged.
const AGREE: Duration = Duration::from_secs(5);
/// Resources that backends are asked for at once.
const AT_ONCE: usize = 16;

/// The longest id of a subscription, in bytes: each of its messages bears it.
const MOST_ID: usize = 256;

/// What a client wants to hear of (MCP 2026-07-28, basic/patterns/subscriptions, notification filter).
#[derive(Debug, Default, Deserialize, Serialize)]
struct Filter {
    #[serde(flatten)]
    lists: Lists,
    #[serde(
        default,
        rename = "resourceSubscriptions",
        skip_serializing_if = "Vec::is_empty"
    )]
    uris: Vec<String>,
}

/// One subscription: a session that nobody can name, and whose stream is this one.
struct Subscription {
    id: Box<RawValue>,
    acknowledgement: Option<Bytes>,
    changes: Option<Pin<Box<dyn EventStream>>>,
    closing: watch::Receiver<bool>,
    _ending: Ending,
}

/// Ends the session with the stream, and what was asked of the backend for it.
struct Ending {
    gateway: Arc<Gateway>,
    session: Arc<Session>,
    /// The backend of all resources; on `/mcp` each is looked for.
    member: Option<Arc<Member>>,
    request: Request,
    /// What was asked for, answered or not, and how its backend names it: the answer may come when its client has gone.
    asked: HashMap<String, (Arc<Member>, String)>,
}

impl Gateway {
    /// Opens the stream of one subscription.
    pub(super) async fn subscribe_stateless(
        self: &Arc<Self>,
        place: Place,
        mut request: Request,
    ) -> Result<Outbound, Refusal> {
        let mut filter = wanted(&request.message)?;
        let id = id_of(&request)?;
        // What it said is read: its body need not be kept for as long as the stream.
        request.message = Message::notification("subscriptions/listen", None);
        let (route, member) = match place {
            Place::Aggregate => (Route::Aggregate, None),
            Place::Backend(member) => (Route::Backend(member.name().into()), Some(member)),
        };
        if let Some(member) = &member {
            self.leave_out(&mut filter.lists, member, request.deadline)
                .await;
        }
        let now = self.clock.now();
        let session = self
            .sessions
            .subscribe(&request.caller, &route, filter.lists, now)?;
        // Before anything is asked of the backend, so that no change is missed.
        let changes = Box::into_pin(session.listen());
        let mut ending = Ending {
            gateway: Arc::clone(self),
            session,
            member,
            request,
            asked: HashMap::new(),
        };
        filter.uris = ending.subscribe(filter.uris).await;
        let subscription = Subscription {
            acknowledgement: Some(acknowledgement(&filter, &id)),
            id,
            changes: Some(changes),
            closing: self.closing.subscribe(),
            _ending: ending,
        };
        let stream = step_by_step(subscription, |mut subscription| async move {
            let message = subscription.next().await?;
            Some((message, subscription))
        });
        Ok(Outbound::Stream(stream))
    }

    /// Leaves out lists of which the backend has said that it does not tell. One that says nothing now may tell later.
    async fn leave_out(&self, lists: &mut Lists, member: &Member, deadline: Instant) {
        let Ok(info) = member.backend().server_info(deadline).await else {
            return;
        };
        let tells = |kind| tells_of(&info.initialize_result, kind).unwrap_or(false);
        lists.tools &= tells("tools");
        lists.prompts &= tells("prompts");
        lists.resources &= tells("resources");
    }
}

/// Whether an answer to `initialize` declares `listChanged` for this kind.
fn tells_of(initialized: &[u8], kind: &str) -> Option<bool> {
    let capabilities: RawObject<'_> = RawObject::parse(initialized)?.read("capabilities")?;
    capabilities
        .read::<RawObject<'_>>(kind)?
        .read("listChanged")
}

impl Ending {
    /// Asks the backends for changes of these resources, side by side; gives those that they agree to.
    async fn subscribe(&mut self, uris: Vec<String>) -> Vec<String> {
        let until = self.request.deadline.min(Instant::now() + AGREE);
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut asking = JoinSet::new();
        for uri in uris {
            let backend = timeout_at(until, self.backend_of(&uri)).await;
            let Some((member, own)) = backend.ok().flatten() else {
                continue;
            };
            self.session.subscribe(&uri, Way::Shared);
            let asked = Asked {
                gateway: Arc::clone(&self.gateway),
                request: self.request.clone(),
                member: Arc::clone(&member),
                own: own.to_owned(),
            };
            let own = own.to_owned();
            self.asked.insert(uri.clone(), (member, own));
            let places = Arc::clone(&places);
            asking.spawn(async move { (uri, asked.ask(&places).await) });
        }
        let mut agreed = Vec::new();
        while let Ok(Some(answer)) = timeout_at(until, asking.join_next()).await {
            match answer {
                Ok((uri, Some(true))) => agreed.push(uri),
                Ok((uri, Some(false))) => drop(self.asked.remove(&uri)),
                Ok((_, None)) | Err(_) => {}
            }
        }
        for uri in self.session.subscribed() {
            if !agreed.iter().any(|agreed| **agreed == *uri) {
                self.session.unsubscribe(&uri);
            }
        }
        agreed
    }

    async fn backend_of<'a>(&self, uri: &'a str) -> Option<(Arc<Member>, &'a str)> {
        match &self.member {
            Some(member) => Some((Arc::clone(member), uri)),
            None => self.gateway.backend_of(&self.request, uri).await.ok(),
        }
    }

    /// Takes back what nobody else wants. Somebody may want it again while the backend is told that nobody does.
    async fn unsubscribe(mut self) {
        let patience = self.gateway.table().settings().request_timeout;
        self.request.deadline = Instant::now() + patience;
        let (gateway, request) = (Arc::clone(&self.gateway), self.request.clone());
        for (member, uri) in mem::take(&mut self.asked).into_values() {
            if gateway.is_wanted(&member, &uri) {
                continue;
            }
            let _ = gateway.hear_no_more(&request, &member, &uri).await;
            if gateway.is_wanted(&member, &uri) {
                let _ = gateway.hear_of(&request, &member, &uri).await;
            }
        }
    }
}

/// A resource that a backend is asked to tell changes of.
struct Asked {
    gateway: Arc<Gateway>,
    request: Request,
    member: Arc<Member>,
    own: String,
}

impl Asked {
    /// Whether its backend agrees, if that can be known.
    async fn ask(self, places: &Semaphore) -> Option<bool> {
        let Self {
            gateway,
            request,
            member,
            own,
        } = self;
        // A modern backend is asked for all at once.
        let era = member.backend().era(request.deadline).await;
        let _place = match era {
            Ok(Era::Legacy) => places.acquire().await.ok(),
            _ => None,
        };
        let answer = gateway.hear_of(&request, &member, &own).await.ok()?;
        Some(answer.result().is_some())
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let (gateway, session) = (Arc::clone(&self.gateway), Arc::clone(&self.session));
        let _ = gateway.sessions.end(session.id(), session.caller());
        let asked = mem::take(&mut self.asked);
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if asked.is_empty() || gateway.is_draining() {
            return;
        }
        let last = Self {
            gateway,
            session,
            member: None,
            request: self.request.clone(),
            asked,
        };
        runtime.spawn(async move { last.unsubscribe().await });
    }
}

impl Subscription {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(acknowledgement) = self.acknowledgement.take() {
            return Some(acknowledgement);
        }
        let changes = self.changes.as_mut()?;
        let change = tokio::select! {
            change = next_message(changes) => change,
            _ = self.closing.wait_for(|closing| *closing) => None,
        };
        let change = change.and_then(|change| Message::parse(change).ok());
        if let Some(change) = change {
            return Some(tagged(&change, &self.id));
        }
        self.changes = None;
        Some(last_word(&self.id))
    }
}

fn wanted(message: &Message) -> Result<Filter, Refusal> {
    let params = message.params().unwrap_or_default();
    let filter = RawObject::parse(&params).and_then(|params| params.read("notifications"));
    let mut filter: Filter = filter.ok_or_else(|| {
        Refusal::InvalidParams(
            "`subscriptions/listen` came without a `notifications` object that could be read, so nothing was opened. Name what to hear of, such as {\"toolsListChanged\": true}.".into(),
        )
    })?;
    let mut met = HashSet::new();
    filter.uris.retain(|uri| met.insert(uri.clone()));
    if filter.uris.len() > MOST_SUBSCRIPTIONS {
        return Err(Refusal::InvalidParams(
            format!("`resourceSubscriptions` names {} resources and may name {MOST_SUBSCRIPTIONS}, so nothing was opened. Name fewer.", filter.uris.len()).into(),
        ));
    }
    Ok(filter)
}

fn id_of(request: &Request) -> Result<Box<RawValue>, Refusal> {
    let id = request.id();
    if id.len() > MOST_ID {
        return Err(Refusal::InvalidRequest(
            format!("The id of a subscription may have {MOST_ID} bytes, since each of its messages bears it, and this one has more, so nothing was opened. Send a shorter one.").into(),
        ));
    }
    Ok(serde_json::from_slice(id).unwrap_or_else(|_| RawValue::NULL.to_owned()))
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

/// What is said when it is we who end the stream: the answer to the request (basic/patterns/subscriptions, graceful closure).
/// A cancellation, which basic/patterns/cancellation asks for, would leave a client without one.
fn last_word(id: &RawValue) -> Bytes {
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
    fn a_backend_that_does_not_declare_changes_of_a_list_does_not_tell_of_them() {
        let initialized = br#"{"capabilities":{"tools":{"listChanged":true},"prompts":{}}}"#;
        assert_eq!(tells_of(initialized, "tools"), Some(true));
        assert_eq!(tells_of(initialized, "prompts"), None);
        assert_eq!(tells_of(b"{}", "tools"), None);
    }
}
