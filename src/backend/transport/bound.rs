//! How long a message of a backend may be, and how it is told that a longer one was lost.

use std::{
    fmt::Display,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::wire;
use crate::{
    backend::BackendSettings,
    protocol::{LineDecoder, SseDecoder},
};

/// A backend that loses one message after another is told of this often.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// The bound of one backend.
#[derive(Debug)]
pub(super) struct Bound {
    backend: Box<str>,
    /// In bytes.
    pub(super) most: usize,
    /// Locked only when a message is lost.
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    lost_since: u64,
}

impl Bound {
    pub(super) fn of(settings: &BackendSettings) -> Self {
        Self::new(&settings.name, settings.max_message_size)
    }

    pub(super) fn new(backend: &str, most: usize) -> Self {
        Self {
            backend: backend.into(),
            most,
            told: Mutex::default(),
        }
    }

    pub(super) const fn events(&self) -> SseDecoder {
        SseDecoder::new(self.most)
    }

    pub(super) const fn lines(&self) -> LineDecoder {
        LineDecoder::new(self.most)
    }

    /// Says in the log that a message was lost of which no call is told.
    pub(super) fn lost(&self, what: impl Display) {
        if let Some(lost) = self.is_to_be_told(Instant::now()) {
            let (backend, what) = (&*self.backend, wire::too_long(what));
            tracing::warn!(backend, lost, what, "A message of a backend was lost");
        }
    }

    /// How many were lost since that was told last, if it is to be told again.
    fn is_to_be_told(&self, now: Instant) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.lost_since += 1;
        let is_silent = |last: Instant| now.duration_since(last) < TELL_AGAIN;
        if told.last.is_some_and(is_silent) {
            return None;
        }
        told.last = Some(now);
        Some(std::mem::take(&mut told.lost_since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_loss_is_told_at_once_and_further_ones_once_a_minute() {
        let bound = Bound::new("b", 9);
        let begun = Instant::now();
        assert_eq!(bound.is_to_be_told(begun), Some(1));
        for second in 1..60 {
            let now = begun + Duration::from_secs(second);
            assert_eq!(bound.is_to_be_told(now), None);
        }
        assert_eq!(bound.is_to_be_told(begun + TELL_AGAIN), Some(60));
    }
}
