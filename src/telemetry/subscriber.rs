//! Where log lines go: standard error, as text or as JSON, one subscriber for the process.
//!
//! Who logs puts a line into memory and goes on; a thread writes what has gathered within a few milliseconds, and a warning or
//! an error that finds it at rest at once. A standard error that nobody reads stops nobody: lines that find no room are lost, and a
//! warning counts them. An end of the process in order, a panic included, writes everything; one by SIGKILL or by the
//! memory running out loses what was logged in the last milliseconds.

use std::{
    error::Error,
    fmt::{Display, Formatter, Result as Formatted},
    io::{self, IsTerminal, Write},
    sync::Arc,
};

use super::{
    log::{Json, Lines, Pen, PlainJson, Written},
    one_line::OneLine,
};
use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::Targets,
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

/// The log of this process. When this is dropped, what was logged before has been written.
#[derive(Debug)]
#[must_use = "the log ends with it"]
pub struct Log {
    lines: Arc<Lines>,
    pen: Option<Pen>,
}

impl Log {
    /// Has a thread of its own write what others log. Without one, or where there can be none, each line is written by the
    /// thread that logs it.
    pub fn write_behind(&mut self) {
        let told = |lines| tracing::warn!(lines, "Log lines lost, nobody read them in time");
        match Pen::start(&self.lines, told) {
            Ok(pen) => self.pen = Some(pen),
            Err(error) => tracing::warn!(%error, "The log has no thread of its own"),
        }
    }
}

/// Which events are logged.
#[derive(Debug)]
enum Filter {
    /// By target and level alone: spans that begin and end pass it by.
    Plain(Box<Targets>),
    /// By spans and fields too.
    Full(Box<EnvFilter>),
}

/// Sends the log of this process to standard error. `RUST_LOG`, where set and not empty, decides what is written;
/// else `level` (`error` to `trace`, `off`, or a filter in the language of `RUST_LOG`) holds for the gateway itself,
/// and warnings of the libraries are shown beside it.
///
/// # Errors
/// When the filter cannot be read, or when the process has a subscriber already: the first one stays.
pub fn init(level: &str, format: LogFormat) -> Result<Log, SubscriberError> {
    let filter = filter(std::env::var("RUST_LOG").ok().as_deref(), level)?;
    let lines = Arc::new(Lines::new(|bytes| {
        // A standard error that is closed loses the lines, and breaks nothing.
        let _ = io::stderr().write_all(bytes);
    }));
    let done = match filter {
        Filter::Plain(filter) if format == LogFormat::Json => {
            PlainJson::new(*filter, Arc::clone(&lines)).try_init()
        }
        Filter::Plain(filter) => install(*filter, format, &lines),
        Filter::Full(filter) => install(*filter, format, &lines),
    };
    done.map_err(|_| SubscriberError::Taken)?;
    Ok(Log { lines, pen: None })
}

fn install<F>(filter: F, format: LogFormat, lines: &Arc<Lines>) -> Result<(), TryInitError>
where
    F: Layer<Registry> + Send + Sync,
{
    let filtered = Registry::default().with(filter);
    let lines = Arc::clone(lines);
    match format {
        LogFormat::Text => {
            let coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            filtered.with(text(coloured, Written(lines))).try_init()
        }
        LogFormat::Json => filtered.with(Json(lines)).try_init(),
    }
}

fn filter(environment: Option<&str>, level: &str) -> Result<Filter, SubscriberError> {
    let (from, written) = match environment.filter(|text| !text.trim().is_empty()) {
        Some(text) => ("RUST_LOG", text),
        None => ("log level", level),
    };
    let whole = from == "RUST_LOG" || written.contains(['=', ',', '[']);
    let wanted = if whole {
        written.to_owned()
    } else {
        format!("warn,mcp_gateway={written}")
    };
    let full = EnvFilter::try_new(&wanted).map_err(|error| SubscriberError::Filter {
        from,
        text: written.to_owned(),
        reason: error.to_string(),
    })?;
    let plain = wanted.parse().ok().filter(|_| !wanted.contains('['));
    Ok(match plain {
        Some(plain) => Filter::Plain(Box::new(plain)),
        None => Filter::Full(Box::new(full)),
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

    /// Lines, and what is written of them.
    fn paper() -> (Arc<Lines>, Arc<Mutex<Vec<u8>>>) {
        let written = Arc::new(Mutex::new(Vec::new()));
        let ink = Arc::clone(&written);
        let lines = Lines::new(move |bytes: &[u8]| ink.lock().unwrap().extend_from_slice(bytes));
        (Arc::new(lines), written)
    }

    fn shown(written: &Mutex<Vec<u8>>) -> String {
        String::from_utf8(written.lock().unwrap().clone()).unwrap()
    }

    fn two_lines() {
        let _request = info_span!("http_request", request_id = "r1").entered();
        info!(backend = "demo", "Request completed successfully");
        debug!("not at this level");
    }

    fn at_info() -> Targets {
        match filter(None, "info").unwrap() {
            Filter::Plain(targets) => *targets,
            Filter::Full(filter) => panic!("{filter} looks at fields"),
        }
    }

    #[test]
    fn text_lines_carry_their_span_and_no_colour_off_a_terminal() {
        let (lines, written) = paper();
        let lines = Registry::default()
            .with(at_info())
            .with(text(false, Written(lines)));
        tracing::subscriber::with_default(lines, two_lines);
        let text = shown(&written);
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
        let (lines, written) = paper();
        let by_field = Registry::default()
            .with(EnvFilter::new("info"))
            .with(Json(Arc::clone(&lines)));
        tracing::subscriber::with_default(by_field, two_lines);
        tracing::subscriber::with_default(PlainJson::new(at_info(), lines), two_lines);
        let text = shown(&written);
        assert_eq!(text.lines().count(), 2);
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["message"], "Request completed successfully");
            assert_eq!(line["backend"], "demo");
            assert_eq!(line["spans"][0]["request_id"], "r1");
        }
    }

    #[test]
    fn the_environment_wins_over_the_level_unless_it_is_empty() {
        let shown = |environment, level| match filter(environment, level).unwrap() {
            Filter::Plain(filter) => filter.to_string(),
            Filter::Full(filter) => filter.to_string(),
        };
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
        let by_field = "mcp_gateway[{backend=search}]=debug";
        assert!(matches!(filter(None, by_field), Ok(Filter::Full(_))));
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
