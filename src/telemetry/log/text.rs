//! How lines of text, which others put together, come among the lines that wait.

use std::{io, sync::Arc};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::Lines;

/// Makes writers into the lines that wait.
pub(in crate::telemetry) struct Written(pub(in crate::telemetry) Arc<Lines>);

/// Takes one event with each call.
pub(in crate::telemetry) struct Event<'a> {
    lines: &'a Lines,
    urgent: bool,
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Event<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Event {
            lines: &self.0,
            urgent: false,
        }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Self::Writer {
        Event {
            lines: &self.0,
            urgent: *event.level() <= Level::WARN,
        }
    }
}

impl io::Write for Event<'_> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.lines.put(event, self.urgent);
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
