//! Writes the text format of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::fmt::{Display, Write};

use hdrhistogram::Histogram;

use crate::lockfree::Snapshot;

/// Upper bounds of histogram buckets with their names in seconds: from what the gateway adds to what a slow tool takes.
const BOUNDS: [(u64, &str); 20] = [
    (10, "0.00001"),
    (25, "0.000025"),
    (50, "0.00005"),
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (5_000_000, "5"),
    (10_000_000, "10"),
    (30_000_000, "30"),
];

/// A page that grows family by family.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
    name: &'static str,
}

/// Labels of one sample, in their order.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    /// Begins a metric family; samples that follow belong to it.
    pub(super) fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// The samples of a histogram in seconds: successes and failures together.
    pub(super) fn histogram(&mut self, labels: Labels<'_>, snapshot: &Snapshot) {
        let mut counts = [0_u64; BOUNDS.len()];
        count(snapshot.successes(), &mut counts);
        count(snapshot.failures(), &mut counts);
        let total = snapshot.successes().len() + snapshot.failures().len();
        let sum_us = snapshot.success_sum_us() + snapshot.failure_sum_us();
        let mut cumulated = 0;
        for ((_, bound), count) in BOUNDS.iter().zip(counts) {
            cumulated += count;
            self.line("_bucket", labels, Some(bound), cumulated);
        }
        self.line("_bucket", labels, Some("+Inf"), total);
        let sum = std::time::Duration::from_micros(sum_us).as_secs_f64();
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, total);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: impl Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        let labels = labels
            .iter()
            .copied()
            .chain(bound.map(|bound| ("le", bound)));
        let mut lead = '{';
        for (label, text) in labels {
            let _ = write!(self.text, "{lead}{label}=\"");
            self.escaped(text);
            self.text.push('"');
            lead = ',';
        }
        if lead == ',' {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    fn escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }
}

/// Adds each sample to the first bucket that holds it.
fn count(histogram: &Histogram<u64>, counts: &mut [u64; BOUNDS.len()]) {
    for step in histogram.iter_recorded() {
        let value = step.value_iterated_to();
        let place = BOUNDS.partition_point(|(bound, _)| *bound < value);
        if let Some(count) = counts.get_mut(place) {
            *count += step.count_since_last_iteration();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfree::Recorder;

    #[test]
    fn buckets_are_cumulated_and_end_with_everything() {
        let recorder = Recorder::new();
        recorder.record_success(20, 0);
        recorder.record_success(700, 0);
        recorder.record_failure(60_000_000, 0);
        let mut page = Exposition::default();
        page.family("x_seconds", "histogram", "Some time.");
        page.histogram(&[("backend", "a")], &recorder.snapshot());
        let text = page.finish();
        for line in [
            "# HELP x_seconds Some time.",
            "# TYPE x_seconds histogram",
            "x_seconds_bucket{backend=\"a\",le=\"0.00001\"} 0",
            "x_seconds_bucket{backend=\"a\",le=\"0.000025\"} 1",
            "x_seconds_bucket{backend=\"a\",le=\"0.001\"} 2",
            "x_seconds_bucket{backend=\"a\",le=\"30\"} 2",
            "x_seconds_bucket{backend=\"a\",le=\"+Inf\"} 3",
            "x_seconds_sum{backend=\"a\"} 60.00072",
            "x_seconds_count{backend=\"a\"} 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn label_values_are_escaped() {
        let mut page = Exposition::default();
        page.family("x", "gauge", "X.");
        page.sample(&[("a", "q\"b\\c\nd")], 1);
        page.sample(&[], 2);
        assert!(page.finish().ends_with("x{a=\"q\\\"b\\\\c\\nd\"} 1\nx 2\n"));
    }
}
