//! Where log lines go: standard error, as text or as JSON, one subscriber for the process.
//!
//! A line is written by the thread that logs it, before it goes on: nothing is lost when the process dies, and
//! there is no queue to overflow. The price is that a standard error nobody reads (a pipe whose other end sleeps)
//! stops the gateway once the pipe is full. Whoever captures the log must keep reading it. One that is closed loses
//! the lines, and breaks nothing.

use std::{
    error::Error,
    fmt::{Display, Formatter, Result as Formatted},
    io::{self, IsTerminal},
};

use super::one_line::OneLine;
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::{SubscriberInitExt, TryInitError},
};

/// The shape of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people: time, level, spans, message, fields; coloured on a terminal.
    #[default]
    Text,
    /// For machines: one JSON object per line, the fields of the event at its top.
    Json,
}

/// Why no log could be set up.
#[derive(Debug)]
pub enum SubscriberError {
    /// A filter that cannot be read.
    Filter {
        /// Where it was written: `RUST_LOG` or the log level.
        from: &'static str,
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The process has a subscriber already.
    Taken,
}

/// Sends the log of this process to standard error. `RUST_LOG`, where set and not empty, decides what is written;
/// else `level` (`error` to `trace`, `off`, or a filter in the language of `RUST_LOG`) holds for the gateway itself,
/// and warnings of the libraries are shown beside it.
///
/// # Errors
/// When the filter cannot be read, or when the process has a subscriber already: the first one stays.
pub fn init(level: &str, format: LogFormat) -> Result<(), SubscriberError> {
    let filter = filter(std::env::var("RUST_LOG").ok().as_deref(), level)?;
    let coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = Registry::default().with(filter);
    let done: Result<(), TryInitError> = match format {
        LogFormat::Text => lines.with(text(coloured, io::stderr)).try_init(),
        LogFormat::Json => lines.with(json(io::stderr)).try_init(),
    };
    done.map_err(|_| SubscriberError::Taken)
}

fn filter(environment: Option<&str>, level: &str) -> Result<EnvFilter, SubscriberError> {
    let (from, written) = match environment.filter(|text| !text.trim().is_empty()) {
        Some(text) => ("RUST_LOG", text),
        None => ("log level", level),
    };
    let whole = from == "RUST_LOG" || written.contains(['=', ',', '[']);
    let parsed = if whole {
        EnvFilter::try_new(written)
    } else {
        EnvFilter::try_new(format!("warn,mcp_gateway={written}"))
    };
    parsed.map_err(|error| SubscriberError::Filter {
        from,
        text: written.to_owned(),
        reason: error.to_string(),
    })
}

fn text<S, W>(coloured: bool, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::layer()
        .with_ansi(coloured)
        .with_writer(OneLine(writer))
}

fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_writer(writer)
}

impl Display for SubscriberError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        match self {
            Self::Filter { from, text, reason } => write!(
                f,
                "The {from} `{text}` is not a log filter: {reason}. Nothing would be logged as asked. \
                 Write a level (error, warn, info, debug, trace, off) or a filter such as `mcp_gateway=debug`."
            ),
            Self::Taken => f.write_str(
                "This process has a log subscriber already. The first one stays in place. \
                 Set the log up once, before anything else does.",
            ),
        }
    }
}

impl Error for SubscriberError {}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{debug, info, info_span, warn};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn two_lines() {
        let _request = info_span!("http_request", request_id = "r1").entered();
        info!(backend = "demo", "Request completed successfully");
        debug!("not at this level");
    }

    #[test]
    fn text_lines_carry_their_span_and_no_colour_off_a_terminal() {
        let paper = Paper::default();
        let ink = paper.clone();
        let lines = Registry::default()
            .with(filter(None, "info").unwrap())
            .with(text(false, move || ink.clone()));
        tracing::subscriber::with_default(lines, two_lines);
        let text = paper.text();
        assert!(text.contains("http_request{request_id=\"r1\"}"), "{text}");
        assert!(
            text.contains("Request completed successfully backend=\"demo\""),
            "{text}"
        );
        assert!(
            !text.contains("not at this level") && !text.contains('\u{1b}'),
            "{text}"
        );
    }

    #[test]
    fn a_json_line_is_one_object_with_its_fields_at_the_top() {
        let paper = Paper::default();
        let ink = paper.clone();
        let lines = Registry::default()
            .with(filter(None, "info").unwrap())
            .with(json(move || ink.clone()));
        tracing::subscriber::with_default(lines, two_lines);
        let line: serde_json::Value = serde_json::from_str(&paper.text()).unwrap();
        assert_eq!(line["message"], "Request completed successfully");
        assert_eq!(line["backend"], "demo");
        assert_eq!(line["spans"][0]["request_id"], "r1");
    }

    #[test]
    fn a_log_that_cannot_be_written_breaks_nothing() {
        let lines = Registry::default()
            .with(filter(None, "info").unwrap())
            .with(text(false, || &mut [0_u8; 0][..]));
        tracing::subscriber::with_default(lines, two_lines);
    }

    #[test]
    fn the_environment_wins_over_the_level_unless_it_is_empty() {
        let shown = |environment, level| filter(environment, level).unwrap().to_string();
        assert_eq!(shown(Some("error"), "debug"), "error");
        for unset in [None, Some(""), Some("  ")] {
            let filter = shown(unset, "debug");
            assert!(
                filter.contains("mcp_gateway=debug") && filter.contains("warn"),
                "{filter}"
            );
        }
        assert_eq!(
            shown(None, "mcp_gateway::backend=trace"),
            "mcp_gateway::backend=trace"
        );
    }

    #[test]
    fn a_filter_that_cannot_be_read_says_where_it_was_written() {
        let wrong = filter(Some("mcp_gateway=loud"), "info")
            .unwrap_err()
            .to_string();
        assert!(
            wrong.contains("RUST_LOG") && wrong.contains("mcp_gateway=loud"),
            "{wrong}"
        );
        let wrong = filter(None, "loudly!").unwrap_err().to_string();
        assert!(wrong.starts_with("The log level `loudly!`"), "{wrong}");
    }

    #[test]
    fn a_second_set_up_is_an_error_and_the_first_stays() {
        let first = init("off", LogFormat::Text);
        let second = init("info", LogFormat::Json);
        assert!(first.is_ok() || matches!(first, Err(SubscriberError::Taken)));
        assert!(matches!(second, Err(SubscriberError::Taken)));
        warn!("goes nowhere, and breaks nothing");
    }
}
