//! Answers that are given again for a while, and calls that wait for the same answer together.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use ring::digest::{SHA256, digest};
use tokio::sync::watch;

use super::ExecuteFault;
use crate::telemetry::{Clock, Stamp};

/// How many answers are kept, and how many bytes they may take together.
const MOST: usize = 1_024;
const MOST_BYTES: usize = 16 << 20;

/// Which answer: a digest, so that no argument and no secret lies in it.
pub(super) type CacheKey = [u8; 32];

/// What a call came to, and whether it may be given again.
pub(super) type Outcome = (Result<Bytes, ExecuteFault>, bool);

/// The answers of one executor.
#[derive(Debug, Default)]
pub(super) struct Cache(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Read without a lock, and written under that of `state`.
    kept: papaya::HashMap<CacheKey, Kept>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Of all answers that are kept.
    bytes: usize,
    /// Calls that are under way, and where their answer will be.
    flights: HashMap<CacheKey, Flight>,
}

type Flight = watch::Receiver<Option<Result<Bytes, ExecuteFault>>>;

#[derive(Debug)]
struct Kept {
    result: Bytes,
    until: Stamp,
}

/// What a call finds.
enum Found {
    Kept(Bytes),
    UnderWay(Flight),
    Nothing(Leader),
}

/// The one call that goes out for all that want its answer. Dropped, it leaves the way to the next.
struct Leader {
    shared: Arc<Shared>,
    key: CacheKey,
    tell: watch::Sender<Option<Result<Bytes, ExecuteFault>>>,
}

/// The key of a call: who asks is a part of it where `caller` is not empty.
pub(super) fn key(capability: &str, arguments: &str, caller: &str) -> CacheKey {
    // A name has no line end, and JSON none that is not escaped.
    let whole = [capability, "\n", arguments, "\n", caller].concat();
    let mut key = CacheKey::default();
    key.copy_from_slice(digest(&SHA256, whole.as_bytes()).as_ref());
    key
}

impl Cache {
    /// The answer that is kept, or that somebody is waiting for, or what `call` comes to.
    pub(super) async fn through(
        &self,
        key: CacheKey,
        ttl: Duration,
        clock: &Clock,
        call: impl Future<Output = Outcome>,
    ) -> Result<Bytes, ExecuteFault> {
        loop {
            match self.find(key, clock.now()) {
                Found::Kept(result) => return Ok(result),
                Found::UnderWay(mut flight) => {
                    // It fails if that call was dropped: then this one may go.
                    if let Ok(landed) = flight.wait_for(Option::is_some).await
                        && let Some(result) = landed.clone()
                    {
                        return result;
                    }
                }
                Found::Nothing(leader) => {
                    let (result, is_good) = call.await;
                    if let Ok(bytes) = result.as_ref()
                        && is_good
                    {
                        let now = clock.now();
                        leader.shared.keep(key, bytes, now, now.later(ttl));
                    }
                    leader.tell.send_replace(Some(result.clone()));
                    return result;
                }
            }
        }
    }

    fn find(&self, key: CacheKey, now: Stamp) -> Found {
        if let Some(result) = self.0.good(key, now) {
            return Found::Kept(result);
        }
        let mut state = self.0.state();
        // The call that was under way keeps its answer before it has ended.
        if let Some(result) = self.0.good(key, now) {
            return Found::Kept(result);
        }
        if let Some(flight) = state.flights.get(&key) {
            return Found::UnderWay(flight.clone());
        }
        let (tell, flight) = watch::channel(None);
        state.flights.insert(key, flight);
        Found::Nothing(Leader {
            shared: Arc::clone(&self.0),
            key,
            tell,
        })
    }
}

impl Shared {
    fn good(&self, key: CacheKey, now: Stamp) -> Option<Bytes> {
        let kept = self.kept.pin();
        let kept = kept.get(&key).filter(|kept| now < kept.until);
        kept.map(|kept| kept.result.clone())
    }

    fn keep(&self, key: CacheKey, result: &Bytes, now: Stamp, until: Stamp) {
        if result.len() > MOST_BYTES / 4 {
            return;
        }
        let mut state = self.state();
        self.forget(&mut state, key);
        if self.is_full(&state, result.len()) {
            self.forget_old(&mut state, now);
        }
        while self.is_full(&state, result.len())
            && let Some(soonest) = self.soonest()
        {
            self.forget(&mut state, soonest);
        }
        state.bytes += result.len();
        let result = result.clone();
        self.kept.pin().insert(key, Kept { result, until });
    }

