//! The flight recorder under every interleaving: what is shown was written so, and what is not kept is counted.

use std::collections::BTreeSet;
use std::sync::Mutex;

use loom::sync::Arc;
use loom::thread;
use loom_tests::explore;
use loom_tests::lockfree::{FlightEntry, FlightRecorder};

fn entry(number: u16) -> FlightEntry {
    FlightEntry {
        at_ms: u64::from(number),
        latency_us: u64::from(number),
        tag: number,
        id: u128::from(number) << 64 | u128::from(number),
    }
}

fn records(
    recorder: &Arc<FlightRecorder>,
    numbers: impl Iterator<Item = u16> + 'static,
) -> thread::JoinHandle<()> {
    let recorder = Arc::clone(recorder);
    thread::spawn(move || numbers.for_each(|number| recorder.record(&entry(number))))
}

fn reads(recorder: &Arc<FlightRecorder>) -> thread::JoinHandle<Vec<FlightEntry>> {
    let recorder = Arc::clone(recorder);
    thread::spawn(move || recorder.latest())
}

fn whole(entries: &[FlightEntry]) -> bool {
    entries.iter().all(|seen| *seen == entry(seen.tag))
}

/// The one lease there is goes to this thread, so that all others share a ring.
fn shared_by_all_others() -> Arc<FlightRecorder> {
    let recorder = Arc::new(FlightRecorder::new());
    recorder.record(&entry(0));
    recorder
}

#[test]
fn an_entry_that_is_being_written_over_is_not_shown() {
    explore(38_782, || {
        let recorder = Arc::new(FlightRecorder::new());
        let reader = reads(&recorder);
        (1..=3).for_each(|n| recorder.record(&entry(n)));
        assert!(whole(&reader.join().expect("no panic")));
        assert_eq!(recorder.latest(), [entry(3)]);
    });
}

#[test]
fn an_entry_of_a_shared_ring_is_kept_or_counted_as_missed() {
    static ENDS: Mutex<BTreeSet<(u16, u64)>> = Mutex::new(BTreeSet::new());
    explore(1_890, || {
        let recorder = shared_by_all_others();
        let others = [records(&recorder, 1..2), records(&recorder, 2..3)];
        for other in others {
            other.join().expect("no panic");
        }
        let kept = recorder.latest();
        assert!(whole(&kept), "{kept:?}");
        let end = (kept[0].tag, recorder.missed());
        ENDS.lock().expect("no panic").insert(end);
    });
    // Either was the last of two, or the only one.
    let ends = ENDS.lock().expect("no panic");
    assert!(
        ends.iter().eq(&[(1, 0), (1, 1), (2, 0), (2, 1)]),
        "{ends:?}"
    );
}

#[test]
fn a_ring_that_two_threads_share_is_never_shown_half_written() {
    explore(135_864, || {
        let recorder = shared_by_all_others();
        let others = [records(&recorder, 1..3), records(&recorder, 3..5)];
        assert!(whole(&recorder.latest()));
        for other in others {
            other.join().expect("no panic");
        }
        assert!(whole(&recorder.latest()));
    });
}

#[test]
fn a_ring_handed_from_an_ending_thread_to_a_starting_one_goes_on_where_it_was() {
    explore(42, || {
        let recorder = Arc::new(FlightRecorder::new());
        let first = records(&recorder, 1..2);
        let second = records(&recorder, 2..3);
        first.join().expect("no panic");
        second.join().expect("no panic");
        let kept = recorder.latest();
        assert!(whole(&kept) && kept[0].tag > 0, "{kept:?}");
        assert_eq!((kept.len(), recorder.missed()), (1, 0));
    });
}
