//! The standard streams of this process, as channels.

use std::{
    io::{self, Read, Write},
    sync::mpsc as blocking,
    thread,
};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Chunks that may wait on either side.
const QUEUE: usize = 64;

/// Standard input and output. They may be files or terminals, which cannot be polled: each has a thread that blocks on it.
pub(super) struct Streams {
    /// What is read; it ends with standard input.
    pub(super) input: mpsc::Receiver<Bytes>,
    /// What is written.
    pub(super) output: mpsc::Sender<Bytes>,
    /// How it ended, once everything is written and the last sender is gone.
    pub(super) written: blocking::Receiver<io::Result<()>>,
}

impl Streams {
    pub(super) fn open() -> Self {
        let (received, input) = mpsc::channel(QUEUE);
        let (output, to_send) = mpsc::channel(QUEUE);
        thread::spawn(move || read_all(io::stdin().lock(), &received));
        let (end, written) = blocking::channel();
        thread::spawn(move || {
            // Whoever asked may have given up.
            let _ = end.send(write_all(io::stdout().lock(), to_send));
        });
        Self {
            input,
            output,
            written,
        }
    }
}

fn read_all(mut source: impl Read, received: &mpsc::Sender<Bytes>) {
    let mut chunk = [0; 16 << 10];
    loop {
        match source.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) | Ok(0) => return,
            Ok(length) => {
                let chunk = Bytes::copy_from_slice(&chunk[..length]);
                if received.blocking_send(chunk).is_err() {
                    return;
                }
            }
        }
    }
}

fn write_all(mut sink: impl Write, mut to_send: mpsc::Receiver<Bytes>) -> io::Result<()> {
    while let Some(line) = to_send.blocking_recv() {
        sink.write_all(&line)?;
        sink.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_handed_on_until_the_end() {
        let (received, mut input) = mpsc::channel(QUEUE);
        read_all(&b"{}\n"[..], &received);
        drop(received);
        assert_eq!(input.blocking_recv(), Some(Bytes::from("{}\n")));
        assert_eq!(input.blocking_recv(), None);
    }

    #[test]
    fn every_line_is_written_before_the_end() {
        let (output, to_send) = mpsc::channel(QUEUE);
        output.blocking_send(Bytes::from("a\n")).unwrap();
        output.blocking_send(Bytes::from("b\n")).unwrap();
        drop(output);
        let mut written = Vec::new();
        write_all(&mut written, to_send).unwrap();
        assert_eq!(written, b"a\nb\n");
    }
}
