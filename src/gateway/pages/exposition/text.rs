//! Writes the two forms for people and machines alike: the text format 0.0.4 and OpenMetrics 1.0.0.

use std::fmt::Write;

use super::{
    buckets::{BOUNDS, Buckets, EVERYTHING, ranges},
    family::{Exemplar, Kind, Labels, Value, seconds, unit},
    page::Exemplars,
};
use crate::lockfree::Recorder;

/// The page while it is written.
pub(super) struct TextPage {
    text: String,
    is_open_metrics: bool,
    name: &'static str,
    /// The labels of the sample that is written, without their braces.
    labels: String,
    /// What each bucket of the histogram that is written begins with.
    bucket: String,
}

impl TextPage {
    pub(super) const fn classic() -> Self {
        Self::new(false)
    }

    pub(super) const fn open_metrics() -> Self {
        Self::new(true)
    }

    const fn new(is_open_metrics: bool) -> Self {
        Self {
            text: String::new(),
            is_open_metrics,
            name: "",
            labels: String::new(),
            bucket: String::new(),
        }
    }

    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        self.name = name;
        let (family, kind) = if self.is_open_metrics {
            (stem(name, kind), open_metrics_kind(kind))
        } else {
            (name, classic_kind(kind))
        };
        let _ = writeln!(self.text, "# HELP {family} {help}\n# TYPE {family} {kind}");
        if let Some(unit) = unit(family).filter(|_| self.is_open_metrics) {
            let _ = writeln!(self.text, "# UNIT {family} {unit}");
        }
    }

    pub(super) fn sample(&mut self, labels: Labels<'_>, value: Value) {
        self.label(labels);
        self.line("", value);
    }

    pub(super) fn histogram(
        &mut self,
        labels: Labels<'_>,
        recorder: &Recorder,
        exemplars: Exemplars<'_>,
    ) {
        self.label(labels);
        self.begin_buckets();
        let mut buckets = Buckets::default();
        let sum_us = recorder.sweep(|us, samples| buckets.add(us, samples));
        let names = BOUNDS.iter().map(|(_, name)| *name).chain([EVERYTHING]);
        for ((name, count), (above, up_to)) in names.zip(buckets.cumulated()).zip(ranges()) {
            self.bucket(name, count);
            if self.is_open_metrics
                && let Some(exemplar) = exemplars(above, up_to)
            {
                self.exemplar(&exemplar);
            }
            self.text.push('\n');
        }
        self.line("_sum", Value::Real(seconds(sum_us)));
        self.line("_count", Value::Whole(buckets.total));
    }

    pub(super) fn finish(mut self) -> String {
        if self.is_open_metrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn line(&mut self, suffix: &str, value: Value) {
        self.text.extend([self.name, suffix]);
        if !self.labels.is_empty() {
            self.text.extend(["{", &self.labels, "}"]);
        }
        self.text.push(' ');
        match value {
            Value::Whole(number) => self.whole(number),
            Value::Real(number) => {
                let _ = write!(self.text, "{number}");
            }
        }
        self.text.push('\n');
    }

    /// What all buckets of a histogram begin with: put together once, because a page may have fifty thousand.
    fn begin_buckets(&mut self) {
        let comma = if self.labels.is_empty() { "" } else { "," };
        self.bucket.clear();
        let parts = [self.name, "_bucket{", &self.labels, comma, "le=\""];
        self.bucket.extend(parts);
    }

    /// A bucket without the end of its line.
    fn bucket(&mut self, bound: &str, count: u64) {
        self.text.push_str(&self.bucket);
        self.text.push_str(bound);
        self.text.push_str("\"} ");
        self.whole(count);
    }

    fn whole(&mut self, number: u64) {
        self.text.push_str(itoa::Buffer::new().format(number));
    }

    fn exemplar(&mut self, exemplar: &Exemplar) {
        let [(trace, trace_id), (span, span_id)] = exemplar.labels();
        let (took, ended) = (
            seconds(exemplar.micros),
            std::time::Duration::from_millis(exemplar.epoch_ms).as_secs_f64(),
        );
        let _ = write!(
            self.text,
            " # {{{trace}=\"{trace_id}\",{span}=\"{span_id}\"}} {took} {ended}"
        );
    }

    fn label(&mut self, labels: Labels<'_>) {
        self.labels.clear();
        for (label, text) in labels {
            if !self.labels.is_empty() {
                self.labels.push(',');
            }
            self.labels.extend([*label, "=\""]);
            escape(text, &mut self.labels);
            self.labels.push('"');
        }
    }
}

