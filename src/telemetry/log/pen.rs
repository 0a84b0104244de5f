//! The thread that writes the log: what has gathered, in one system call.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use super::Lines;

/// How long whoever reads the log may take for the last of it.
const LAST_LINES: Duration = Duration::from_secs(2);
/// What a buffer keeps of its size once it is empty, in bytes: more than a batch has while somebody reads.
const KEPT: usize = 1 << 17;

/// Owns the thread. When this is dropped, all that was logged before is written, unless nobody reads it.
#[derive(Debug)]
pub(in crate::telemetry) struct Pen {
    lines: Arc<Lines>,
    ended: Receiver<()>,
}

impl Pen {
    /// Starts the thread; from now on who logs does not write. `told` hears of lines that found no room.
    ///
    /// # Errors
    /// If there can be no further thread: then lines are written as before.
    pub(in crate::telemetry) fn start(
        lines: &Arc<Lines>,
        told: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (end, ended) = sync_channel(1);
        let of_thread = Arc::clone(lines);
        lines.batched(true);
        let started = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                run(&of_thread, told);
                let _ = end.try_send(());
            });
        if started.is_err() {
            lines.batched(false);
        }
        started.map(|_| Self {
            lines: Arc::clone(lines),
            ended,
        })
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        self.lines.batched(false);
        let _ = self.ended.recv_timeout(LAST_LINES);
    }
}

fn run(lines: &Lines, told: impl Fn(u64)) {
    let mut spare = Vec::new();
    loop {
        let batch = lines.batch(std::mem::take(&mut spare));
        if !batch.bytes.is_empty() {
            lines.write(&batch.bytes);
        }
        if batch.lost > 0 {
            told(batch.lost);
        }
        if batch.is_last {
            return;
        }
        spare = batch.bytes;
        spare.clear();
        spare.shrink_to(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, Mutex, mpsc};

    use super::*;

    #[test]
    fn an_end_writes_all_that_was_logged_before() {
        let (send, written) = mpsc::channel();
        let lines = Arc::new(Lines::new(move |bytes: &[u8]| {
            send.send(bytes.to_vec()).unwrap();
        }));
        let pen = Pen::start(&lines, |_| {}).unwrap();
        for number in 0..1_000 {
            lines.put(format!("{number}\n").as_bytes(), number % 100 == 0);
        }
        drop(pen);
        let text: Vec<u8> = written.try_iter().flatten().collect();
        let expected: String = (0..1_000).map(|number| format!("{number}\n")).collect();
        assert_eq!(text, expected.as_bytes());
    }

    #[test]
    fn a_reader_that_sleeps_holds_nobody_up_and_is_told_how_many_lines_it_missed() {
        let asleep = Arc::new(Barrier::new(2));
        let (wake, lost) = (Arc::clone(&asleep), Arc::new(Mutex::new(0)));
        let lines = Arc::new(Lines::new(move |bytes: &[u8]| {
            if bytes.starts_with(b"first") {
                asleep.wait();
                asleep.wait();
            }
        }));
        let counted = Arc::clone(&lost);
        let pen = Pen::start(&lines, move |lines| *counted.lock().unwrap() += lines).unwrap();
        lines.put(b"first\n", true);
        wake.wait();
        let line = [b'x'; 1_024];
        for _ in 0..2_000 {
            lines.put(&line, false);
        }
        wake.wait();
        drop(pen);
        assert_eq!(*lost.lock().unwrap(), 2_000 - 1_024);
    }
}
