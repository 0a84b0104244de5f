//! Designs that look right and are not. Each is found wrong, so a model that finds nothing has looked.

use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use loom::thread;
use loom_tests::explore;
use loom_tests::races::{Game, Script, race};

fn shared<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Runs two jobs on a thread each.
#[expect(
    clippy::expect_used,
    reason = "a job that panics has found what it was looking for"
)]
fn beside<T: 'static>(
    one: impl FnOnce() -> T + 'static,
    other: impl FnOnce() -> T + 'static,
) -> (T, T) {
    let other = thread::spawn(other);
    let one = one();
    (one, other.join().expect("no panic"))
}

/// A breaker of two words: whether it is open, and the failures in a row. Two failures open it, one is on record.
#[derive(Clone, Debug, PartialEq)]
struct TwoWords;

#[derive(Clone, Copy, Debug)]
enum Result {
    Failure,
    Success,
}

struct Words {
    open: AtomicBool,
    failures: AtomicU64,
}

impl Game for TwoWords {
    type Hand = &'static Words;
    type Move = Result;
    type Told = bool;
    type End = (bool, u64);

    fn deal(&self, scripts: &[Script<Self>]) -> Vec<&'static Words> {
        let words = Words {
            open: AtomicBool::new(false),
            failures: AtomicU64::new(1),
        };
        vec![shared(words); scripts.len()]
    }

    fn play(words: &mut &'static Words, result: Result) -> bool {
        if words.open.load(Ordering::SeqCst) {
            return false;
        }
        match result {
            Result::Success => words.failures.store(0, Ordering::SeqCst),
            Result::Failure => {
                let opens = words.failures.fetch_add(1, Ordering::SeqCst) + 1 == 2;
                if opens {
                    words.open.store(true, Ordering::SeqCst);
                }
                return opens;
            }
        }
        false
    }

    fn end(&self, words: Vec<&'static Words>) -> (bool, u64) {
        let open = words[0].open.load(Ordering::SeqCst);
        (open, words[0].failures.load(Ordering::SeqCst))
    }
}

#[test]
#[should_panic(expected = "no order explains it")]
fn a_state_and_a_counter_in_two_words_open_on_failures_that_a_success_took_back() {
    let _ = race(
        &TwoWords,
        &[vec![Result::Failure], vec![Result::Success]],
        None,
    );
}

#[test]
#[should_panic(expected = "never seen")]
fn threads_that_are_not_let_in_between_are_noticed() {
    let preemptions = Some(0);
    let scripts = [vec![Result::Success], vec![Result::Failure; 2]];
    let _ = race(&TwoWords, &scripts, preemptions);
}

#[test]
#[should_panic(expected = "unhealthy without a failure")]
fn a_health_flag_beside_its_counter_contradicts_it() {
    explore(1, || {
        let healthy = shared(AtomicBool::new(true));
        let failures = shared(AtomicU64::new(1));
        let fail = move || {
            if failures.fetch_add(1, Ordering::SeqCst) + 1 >= 2 {
                healthy.store(false, Ordering::SeqCst);
            }
        };
        let succeed = move || {
            failures.store(0, Ordering::SeqCst);
            healthy.store(true, Ordering::SeqCst);
        };
        beside(fail, succeed);
        let (flag, count) = (
            healthy.load(Ordering::SeqCst),
            failures.load(Ordering::SeqCst),
        );
        assert!(flag || count > 0, "unhealthy without a failure");
    });
}

#[test]
#[should_panic(expected = "a sample was lost")]
fn two_writers_that_load_and_store_lose_samples() {
    explore(1, || {
        let bucket = shared(AtomicU64::new(0));
        let record = move || {
            let before = bucket.load(Ordering::SeqCst);
            bucket.store(before + 1, Ordering::SeqCst);
        };
        beside(record, record);
        assert_eq!(bucket.load(Ordering::SeqCst), 2, "a sample was lost");
    });
}

#[test]
#[should_panic(expected = "two probes at a time")]
fn a_permit_without_a_generation_gives_back_a_slot_that_is_no_longer_its_own() {
    const LEASE_OVER: u64 = 1 << 8;
    explore(1, || {
        // Probes in flight, one at a time; the lease of the one that is lost has ended, so the first who asks takes its slot.
        let probes = shared(AtomicU64::new(LEASE_OVER | 1));
        let admit = move || {
            let step = |probes| (probes != 1).then_some(1);
            let admitted = probes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, step);
            usize::from(admitted.is_ok())
        };
        let lost = thread::spawn(move || probes.fetch_sub(1, Ordering::SeqCst));
        let (one, other) = beside(admit, admit);
        lost.join().expect("no panic");
        assert!(one + other < 2, "two probes at a time");
    });
}

#[test]
#[should_panic(expected = "a mixture of two entries")]
fn an_entry_without_a_sequence_is_read_half_old_and_half_new() {
    explore(1, || {
        let entry = shared([AtomicU64::new(1), AtomicU64::new(1)]);
        let write = move || {
            entry
                .iter()
                .for_each(|part| part.store(2, Ordering::SeqCst));
            [2, 2]
        };
        let read = move || entry.each_ref().map(|part| part.load(Ordering::SeqCst));
        let (_, [one, other]) = beside(write, read);
        assert_eq!(one, other, "a mixture of two entries");
    });
}

#[test]
#[should_panic(expected = "neither saw both failures")]
fn a_window_without_its_fence_overlooks_the_last_failure() {
    explore(1, || {
        let rings = shared([AtomicU64::new(0), AtomicU64::new(0)]);
        let fail = |mine: usize| {
            rings[mine].store(1, Ordering::Release);
            1 + rings[1 - mine].load(Ordering::Acquire)
        };
        let (one, other) = beside(move || fail(0), move || fail(1));
        assert!(one == 2 || other == 2, "neither saw both failures");
    });
}

#[test]
#[should_panic(expected = "refused, and the cause unseen")]
fn an_open_that_is_not_released_hides_its_cause() {
    explore(1, || {
        let cause = shared(AtomicU64::new(0));
        let open = shared(AtomicBool::new(false));
        let fail = move || {
            cause.store(7, Ordering::Relaxed);
            open.store(true, Ordering::Relaxed);
            None
        };
        let admit = move || {
            open.load(Ordering::Acquire)
                .then(|| cause.load(Ordering::Relaxed))
        };
        let (_, seen) = beside(fail, admit);
        assert_ne!(seen, Some(0), "refused, and the cause unseen");
    });
}
