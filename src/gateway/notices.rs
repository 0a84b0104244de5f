//! What backends say that belongs to no call: changed lists are read again, and clients who may know are told.

use std::sync::Arc;

use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    aggregate::with_uri,
    catalogue::Kind,
    facade::Gateway,
    inbound::Route,
    member::Member,
    sessions::{LogLevel, Session, Way},
};
use crate::protocol::Message;

const LOG_LINE: &str = "notifications/message";
pub(super) const UPDATED: &str = "notifications/resources/updated";

impl Gateway {
    /// Listens to one backend for as long as there is one.
    pub(super) async fn hear(self: Arc<Self>, member: Arc<Member>, mut notices: Receiver<Message>) {
        loop {
            match notices.recv().await {
                Ok(notice) => self.heard(&member, &notice),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(
                        backend = member.name(),
                        missed,
                        "Notices were lost; its lists are read again"
                    );
                    self.read_again(&member, Kind::ALL);
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn heard(self: &Arc<Self>, member: &Arc<Member>, notice: &Message) {
        let method = notice.method().unwrap_or_default();
        match method {
            LOG_LINE => self.log_line(member, notice),
            UPDATED => self.resource_updated(member, notice),
            _ => {
                self.read_again(member, Kind::changed_by(method).iter().copied());
                let name = member.name();
                self.tell(notice, |session| {
                    is_of(session, member) && !session.hears_itself(name)
                });
            }
        }
    }

    /// Reads lists again in tasks of their own.
    pub(super) fn read_again(
        self: &Arc<Self>,
        member: &Arc<Member>,
        kinds: impl IntoIterator<Item = Kind>,
    ) {
        for kind in kinds {
            member.catalogue().mark_changed(kind);
            let (gateway, member) = (Arc::clone(self), Arc::clone(member));
            tokio::spawn(async move { gateway.read_or_warn(&member, kind).await });
        }
    }

    async fn read_or_warn(self: &Arc<Self>, member: &Arc<Member>, kind: Kind) {
        let deadline = tokio::time::Instant::now() + self.table().settings().request_timeout;
        if let Err(error) = self.read_within(member, kind, deadline).await {
            tracing::warn!(backend = member.name(), %error, "A changed list could not be read; the last good one stays");
        }
    }

    /// A backend's list is another one than before: names are given anew, and clients of `/mcp` who see it are told.
    pub(super) fn list_changed(&self, member: &Member, kind: Kind) {
        if kind == Kind::Tools {
            self.rename();
            if !self.shows_tools_of(member) {
                return;
            }
        }
        let told = Message::notification(kind.notification(), None);
        self.tell(&told, |session| sees(session, member));
    }

    fn shows_tools_of(&self, member: &Member) -> bool {
        let table = self.table();
        let meta = &table.settings().meta_mcp;
        !meta.enabled
            || meta
                .surfaced_tools
                .iter()
                .any(|tool| tool.server == member.name())
    }

    /// A line that belongs to no call may tell of anybody's. Where several callers listen it is told to none of them.
    fn log_line(&self, member: &Member, notice: &Message) {
        let level = LogLevel::of(notice);
        let concerns = |session: &Session| session.hears(LOG_LINE) && hears_of(session, member);
        if !self.is_one_callers(concerns) {
            return;
        }
        self.tell(notice, |session| {
            let wanted = level.is_none_or(|level| session.wants_log(level));
            concerns(session) && wanted
        });
    }

    fn is_one_callers(&self, concerns: impl Fn(&Session) -> bool) -> bool {
        let mut only: Option<Box<str>> = None;
        let mut several = false;
        self.sessions.for_each(|session| {
            if concerns(session) {
                let name = &session.caller().name;
                several |= only.get_or_insert_with(|| name.clone()) != name;
            }
        });
        !several
    }

    fn resource_updated(&self, member: &Member, notice: &Message) {
        self.sessions.for_each(|session| {
            if session.hears(UPDATED) {
                self.tell_updated((session, Way::Shared), member, notice);
            }
        });
    }

    /// Tells a session of a changed resource, if it has subscribed to that by the way on which this was heard.
    pub(super) fn tell_updated(
        &self,
        (session, way): (&Session, Way),
        member: &Member,
        notice: &Message,
    ) {
        let uri = notice.uri().unwrap_or_default();
        for name in self
            .subscribed_as(session, member, &uri)
            .into_iter()
            .flatten()
        {
            if session.hears_by(&name) == Some(way) {
                session.tell(named(notice, &uri, &name).bytes().clone());
            }
        }
    }

    /// Tells those whom it concerns, if they want to hear of it.
    pub(super) fn tell(&self, message: &Message, concerns: impl Fn(&Session) -> bool) {
        let method = message.method().unwrap_or_default();
        self.sessions.for_each(|session| {
            if session.hears(method) && concerns(session) {
                session.tell(message.bytes().clone());
            }
        });
    }
}

/// Whether this says that a list has changed.
pub(super) fn is_list_change(notice: &Message) -> bool {
    !Kind::changed_by(notice.method().unwrap_or_default()).is_empty()
}

/// Whether the session hears of what this backend tells.
pub(super) fn hears_of(session: &Session, member: &Member) -> bool {
    is_of(session, member) || sees(session, member)
}

/// What a backend tells of a resource, under the name by which its client knows that.
fn named(notice: &Message, uri: &str, name: &str) -> Message {
    let params = notice.params().filter(|_| uri != name);
    match params.and_then(|params| with_uri(&params, name)) {
        Some(params) => Message::notification(UPDATED, Some(&params)),
        None => notice.clone(),
    }
}

/// Whether the session is one of `/mcp/{backend}`.
pub(super) fn is_of(session: &Session, member: &Member) -> bool {
    matches!(session.route(), Route::Backend(name) if **name == *member.name())
}

/// Whether the session is one of `/mcp` whose caller may use the backend.
pub(super) fn sees(session: &Session, member: &Member) -> bool {
    *session.route() == Route::Aggregate && session.caller().may_use(member.name())
}
