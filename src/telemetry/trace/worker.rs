//! The thread that sends spans: a batch when there is one, and what there is every few seconds.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::SpanExporter as _;
use tokio::{runtime, time::timeout};

use super::{queue::Spans, settings::TraceSettings, tracer::TracerError};

/// What an export may take beyond its own time limit before it is given up from outside.
const GRACE: Duration = Duration::from_secs(5);

/// A thread that sends, as long as it is not told to finish.
pub(super) struct Worker {
    spans: Arc<Spans>,
    ended: Mutex<Receiver<()>>,
}

struct Sending {
    exporter: SpanExporter,
    runtime: runtime::Runtime,
    spans: Arc<Spans>,
    patience: Duration,
    /// Whether the last export failed: each change is said once.
    fails: bool,
}

impl Worker {
    pub(super) fn start(
        exporter: impl FnOnce() -> Result<SpanExporter, TracerError>,
        settings: &TraceSettings,
        spans: Arc<Spans>,
    ) -> Result<Self, TracerError> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| not_started(&error))?;
        let exporter = {
            let _inside = runtime.enter();
            exporter()?
        };
        let mut sending = Sending {
            exporter,
            runtime,
            spans: Arc::clone(&spans),
            patience: settings.timeout + GRACE,
            fails: false,
        };
        let (end, ended) = sync_channel(1);
        let delay = settings.delay;
        let thread = thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || {
                sending.run(delay);
                let _ = end.try_send(());
            })
            .map_err(|error| not_started(&error))?;
        spans.sent_by(thread.thread().clone());
        Ok(Self {
            spans,
            ended: Mutex::new(ended),
        })
    }

    pub(super) fn finish(&self, patience: Duration) -> bool {
        self.spans.closed.set(1);
        self.spans.wake();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(patience).is_ok()
    }
}

impl Sending {
    fn run(&mut self, delay: Duration) {
        loop {
            let is_last = self.spans.closed.value() != 0;
            if !is_last && !self.spans.has_batch() {
                thread::park_timeout(delay);
            }
            let batch = self.spans.take();
            if batch.is_empty() {
                if is_last {
                    return;
                }
                continue;
            }
            self.send(batch);
        }
    }

    fn send(&mut self, batch: Vec<opentelemetry_sdk::trace::SpanData>) {
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let sent = self.runtime.block_on(async {
            match timeout(self.patience, self.exporter.export(batch)).await {
                Ok(sent) => sent.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {:?}", self.patience)),
            }
        });
        match sent {
            Ok(()) => {
                self.spans.exported.add(count);
                if std::mem::take(&mut self.fails) {
                    tracing::info!("Traces are exported again");
                }
            }
            Err(error) => {
                self.spans.failed.add(count);
                if !std::mem::replace(&mut self.fails, true) {
                    tracing::warn!(%error, "Traces cannot be exported; requests are not touched by it");
                }
            }
        }
    }
}

fn not_started(error: &std::io::Error) -> TracerError {
    TracerError(format!("the thread that exports traces cannot be started: {error}").into())
}
