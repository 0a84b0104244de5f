//! When may a child be started again?

use std::time::Duration;

use tokio::time::Instant;

/// The wait after the second death in a row; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A child that lived this long has left its crash loop.
const STABLE: Duration = Duration::from_secs(10);

/// Deaths in a row, and what follows from them. The first death costs nothing: the next call starts the child again.
#[derive(Debug, Default)]
pub(super) struct Restart {
    deaths: u32,
    not_before: Option<Instant>,
    last_death: Box<str>,
    permanent: Option<Box<str>>,
}

impl Restart {
    /// A child died at `now` after `lived`, for `reason`; `jitter` in 0.5..=1.0 spreads the restarts of many backends.
    pub(super) fn died(&mut self, now: Instant, lived: Duration, reason: &str, jitter: f64) {
        self.last_death = reason.into();
        self.deaths = if lived >= STABLE {
            1
        } else {
            self.deaths.saturating_add(1)
        };
        let doublings = self.deaths.saturating_sub(2).min(16);
        let wait = (FIRST_WAIT * (1 << doublings))
            .min(LONGEST_WAIT)
            .mul_f64(jitter.clamp(0.5, 1.0));
        self.not_before = (self.deaths > 1).then(|| now + wait);
    }

    /// Why the last child died.
    pub(super) fn last_death(&self) -> &str {
        &self.last_death
    }

    /// The program cannot be started until somebody mends something. True the first time.
    pub(super) fn give_up(&mut self, reason: &str) -> bool {
        self.permanent.replace(reason.into()).is_none()
    }

    /// Why no start is tried at all.
    pub(super) fn permanent(&self) -> Option<&str> {
        self.permanent.as_deref()
    }

    /// How long a start has to wait at `now`.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        self.not_before
            .map(|due| due.saturating_duration_since(now))
            .filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICKLY: Duration = Duration::from_millis(10);

    #[tokio::test(start_paused = true)]
    async fn the_first_death_costs_nothing_and_the_wait_doubles_up_to_a_cap() {
        let now = Instant::now();
        let mut restart = Restart::default();
        let waits: Vec<_> = (0..10)
            .map(|_| {
                restart.died(now, QUICKLY, "out of cheese", 1.0);
                restart.wait(now).unwrap_or_default().as_millis()
            })
            .collect();
        assert_eq!(
            waits,
            [0, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]
        );
        assert_eq!(restart.wait(now + LONGEST_WAIT), None);
        assert_eq!(restart.last_death(), "out of cheese");
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_that_stays_up_clears_the_count() {
        let now = Instant::now();
        let mut restart = Restart::default();
        for _ in 0..5 {
            restart.died(now, QUICKLY, "out of cheese", 1.0);
        }
        restart.died(now, STABLE, "out of cheese", 1.0);
        assert_eq!(restart.wait(now), None);
    }

    #[test]
    fn giving_up_is_news_once() {
        let mut restart = Restart::default();
        assert!(restart.give_up("not on PATH"));
        assert!(!restart.give_up("not on PATH"));
        assert_eq!(restart.permanent(), Some("not on PATH"));
    }
}
