//! A socket that never blocks, with what has come and what has not gone yet.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    os::fd::{AsFd, BorrowedFd},
};

use super::{Message, first};

/// The least room for one read.
const ROOM: usize = 32 << 10;

/// One connection of many.
pub(crate) struct Link {
    stream: TcpStream,
    inbox: Vec<u8>,
    filled: usize,
    outbox: Vec<u8>,
    gone: usize,
}

/// Whether the other side may still send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Open {
    Yes,
    No,
}

impl Link {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            inbox: vec![0; 2 * ROOM],
            filled: 0,
            outbox: Vec::new(),
            gone: 0,
        })
    }

    /// Takes everything that has come.
    pub(crate) fn fill(&mut self) -> io::Result<Open> {
        loop {
            if self.inbox.len() - self.filled < ROOM {
                self.inbox.resize(2 * self.inbox.len(), 0);
            }
            let room = self.inbox.len() - self.filled;
            match self.stream.read(&mut self.inbox[self.filled..]) {
                Ok(0) => return Ok(Open::No),
                Ok(length) => {
                    self.filled += length;
                    // A read that leaves room has emptied the socket: the next byte rings again.
                    if length < room {
                        return Ok(Open::Yes);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Open::Yes),
                Err(error) => return Err(error),
            }
        }
    }

    /// The first message that has come whole.
    pub(crate) fn message(&self) -> io::Result<Option<Message<'_>>> {
        first(&self.inbox[..self.filled])
    }

    /// Forgets the first `length` bytes.
    pub(crate) fn consume(&mut self, length: usize) {
        self.inbox.copy_within(length..self.filled, 0);
        self.filled -= length;
    }

    /// Sends, and keeps what the socket does not take until [`Link::flush`].
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let sent = if self.outbox.is_empty() {
            write(&mut self.stream, bytes)?
        } else {
            0
        };
        self.outbox.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends what was kept.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        self.gone += write(&mut self.stream, &self.outbox[self.gone..])?;
        if self.gone == self.outbox.len() {
            self.outbox.clear();
            self.gone = 0;
        }
        Ok(())
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// How much of it the socket took.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(length) => sent += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
