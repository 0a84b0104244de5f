//! The recorder's promises under every interleaving: one shard has a single writer, all further threads share another.

use loom::sync::Arc;
use loom::thread;
use loom_tests::explore;
use loom_tests::lockfree::Recorder;

fn records(recorder: &Arc<Recorder>, samples: &'static [u64]) -> thread::JoinHandle<()> {
    let recorder = Arc::clone(recorder);
    thread::spawn(move || {
        for us in samples {
            recorder.record_success(*us, *us);
        }
    })
}

/// The one lease there is goes to this thread, so that all others share a shard.
fn shared_by_all_others() -> Arc<Recorder> {
    let recorder = Arc::new(Recorder::new());
    recorder.record_failure(1, 0);
    recorder
}

#[test]
fn no_sample_is_lost_or_counted_twice_across_a_snapshot() {
    explore(7_551, || {
        let recorder = Arc::new(Recorder::new());
        let writer = records(&recorder, &[1, 1]);
        let watched = Arc::clone(&recorder);
        let watcher = thread::spawn(move || watched.snapshot());
        writer.join().expect("no panic");
        let during = watcher.join().expect("no panic");
        let after = recorder.snapshot();
        assert_eq!(after.successes().len(), 2);
        let between = after.since(&during);
        assert_eq!(during.successes().len() + between.successes().len(), 2);
    });
}

#[test]
fn no_shared_sample_is_lost_or_counted_twice_across_a_snapshot() {
    explore(19_287, || {
        let recorder = shared_by_all_others();
        let writer = records(&recorder, &[1, 1]);
        let watched = Arc::clone(&recorder);
        let watcher = thread::spawn(move || watched.snapshot());
        writer.join().expect("no panic");
        let during = watcher.join().expect("no panic");
        let after = recorder.snapshot();
        assert_eq!(after.successes().len(), 2);
        let between = after.since(&during);
        assert_eq!(during.successes().len() + between.successes().len(), 2);
    });
}

#[test]
fn two_threads_that_record_together_lose_nothing() {
    explore(42, || {
        let recorder = Arc::new(Recorder::new());
        let others = [records(&recorder, &[1]), records(&recorder, &[1])];
        for other in others {
            other.join().expect("no panic");
        }
        assert_eq!(recorder.counts(), (2, 0));
        assert_eq!(recorder.snapshot().success_sum_us(), 2);
    });
}

#[test]
fn two_threads_that_make_the_shared_shard_together_lose_nothing() {
    explore(2_430, || {
        let recorder = shared_by_all_others();
        let others = [records(&recorder, &[1]), records(&recorder, &[2])];
        for other in others {
            other.join().expect("no panic");
        }
        let snapshot = recorder.snapshot();
        assert_eq!(
            (snapshot.successes().len(), snapshot.success_sum_us()),
            (2, 3)
        );
        assert_eq!(snapshot.last_success_ms(), Some(2));
    });
}

#[test]
fn a_shard_handed_from_an_ending_thread_to_a_starting_one_keeps_both_their_samples() {
    explore(102_690, || {
        let recorder = Arc::new(Recorder::new());
        let first = records(&recorder, &[1]);
        let second = records(&recorder, &[1]);
        second.join().expect("no panic");
        let third = records(&recorder, &[1]);
        first.join().expect("no panic");
        third.join().expect("no panic");
        assert_eq!(recorder.counts(), (3, 0));
    });
}
