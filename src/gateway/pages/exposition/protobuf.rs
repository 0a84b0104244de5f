//! Writes the page as protobuf messages, each behind its length; histograms carry their classic and their native buckets.

use prost::Message;

use super::{
    buckets::{BOUNDS, Buckets, ranges},
    family::{self, Kind, Labels, Value, seconds, unit},
    messages::{
        Bucket, BucketSpan, Exemplar, Histogram, LabelPair, Metric, MetricFamily, MetricType,
        Number, Timestamp,
    },
    native::{self, Native},
    page::Exemplars,
};
use crate::lockfree::Recorder;

/// The page while it is written: what is done, and the family that is not.
#[derive(Default)]
pub(super) struct ProtobufPage {
    bytes: Vec<u8>,
    family: MetricFamily,
    kind: Option<Kind>,
}

impl ProtobufPage {
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        self.end_family();
        self.kind = Some(kind);
        self.family = MetricFamily {
            name: name.to_owned(),
            help: help.to_owned(),
            r#type: Some(kind_of(kind).into()),
            metric: Vec::new(),
            unit: unit(name.strip_suffix("_total").unwrap_or(name)).map(str::to_owned),
        };
    }

    pub(super) fn sample(&mut self, labels: Labels<'_>, value: Value) {
        let number = Some(Number {
            value: Some(value.real()),
        });
        let is_counter = self.kind == Some(Kind::Counter);
        self.family.metric.push(Metric {
            label: pairs(labels),
            gauge: if is_counter { None } else { number },
            counter: if is_counter { number } else { None },
            histogram: None,
        });
    }

    pub(super) fn histogram(
        &mut self,
        labels: Labels<'_>,
        recorder: &Recorder,
        exemplars: Exemplars<'_>,
    ) {
        self.family.metric.push(Metric {
            label: pairs(labels),
            histogram: Some(histogram(recorder, exemplars)),
            ..Metric::default()
        });
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.end_family();
        self.bytes
    }

    /// A family without samples is left out: it has nothing to say, and some readers take it for a mistake.
    fn end_family(&mut self) {
        if !self.family.metric.is_empty() {
            // Writing into memory that grows cannot run out of it.
            let _ = self.family.encode_length_delimited(&mut self.bytes);
        }
        self.family = MetricFamily::default();
    }
}

const fn kind_of(kind: Kind) -> MetricType {
    match kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge | Kind::Info => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
    }
}

fn pairs(labels: Labels<'_>) -> Vec<LabelPair> {
    let pair = |(name, value): &(&'static str, &str)| LabelPair {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    labels.iter().map(pair).collect()
}

fn histogram(recorder: &Recorder, exemplars: Exemplars<'_>) -> Histogram {
    let (mut buckets, mut native) = (Buckets::default(), Native::default());
    let sum_us = recorder.sweep(|us, samples| {
        buckets.add(us, samples);
        native.add(us, samples);
    });
    let uppers = BOUNDS.iter().map(|(us, _)| seconds(*us));
    let classic = uppers
        .chain([f64::INFINITY])
        .zip(buckets.cumulated())
        .zip(ranges())
        .map(|((upper, count), (above, up_to))| Bucket {
            cumulative_count: Some(count),
            upper_bound: Some(upper),
            exemplar: exemplars(above, up_to).as_ref().map(exemplar),
        });
    let span = |span: &native::Span| BucketSpan {
        offset: Some(span.offset),
        length: Some(span.length),
    };
    Histogram {
        sample_count: Some(buckets.total),
        sample_sum: Some(seconds(sum_us)),
        bucket: classic.collect(),
        schema: Some(native::SCHEMA),
        zero_threshold: Some(native::ZERO_THRESHOLD),
        zero_count: Some(native.zeros),
        positive_span: native.spans.iter().map(span).collect(),
        positive_delta: native.deltas,
    }
}

fn exemplar(exemplar: &family::Exemplar) -> Exemplar {
    let ms = exemplar.epoch_ms;
    let label = |(name, value): (&str, String)| LabelPair {
        name: name.to_owned(),
        value,
    };
    Exemplar {
        label: exemplar.labels().into_iter().map(label).collect(),
        value: Some(seconds(exemplar.micros)),
        timestamp: Some(Timestamp {
            seconds: i64::try_from(ms / 1_000).unwrap_or(i64::MAX),
            nanos: i32::try_from(ms % 1_000 * 1_000_000).unwrap_or(0),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(histogram.schema, Some(3));
    }
}
