//! One event as one JSON object: its fields at the top, the spans around it in `spans`.
//!
//! A span's fields are written once, when it begins, and copied into each line. Nothing is read back, and a line is put
//! together in a buffer that its thread keeps.

use std::{cell::Cell, sync::Arc};

use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, Scope, SpanRef},
};

use super::{Lines, members::Members};
use crate::telemetry::clock::{LogTime, wall_time};

/// Bytes of most spans, and of most lines.
const SPAN: usize = 256;
const LINE: usize = 512;

thread_local! {
    /// What lines are put together in; empty while one is, so that what shows a value may log too.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static TIME: Cell<LogTime> = const { Cell::new(LogTime::UNKNOWN) };
}

/// Writes events as JSON.
pub(in crate::telemetry) struct Json(pub(in crate::telemetry) Arc<Lines>);

/// The members of a span, each with its comma.
struct Fields(Vec<u8>);

impl<S> Layer<S> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Vec::with_capacity(SPAN);
            attributes.record(&mut Members(&mut fields));
            span.extensions_mut().replace(Fields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(Fields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Members(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let scope = context.event_scope(event);
        write(event, &self.0, |line| all(line, scope));
    }
}

fn all<S>(line: &mut Vec<u8>, scope: Option<Scope<'_, S>>)
where
    S: for<'a> LookupSpan<'a>,
{
    if let Some(scope) = scope {
        let each = |line: &mut Vec<u8>| scope.from_root().for_each(|span| one(line, &span));
        spans(line, each);
    }
}

/// Writes one event; `around` adds the spans that it is in.
pub(super) fn write(event: &Event<'_>, lines: &Lines, around: impl FnOnce(&mut Vec<u8>)) {
    let mut line = BUFFER.take();
    line.clear();
    line.reserve(LINE);
    line.push(b'{');
    begin(&mut line, event.metadata());
    event.record(&mut Members(&mut line));
    Members(&mut line).plain("target", event.metadata().target());
    around(&mut line);
    // Each member has left a comma behind.
    line.pop();
    line.extend_from_slice(b"}\n");
    lines.put(&line, *event.metadata().level() <= Level::WARN);
    BUFFER.set(line);
}

/// Adds the member that holds the spans; `all` writes them, at least one, each with a comma behind.
pub(super) fn spans(line: &mut Vec<u8>, all: impl FnOnce(&mut Vec<u8>)) {
    line.extend_from_slice(b"\"spans\":[");
    all(line);
    line.pop();
    line.extend_from_slice(b"],");
}

fn begin(line: &mut Vec<u8>, metadata: &Metadata<'_>) {
    let mut time = TIME.get();
    let mut members = Members(line);
    members.plain("timestamp", time.show(wall_time()));
    members.plain("level", metadata.level().as_str());
    TIME.set(time);
}

fn one<S>(line: &mut Vec<u8>, span: &SpanRef<'_, S>)
where
    S: for<'a> LookupSpan<'a>,
{
    line.push(b'{');
    if let Some(Fields(fields)) = span.extensions().get() {
        line.extend_from_slice(fields);
    }
    Members(line).plain("name", span.name());
    line.pop();
    line.extend_from_slice(b"},");
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};
    use tracing::{field::Empty, info, info_span, warn};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    fn logged(act: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let ink = Arc::clone(&written);
        let lines = Lines::new(move |bytes: &[u8]| ink.lock().unwrap().extend_from_slice(bytes));
        let all = tracing_subscriber::registry().with(Json(Arc::new(lines)));
        tracing::subscriber::with_default(all, act);
        let written = written.lock().unwrap();
        let text = std::str::from_utf8(&written).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn fields_keep_their_kinds_and_whatever_is_in_them_stays_one_line() {
        let text = "a \"b\"\n\\ \u{1} ä 🦀";
        let lines = logged(|| {
            info!(text, yes = true, count = 7_u64, less = -7, ratio = 0.125, none = f64::NAN, shown = %text, debug = ?text, "said {text}");
        });
        let mut line = lines[0].clone();
        let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert_eq!(
            time.as_str().unwrap().len(),
            "2026-11-27T12:03:10.123456Z".len()
        );
        assert_eq!(
            line,
            json!({
                "level": "INFO", "message": format!("said {text}"), "text": text, "yes": true, "count": 7, "less": -7,
                "ratio": 0.125, "none": null, "shown": text, "debug": format!("{text:?}"), "target": module_path!(),
            })
        );
    }

    #[test]
    fn spans_stand_from_the_outermost_in_with_what_was_recorded_later() {
        let lines = logged(|| {
            let outer = info_span!("outer", a = 1, later = Empty).entered();
            outer.record("later", "yes");
            let _inner = info_span!("inner").entered();
            warn!("here");
        });
        assert_eq!(
            lines[0]["spans"],
            json!([{"a": 1, "later": "yes", "name": "outer"}, {"name": "inner"}])
        );
    }
}