    fn is_full(&self, state: &State, more: usize) -> bool {
        self.kept.len() >= MOST || state.bytes + more > MOST_BYTES
    }

    fn forget_old(&self, state: &mut State, now: Stamp) {
        let kept = self.kept.pin();
        let is_old = |(_, kept): &(&CacheKey, &Kept)| kept.until <= now;
        for (key, _) in kept.iter().filter(is_old) {
            self.forget(state, *key);
        }
    }

    fn soonest(&self) -> Option<CacheKey> {
        let kept = self.kept.pin();
        let soonest = kept.iter().min_by_key(|(_, kept)| kept.until);
        soonest.map(|(key, _)| *key)
    }

    fn forget(&self, state: &mut State, key: CacheKey) {
        if let Some(kept) = self.kept.pin().remove(&key) {
            state.bytes -= kept.result.len();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.shared.state().flights.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const TTL: Duration = Duration::from_secs(60);

    fn bytes(length: usize) -> Bytes {
        vec![b'x'; length].into()
    }

    async fn asked(
        cache: &Cache,
        clock: &Clock,
        name: &str,
        outcome: Outcome,
    ) -> (Result<Bytes, ExecuteFault>, usize) {
        let calls = Cell::new(0);
        let call = async {
            calls.set(calls.get() + 1);
            outcome
        };
        let result = cache.through(key(name, "{}", ""), TTL, clock, call).await;
        (result, calls.get())
    }

    #[tokio::test]
    async fn a_success_is_given_again_until_its_time_is_over_and_nothing_else_is() {
        let (clock, advance) = Clock::mocked();
        let cache = Cache::default();
        let good = (Ok(bytes(1)), true);
        let error = (Ok(bytes(2)), false);
        let fault = (Err(ExecuteFault::Unknown("a".into())), false);
        for (name, outcome, calls) in [("a", good.clone(), 0), ("b", error, 1), ("c", fault, 1)] {
            let (first, called) = asked(&cache, &clock, name, outcome.clone()).await;
            assert_eq!(called, 1, "{name}");
            let (again, called) = asked(&cache, &clock, name, outcome).await;
            assert_eq!((again, called), (first, calls), "{name}");
        }
        advance(TTL);
        assert_eq!(asked(&cache, &clock, "a", good).await.1, 1);
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_in_number_and_in_bytes() {
        let (clock, _) = Clock::mocked();
        let cache = Cache::default();
        for n in 0..MOST + 9 {
            let _ = asked(&cache, &clock, &n.to_string(), (Ok(bytes(1)), true)).await;
        }
        assert_eq!(cache.0.kept.len(), MOST);
        for n in 0..9 {
            let name = format!("large{n}");
            let _ = asked(&cache, &clock, &name, (Ok(bytes(3 << 20)), true)).await;
        }
        let _ = asked(&cache, &clock, "too large", (Ok(bytes(5 << 20)), true)).await;
        let state = cache.0.state();
        let kept = cache.0.kept.pin();
        let held: usize = kept.values().map(|kept| kept.result.len()).sum();
        assert_eq!(state.bytes, held);
        assert!(held <= MOST_BYTES && !kept.contains_key(&key("too large", "{}", "")));
        assert!(state.flights.is_empty());
    }

    #[tokio::test]
    async fn calls_for_the_same_answer_go_out_once_and_one_that_is_dropped_leaves_the_way_to_the_next()
     {
        let (clock, _) = Clock::mocked();
        let cache = Cache::default();
        let calls = Cell::new(0);
        let (open, gate) = watch::channel(false);
        let call = || async {
            calls.set(calls.get() + 1);
            let _ = gate.clone().wait_for(|is_open| *is_open).await;
            (Ok(bytes(1)), true)
        };
        let one = || cache.through(key("a", "{}", ""), TTL, &clock, call());
        let mut first = Box::pin(one());
        let mut second = Box::pin(one());
        tokio::select! {
            biased;
            _ = &mut first => {}
            _ = &mut second => {}
            () = std::future::ready(()) => {}
        }
        assert_eq!(calls.get(), 1);
        drop(first);
        open.send_replace(true);
        let (second, third) = tokio::join!(second, one());
        assert_eq!((second, third), (Ok(bytes(1)), Ok(bytes(1))));
        assert_eq!(calls.get(), 2);
    }

    #[test]
    fn a_key_knows_the_caller_and_shows_nothing() {
        assert_ne!(key("a", "{}", "me"), key("a", "{}", "you"));
        assert_ne!(key("a", "{\"b\":1}", ""), key("a", "{}", ""));
        assert_eq!(key("a", "{}", "me"), key("a", "{}", "me"));
    }
}
