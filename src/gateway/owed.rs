//! Requests that cost a caller nothing: whoever is asked something has to send one with the answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers that a caller may send for nothing at once; nobody is asked more than that and answers it later.
const MOST: u32 = 128;

/// What one caller may send beyond its limit. All who know the caller share it.
#[derive(Clone, Debug, Default)]
pub struct Owed(Arc<Mutex<u32>>);

impl Owed {
    /// The caller was asked something.
    pub(super) fn asked(&self) {
        let mut owed = self.owed();
        *owed = (*owed + 1).min(MOST);
    }

    /// Lets one request through that the caller's limit refuses; whether it is owed one.
    #[must_use]
    pub fn take(&self) -> bool {
        let mut owed = self.owed();
        let is_owed = *owed > 0;
        *owed -= u32::from(is_owed);
        is_owed
    }

    fn owed(&self) -> MutexGuard<'_, u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It says nothing of who somebody is.
impl PartialEq for Owed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Owed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_is_worth_one_request_up_to_a_bound() {
        let owed = Owed::default();
        assert!(!owed.take());
        owed.asked();
        let shared = owed.clone();
        assert!(shared.take() && !owed.take());
        (0..=MOST).for_each(|_| owed.asked());
        assert_eq!((0..=MOST).filter(|_| owed.take()).count(), 128);
    }
}
