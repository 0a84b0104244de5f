//! The ways to one backend that belong to one client each: how many there are, and whose.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::{task::JoinSet, time::Instant};

use super::{BackendSettings, Client, EventReceiver, Line};

/// All lines of a backend that have not ended. Locked when a client gets one, and at the end.
#[derive(Default)]
pub(super) struct Lines(Mutex<Vec<Weak<Line>>>);

/// Why a client gets no line of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLine {
    /// There are as many as may be.
    Full,
    /// Its caller has so many that the rest is left for others.
    Share,
}

impl Lines {
    /// One more line, which belongs to a client of `caller`; nobody in particular where all clients are one caller.
    pub(super) fn open(
        &self,
        settings: &Arc<BackendSettings>,
        client: Arc<Client>,
        caller: Option<&str>,
    ) -> Result<(Arc<Line>, EventReceiver), NoLine> {
        let mut lines = self.lines();
        lines.retain(|line| used(line).is_some());
        let free = settings.max_client_sessions.saturating_sub(lines.len());
        let its = |line: &&Weak<Line>| used(line).is_some_and(|line| line.is_of(caller));
        may_open(free, caller.map(|_| lines.iter().filter(its).count()))?;
        let (line, outside) = Line::new(settings, client, caller);
        lines.push(Arc::downgrade(&line));
        Ok((line, outside))
    }

    /// Ends all; returns when that is done or at `deadline`.
    pub(super) async fn stop(&self, deadline: Instant) {
        let all: Vec<_> = self.lines().drain(..).collect();
        let mut ends = JoinSet::new();
        for line in all.iter().filter_map(Weak::upgrade) {
            ends.spawn(async move { line.stop(deadline).await });
        }
        ends.join_all().await;
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Weak<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that has ended may be kept for a while by those who knew it.
fn used(line: &Weak<Line>) -> Option<Arc<Line>> {
    line.upgrade().filter(|line| !line.is_over())
}

/// Whether one of `free` lines is for a caller who has `own` already; `None` where there are no others. Each leaves a quarter
/// of what it finds: of 64 the first takes 48, one who comes then 12, and there is something for whoever has none until all
/// are taken.
const fn may_open(free: usize, own: Option<usize>) -> Result<(), NoLine> {
    match own {
        None | Some(0) if free > 0 => Ok(()),
        None | Some(0) => Err(NoLine::Full),
        Some(own) if own < 3 * free.saturating_sub(1) => Ok(()),
        Some(_) => Err(NoLine::Share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many a caller gets who asks until there is no more.
    fn taken(free: usize) -> usize {
        let mut own = 0;
        while may_open(free - own, Some(own)).is_ok() {
            own += 1;
        }
        own
    }

    #[test]
    fn each_caller_leaves_a_quarter_of_what_it_finds() {
        assert_eq!([64, 16, 4, 2, 1, 0].map(taken), [48, 12, 3, 1, 1, 0]);
        assert_eq!(may_open(16, Some(48)), Err(NoLine::Share));
        assert_eq!(may_open(0, Some(0)), Err(NoLine::Full));
    }

    #[test]
    fn where_all_are_one_caller_it_gets_them_all() {
        assert_eq!(may_open(1, None), Ok(()));
        assert_eq!(may_open(0, None), Err(NoLine::Full));
    }
}
