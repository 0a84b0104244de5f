//! The flight recorder under every interleaving: what is shown was written so.

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

#[test]
fn an_entry_that_is_being_written_over_is_not_shown() {
    explore(1_000, || {
        let recorder = Arc::new(FlightRecorder::new());
        let watched = Arc::clone(&recorder);
        let reader = thread::spawn(move || watched.latest());
        (1..=3).for_each(|n| recorder.record(&entry(n)));
        for seen in reader.join().expect("no panic") {
            assert_eq!(seen, entry(seen.tag));
        }
        assert_eq!(recorder.latest(), [entry(3)]);
    });
}
