//! Ways to older backends for modern clients that can be asked: such a client has no session, so the way is kept for its
//! caller and what it can be asked for. A child, or a server on one event stream, cannot say for which call it asks, and so
//! serves one at a time.

use std::{cmp::Reverse, collections::HashMap, sync::Arc, time::Duration};

use tokio::task::AbortHandle;

use super::turns::{Turn, Turns};
use crate::{
    backend::{Client, EventSender, Line},
    gateway::{member::Member, sessions::Ending},
    lockfree::Latest,
    telemetry::{Stamp, clock::millis},
};

/// How many children of one backend one caller may have with one set of capabilities.
const MOST_CHILDREN: usize = 8;
/// A way that nobody used for so long is ended.
const IDLE: Duration = Duration::from_secs(300);

/// The ways that modern clients use by turns.
#[derive(Default)]
pub(in crate::gateway) struct LentLines(papaya::HashMap<Key, Arc<Lent>>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    backend: Box<str>,
    caller: Box<str>,
    capabilities: Box<str>,
    number: usize,
}

struct Lent {
    line: Arc<Line>,
    hearing: AbortHandle,
    turns: Arc<Turns>,
    last_used_ms: Latest,
}

/// A line for one call.
pub(in crate::gateway) struct Own {
    line: Arc<Line>,
    _turn: Option<Turn>,
}

impl Own {
    /// The line of a session, whose calls may go at once: any of them leads to the right client.
    pub(super) const fn of_session(line: Arc<Line>) -> Self {
        Self { line, _turn: None }
    }

    pub(in crate::gateway) fn line(&self) -> &Line {
        &self.line
    }
}

impl LentLines {
    /// A line that is free for a call of this client, made by `open` if there is none and there may be one more.
    pub(super) fn lend(
        &self,
        (member, caller, now): (&Member, &str, Stamp),
        (client, events): (&Client, Option<&EventSender>),
        open: impl FnOnce(&Arc<Turns>) -> Option<(Arc<Line>, AbortHandle)>,
    ) -> Option<Own> {
        let is_piped = member.backend().is_piped();
        let key = |number| Key {
            backend: member.name().into(),
            caller: caller.into(),
            capabilities: client.capabilities().into(),
            number,
        };
        let most = if is_piped { MOST_CHILDREN } else { 1 };
        let lines = self.0.pin();
        let mut free = None;
        for number in 0..most {
            let lent = lines.get(&key(number));
            if let Some(own) = lent.and_then(|lent| lent.take(events, now)) {
                return Some(own);
            }
            if lent.is_none_or(|lent| lent.is_over()) {
                free = Some(number);
                break;
            }
        }
        let free = free?;
        let turns = Turns::new(if is_piped { 1 } else { usize::MAX });
        let (line, hearing) = open(&turns)?;
        let lent = Arc::new(Lent {
            line,
            hearing,
            turns,
            last_used_ms: Latest::new(now.millis()),
        });
        let own = lent.take(events, now);
        lines.insert(key(free), lent);
        own
    }

    /// Lets go of the ways to a backend: no other call goes on them. What ends each of them, when its last call is over.
    pub(in crate::gateway) fn forget(&self, backend: &str) -> Vec<Ending> {
        let mut endings: Vec<Ending> = Vec::new();
        self.0.pin().retain(|key, lent| {
            let is_kept = *key.backend != *backend;
            if !is_kept {
                let lent = Arc::clone(lent);
                endings.push(Box::new(move || lent.end()));
            }
            is_kept
        });
        endings
    }

    /// Ends what nobody has used for a while.
    pub(in crate::gateway) fn reap(&self, now: Stamp) {
        self.0.pin().retain(|_, lent| {
            let silent = now.millis().saturating_sub(lent.last_used_ms.value());
            let is_over = silent > millis(IDLE) && lent.turns.end_if_idle();
            if is_over {
                lent.end();
            }
            !is_over
        });
    }

    /// Ends a way to this backend that no call is on, so that another can be opened: one of `caller`, or without that one of
    /// whoever has most of them; of those, the one that was used the longest ago. Whether there was one.
    pub(super) fn make_room(&self, backend: &str, caller: Option<&str>) -> bool {
        let lines = self.0.pin();
        let mut here: Vec<_> = lines
            .iter()
            .filter(|(key, lent)| *key.backend == *backend && !lent.is_over())
            .collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (key, _) in &here {
            *counts.entry(&key.caller).or_default() += 1;
        }
        here.retain(|(key, _)| caller.is_none_or(|caller| *key.caller == *caller));
        here.sort_by_key(|(key, lent)| {
            let most = Reverse(counts.get(&*key.caller).copied());
            (most, lent.last_used_ms.value())
        });
        let idle = here.into_iter().find(|(_, lent)| lent.turns.end_if_idle());
        let Some((key, lent)) = idle else {
            return false;
        };
        lent.end();
        // Another may stand in its place by now.
        let _ = lines.remove_if(key, |_, now| Arc::ptr_eq(now, lent));
        true
    }

    /// Ends all.
    pub(in crate::gateway) fn end(&self) {
        let lines = self.0.pin();
        lines.values().for_each(|lent| lent.end());
        lines.clear();
    }
}

impl Lent {
    fn take(&self, events: Option<&EventSender>, now: Stamp) -> Option<Own> {
        if self.line.is_over() {
            return None;
        }
        let turn = self.turns.take(events)?;
        self.last_used_ms.set(now.millis());
        Some(Own {
            line: Arc::clone(&self.line),
            _turn: Some(turn),
        })
    }

    /// Whether no call gets on it any more.
    fn is_over(&self) -> bool {
        self.line.is_over() || self.turns.is_over()
    }

    fn end(&self) {
        self.hearing.abort();
        self.line.end();
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}