/// What OpenMetrics calls a family: its name without what its samples have behind it.
fn stem(name: &'static str, kind: Kind) -> &'static str {
    let suffix = match kind {
        Kind::Counter => "_total",
        Kind::Info => "_info",
        Kind::Gauge | Kind::Histogram => "",
    };
    name.strip_suffix(suffix).unwrap_or(name)
}

const fn open_metrics_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Info => "info",
        _ => classic_kind(kind),
    }
}

const fn classic_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge | Kind::Info => "gauge",
        Kind::Histogram => "histogram",
    }
}

fn escape(text: &str, into: &mut String) {
    // As nearly every name is.
    if !text
        .bytes()
        .any(|byte| matches!(byte, b'\\' | b'"' | b'\n' | b'\0'))
    {
        into.push_str(text);
        return;
    }
    for letter in text.chars() {
        match letter {
            '\\' => into.push_str("\\\\"),
            '"' => into.push_str("\\\""),
            '\n' => into.push_str("\\n"),
            // Where a reader's scanner ends.
            '\0' => into.push(char::REPLACEMENT_CHARACTER),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.lines().any(|found| found == *line), "{line}\n{text}");
        }
    }

    fn none(_: u64, _: u64) -> Option<Exemplar> {
        None
    }

    #[test]
    fn buckets_are_cumulated_and_end_with_everything() {
        let recorder = Recorder::new();
        recorder.record_success(20, 0);
        recorder.record_success(700, 0);
        recorder.record_failure(60_000_000, 0);
        let mut page = TextPage::classic();
        page.family("x_seconds", Kind::Histogram, "Some time.");
        page.histogram(&[("backend", "a")], &recorder, &none);
        let expected = [
            "# HELP x_seconds Some time.",
            "# TYPE x_seconds histogram",
            "x_seconds_bucket{backend=\"a\",le=\"1e-05\"} 0",
            "x_seconds_bucket{backend=\"a\",le=\"2.5e-05\"} 1",
            "x_seconds_bucket{backend=\"a\",le=\"0.001\"} 2",
            "x_seconds_bucket{backend=\"a\",le=\"30.0\"} 2",
            "x_seconds_bucket{backend=\"a\",le=\"+Inf\"} 3",
            "x_seconds_sum{backend=\"a\"} 60.00072",
            "x_seconds_count{backend=\"a\"} 3",
        ];
        let text = page.finish();
        has(&text, &expected);
        assert!(!text.contains("UNIT") && !text.contains("EOF"));
    }

    #[test]
    fn label_values_are_escaped() {
        let mut page = TextPage::classic();
        page.family("x", Kind::Gauge, "X.");
        page.sample(&[("a", "q\"b\\c\nd\0e")], Value::Whole(1));
        page.sample(&[], Value::Real(2.0));
        assert!(
            page.finish()
                .ends_with("x{a=\"q\\\"b\\\\c\\nd\u{fffd}e\"} 1\nx 2\n")
        );
    }

    #[test]
    fn open_metrics_names_families_without_their_suffix_says_the_unit_and_ends() {
        let mut page = TextPage::open_metrics();
        page.family("x_seconds_total", Kind::Counter, "X.");
        page.sample(&[], Value::Real(0.5));
        page.family("y_info", Kind::Info, "Y.");
        page.sample(&[("version", "1")], Value::Whole(1));
        let text = page.finish();
        let expected = [
            "# TYPE x_seconds counter",
            "# UNIT x_seconds seconds",
            "x_seconds_total 0.5",
            "# TYPE y info",
            "y_info{version=\"1\"} 1",
        ];
        has(&text, &expected);
        assert!(text.ends_with("\n# EOF\n"), "{text}");
    }

    #[test]
    fn open_metrics_shows_an_exemplar_on_its_bucket_and_the_classic_form_none() {
        let recorder = Recorder::new();
        recorder.record_success(20, 0);
        let found = |above, up_to| {
            (above < 20 && 20 <= up_to).then_some(Exemplar {
                micros: 20,
                trace: 0xa,
                span: 0xb,
                epoch_ms: 1_700_000_000_500,
            })
        };
        let written = |mut page: TextPage| {
            page.family("x_seconds", Kind::Histogram, "X.");
            page.histogram(&[], &recorder, &found);
            page.finish()
        };
        let line = "x_seconds_bucket{le=\"2.5e-05\"} 1 # {trace_id=\"0000000000000000000000000000000a\",\
                    span_id=\"000000000000000b\"} 0.00002 1700000000.5";
        has(&written(TextPage::open_metrics()), &[line]);
        assert!(!written(TextPage::classic()).contains("trace_id"));
    }
}
