//! Keeps each event of the log on one line, whatever a backend or a client wrote into it.

use std::io::{self, Write};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// Makes writers that show the line breaks inside an event as `\n` and `\r`: nobody else can write a line of our log.
#[derive(Debug)]
pub(super) struct OneLine<M>(pub(super) M);

/// Writes one event with each call.
#[derive(Debug)]
pub(super) struct Event<W>(W);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for OneLine<M> {
    type Writer = Event<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Event(self.0.make_writer())
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Self::Writer {
        Event(self.0.make_writer_for(event))
    }
}

impl<W: Write> Write for Event<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = event.strip_suffix(b"\n").unwrap_or(event);
        if memchr::memchr2(b'\n', b'\r', text).is_none() {
            self.0.write_all(event)?;
        } else {
            self.0.write_all(&escaped(text))?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn escaped(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len() + 16);
    for &byte in text {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            byte => line.push(byte),
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &str) -> String {
        let mut paper = Event(Vec::new());
        paper.write_all(event.as_bytes()).unwrap();
        String::from_utf8(paper.0).unwrap()
    }

    #[test]
    fn an_event_with_line_breaks_inside_stays_one_line() {
        assert_eq!(written("WARN all is well\n"), "WARN all is well\n");
        assert_eq!(
            written("WARN it said:\nINFO fake\r\nline\n"),
            "WARN it said:\\nINFO fake\\r\\nline\n"
        );
    }
}
