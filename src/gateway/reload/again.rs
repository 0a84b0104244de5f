//! Whoever heard of changes of a resource at a backend hears of them at the one that took its place, and once it has started
//! again.

use std::{collections::BTreeMap, sync::Arc};

use tokio::time::Instant;

use crate::{
    backend::Spent,
    gateway::{
        Caller, Route,
        facade::Gateway,
        member::Member,
        request::{Request, Speaks},
        sessions::{Session, Way},
    },
    protocol::Message,
    telemetry::{RequestId, Trace},
};

impl Gateway {
    /// Asks a new member for all that sessions have subscribed to at the one before it.
    pub(super) async fn subscribe_again(self: &Arc<Self>, member: &Arc<Member>) {
        self.sessions.for_each(|session| {
            for uri in session.subscribed() {
                if self.asked_for(session, member, &uri).is_some() {
                    // The way that it had of its own has gone with the one before.
                    session.subscribe(&uri, Way::Shared);
                }
            }
        });
        self.hear_again(member).await;
    }

    /// Asks a member that knows nothing of it for all that sessions hear by the way that they share.
    pub(in crate::gateway) async fn hear_again(&self, member: &Arc<Member>) {
        let mut wanted: BTreeMap<Box<str>, Arc<Caller>> = BTreeMap::new();
        self.sessions.for_each(|session| {
            let mut uris = session.subscribed();
            uris.retain(|uri| session.hears_by(uri) == Some(Way::Shared));
            for uri in uris {
                if let Some(own) = self.asked_for(session, member, &uri) {
                    wanted.insert(own.into(), Arc::clone(session.caller()));
                }
            }
        });
        for (uri, caller) in wanted {
            let request = self.request_of(caller);
            if let Err(error) = self.hear_of(&request, member, &uri).await {
                tracing::warn!(backend = member.name(), uri = &*uri, %error, "A resource could not be subscribed to again");
                return;
            }
        }
    }

    /// The URI at this member of what a session has subscribed to as `uri`; nothing if that is another's.
    pub(in crate::gateway) fn asked_for<'a>(
        &self,
        session: &Session,
        member: &Arc<Member>,
        uri: &'a str,
    ) -> Option<&'a str> {
        match session.route() {
            Route::Backend(name) => (**name == *member.name()).then_some(uri),
            Route::Aggregate => self
                .offering(session.caller(), uri)
                .filter(|(found, _)| Arc::ptr_eq(found, member))
                .map(|(_, own)| own),
        }
    }

    /// A request of ours in the place of one of this caller's.
    pub(in crate::gateway) fn request_of(&self, caller: Arc<Caller>) -> Request {
        let began = Instant::now();
        Request {
            message: Message::notification("resources/subscribe", None),
            speaker: Speaks::Legacy,
            param_headers: Arc::default(),
            caller,
            session: None,
            request_id: RequestId::random(),
            trace: Trace::default(),
            started: self.clock.now(),
            began,
            deadline: began + self.table().settings().request_timeout,
            events: None,
            client: None,
            patience: None,
            timed: false,
            spent: Spent::default(),
        }
    }
}
