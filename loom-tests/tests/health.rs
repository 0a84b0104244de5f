//! The health word's promises under every interleaving.

use loom::sync::Arc;
use loom::thread;
use loom_tests::explore;
use loom_tests::lockfree::{HealthChange, HealthWord};

fn beside(
    health: &Arc<HealthWord>,
    job: fn(&HealthWord) -> Option<HealthChange>,
) -> thread::JoinHandle<Option<HealthChange>> {
    let health = Arc::clone(health);
    thread::spawn(move || job(&health))
}

#[test]
fn reports_and_flag_never_contradict_each_other() {
    explore(300, || {
        let health = Arc::new(HealthWord::new(2));
        let others = [
            beside(&health, HealthWord::failure),
            beside(&health, HealthWord::success),
        ];
        let mut reports = vec![health.failure()];
        reports.extend(others.map(|other| other.join().expect("no panic")));
        reports.retain(Option::is_some);
        let fell = Some(HealthChange::BecameUnhealthy { failures: 2 });
        let expected = match (health.is_healthy(), health.consecutive_failures()) {
            (false, 2) => vec![fell],
            (true, 0) if !reports.is_empty() => vec![fell, Some(HealthChange::BecameHealthy)],
            (true, 0 | 1) => vec![],
            contradiction => panic!("{contradiction:?}"),
        };
        assert!(expected.iter().all(|report| reports.contains(report)));
        assert_eq!(reports.len(), expected.len());
    });
}

#[test]
fn of_many_failures_exactly_one_reports_the_fall() {
    explore(100, || {
        let health = Arc::new(HealthWord::new(2));
        let others = [(); 2].map(|()| beside(&health, HealthWord::failure));
        let mine = health.failure();
        let all = others.map(|other| other.join().expect("no panic"));
        let falls = all.iter().filter(|report| report.is_some()).count();
        assert_eq!(falls + usize::from(mine.is_some()), 1);
        assert_eq!(health.consecutive_failures(), 3);
    });
}

#[test]
fn of_many_successes_exactly_one_reports_the_recovery() {
    explore(5, || {
        let health = Arc::new(HealthWord::new(1));
        health.failure();
        let other = beside(&health, HealthWord::success);
        let mine = health.success();
        let theirs = other.join().expect("no panic");
        assert_eq!(
            usize::from(mine.is_some()) + usize::from(theirs.is_some()),
            1
        );
        assert!(health.is_healthy());
    });
}
