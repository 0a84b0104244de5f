//! Recorders: hdrhistogram in its ways, an atomic histogram, and what metrics libraries offer. The first four tell a latency to
//! within 0.8 %, as ours does; the others have sixteen buckets, each twice as wide as the one before.

use std::{
    hint::black_box,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hdrhistogram::{Histogram, sync::SyncHistogram};
use histogram::AtomicHistogram;
use mcp_gateway::lockfree::HIGHEST_US;
use metrics::{Key, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::{
    subject::{Group, Subject, shared},
    subjects::all::latency_us,
};

/// How long a reader of hdrhistogram waits for a recorder that rests.
const PATIENCE: Duration = Duration::from_millis(1);

pub(in crate::subjects) fn recorders() -> Vec<Subject> {
    let subjects = [
        hdr_recorder(),
        hdr_recorder_beside_reader(),
        hdr_locked(Group::Record),
        hdr_locked_beside_reader(),
        atomic_histogram(),
        prometheus(),
        Some(prometheus_client()),
        metrics(),
    ];
    subjects.into_iter().flatten().collect()
}

fn empty() -> Option<Histogram<u64>> {
    Histogram::new_with_bounds(1, HIGHEST_US, 2).ok()
}

fn buckets() -> Vec<f64> {
    (0..16)
        .map(|doublings| 100e-6 * f64::from(1 << doublings))
        .collect()
}

/// The latency in the unit of Prometheus.
fn seconds(number: u64) -> f64 {
    Duration::from_micros(latency_us(number)).as_secs_f64()
}

fn hdr_recorder() -> Option<Subject> {
    let histogram = shared(Mutex::new(SyncHistogram::from(empty()?)));
    Some(hdr_recorder_on(Group::Record, histogram))
}

fn hdr_recorder_beside_reader() -> Option<Subject> {
    let histogram = shared(Mutex::new(SyncHistogram::from(empty()?)));
    let records = hdr_recorder_on(Group::BesideReader, histogram);
    Some(records.beside(|| {
        let mut histogram = histogram.lock().unwrap_or_else(PoisonError::into_inner);
        histogram.refresh_timeout(PATIENCE);
    }))
}

fn hdr_recorder_on(group: Group, histogram: &'static Mutex<SyncHistogram<u64>>) -> Subject {
    Subject::own(group, "hdrhistogram's Recorder", move || {
        let histogram = histogram.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recorder = histogram.recorder();
        let mut number = 0;
        Box::new(move |calls| {
            for _ in 0..calls {
                number += 1;
                recorder.saturating_record(black_box(latency_us(number)));
            }
        })
    })
}

fn hdr_locked(group: Group) -> Option<Subject> {
    Some(hdr_locked_on(group, shared(Mutex::new(empty()?))))
}

fn hdr_locked_beside_reader() -> Option<Subject> {
    let histogram = shared(Mutex::new(empty()?));
    let records = hdr_locked_on(Group::BesideReader, histogram);
    Some(records.beside(|| {
        black_box(
            histogram
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        );
    }))
}

fn hdr_locked_on(group: Group, histogram: &'static Mutex<Histogram<u64>>) -> Subject {
    Subject::on(
        group,
        "hdrhistogram, locked",
        histogram,
        |histogram, number| {
            let mut histogram = histogram.lock().unwrap_or_else(PoisonError::into_inner);
            histogram.saturating_record(black_box(latency_us(number)));
        },
    )
}

/// Grouping power 7: two significant digits, as all above.
fn atomic_histogram() -> Option<Subject> {
    let state = shared(AtomicHistogram::new(7, 27).ok()?);
    let name = "histogram::AtomicHistogram";
    Some(Subject::on(
        Group::Record,
        name,
        state,
        |histogram, number| {
            black_box(histogram.increment(black_box(latency_us(number))).is_ok());
        },
    ))
}

fn prometheus() -> Option<Subject> {
    let options = prometheus::HistogramOpts::new("latency", "of calls").buckets(buckets());
    let state = shared(prometheus::Histogram::with_opts(options).ok()?);
    Some(Subject::on(
        Group::Record,
        "prometheus",
        state,
        |histogram, number| {
            histogram.observe(black_box(seconds(number)));
        },
    ))
}

fn prometheus_client() -> Subject {
    let histogram = prometheus_client::metrics::histogram::Histogram::new(buckets());
    Subject::on(
        Group::Record,
        "prometheus-client",
        shared(histogram),
        |histogram, number| {
            histogram.observe(black_box(seconds(number)));
        },
    )
}

/// Its exporter empties what was recorded from time to time; here before each turn, outside of what is timed.
fn metrics() -> Option<Subject> {
    let recorder = PrometheusBuilder::new()
        .set_buckets(&buckets())
        .ok()?
        .build_recorder();
    let handle = recorder.handle();
    let metadata = Metadata::new(module_path!(), Level::INFO, None);
    let histogram = recorder.register_histogram(&Key::from_static_name("latency"), &metadata);
    let name = "metrics, with its Prometheus exporter";
    Some(Subject::own(Group::Record, name, move || {
        handle.run_upkeep();
        let (histogram, mut number) = (histogram.clone(), 0);
        Box::new(move |calls| {
            for _ in 0..calls {
                number += 1;
                histogram.record(black_box(seconds(number)));
            }
        })
    }))
}
