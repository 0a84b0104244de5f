//! How many calls are in flight to one backend, how many wait for a place, and for how long.

use std::{fmt, time::Duration};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

/// Calls that stand aside at once because people are asked in them; a further one keeps its place.
const MOST_ASIDE: usize = 256;

/// A bounded number of places, and a bounded number of callers that wait for one, first come first served. Beside them a
/// bounded number of calls that have given up theirs for as long as a person takes to answer.
#[derive(Debug)]
pub struct Queue {
    places: Semaphore,
    max_concurrency: usize,
    waiting: Semaphore,
    max_queue: usize,
    aside: Semaphore,
}

/// A place in flight; it is free again when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Place<'a> {
    queue: &'a Queue,
    waited: Duration,
    held: SemaphorePermit<'a>,
    is_aside: bool,
}

/// No place, or none in time. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueRefusal {
    /// Calls in flight when this one was refused.
    pub in_flight: usize,
    /// How long it waited; zero when the queue itself was full.
    pub waited: Duration,
}

impl fmt::Display for QueueRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { in_flight, waited } = self;
        if waited.is_zero() {
            write!(f, "{in_flight} calls are in flight and the queue is full")
        } else {
            write!(
                f,
                "{in_flight} calls are in flight and none ended within {waited:?}"
            )
        }
    }
}

impl std::error::Error for QueueRefusal {}

impl Place<'_> {
    /// How long the caller waited for it; zero if there was a free one.
    #[must_use]
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// Gives the place to somebody else while a person is asked: the backend has nothing to do for this call meanwhile. Where
    /// too many stand aside already, it is kept. Once nobody is asked any more, the call goes on: the backend holds it already,
    /// so where no place is free it is not waited for one.
    pub fn while_asked(&mut self, is_asked: bool) {
        if is_asked {
            self.step_aside();
        } else {
            self.step_back();
        }
    }

    fn step_aside(&mut self) {
        if !self.is_aside
            && let Ok(aside) = self.queue.aside.try_acquire()
        {
            self.held = aside;
            self.is_aside = true;
        }
    }

    fn step_back(&mut self) {
        if self.is_aside
            && let Ok(place) = self.queue.places.try_acquire()
        {
            self.held = place;
            self.is_aside = false;
        }
    }
}

impl Queue {
    /// A queue with `max_concurrency` places (0 is taken as 1) and room for `max_queue` waiting callers.
    #[must_use]
    pub fn new(max_concurrency: usize, max_queue: usize) -> Self {
        let max_concurrency = max_concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let max_queue = max_queue.min(Semaphore::MAX_PERMITS);
        Self {
            places: Semaphore::new(max_concurrency),
            max_concurrency,
            waiting: Semaphore::new(max_queue),
            max_queue,
            aside: Semaphore::new(MOST_ASIDE),
        }
    }

    fn place<'a>(&'a self, held: SemaphorePermit<'a>, waited: Duration) -> Place<'a> {
        Place {
            queue: self,
            waited,
            held,
            is_aside: false,
        }
    }

    /// Takes a free place at once, or waits for one until the deadline. A caller that goes away leaves the queue.
    ///
    /// # Errors
    /// If too many wait already, or no place came free in time.
    pub async fn enter(&self, deadline: Instant) -> Result<Place<'_>, QueueRefusal> {
        if let Ok(held) = self.places.try_acquire() {
            return Ok(self.place(held, Duration::ZERO));
        }
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return Err(self.refusal(Duration::ZERO));
        };
        let since = Instant::now();
        match timeout_at(deadline, self.places.acquire()).await {
            Ok(Ok(held)) => Ok(self.place(held, since.elapsed())),
            _ => Err(self.refusal(since.elapsed())),
        }
    }

    /// Calls that hold a place.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.max_concurrency
            .saturating_sub(self.places.available_permits())
    }

    /// Callers that wait for a place.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.max_queue
            .saturating_sub(self.waiting.available_permits())
    }

    fn refusal(&self, waited: Duration) -> QueueRefusal {
        QueueRefusal {
            in_flight: self.in_flight(),
            waited,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_one_second() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[tokio::test(start_paused = true)]
    async fn a_free_place_is_taken_at_once_and_given_back_on_drop() {
        let queue = Queue::new(1, 0);
        let place = queue.enter(in_one_second()).await.unwrap();
        assert_eq!((place.waited(), queue.in_flight()), (Duration::ZERO, 1));
        drop(place);
        assert_eq!(queue.in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_refuses_at_once() {
        let queue = Queue::new(1, 0);
        let _held = queue.enter(in_one_second()).await.unwrap();
        let refusal = queue.enter(in_one_second()).await.unwrap_err();
        assert_eq!(
            refusal,
            QueueRefusal {
                in_flight: 1,
                waited: Duration::ZERO
            }
        );
        assert_eq!(
            refusal.to_string(),
            "1 calls are in flight and the queue is full"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_caller_is_refused_at_its_deadline_and_leaves_the_queue() {
        let queue = Queue::new(1, 1);
        let held = queue.enter(in_one_second()).await.unwrap();
        let refusal = queue.enter(in_one_second()).await.unwrap_err();
        assert_eq!(
            refusal,
            QueueRefusal {
                in_flight: 1,
                waited: Duration::from_secs(1)
            }
        );
        assert_eq!(
            refusal.to_string(),
            "1 calls are in flight and none ended within 1s"
        );
        assert_eq!(queue.waiting(), 0);
        drop(held);
        assert!(queue.enter(in_one_second()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_comes_free_goes_to_the_caller_that_waits() {
        let queue = Queue::new(1, 1);
        let held = queue.enter(in_one_second()).await.unwrap();
        let waits = queue.enter(in_one_second());
        let ends = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(queue.waiting(), 1);
            drop(held);
        };
        let (place, ()) = tokio::join!(waits, ends);
        assert_eq!(place.unwrap().waited(), Duration::from_millis(300));
        assert_eq!((queue.in_flight(), queue.waiting()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_caller_that_goes_away_leaves_the_queue() {
        let queue = Queue::new(1, 1);
        let _held = queue.enter(in_one_second()).await.unwrap();
        {
            let gone = queue.enter(in_one_second());
            tokio::pin!(gone);
            assert!(timeout_at(Instant::now(), &mut gone).await.is_err());
            assert_eq!(queue.waiting(), 1);
        }
        assert_eq!(queue.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stands_aside_makes_room_and_comes_back_without_waiting() {
        let queue = Queue::new(1, 0);
        let mut asking = queue.enter(in_one_second()).await.unwrap();
        asking.step_aside();
        let mut other = queue.enter(in_one_second()).await.unwrap();
        asking.step_back();
        assert_eq!(queue.in_flight(), 1, "it goes on beside the one place");
        other.step_aside();
        asking.step_back();
        assert!(queue.enter(in_one_second()).await.is_err());
        drop((asking, other));
        assert_eq!(
            (queue.in_flight(), queue.aside.available_permits()),
            (0, MOST_ASIDE)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_too_many_aside_keeps_the_place() {
        let queue = Queue::new(MOST_ASIDE + 1, 0);
        let mut all = Vec::new();
        for _ in 0..=MOST_ASIDE {
            let mut place = queue.enter(in_one_second()).await.unwrap();
            place.step_aside();
            all.push(place);
        }
        assert_eq!(queue.in_flight(), 1);
    }

    #[test]
    fn limits_that_make_no_sense_do_no_harm() {
        assert_eq!(Queue::new(0, usize::MAX).in_flight(), 0);
        assert_eq!(Queue::new(usize::MAX, 0).waiting(), 0);
    }
}
