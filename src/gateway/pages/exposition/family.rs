//! What a family, a sample and an exemplar are, in whatever form they are written.

/// The forms in which the metrics can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// The text format of Prometheus, version 0.0.4
    /// (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).
    Text,
    /// OpenMetrics, version 1.0.0, with exemplars (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
    OpenMetrics,
    /// Messages `io.prometheus.client.MetricFamily`, each behind its length: with exemplars and native histograms
    /// (<https://github.com/prometheus/client_model>).
    Protobuf,
}

/// What kind of numbers a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway::pages) enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Always 1: its labels say something; its name ends in `_info`.
    Info,
    /// Times, in seconds.
    Histogram,
}

/// Labels of one sample, in their order.
pub(in crate::gateway::pages) type Labels<'a> = &'a [(&'static str, &'a str)];

/// The number of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::gateway::pages) enum Value {
    /// A count.
    Whole(u64),
    /// A measure.
    Real(f64),
}

impl Value {
    pub(super) const fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Whole(number as u64)
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Whole(number.into())
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Whole(yes.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

/// One call behind a bucket, to be looked up where traces are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway::pages) struct Exemplar {
    /// How long it took, in microseconds.
    pub(in crate::gateway::pages) micros: u64,
    /// Its trace.
    pub(in crate::gateway::pages) trace: u128,
    /// Its span.
    pub(in crate::gateway::pages) span: u64,
    /// When it ended, in milliseconds since the Unix epoch.
    pub(in crate::gateway::pages) epoch_ms: u64,
}

impl Exemplar {
    /// Its labels with the names that OpenMetrics gives as an example and that everybody uses.
    pub(super) fn labels(&self) -> [(&'static str, String); 2] {
        [
            ("trace_id", format!("{:032x}", self.trace)),
            ("span_id", format!("{:016x}", self.span)),
        ]
    }
}

/// The unit of a family, which its name ends in.
pub(super) fn unit(family: &str) -> Option<&'static str> {
    let (_, last) = family.rsplit_once('_')?;
    ["seconds", "bytes"].into_iter().find(|unit| *unit == last)
}

/// Microseconds in seconds, the unit of all times on the page.
pub(super) const fn seconds(us: u64) -> f64 {
    std::time::Duration::from_micros(us).as_secs_f64()
}
