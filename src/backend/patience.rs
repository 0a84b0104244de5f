//! How long a call waits for people: its backend has asked its client for something, and until the client answers, the time
//! is not the backend's.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// How long a client may take for an answer: there may be a person behind it who reads first.
pub const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// Of one call: whether its client is asked for something now, and for how long it was so far.
#[derive(Clone, Debug, Default)]
pub struct Patience(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    open: usize,
    since: Option<Instant>,
    before: Duration,
}

/// Who let a call take too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    Backend,
    Client,
}

/// The client is asked for something as long as this lives.
#[derive(Debug)]
pub struct Waiting(Patience);

impl Patience {
    /// The client is asked for something from now on.
    #[must_use]
    pub fn wait(&self) -> Waiting {
        self.0.send_modify(|state| {
            state.open += 1;
            state.since.get_or_insert_with(Instant::now);
        });
        Waiting(self.clone())
    }

    /// How long the client was asked, all in all.
    #[must_use]
    pub fn waited(&self) -> Duration {
        let state = *self.0.borrow();
        state.before + state.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Waits for `call` until `deadline`, and longer by as long as the client is asked. `asked` hears whether it is asked, at
    /// each change.
    pub(super) async fn within<T>(
        &self,
        deadline: Instant,
        call: impl Future<Output = T>,
        mut asked: impl FnMut(bool),
    ) -> Result<T, Late> {
        let mut call = std::pin::pin!(call);
        let mut changes = self.0.subscribe();
        loop {
            let state = *changes.borrow_and_update();
            asked(state.since.is_some());
            let (until, late) = match state.since {
                Some(since) => (since + LONGEST_WAIT, Late::Client),
                None => (deadline + state.before, Late::Backend),
            };
            tokio::select! {
                biased;
                answer = &mut call => return Ok(answer),
                () = sleep_until(until) => return Err(late),
                _ = changes.changed() => {}
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| {
            state.open -= 1;
            if state.open == 0
                && let Some(since) = state.since.take()
            {
                state.before += since.elapsed();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waits_for_its_client_has_its_time_afterwards() {
        let patience = Patience::default();
        let call = async {
            sleep(Duration::from_secs(20)).await;
            let waiting = patience.wait();
            sleep(Duration::from_secs(200)).await;
            drop(waiting);
            sleep(Duration::from_secs(9)).await;
        };
        let deadline = Instant::now() + TIMEOUT;
        let mut changes = Vec::new();
        let within = patience.within(deadline, call, |asked| changes.push(asked));
        assert!(within.await.is_ok());
        assert_eq!(changes, [false, true, false]);
        assert_eq!(patience.waited(), Duration::from_secs(200));
        let begun = Instant::now();
        let late = patience.within(begun, sleep(Duration::from_secs(201)), |_| ());
        assert_eq!(late.await, Err(Late::Backend));
        assert_eq!(begun.elapsed(), Duration::from_secs(200));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_answers_ends_the_call() {
        let patience = Patience::default();
        let _waiting = patience.wait();
        let begun = Instant::now();
        let call = patience.within(begun + TIMEOUT, std::future::pending::<()>(), |_| ());
        assert_eq!(call.await, Err(Late::Client));
        assert_eq!(begun.elapsed(), LONGEST_WAIT);
    }
}
