//! What a child last said on stderr, for the error of the call that it broke.

use std::{collections::VecDeque, sync::Mutex, sync::PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{backend::BackendSettings, protocol::LineDecoder};

/// Lines kept.
const LINES: usize = 20;
/// The longest line kept, in bytes; longer ones are skipped.
const LINE_BYTES: usize = 2048;

/// The last lines of a child's stderr. Written by one reading task, read only when a child has died.
#[derive(Debug, Default)]
pub(super) struct LastWords(Mutex<VecDeque<Box<str>>>);

impl LastWords {
    /// Reads `stderr` to its end. Each line is also logged at debug.
    pub(super) async fn listen(
        &self,
        backend: &BackendSettings,
        mut stderr: impl AsyncRead + Unpin,
    ) {
        let mut lines = LineDecoder::new(LINE_BYTES);
        let mut chunk = vec![0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
            lines.push(&chunk[..count]);
            self.keep_all(backend, &mut lines);
        }
        // Last words need no line end.
        lines.push(b"\n");
        self.keep_all(backend, &mut lines);
    }

    fn keep_all(&self, backend: &BackendSettings, lines: &mut LineDecoder) {
        for line in lines.flatten() {
            let line = backend.excerpt(&String::from_utf8_lossy(&line));
            tracing::debug!(backend = %backend.name, %line, "Backend stderr");
            self.keep(line);
        }
    }

    /// The lines kept, oldest first, as one text; `None` if the child said nothing.
    pub(super) fn text(&self) -> Option<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!lines.is_empty()).then(|| {
            lines
                .iter()
                .map(AsRef::as_ref)
                .collect::<Vec<_>>()
                .join("\n")
        })
    }

    fn keep(&self, line: Box<str>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        backend::{StdioSettings, TransportSettings},
        telemetry::Secret,
    };

    fn backend() -> BackendSettings {
        let key = ("KEY".into(), Secret::new("hunter2-and-more"));
        let stdio = StdioSettings {
            env: BTreeMap::from([key]),
            ..StdioSettings::new("sh", &[])
        };
        BackendSettings::new("b", TransportSettings::Stdio(stdio))
    }

    #[tokio::test]
    async fn secrets_are_starred_in_last_words() {
        let words = LastWords::default();
        words
            .listen(&backend(), &b"bad key hunter2-and-more"[..])
            .await;
        assert_eq!(words.text().unwrap(), "bad key ***");
    }

    #[tokio::test]
    async fn only_the_last_lines_are_kept() {
        let words = LastWords::default();
        assert_eq!(words.text(), None);
        let lines: Vec<_> = (0..50).map(|n| format!("line {n}")).collect();
        words.listen(&backend(), lines.join("\n").as_bytes()).await;
        let kept = words.text().unwrap();
        assert!(
            kept.starts_with("line 30\n") && kept.ends_with("line 49"),
            "{kept}"
        );
    }
}
