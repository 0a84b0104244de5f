//! All sessions by their id: reads take no lock, their number is bounded, and idle ones are ended.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use uuid::Uuid;

use super::{
    Lists,
    session::{Bounds, Session},
};
use crate::{
    backend::Client,
    gateway::{
        inbound::{Caller, Route},
        replies::Refusal,
        settings::SessionSettings,
    },
    protocol::Revision,
    telemetry::{Stamp, clock::millis},
};

/// The open sessions.
pub(in crate::gateway) struct Sessions {
    open: papaya::HashMap<Box<str>, Arc<Session>>,
    settings: ArcSwap<SessionSettings>,
}

impl Sessions {
    pub(in crate::gateway) fn new(settings: SessionSettings) -> Self {
        Self {
            open: papaya::HashMap::new(),
            settings: ArcSwap::from_pointee(settings),
        }
    }

    /// Bounds sessions otherwise from now on; an open one keeps the buffer that it has.
    pub(in crate::gateway) fn adopt(&self, settings: SessionSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// Opens a session with an id that cannot be guessed: 122 bits of a cryptographic generator.
    pub(in crate::gateway) fn open(
        &self,
        caller: &Arc<Caller>,
        route: &Route,
        client: Client,
        (revision, now): (Revision, Stamp),
    ) -> Result<Arc<Session>, Refusal> {
        let bounds = Bounds {
            revision,
            lists: None,
            buffer: self.settings.load().buffer,
            now,
        };
        self.insert(caller, route, client, bounds)
    }

    /// Opens one that hears of changes of these lists and of nothing else.
    pub(in crate::gateway) fn subscribe(
        &self,
        caller: &Arc<Caller>,
        route: &Route,
        lists: Lists,
        now: Stamp,
    ) -> Result<Arc<Session>, Refusal> {
        let bounds = Bounds {
            revision: Revision::LATEST_LEGACY,
            lists: Some(lists),
            buffer: self.settings.load().buffer,
            now,
        };
        self.insert(caller, route, Client::default(), bounds)
    }

    fn insert(
        &self,
        caller: &Arc<Caller>,
        route: &Route,
        client: Client,
        bounds: Bounds,
    ) -> Result<Arc<Session>, Refusal> {
        let max = self.settings.load().max;
        if self.open.len() >= max {
            return Err(Refusal::TooManySessions(max));
        }
        let id: Box<str> = Uuid::new_v4().simple().to_string().into();
        let session = Session::new(
            id.clone(),
            Arc::clone(caller),
            route.clone(),
            Arc::new(client),
            bounds,
        );
        let session = Arc::new(session);
        self.open.pin().insert(id, Arc::clone(&session));
        Ok(session)
    }

    /// The session with this id. Another caller's or another route's session does not exist for this one.
    pub(in crate::gateway) fn find(
        &self,
        id: &str,
        caller: &Caller,
        route: &Route,
        now: Stamp,
    ) -> Result<Arc<Session>, Refusal> {
        let open = self.open.pin();
        let session = open
            .get(id)
            .filter(|session| session.belongs_to(caller, route))
            .ok_or(Refusal::UnknownSession)?;
        session.touch(now);
        Ok(Arc::clone(session))
    }

    /// Ends a session of this caller, on whichever route it is, and gives it.
    pub(in crate::gateway) fn end(
        &self,
        id: &str,
        caller: &Caller,
    ) -> Result<Arc<Session>, Refusal> {
        let open = self.open.pin();
        let session = open
            .get(id)
            .filter(|session| session.caller().name == caller.name)
            .ok_or(Refusal::UnknownSession)?;
        let session = Arc::clone(session);
        session.end();
        open.remove(id);
        Ok(session)
    }

    /// Ends the sessions that nobody used for their whole time to live, and gives them.
    pub(in crate::gateway) fn reap(&self, now: Stamp) -> Vec<Arc<Session>> {
        let ttl_ms = millis(self.settings.load().ttl);
        let mut ended = Vec::new();
        self.open.pin().retain(|_, session| {
            let idle = session.is_idle(now, ttl_ms);
            if idle {
                session.end();
                ended.push(Arc::clone(session));
            }
            !idle
        });
        ended
    }

    /// Takes out those that `is_over` names: their streams close and their ids are unknown. Their calls in flight go on.
    pub(in crate::gateway) fn dismiss(&self, is_over: impl Fn(&Session) -> bool) {
        self.open.pin().retain(|_, session| {
            let over = is_over(session);
            if over {
                session.close_stream();
            }
            !over
        });
    }

    pub(in crate::gateway) fn end_all(&self) {
        let open = self.open.pin();
        for session in open.values() {
            session.end();
        }
        open.clear();
    }

    pub(in crate::gateway) fn for_each(&self, mut visit: impl FnMut(&Arc<Session>)) {
        for session in self.open.pin().values() {
            visit(session);
        }
    }

    pub(in crate::gateway) fn count(&self) -> usize {
        self.open.len()
    }

    pub(in crate::gateway) fn reap_interval(&self) -> Duration {
        self.settings.load().reap_interval
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        backend::{Backend, BackendSettings, StdioSettings, TransportSettings},
        gateway::{
            sessions::{MOST_SUBSCRIPTIONS, OwnLine, Way},
            stream,
        },
        telemetry::Clock,
    };

    fn caller(name: &str) -> Arc<Caller> {
        Arc::new(Caller {
            name: name.into(),
            ..Caller::default()
        })
    }

    fn sessions(max: usize, buffer: usize) -> Sessions {
        Sessions::new(SessionSettings {
            max,
            ttl: Duration::from_secs(1),
            buffer,
            ..SessionSettings::default()
        })
    }

    fn open(sessions: &Sessions, who: &Arc<Caller>) -> Arc<Session> {
        sessions
            .open(
                who,
                &Route::Aggregate,
                Client::default(),
                (Revision::LATEST_LEGACY, Stamp::default()),
            )
            .unwrap()
    }

    #[test]
    fn a_session_of_another_caller_or_route_does_not_exist() {
        let sessions = sessions(9, 9);
        let anna = caller("anna");
        let session = open(&sessions, &anna);
        let now = Stamp::default();
        let find = |who: &Caller, route: &Route| sessions.find(session.id(), who, route, now);
        assert!(find(&anna, &Route::Aggregate).is_ok());
        assert!(find(&caller("bert"), &Route::Aggregate).is_err());
        assert!(find(&anna, &Route::Backend("demo".into())).is_err());
        assert_eq!(
            sessions.end(session.id(), &caller("bert")).err(),
            Some(Refusal::UnknownSession)
        );
    }

    #[test]
    fn an_ended_session_is_gone_and_its_place_is_free() {
        let sessions = sessions(1, 9);
        let anna = caller("anna");
        let session = open(&sessions, &anna);
        assert!(
            sessions
                .open(
                    &anna,
                    &Route::Aggregate,
                    Client::default(),
                    (Revision::LATEST_LEGACY, Stamp::default())
                )
                .is_err()
        );
        sessions.end(session.id(), &anna).unwrap();
        assert_eq!(sessions.count(), 0);
        open(&sessions, &anna);
    }

    #[tokio::test]
    async fn idle_sessions_are_reaped_but_not_one_that_calls_or_listens() {
        let sessions = sessions(9, 9);
        let anna = caller("anna");
        let (_idle, busy, listening) = (
            open(&sessions, &anna),
            open(&sessions, &anna),
            open(&sessions, &anna),
        );
        let call = busy.enter(&Bytes::from_static(b"1"), None, None);
        let stream = listening.listen();
        let later = Stamp::from_nanos(2_000_000_000);
        sessions.reap(later);
        assert_eq!(sessions.count(), 2);
        drop((call, stream));
        sessions.reap(later);
        assert_eq!(sessions.count(), 0);
    }

    #[tokio::test]
    async fn a_cancellation_reaches_the_call_with_that_id_alone() {
        let sessions = sessions(9, 9);
        let session = open(&sessions, &caller("anna"));
        let one = session.enter(&Bytes::from_static(b"1"), None, None);
        let two = session.enter(&Bytes::from_static(b"\"1\""), None, None);
        session.cancel(b"1");
        one.cancelled().await;
        tokio::select! {
            biased;
            () = two.cancelled() => panic!("the other call was cancelled"),
            () = std::future::ready(()) => {}
        }
    }

    #[tokio::test]
    async fn a_way_that_is_made_when_its_session_has_ended_ends_at_once() {
        let sessions = sessions(9, 9);
        let anna = caller("anna");
        let session = open(&sessions, &anna);
        let child = StdioSettings::new("true", &[]);
        let settings = BackendSettings::new("b", TransportSettings::Stdio(child));
        let backend = Backend::new(settings, Clock::new());
        let own = || {
            let (line, mut outside) = backend.line(Arc::clone(session.client()), None).unwrap();
            let hearing = tokio::spawn(async move { drop(outside.recv().await) });
            OwnLine::new(line, hearing.abort_handle())
        };
        let before = session.keep_line("b", own());
        sessions.end(session.id(), &anna).unwrap();
        let after = session.keep_line("b", own());
        assert!(before.is_over() && after.is_over());
        assert!(session.lines().is_empty());
    }

    #[test]
    fn subscriptions_are_bounded_and_can_be_given_up() {
        let sessions = sessions(9, 9);
        let session = open(&sessions, &caller("anna"));
        let uri = |number: usize| format!("test://{number}");
        assert!((0..MOST_SUBSCRIPTIONS).all(|number| session.subscribe(&uri(number), Way::Shared)));
        assert!(!session.subscribe("test://more", Way::Own));
        assert!(
            session.subscribe(&uri(1), Way::Own),
            "it has that one already"
        );
        session.unsubscribe(&uri(1));
        assert!(session.subscribe("test://more", Way::Own) && session.is_subscribed("test://more"));
    }

    #[tokio::test]
    async fn a_slow_listener_loses_the_oldest_and_a_new_one_takes_over() {
        let sessions = sessions(9, 2);
        let session = open(&sessions, &caller("anna"));
        let mut first = Box::into_pin(session.listen());
        for text in ["a", "b", "c"] {
            session.tell(Bytes::from_static(text.as_bytes()));
        }
        assert_eq!(stream::next_message(&mut first).await.unwrap(), "b");
        let mut second = Box::into_pin(session.listen());
        assert!(stream::next_message(&mut first).await.is_none());
        assert_eq!(stream::next_message(&mut second).await.unwrap(), "c");
        sessions.end_all();
        assert!(stream::next_message(&mut second).await.is_none());
    }
}
