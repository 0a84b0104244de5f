//! What a client is asked and has not answered yet: each request under an id of the session's own, so that two backends that
//! ask with one id get each its own answer.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::page_name::named;
use crate::{
    backend::{Ask, Waiting},
    protocol::Message,
};

/// What tells that nobody waits for an answer any more.
pub(in crate::gateway) const CANCELLED: &str = "notifications/cancelled";

/// Requests that wait for one client; a further one takes the place of the oldest, which is declined.
const MOST: usize = 64;

/// The requests that wait for one client's answers. Locked when something is asked or answered, never by a call.
#[derive(Default)]
pub(in crate::gateway) struct Asks(Mutex<Open>);

#[derive(Default)]
struct Open {
    last: u64,
    /// Whether the client can answer nothing any more.
    is_over: bool,
    asked: BTreeMap<u64, Asked>,
}

struct Asked {
    asker: Asker,
    /// The time until the answer is not that of the calls that may need it.
    _waiting: Vec<Waiting>,
}

/// A question that waits now.
pub(super) struct Put {
    pub(super) id: u64,
    /// What tells the client that the oldest has made room.
    pub(super) told: Option<Message>,
}

enum Asker {
    Backend(Ask),
    Gateway(oneshot::Sender<Message>),
}

impl Asks {
    /// A backend's request as the client gets it, with its id there.
    pub(super) fn relay(
        &self,
        ask: Ask,
        waiting: impl IntoIterator<Item = Waiting>,
    ) -> (Put, Message) {
        let message = ask.message().clone();
        let put = self.put(Asker::Backend(ask), waiting);
        let id = put.id;
        let name = id.to_string();
        // Backends number their own requests and tokens from 0, each of them.
        let edit = message
            .edit()
            .id(name.as_bytes())
            .progress_token(name.as_bytes());
        (put, edit.finish_message())
    }

    /// The gateway's own request, and where its answer comes.
    pub(super) fn ask(
        &self,
        method: &str,
        params: Option<&[u8]>,
        waiting: impl IntoIterator<Item = Waiting>,
    ) -> (Put, Message, oneshot::Receiver<Message>) {
        let (sender, receiver) = oneshot::channel();
        let put = self.put(Asker::Gateway(sender), waiting);
        let params = params.map(|params| named(method, params));
        let message = Message::request(put.id.to_string().as_bytes(), method, params.as_deref());
        (put, message, receiver)
    }

    /// Hands an answer to whoever waits for it; one that nobody waits for is left alone.
    pub(in crate::gateway) fn answered(&self, answer: &Message) {
        let asked = id_of(answer.id()).and_then(|id| self.open().asked.remove(&id));
        match asked.map(|asked| asked.asker) {
            Some(Asker::Backend(ask)) => ask.answer(answer),
            Some(Asker::Gateway(sender)) => {
                let _ = sender.send(answer.clone());
            }
            None => tracing::debug!("A client answered what it was not asked, or not any more"),
        }
    }

    /// Hands how far a client is with an answer to the backend that asked; what the gateway asks has no token.
    pub(in crate::gateway) fn progressed(&self, progress: &Message) {
        let open = self.open();
        let asked = id_of(progress.progress_token()).and_then(|id| open.asked.get(&id));
        // Within the lock: no answer that comes later overtakes it.
        if let Some(Asker::Backend(ask)) = asked.map(|asked| &asked.asker) {
            ask.progressed(progress);
        }
    }

    /// A backend does not want to know any more what it asked: its client knows the question under another id, one of `asked`.
    pub(in crate::gateway) fn cancelled(&self, asked: &[u64], told: &Message) -> Option<Message> {
        let theirs = told.cancelled_id()?;
        let is_it = |id: &&u64| self.is_of_backend(**id, theirs);
        self.withdraw(*asked.iter().rev().find(is_it)?)
    }

    /// Whether a question is open.
    pub(in crate::gateway) fn is_open(&self, id: u64) -> bool {
        self.open().asked.contains_key(&id)
    }

    /// Whether a backend asked this under `theirs`.
    fn is_of_backend(&self, id: u64, theirs: &[u8]) -> bool {
        let open = self.open();
        open.asked.get(&id).is_some_and(|asked| {
            matches!(&asked.asker, Asker::Backend(ask) if ask.message().id() == Some(theirs))
        })
    }

