//! The level from which on a client wants log lines: kept for its session, and told to backends that only one level serves,
//! who get the chattiest that anybody wants.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    backend::{Line, ServerInfo},
    gateway::{
        facade::Gateway, member::Member, notices::hears_of, replies::Refusal, request::Request,
        sessions::LogLevel,
    },
    protocol::{Era, Message},
};

const SET_LEVEL: &str = "logging/setLevel";
/// How long a client waits for backends to hear of its level; one that is slow hears of it later.
const HEARD: Duration = Duration::from_secs(1);

impl Gateway {
    /// `logging/setLevel` for the backends that the session hears of. They hear of it before the client has its answer, so
    /// that its next call is logged as it wants.
    pub(in crate::gateway) async fn set_level(
        self: &Arc<Self>,
        request: &Request,
        members: Vec<Arc<Member>>,
    ) -> Result<Bytes, Refusal> {
        let level = LogLevel::of(&request.message).ok_or_else(|| {
            let names = LogLevel::names();
            Refusal::InvalidParams(
                format!("`logging/setLevel` came without a known `level`, so nothing changed. Use one of {names}.")
                    .into(),
            )
        })?;
        if let Some(session) = &request.session {
            session.log_at(level);
        }
        let mut told = JoinSet::new();
        for member in members {
            let (gateway, request) = (Arc::clone(self), request.clone());
            told.spawn(async move { gateway.tell_level(&request, &member, level).await });
        }
        let all_told = timeout(HEARD, async { while told.join_next().await.is_some() {} });
        if all_told.await.is_err() {
            told.detach_all();
        }
        Ok(request.respond(b"{}"))
    }

    /// Backends that are not running are told nothing: they begin with a level of their own. A modern one hears of the level
    /// in each request.
    async fn tell_level(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
        level: LogLevel,
    ) {
        if !member.backend().status().running {
            return;
        }
        let Ok(info) = member.backend().server_info(request.deadline).await else {
            return;
        };
        if !takes_level(&info) {
            return;
        }
        let own = request
            .session
            .as_ref()
            .and_then(|it| it.line(member.name()));
        let told = match own {
            Some(_) => self.forward(request, member, set(level), true).await,
            None => {
                let chattiest = set(self.chattiest(member, level));
                self.forward_shared(request, member, chattiest).await
            }
        };
        if let Err(error) = told {
            tracing::debug!(backend = member.name(), %error, "A log level was not delivered");
        }
    }

    /// Tells it on a line that has just been made.
    pub(super) async fn set_on(
        &self,
        line: &Line,
        request: &Request,
        member: &Member,
        level: LogLevel,
    ) {
        let mut call = request.call(set(level), true, None);
        call.line = Some(line);
        call.events = None;
        if let Err(error) = member.send(&call).await {
            tracing::debug!(backend = member.name(), %error, "A log level was not delivered");
        }
    }

    fn chattiest(&self, member: &Member, level: LogLevel) -> LogLevel {
        let mut chattiest = level;
        self.sessions.for_each(|session| {
            if hears_of(session, member)
                && let Some(wanted) = session.log_level()
            {
                chattiest = chattiest.min(wanted);
            }
        });
        chattiest
    }
}

pub(super) fn takes_level(info: &ServerInfo) -> bool {
    info.era == Era::Legacy && info.capability("logging")
}

fn set(level: LogLevel) -> Message {
    let params = format!(r#"{{"level":"{}"}}"#, level.name());
    Message::request(b"0", SET_LEVEL, Some(params.as_bytes()))
}
