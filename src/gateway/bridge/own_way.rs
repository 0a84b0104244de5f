//! The way to a backend that a client has for itself, because it can be asked for something.

use std::sync::{Arc, Weak};

use crate::{
    backend::{Event, EventReceiver, Line, ServerInfo},
    gateway::{
        catalogue::Kind,
        facade::Gateway,
        member::Member,
        request::Request,
        sessions::{LogLevel, OwnLine, Session},
    },
    protocol::{Era, Kind as MessageKind, Message},
};

impl Gateway {
    /// The line on which a request goes to its backend; none where it can go the way that all share. A modern backend is told
    /// of its client in each request, and needs none.
    pub(in crate::gateway) async fn own_line(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
    ) -> Option<Arc<Line>> {
        let session = request.session.as_ref().filter(|it| it.can_be_asked())?;
        if let Some(line) = session.line(member.name()) {
            return Some(line);
        }
        let info = member.backend().server_info(request.deadline).await.ok()?;
        if !needs_one(&info) {
            return None;
        }
        let most = member.backend().settings().max_client_sessions;
        if member.backend().lines() >= most {
            tracing::warn!(
                backend = member.name(),
                most,
                "A client shares the backend with others and cannot be asked by it: `max_client_sessions` is reached"
            );
            return None;
        }
        let (line, outside) = member.backend().line(Arc::clone(session.client()));
        let hearing =
            Arc::clone(self).hear_outside(Arc::downgrade(session), Arc::clone(member), outside);
        let own = OwnLine::new(line, tokio::spawn(hearing).abort_handle());
        Some(session.keep_line(member.name(), own))
    }

    /// What a backend says to one client outside of its calls.
    async fn hear_outside(
        self: Arc<Self>,
        session: Weak<Session>,
        member: Arc<Member>,
        outside: EventReceiver,
    ) {
        let asked = session.clone();
        let mut outside = outside.handled(move |event| match event {
            Event::Said(message) => Some(message),
            Event::Asked(ask) => {
                let session = asked.upgrade()?;
                Some(session.asks().relay(ask, None).1)
            }
        });
        loop {
            let message = outside.recv().await;
            let Some(session) = session.upgrade() else {
                return;
            };
            self.said_outside(&session, &member, &message);
        }
    }

    fn said_outside(self: &Arc<Self>, session: &Session, member: &Arc<Member>, message: &Message) {
        let method = message.method().unwrap_or_default();
        if message.kind() == MessageKind::Request {
            session.deliver(message);
        } else if !Kind::changed_by(method).is_empty() {
            self.read_again(member, Kind::changed_by(method).iter().copied());
            session.tell(message.bytes().clone());
        } else if LogLevel::of(message).is_none_or(|level| session.wants_log(level)) {
            session.tell(message.bytes().clone());
        }
    }
}

fn needs_one(info: &ServerInfo) -> bool {
    info.era == Era::Legacy
}
