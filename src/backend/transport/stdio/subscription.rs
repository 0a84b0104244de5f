//! The subscription in which a modern child says what belongs to no call (MCP 2026-07-28, basic/patterns/subscriptions): when
//! something else is to be heard of, the next is acknowledged before the earlier one is cancelled.

use std::{collections::BTreeSet, future::pending, mem, pin::Pin, time::Duration};

use tokio::time::sleep;

use super::child::Child;
use crate::{
    backend::{
        CallError, events,
        transport::{
            Outlet, ServerInfo, listening,
            watched::{Wanted, Watched},
        },
    },
    protocol::Message,
};

/// A child that has not refused a subscription for so long has agreed to it, though it does not say so.
const SILENT: Duration = Duration::from_millis(300);
/// The same where an earlier one is still open: nothing is missed meanwhile.
const SILENT_BESIDE: Duration = Duration::from_secs(5);
/// The pause before a subscription that a child has closed is opened again.
const REOPEN: Duration = Duration::from_secs(1);

/// An open subscription. Dropped, it is cancelled.
struct Open<'a> {
    uris: BTreeSet<Box<str>>,
    /// Not there as long as it is open: an answer says that the child has closed it.
    answer: Pin<Box<dyn Future<Output = Result<Message, CallError>> + Send + 'a>>,
}

/// What became of a subscription that was asked for.
enum Opened<'a> {
    Agreed(Open<'a>),
    Refused,
    Closed,
    /// The child is gone.
    Gone,
}

/// Keeps one subscription to what is watched, until the child is gone.
pub(super) async fn listen(
    child: &Child,
    info: &ServerInfo,
    (watched, outlet): (&Watched, &Outlet),
) {
    let mut wanted = watched.wanted();
    let mut now: Option<Open<'_>> = None;
    let mut has_missed = false;
    loop {
        let set = wanted.borrow_and_update().clone();
        if now.as_ref().is_some_and(|open| open.uris == set.uris) {
            watched.answer(set.version, true);
        } else {
            match open(child, info, &set, now.is_some()).await {
                Opened::Agreed(next) => {
                    now = Some(next);
                    watched.answer(set.version, true);
                    if mem::take(&mut has_missed) {
                        info.changes().for_each(|notice| outlet.say(notice));
                    }
                }
                Opened::Refused => watched.answer(set.version, false),
                Opened::Closed => {
                    sleep(REOPEN).await;
                    continue;
                }
                Opened::Gone => return,
            }
        }
        tokio::select! {
            closed = closed(&mut now) => {
                if closed.is_err() {
                    return;
                }
                now = None;
                has_missed = true;
                sleep(REOPEN).await;
            }
            _ = wanted.changed() => {}
        }
    }
}

async fn open<'a>(
    child: &'a Child,
    info: &ServerInfo,
    set: &Wanted,
    is_beside: bool,
) -> Opened<'a> {
    let message = listening::subscription(info, set);
    let (sender, mut acknowledged) = events(1);
    let answer = async move { child.request(&message, Some(&sender)).await };
    let mut open = Open {
        uris: set.uris.clone(),
        answer: Box::pin(answer),
    };
    tokio::select! {
        biased;
        answer = &mut open.answer => match answer {
            Ok(answer) if answer.error().is_some() => Opened::Refused,
            Ok(_) => Opened::Closed,
            Err(_) => Opened::Gone,
        },
        _ = acknowledged.recv() => Opened::Agreed(open),
        () = sleep(if is_beside { SILENT_BESIDE } else { SILENT }) => Opened::Agreed(open),
    }
}

async fn closed(now: &mut Option<Open<'_>>) -> Result<Message, CallError> {
    match now {
        Some(open) => open.answer.as_mut().await,
        None => pending().await,
    }
}
