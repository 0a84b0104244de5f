//! May a backend be asked again what it speaks, after it has not said?
//!
//! One that is sick answers the question as badly as the call behind it. Without a pause each call would ask it twice.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The pause behind a question that has brought nothing; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// When the question is due. Locked by calls of modern clients to a backend of which nobody knows that it is one.
#[derive(Debug, Default)]
pub(super) struct Question(Mutex<Option<Wait>>);

#[derive(Clone, Copy, Debug)]
struct Wait {
    until: Instant,
    pause: Duration,
}

impl Question {
    pub(super) fn is_due(&self) -> bool {
        let now = Instant::now();
        self.with(|wait| wait.is_none_or(|wait| now >= wait.until))
    }

    /// It was asked, and it is not known that the backend is a modern one.
    pub(super) fn was_asked(&self) {
        let now = Instant::now();
        self.with(|wait| {
            let pause = wait.map_or(PAUSE, |wait| (2 * wait.pause).min(LONGEST_PAUSE));
            let until = now + pause;
            *wait = Some(Wait { until, pause });
        });
    }

    /// Another server may answer now.
    pub(super) fn ask_anew(&self) {
        self.with(|wait| *wait = None);
    }

    fn with<T>(&self, f: impl FnOnce(&mut Option<Wait>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_pause_doubles_up_to_its_bound_until_another_server_may_answer() {
        let question = Question::default();
        let mut pause = PAUSE;
        for _ in 0..8 {
            assert!(question.is_due());
            question.was_asked();
            advance(pause.checked_sub(Duration::from_millis(1)).unwrap()).await;
            assert!(!question.is_due(), "{pause:?}");
            advance(Duration::from_millis(1)).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
        question.was_asked();
        question.ask_anew();
        assert!(question.is_due());
    }
}
