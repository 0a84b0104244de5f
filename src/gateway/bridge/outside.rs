//! What a backend says and asks outside of calls on a way that is one client's own: who hears it, who is asked, and for how long.

use std::{
    future::pending,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::turns::Turns;
use crate::{
    backend::{Ask, Event, EventReceiver, LONGEST_WAIT},
    gateway::{
        catalogue::Kind,
        facade::Gateway,
        member::Member,
        notices::{UPDATED, is_list_change, sees},
        sessions::{CANCELLED, Session, Way},
    },
    protocol::{Kind as MessageKind, Message},
};

/// What a client answers by itself; a person may be behind all else that it can be asked.
const BY_ITSELF: &str = "roots/list";

/// Who is asked on a way outside of its calls.
pub(super) enum Whom {
    /// The client of this session.
    Session(Weak<Session>),
    /// The client of one of these calls.
    Calls(Arc<Turns>),
}

/// What was asked outside of calls on one way. Dropped, it is withdrawn.
struct Asked {
    whom: Whom,
    /// How long a client may take for what it answers by itself.
    patience: Duration,
    /// The questions of its session that may be open, each with its end.
    open: Mutex<Vec<(u64, Instant)>>,
}

impl Gateway {
    /// What a backend says to one client outside of its calls, as long as it is there.
    pub(super) async fn hear_outside(
        self: Arc<Self>,
        whom: Whom,
        member: Weak<Member>,
        outside: EventReceiver,
    ) {
        let patience = member
            .upgrade()
            .map_or(LONGEST_WAIT, |member| member.backend().settings().timeout);
        let asked = Arc::new(Asked {
            whom,
            patience,
            open: Mutex::default(),
        });
        let (asking, gateway, its) = (Arc::clone(&asked), Arc::clone(&self), Weak::clone(&member));
        let mut outside = outside.handled(move |event| match event {
            Event::Said(message) if message.method() == Some(CANCELLED) => {
                asking.cancelled(&message)
            }
            Event::Said(message) | Event::Ours(message) => Some(message),
            Event::Asked(ask) => asking.ask(ask),
            Event::Told(message) => {
                gateway.reread(&its.upgrade()?, &message);
                None
            }
            Event::Over => {
                asking.withdraw_all();
                None
            }
        });
        loop {
            let message = tokio::select! {
                biased;
                message = outside.recv() => message,
                () = asked.late() => continue,
            };
            let Some(member) = member.upgrade() else {
                return;
            };
            self.said_outside(asked.session().as_deref(), &member, &message);
        }
    }

    fn said_outside(
        self: &Arc<Self>,
        session: Option<&Session>,
        member: &Arc<Member>,
        message: &Message,
    ) {
        self.reread(member, message);
        match session {
            Some(session) if message.kind() == MessageKind::Request => session.deliver(message),
            Some(session) if message.method() == Some(UPDATED) => {
                self.tell_updated((session, Way::Own), member, message);
            }
            // Where it sees what all share, it hears once that has been read again.
            Some(session) if sees(session, member) && is_list_change(message) => {}
            Some(session) if session.wants(message) => session.tell(message.bytes().clone()),
            _ => {}
        }
    }

    /// Reads again what a notification says has changed.
    fn reread(self: &Arc<Self>, member: &Arc<Member>, notice: &Message) {
        let method = notice.method().unwrap_or_default();
        self.read_again(member, Kind::changed_by(method).iter().copied());
    }
}

impl Asked {
    fn session(&self) -> Option<Arc<Session>> {
        match &self.whom {
            Whom::Session(session) => session.upgrade(),
            Whom::Calls(_) => None,
        }
    }

    /// What the session is asked, if that is who is asked.
    fn ask(&self, ask: Ask) -> Option<Message> {
        if let Whom::Calls(turns) = &self.whom {
            turns.ask(ask);
            return None;
        }
        let session = self.session()?;
        let is_person = ask.message().method() != Some(BY_ITSELF);
        let patience = if is_person {
            LONGEST_WAIT
        } else {
            self.patience
        };
        let (id, question) = session.relay(ask, session.waiting());
        let mut open = self.open();
        open.retain(|(id, _)| session.asks().is_open(*id));
        open.push((id, Instant::now() + patience));
        Some(question)
    }

    fn cancelled(&self, told: &Message) -> Option<Message> {
        let ids: Vec<_> = self.open().iter().map(|(id, _)| *id).collect();
        self.session()?.asks().cancelled(&ids, told)
    }

    /// Waits until the client is late with an answer; then that is declined, and the client is told.
    async fn late(&self) {
        let first = self.open().iter().map(|(_, until)| *until).min();
        let Some(first) = first else {
            return pending().await;
        };
        sleep_until(first).await;
        let late: Vec<_> = self
            .open()
            .extract_if(.., |(_, until)| *until <= first)
            .collect();
        let Some(session) = self.session() else {
            return;
        };
        let sentence =
            "the client has not answered in time, so nobody waits for its answer any more";
        let told = late
            .iter()
            .filter_map(|(id, _)| session.asks().decline(*id, sentence));
        session.say_all(told);
    }

    /// Who asked is gone.
    fn withdraw_all(&self) {
        let open = mem::take(&mut *self.open());
        if let Some(session) = self.session() {
            let told = open
                .iter()
                .filter_map(|(id, _)| session.asks().withdraw(*id));
            session.say_all(told);
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<(u64, Instant)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.withdraw_all();
    }
}
