//! The way to a backend that a client has for itself, because it can be asked for something.

use std::sync::Arc;

use tokio::{task::AbortHandle, time::Instant};

use super::{Own, levels::takes_level, outside::Whom};

use crate::{
    backend::{Client, Line, NoLine},
    failsafe::CircuitState,
    gateway::{
        facade::Gateway, inbound::Caller, member::Member, request::Request, sessions::OwnLine,
    },
    protocol::Era,
};

impl Gateway {
    /// The line on which a request goes to its backend; none where it can go the way that all share. A modern backend is told
    /// of its client in each request, and needs none.
    pub(in crate::gateway) async fn own_line(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
    ) -> Option<Own> {
        if let Some(client) = &request.client {
            return self.lent_line(request, member, client).await;
        }
        let session = request.session.as_ref().filter(|it| it.can_be_asked())?;
        if let Some(line) = session.line(member.name()) {
            return Some(Own::of_session(line));
        }
        let deadline = connecting_until(request, member)?;
        let info = member.backend().server_info(deadline).await.ok()?;
        if info.era == Era::Modern {
            return None;
        }
        let whose = (session.client(), &*request.caller);
        let whom = Whom::Session(Arc::downgrade(session));
        let (line, hearing) = self.open_line(member, whose, whom)?;
        let line = session.keep_line(member.name(), OwnLine::new(line, hearing));
        // It was taken out meanwhile: whoever took it out has let go of the lines that were there then.
        if !self.table().holds(member) {
            drop(session.forget_line(member.name()));
        }
        if let Some(level) = session.log_level().filter(|_| takes_level(&info)) {
            self.set_on(&line, request, member, level).await;
        }
        self.subscribe_on(&line, request, (member, session)).await;
        Some(Own::of_session(line))
    }

    async fn lent_line(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
        client: &Arc<Client>,
    ) -> Option<Own> {
        let backend = member.backend();
        let deadline = connecting_until(request, member)?;
        let is_modern = backend.modern_info(deadline).await.ok()?.is_some();
        if is_modern || backend.era(deadline).await.ok()? == Era::Modern {
            return None;
        }
        let whose = (&**member, &*request.caller.name, self.clock.now());
        let hearer = (&**client, request.events.as_ref());
        let own = self.lent.lend(whose, hearer, |turns| {
            let whom = Whom::Calls(Arc::clone(turns));
            self.open_line(member, (client, &*request.caller), whom)
        });
        if !self.table().holds(member) {
            drop(self.lent.forget(member.name()));
        }
        own
    }

    /// A new line, and the task that hears what is said on it outside of calls; none where there are as many as may be, and
    /// none of those can be spared.
    fn open_line(
        self: &Arc<Self>,
        member: &Arc<Member>,
        (client, caller): (&Arc<Client>, &Caller),
        whom: Whom,
    ) -> Option<(Arc<Line>, AbortHandle)> {
        let open = || member.backend().line(Arc::clone(client), caller.apart());
        let opened = open().or_else(|why| {
            let of_whom = caller.apart().filter(|_| why == NoLine::Share);
            let is_room = self.lent.make_room(member.name(), of_whom);
            if is_room { open() } else { Err(why) }
        });
        let is_new = member.is_full(opened.is_err());
        let (line, outside) = opened
            .inspect_err(|why| {
                if is_new {
                    tell_full(member, *why, caller);
                }
            })
            .ok()?;
        let hearing = Arc::clone(self).hear_outside(whom, Arc::downgrade(member), outside);
        Some((line, tokio::spawn(hearing).abort_handle()))
    }
}

fn tell_full(member: &Member, why: NoLine, caller: &Caller) {
    let whose = match why {
        NoLine::Full => "clients",
        NoLine::Share => "clients of this caller",
    };
    tracing::warn!(
        backend = member.name(),
        caller = &*caller.name,
        most = member.backend().settings().max_client_sessions,
        "Further {whose} share the backend and cannot be asked by it: `max_client_sessions` is reached"
    );
}

/// Until when a backend may take to say which era it is of. With an open circuit nothing is asked: the call goes the way that
/// all share, where it is refused.
fn connecting_until(request: &Request, member: &Member) -> Option<Instant> {
    let backend = member.backend();
    if backend.failsafe().circuit_breaker.state() == CircuitState::Open {
        return None;
    }
    let own = request.began.checked_add(backend.settings().timeout);
    Some(own.map_or(request.deadline, |own| own.min(request.deadline)))
}
