//! Writes the page as protobuf messages, each behind its length; histograms carry their classic and their native buckets.
//!
//! Numbers and types of the fields are those of `metrics.proto` of `io.prometheus.client`
//! (<https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>).

use super::{
    buckets::{BOUNDS, Buckets, ranges},
    family::{Exemplar, Kind, Labels, Value, seconds, unit},
    native::{self, Native},
    page::Exemplars,
    wire::{DOUBLE, Wire, length},
};
use crate::lockfree::Recorder;

/// The page while it is written: what is done, and the family that is not.
#[derive(Default)]
pub(super) struct ProtobufPage {
    done: Wire,
    family: Wire,
    kind: Option<Kind>,
    has_samples: bool,
    /// What the next message is put together in, and what lies within it.
    metric: Wire,
    within: Wire,
    native: Native,
}

/// Fields of `Metric`.
const LABEL: u8 = 1;
const GAUGE: u8 = 2;
const COUNTER: u8 = 3;
const HISTOGRAM: u8 = 7;

impl ProtobufPage {
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        self.end_family();
        self.kind = Some(kind);
        self.has_samples = false;
        self.family.0.clear();
        self.family.bytes(1, name.as_bytes());
        self.family.bytes(2, help.as_bytes());
        self.family.whole(3, kind_of(kind));
        if let Some(unit) = unit(name.strip_suffix("_total").unwrap_or(name)) {
            self.family.bytes(5, unit.as_bytes());
        }
    }

    pub(super) fn sample(&mut self, labels: Labels<'_>, value: Value) {
        let is_counter = self.kind == Some(Kind::Counter);
        self.label(labels);
        self.metric
            .begin(if is_counter { COUNTER } else { GAUGE }, DOUBLE);
        self.metric.double(1, value.real());
        self.end_metric();
    }

    pub(super) fn histogram(
        &mut self,
        labels: Labels<'_>,
        recorder: &Recorder,
        exemplars: Exemplars<'_>,
    ) {
        self.label(labels);
        let mut buckets = Buckets::default();
        self.native.restart();
        let sum_us = recorder.sweep(|us, samples| {
            buckets.add(us, samples);
            self.native.add(us, samples);
        });
        self.within.0.clear();
        self.within.whole(1, buckets.total);
        self.within.double(2, seconds(sum_us));
        let uppers = UPPERS.iter().zip(buckets.cumulated()).zip(ranges());
        for ((upper, count), (above, up_to)) in uppers {
            bucket(&mut self.within, (count, *upper), exemplars(above, up_to));
        }
        native_part(&mut self.within, &self.native);
        self.metric.bytes(HISTOGRAM, &self.within.0);
        self.end_metric();
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.end_family();
        self.done.0
    }

    fn label(&mut self, labels: Labels<'_>) {
        self.metric.0.clear();
        for (name, value) in labels {
            pair(&mut self.metric, name, value);
        }
    }

    fn end_metric(&mut self) {
        self.family.bytes(4, &self.metric.0);
        self.has_samples = true;
    }

    /// A family without samples is left out: it has nothing to say, and some readers take it for a mistake.
    fn end_family(&mut self) {
        if self.has_samples {
            self.done.varint(self.family.0.len() as u64);
            self.done.0.extend_from_slice(&self.family.0);
        }
    }
}

/// The upper bound of each classic bucket, in seconds.
static UPPERS: [f64; BOUNDS.len() + 1] = {
    let mut uppers = [f64::INFINITY; BOUNDS.len() + 1];
    let mut place = 0;
    while place < BOUNDS.len() {
        uppers[place] = seconds(BOUNDS[place].0);
        place += 1;
    }
    uppers
};

/// A `MetricType`.
const fn kind_of(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 0,
        Kind::Gauge | Kind::Info => 1,
        Kind::Histogram => 4,
    }
}

/// A `LabelPair`, which a metric and an exemplar have under the same number.
fn pair(into: &mut Wire, name: &str, value: &str) {
    let sizes = [name.len(), value.len()];
    let size = |part: usize| 1 + length(part as u64) + part;
    into.begin(LABEL, sizes.map(size).iter().sum());
    into.bytes(1, name.as_bytes());
    into.bytes(2, value.as_bytes());
}

