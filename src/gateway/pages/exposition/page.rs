//! A page that grows family by family, in the form that was asked for.

use bytes::Bytes;

use super::{
    family::{Exemplar, Kind, Labels, MetricsFormat, Value},
    protobuf::ProtobufPage,
    text::TextPage,
};
use crate::lockfree::Recorder;

/// The page while it is written.
pub(in crate::gateway::pages) struct Exposition(Form);

enum Form {
    Text(TextPage),
    Protobuf(ProtobufPage),
}

/// Finds an exemplar that took longer than the first and no longer than the second number of microseconds.
pub(super) type Exemplars<'a> = &'a dyn Fn(u64, u64) -> Option<Exemplar>;

impl Exposition {
    pub(in crate::gateway::pages) fn new(format: MetricsFormat) -> Self {
        Self(match format {
            MetricsFormat::Text => Form::Text(TextPage::classic()),
            MetricsFormat::OpenMetrics => Form::Text(TextPage::open_metrics()),
            MetricsFormat::Protobuf => Form::Protobuf(ProtobufPage::default()),
        })
    }

    /// Begins a metric family; samples that follow belong to it.
    pub(in crate::gateway::pages) fn family(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &'static str,
    ) {
        match &mut self.0 {
            Form::Text(page) => page.family(name, kind, help),
            Form::Protobuf(page) => page.family(name, kind, help),
        }
    }

    pub(in crate::gateway::pages) fn sample(
        &mut self,
        labels: Labels<'_>,
        value: impl Into<Value>,
    ) {
        match &mut self.0 {
            Form::Text(page) => page.sample(labels, value.into()),
            Form::Protobuf(page) => page.sample(labels, value.into()),
        }
    }

    /// A histogram in seconds: successes and failures together.
    pub(in crate::gateway::pages) fn histogram(&mut self, labels: Labels<'_>, recorder: &Recorder) {
        self.histogram_with(labels, recorder, &|_, _| None);
    }

    /// The same with an exemplar for each bucket that has one, where the form has room for it.
    pub(in crate::gateway::pages) fn histogram_with(
        &mut self,
        labels: Labels<'_>,
        recorder: &Recorder,
        exemplars: Exemplars<'_>,
    ) {
        match &mut self.0 {
            Form::Text(page) => page.histogram(labels, recorder, exemplars),
            Form::Protobuf(page) => page.histogram(labels, recorder, exemplars),
        }
    }

    pub(in crate::gateway::pages) fn finish(self) -> Bytes {
        match self.0 {
            Form::Text(page) => page.finish().into(),
            Form::Protobuf(page) => page.finish().into(),
        }
    }
}
