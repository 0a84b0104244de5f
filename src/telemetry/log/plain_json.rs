//! The log as JSON where events are chosen by target and level alone, which is nearly always: no layers, no registry.

use std::sync::Arc;

use tracing::{
    Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_core::span::Current;
use tracing_subscriber::filter::Targets;

use super::{Lines, json, spans::Spans};

/// Takes events and spans, and writes events.
pub(in crate::telemetry) struct PlainJson {
    filter: Targets,
    most: LevelFilter,
    lines: Arc<Lines>,
    spans: Spans,
}

impl PlainJson {
    pub(in crate::telemetry) fn new(filter: Targets, lines: Arc<Lines>) -> Self {
        let levels = filter.iter().map(|(_, level)| level);
        let most = levels.chain(filter.default_level()).max();
        Self {
            most: most.unwrap_or(LevelFilter::OFF),
            filter,
            lines,
            spans: Spans::default(),
        }
    }
}

impl Subscriber for PlainJson {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter
            .would_enable(metadata.target(), metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.spans.begin(attributes)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        self.spans.record(id, values);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let span = self.spans.around(event.is_root(), event.parent());
        json::write(event, &self.lines, |line| {
            if let Some(span) = span {
                json::spans(line, |line| span.write(line));
            }
        });
    }

    fn enter(&self, id: &Id) {
        self.spans.enter(id);
    }

    fn exit(&self, id: &Id) {
        Spans::exit(id);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.spans.hold(id);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.spans.release(&id)
    }

    fn current_span(&self) -> Current {
        Spans::current()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, thread};

    use serde_json::{Value, json};
    use tracing::{Span, debug, field::Empty, info, info_span, warn};

    use super::*;

    fn logged(filter: &str, act: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let ink = Arc::clone(&written);
        let lines = Lines::new(move |bytes: &[u8]| ink.lock().unwrap().extend_from_slice(bytes));
        let all = PlainJson::new(filter.parse().unwrap(), Arc::new(lines));
        tracing::subscriber::with_default(all, act);
        let written = written.lock().unwrap();
        let lines = std::str::from_utf8(&written).unwrap().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_has_the_spans_of_its_thread_from_the_outermost_in_with_what_was_recorded_later() {
        let lines = logged("info", || {
            let outer = info_span!("outer", a = 1, later = Empty).entered();
            Span::current().record("later", "yes");
            {
                let _inner = info_span!("inner").entered();
                warn!("within both");
            }
            warn!("within one");
            drop(outer);
            warn!("within none");
        });
        let outer = json!({"a": 1, "later": "yes", "name": "outer"});
        assert_eq!(lines[0]["spans"], json!([outer, {"name": "inner"}]));
        assert_eq!(lines[1]["spans"], json!([outer]));
        assert!(lines[2].get("spans").is_none());
    }

    fn on_another_thread(span: Span) {
        let here = tracing::dispatcher::get_default(Clone::clone);
        let say = move || span.in_scope(|| info!("there"));
        let there = thread::spawn(move || tracing::dispatcher::with_default(&here, say));
        there.join().unwrap();
    }

    #[test]
    fn a_span_that_is_left_and_entered_again_elsewhere_is_the_same_and_another_takes_its_place_later()
     {
        let lines = logged("info", || {
            for number in 0..3 {
                let span = info_span!("request", number);
                span.in_scope(|| info!("here"));
                on_another_thread(span.clone());
                info!(parent: &span, "by its handle");
                info!(parent: None, "none");
            }
        });
        let numbers: Vec<_> = lines
            .iter()
            .map(|line| line["spans"][0]["number"].as_u64())
            .collect();
        let of = |number| [Some(number), Some(number), Some(number), None];
        assert_eq!(numbers, [of(0), of(1), of(2)].concat());
    }

    #[test]
    fn what_is_not_asked_for_is_not_written_and_its_spans_are_not_there() {
        let lines = logged("warn,mcp_gateway=info", || {
            let _span = tracing::debug_span!("too near").entered();
            debug!("not at this level");
            info!(target: "another", "not of this target");
            info!("this");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "this");
        assert!(lines[0].get("spans").is_none());
    }
}
