//! The thread that writes the log: what has gathered, in one system call.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use super::{Lines, lines::Line};

/// How long the first line of a batch waits for others, unless it is urgent.
const GATHER: Duration = Duration::from_millis(5);
/// A batch that is as large as this is written, in bytes.
const LARGE: usize = 1 << 16;
/// How long whoever reads the log may take for the last of it.
const LAST_LINES: Duration = Duration::from_secs(2);
/// How often room is looked for behind the last of it.
const LOOKS: u32 = 400;

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
    /// If there can be no further thread, or there is one: then lines are written as before.
    pub(in crate::telemetry) fn start(
        lines: &Arc<Lines>,
        told: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let (end, ended) = sync_channel(1);
        let queue = lines.queue().ok_or(io::ErrorKind::AlreadyExists)?;
        let of_thread = Arc::clone(lines);
        let started = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || run(&of_thread, &queue, told, &end));
        if started.is_err() {
            lines.end();
        }
        started.map(|_| Self {
            lines: Arc::clone(lines),
            ended,
        })
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        let has_room = (0..LOOKS).any(|look| {
            if look > 0 {
                thread::sleep(LAST_LINES / LOOKS);
            }
            self.lines.end()
        });
        if has_room {
            let _ = self.ended.recv_timeout(LAST_LINES);
        }
    }
}

/// As long as there are lines: what is logged while the process ends still finds it.
fn run(lines: &Lines, queue: &Receiver<Line>, told: impl Fn(u64), end: &SyncSender<()>) {
    let mut batch = Vec::with_capacity(LARGE);
    let mut lost_before = 0;
    while let Ok(first) = queue.recv() {
        if !first.is_urgent() {
            thread::sleep(GATHER);
        }
        let is_over = gather(lines, queue, first, &mut batch);
        lines.write(&batch);
        batch.clear();
        let lost = lines.lost();
        if lost > lost_before {
            told(lost - lost_before);
            lost_before = lost;
        }
        if is_over {
            let _ = end.try_send(());
        }
    }
}

/// Takes what waits, up to a large batch; true if that is everything before the end.
fn gather(lines: &Lines, queue: &Receiver<Line>, first: Line, batch: &mut Vec<u8>) -> bool {
    let mut next = Some(first);
    while let Some(line) = next {
        if line.is_end() {
            return true;
        }
        lines.take(line, batch);
        if batch.len() >= LARGE {
            return false;
        }
        next = queue.try_recv().ok();
    }
    false
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