    /// Nobody waits for this answer any more: the backend is told so. Gives what tells the client, if it has not answered yet.
    pub(in crate::gateway) fn withdraw(&self, id: u64) -> Option<Message> {
        // Dropped behind the lock: it has something to say.
        let asked = self.open().asked.remove(&id);
        drop(asked?);
        Some(cancelled(id))
    }

    /// The same, and the backend is told why.
    pub(in crate::gateway) fn decline(&self, id: u64, why: &str) -> Option<Message> {
        let asked = self.open().asked.remove(&id);
        asked?.decline(why);
        Some(cancelled(id))
    }

    /// The same for all, and for everything that is asked later.
    pub(super) fn end(&self) {
        let mut open = self.open();
        open.is_over = true;
        let asked = std::mem::take(&mut open.asked);
        drop(open);
        drop(asked);
    }

    fn put(&self, asker: Asker, waiting: impl IntoIterator<Item = Waiting>) -> Put {
        let mut open = self.open();
        open.last += 1;
        let id = open.last;
        let asked = Asked {
            asker,
            _waiting: waiting.into_iter().collect(),
        };
        open.asked.insert(id, asked);
        let is_too_many = open.is_over || open.asked.len() > MOST;
        let oldest = is_too_many.then(|| open.asked.pop_first()).flatten();
        drop(open);
        let Some((first, oldest)) = oldest else {
            return Put { id, told: None };
        };
        oldest.decline(&format!(
            "the client has {MOST} newer questions to answer, which is the limit"
        ));
        // One that is declined at once is none that the client has heard of.
        let told = (first != id).then(|| cancelled(first));
        Put { id, told }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    fn decline(self, why: &str) {
        if let Asker::Backend(ask) = self.asker {
            ask.decline(why);
        }
    }
}

/// What tells a client that it need not answer this question any more.
fn cancelled(id: u64) -> Message {
    let params = format!(r#"{{"requestId":{id}}}"#);
    Message::notification(CANCELLED, Some(params.as_bytes()))
}

/// The question that an id or a token of ours names.
fn id_of(token: Option<&[u8]>) -> Option<u64> {
    std::str::from_utf8(token?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_finds_the_one_who_asked() {
        let asks = Asks::default();
        let (_, one, mut first) = asks.ask("roots/list", None, None);
        let (_, two, mut second) = asks.ask("roots/list", None, None);
        assert_ne!(one.id(), two.id());
        asks.answered(&Message::response(two.id().unwrap(), b"2"));
        asks.answered(&Message::response(two.id().unwrap(), b"3"));
        assert!(first.try_recv().is_err());
        assert_eq!(second.try_recv().unwrap().result().unwrap(), "2");
    }

    #[test]
    fn a_client_is_told_of_what_it_need_not_answer_any_more() {
        let asks = Asks::default();
        let (one, ..) = asks.ask("roots/list", None, None);
        let (two, question, _waits) = asks.ask("roots/list", None, None);
        let told = asks.withdraw(one.id).unwrap();
        assert_eq!(told.cancelled_id(), Some(one.id.to_string().as_bytes()));
        asks.answered(&Message::response(question.id().unwrap(), b"2"));
        assert!(
            [one.id, two.id]
                .iter()
                .all(|id| asks.withdraw(*id).is_none())
        );
    }

    #[test]
    fn at_the_end_everything_is_declined_and_so_is_what_comes_later() {
        let asks = Asks::default();
        let (.., before) = asks.ask("a", None, None);
        asks.end();
        let (.., after) = asks.ask("a", None, None);
        for mut waiting in [before, after] {
            let closed = Err(oneshot::error::TryRecvError::Closed);
            assert_eq!(waiting.try_recv().map(|_| ()), closed);
        }
    }

    #[test]
    fn the_oldest_makes_room_and_is_told() {
        let asks = Asks::default();
        let asked: Vec<_> = (0..=MOST).map(|_| asks.ask("a", None, None)).collect();
        let told = asked.iter().filter_map(|(put, ..)| put.told.as_ref());
        let told: Vec<_> = told.map(|told| told.cancelled_id().unwrap()).collect();
        assert_eq!(told, [asked[0].1.id().unwrap()]);
        let mut waiting: Vec<_> = asked.into_iter().map(|(.., waiting)| waiting).collect();
        assert!(matches!(
            waiting[0].try_recv(),
            Err(oneshot::error::TryRecvError::Closed)
        ));
        assert!(matches!(
            waiting[1].try_recv(),
            Err(oneshot::error::TryRecvError::Empty)
        ));
    }
}