/// A `Bucket`.
fn bucket(into: &mut Wire, (count, upper): (u64, f64), exemplar: Option<Exemplar>) {
    let exemplar = exemplar.as_ref().map(exemplar_of);
    let further = exemplar
        .as_ref()
        .map_or(0, |it| 1 + length(it.0.len() as u64) + it.0.len());
    into.begin(3, 1 + length(count) + DOUBLE + further);
    into.whole(1, count);
    into.double(2, upper);
    if let Some(exemplar) = exemplar {
        into.bytes(3, &exemplar.0);
    }
}

fn exemplar_of(exemplar: &Exemplar) -> Wire {
    let mut wire = Wire::default();
    for (name, value) in exemplar.labels() {
        pair(&mut wire, name, &value);
    }
    wire.double(2, seconds(exemplar.micros));
    let mut timestamp = Wire::default();
    timestamp.whole(1, exemplar.epoch_ms / 1_000);
    timestamp.whole(2, exemplar.epoch_ms % 1_000 * 1_000_000);
    wire.bytes(3, &timestamp.0);
    wire
}

/// What a `Histogram` has beside its classic buckets.
fn native_part(into: &mut Wire, native: &Native) {
    into.signed(5, native::SCHEMA.into());
    into.double(6, native::ZERO_THRESHOLD);
    into.whole(7, native.zeros);
    let mut span = Wire::default();
    for native::Span { offset, length } in &native.spans {
        span.0.clear();
        span.signed(1, (*offset).into());
        span.whole(2, (*length).into());
        into.bytes(12, &span.0);
    }
    into.all_signed(13, &native.deltas);
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::{
        super::{
            family,
            messages::{MetricFamily, MetricType},
        },
        *,
    };

    fn read(mut bytes: &[u8]) -> Vec<MetricFamily> {
        let mut families = Vec::new();
        while !bytes.is_empty() {
            families.push(MetricFamily::decode_length_delimited(&mut bytes).unwrap());
        }
        families
    }

    #[test]
    fn counters_and_gauges_keep_their_full_names_and_empty_families_are_left_out() {
        let mut page = ProtobufPage::default();
        page.family("x_seconds_total", Kind::Counter, "X.");
        page.sample(&[("backend", "a")], Value::Real(1.5));
        page.family("nothing", Kind::Gauge, "Nothing.");
        page.family("y_info", Kind::Info, "Y.");
        page.sample(&[], Value::Whole(1));
        let families = read(&page.finish());
        assert_eq!(families.len(), 2);
        assert_eq!(families[0].name, "x_seconds_total");
        assert_eq!(families[0].unit.as_deref(), Some("seconds"));
        assert_eq!(families[0].r#type(), MetricType::Counter);
        let counter = &families[0].metric[0];
        assert_eq!(counter.counter.unwrap().value, Some(1.5));
        assert_eq!(counter.label[0].value, "a");
        assert_eq!(families[1].r#type(), MetricType::Gauge);
        assert_eq!(families[1].metric[0].gauge.unwrap().value, Some(1.0));
    }

    #[test]
    fn a_histogram_has_classic_and_native_buckets_and_an_exemplar_where_there_is_one() {
        let recorder = Recorder::new();
        recorder.record_success(20, 0);
        recorder.record_success(990_000, 0);
        let found = |above, up_to| {
            (above < 20 && 20 <= up_to).then_some(family::Exemplar {
                micros: 20,
                trace: 0xa,
                span: 0xb,
                epoch_ms: 1_500,
            })
        };
        let mut page = ProtobufPage::default();
        page.family("x_seconds", Kind::Histogram, "X.");
        page.histogram(&[], &recorder, &found);
        let family = read(&page.finish()).remove(0);
        let histogram = family.metric[0].histogram.clone().unwrap();
        assert_eq!(histogram.sample_count, Some(2));
        assert_eq!(histogram.bucket.len(), BOUNDS.len() + 1);
        assert_eq!(histogram.bucket[1].cumulative_count, Some(1));
        assert_eq!(histogram.bucket[20].upper_bound, Some(f64::INFINITY));
        let exemplar = histogram.bucket[1].exemplar.clone().unwrap();
        assert_eq!(exemplar.label[0].value, format!("{:032x}", 0xa));
        assert_eq!(exemplar.timestamp.unwrap().nanos, 500_000_000);
        assert!(histogram.bucket[2].exemplar.is_none());
        assert_eq!(histogram.positive_delta.len(), 2);
        assert_eq!(histogram.positive_span[1].length, Some(1));
        assert_eq!(histogram.positive_span[0].offset, Some(-124));
        assert_eq!(histogram.schema, Some(3));
        assert!((histogram.sample_sum.unwrap() - 0.990_02).abs() < 1e-12);
    }
}
