//! A POST by the rules of revision 2026-07-28: without a session, and over when its connection is.

use std::sync::Arc;

use tracing::Instrument;

use super::{
    asked::{Asked, check_params},
    asking::{Answering, call_of},
    finish::finished,
};
use crate::{
    backend::events,
    gateway::{
        bridge::{Conversation, Questions},
        calls::first_of,
        facade::Gateway,
        inbound::{Inbound, Outbound, Reply},
        member::Member,
        replies::{Refusal, answered},
        request::{Request, Speaks},
        router::{Place, may_have_events},
        sessions::LogLevel,
        underway::Underway,
    },
    protocol::{Kind, Message},
};

/// What older revisions have and this one has not (MCP 2026-07-28, changelog).
const REMOVED: [&str; 5] = [
    "initialize",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
];
/// The extension of this revision (`io.modelcontextprotocol/tasks`). Tasks of older backends are other ones, and cannot be made
/// into them.
const TASKS: &str = "tasks/";

impl Gateway {
    /// Answers one modern message.
    pub(in crate::gateway) async fn modern(
        self: &Arc<Self>,
        inbound: &Inbound,
        message: Message,
    ) -> Outbound {
        let refused = |refusal: Refusal| Outbound::Reply(refusal.reply(message.id()));
        match message.kind() {
            // This revision has none that a client sends over HTTP, and what is unknown is ignored.
            Kind::Notification => return Outbound::Accepted,
            Kind::Response => {
                return refused(Refusal::InvalidRequest(
                    "The body is a response, but nothing was asked: in this revision answers go into `inputResponses` of the request that is sent again.".into(),
                ));
            }
            Kind::Request => {}
        }
        let admitted = match self.admit_stateless(inbound) {
            Ok(admitted) => admitted,
            Err(refusal) => return refused(refusal),
        };
        let asked = match Asked::of(inbound, &message) {
            Ok(asked) => asked,
            Err(refusal) => return refused(refusal),
        };
        let mut request = admitted.request(message.clone());
        request.speaker = Speaks::Modern;
        if let Some(mirrored) = &inbound.mirrored {
            request.param_headers = mirrored.params.as_slice().into();
            if let Err(refusal) = self.check_params(&admitted.place, &request) {
                return refused(refusal);
            }
        }
        if request.message.method() == Some("subscriptions/listen") {
            if !inbound.accepts_stream {
                return refused(Refusal::NotAcceptable("no event stream".into()));
            }
            // On the heap, as all that goes on to a backend is.
            let opened = Box::pin(self.subscribe_stateless(admitted.place, request));
            return opened.await.unwrap_or_else(refused);
        }
        self.start(admitted.place, request, asked, inbound.accepts_stream)
            .await
    }

    /// Whether the headers that repeat arguments say what the arguments say, as far as the tool is known.
    fn check_params(&self, place: &Place, request: &Request) -> Result<(), Refusal> {
        if request.message.method() != Some("tools/call") {
            return Ok(());
        }
        let name = request.message.name().unwrap_or_default();
        let entry = match place {
            Place::Backend(member) => member.tool(&name),
            Place::Aggregate => {
                let directory = self.directory();
                directory
                    .find(&name)
                    .map(|listed| Arc::clone(&listed.entry))
            }
        };
        entry.map_or(Ok(()), |entry| check_params(&entry, request))
    }

    async fn start(
        self: &Arc<Self>,
        place: Place,
        mut request: Request,
        asked: Asked,
        accepts_stream: bool,
    ) -> Outbound {
        if asked.client.can_be_asked() && may_have_events(&request.message) {
            return self.converse(place, request, asked, accepts_stream).await;
        }
        if !accepts_stream || !may_have_events(&request.message) {
            let reply = self.stateless(place, request).await;
            return reply.map_or(Outbound::Accepted, Outbound::Reply);
        }
        let (sender, incoming) = events(self.table().settings().sessions.buffer);
        request.events = Some(sender);
        let incoming = incoming.only(move |event| is_wanted(event, asked.log_level));
        first_of(self.stateless(place, request), incoming, None).await
    }

    /// The same for a client that can be asked: its call may be interrupted by questions, or go on after them.
    async fn converse(
        self: &Arc<Self>,
        place: Place,
        mut request: Request,
        asked: Asked,
        accepts_stream: bool,
    ) -> Outbound {
        let conversation = match self.take_up(&place, &request) {
            Some(Ok(conversation)) => conversation,
            Some(Err(refusal)) => return Outbound::Reply(refusal.reply(Some(request.id()))),
            None => {
                let questions = Arc::new(Questions::default());
                let (sender, incoming) = events(self.table().settings().sessions.buffer);
                let taking = Arc::clone(&questions);
                let incoming = incoming
                    .handled(move |event| taking.take(event))
                    .only(move |event| is_wanted(event, asked.log_level));
                request.events = Some(sender);
                request.patience = Some(questions.patience().clone());
                request.client = Some(Arc::new(asked.client));
                let call = call_of(&place, &request);
                let underway = self.stateless(place, request.clone());
                Conversation::new(call, underway, incoming, questions)
            }
        };
        Answering::new(self, conversation, &request, accepts_stream)
            .outbound()
            .await
    }

    fn stateless(self: &Arc<Self>, place: Place, request: Request) -> Underway {
        let gateway = Arc::clone(self);
        let call = async move {
            let reply = gateway.answer_stateless(place, &request).await;
            Some(finished(&request.message, reply))
        };
        Underway::new(call.in_current_span(), false)
    }

    async fn answer_of_tasks(self: &Arc<Self>, member: Arc<Member>, request: &Request) -> Reply {
        match member.backend().modern_info(request.deadline).await {
            Ok(Some(_)) => self.answer(Place::Backend(member), request).await,
            _ => there_is_none(request),
        }
    }

    async fn answer_stateless(self: &Arc<Self>, place: Place, request: &Request) -> Reply {
        match (request.message.method().unwrap_or_default(), place) {
            ("server/discover", Place::Aggregate) => answered(self.discover(request)),
            ("server/discover", Place::Backend(member)) => {
                answered(self.discover_backend(&member, request).await)
            }
            (method, Place::Backend(member)) if method.starts_with(TASKS) => {
                self.answer_of_tasks(member, request).await
            }
            (method, _) if REMOVED.contains(&method) || method.starts_with(TASKS) => {
                there_is_none(request)
            }
            (_, place) => self.answer(place, request).await,
        }
    }
}

/// The answer to a method that this revision does not have here.
fn there_is_none(request: &Request) -> Reply {
    let refusal = Refusal::UnknownMethod {
        method: request.message.method().unwrap_or_default().into(),
        suggest: None,
    };
    refusal.reply(Some(request.id()))
}

/// Log lines go to those who have asked for them, in the request itself; changed lists are told by a subscription alone;
/// everything else goes to everybody.
fn is_wanted(event: &Message, log_level: Option<LogLevel>) -> bool {
    let method = event.method().unwrap_or_default();
    if method != "notifications/message" {
        return !method.ends_with("/list_changed");
    }
    let Some(wanted) = log_level else {
        return false;
    };
    LogLevel::of(event).is_some_and(|level| level >= wanted)
}
