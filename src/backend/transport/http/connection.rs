//! One HTTP/1.1 connection to a backend: a request written, a head read, a body read to its end.
//!
//! The calling task drives it, and nobody else: between two calls no task waits on it. A client with a task for each
//! connection takes two more task switches a call.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    mem,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{
    chunks::{Chunks, Next},
    exchange::{Outgoing, SendError},
    head::{Framing, Head},
    stream::Stream,
};

/// The longest head that is read, interim ones included, in bytes.
const MOST_HEAD: usize = 64 << 10;
/// What is read at once at first, and again after answers that are shorter.
const READ: usize = 8 << 10;
/// What is read at once where as much comes: a long body that has come whole is handed on without a copy.
const READ_MOST: usize = 256 << 10;
/// A body up to this length is copied out of the read buffer, which stays with the connection; a longer one may take it along.
const COPIED: usize = READ;
/// Of which part of the read buffer a body must be, at least, to take it along.
const WORTH: usize = 4;
/// What is set aside at once for a body that announces its length; it may be lying.
const FIRST_CAPACITY: usize = 1 << 20;

/// A connection, and where in a response it is.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    /// What has come and was not taken.
    unread: BytesMut,
    left: Left,
    /// Whether it may carry another request after this one.
    is_kept: bool,
    /// How much is read at once.
    room: usize,
}

/// What is to come of the body.
#[derive(Clone, Copy, Debug)]
enum Left {
    Length(u64),
    Chunks(Chunks),
    UntilClose,
}

/// Why a body could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The connection broke, or its chunks did.
    Broken(Box<str>),
    /// It is longer than what is taken.
    TooLong,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            unread: BytesMut::new(),
            left: Left::Length(0),
            is_kept: true,
            room: READ,
        }
    }

    /// Whether it may carry a request: its last response was read to its end, nothing has come since, and the backend
    /// has not closed it as far as is known. This costs no system call unless something has happened.
    pub(super) fn is_ready(&mut self) -> bool {
        let mut byte = [0];
        let mut look = Context::from_waker(Waker::noop());
        self.is_at_rest()
            && Pin::new(&mut self.stream)
                .poll_read(&mut look, &mut ReadBuf::new(&mut byte))
                .is_pending()
    }

    /// Whether its last response was read to its end and it may carry another.
    pub(super) fn is_at_rest(&self) -> bool {
        self.is_kept && matches!(self.left, Left::Length(0)) && self.unread.is_empty()
    }

    /// Sends `request` and reads the head of its response.
    pub(super) async fn exchange(&mut self, request: &Outgoing<'_>) -> Result<Head, SendError> {
        self.write(request).await?;
        let head = self.head().await.map_err(SendError::Lost)?;
        self.is_kept &= head.is_kept;
        self.left = match head.framing {
            Framing::Length(length) => Left::Length(length),
            Framing::Chunked => Left::Chunks(Chunks::Size),
            Framing::Close => Left::UntilClose,
        };
        Ok(head)
    }

    /// Writes the request. A backend that answers before it has read all of it is heard at once, and its connection
    /// is not used again.
    async fn write(&mut self, request: &Outgoing<'_>) -> Result<(), SendError> {
        let mut pieces = request.pieces().map(IoSlice::new);
        let mut left = &mut pieces[..];
        let mut begun = false;
        let broken = |error: io::Error, begun| {
            let sentence = broke(&error);
            if begun {
                SendError::Lost(sentence)
            } else {
                SendError::Unsent(sentence)
            }
        };
        // What comes behind the text is empty for most, and the system need not be told of it.
        if request.is_short() {
            left = &mut left[..1];
        }
        while !left.is_empty() {
            let written = poll_fn(|context| self.poll_write_or_hear(context, left)).await;
            match written.map_err(|error| broken(error, begun))? {
                Some(written) => {
                    begun = true;
                    IoSlice::advance_slices(&mut left, written);
                }
                None => {
                    self.is_kept = false;
                    return Ok(());
                }
            }
        }
        let flushed = self.stream.flush().await;
        flushed.map_err(|error| broken(error, true))
    }

    /// How much was written; nothing if the backend speaks while it does not read.
    fn poll_write_or_hear(
        &mut self,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<Option<usize>>> {
        if let Poll::Ready(written) =
            Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
        {
            return Poll::Ready(match written? {
                0 => Err(io::ErrorKind::WriteZero.into()),
                written => Ok(Some(written)),
            });
        }
        let mut heard = [0; 512];
        let mut buffer = ReadBuf::new(&mut heard);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        if buffer.filled().is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        self.unread.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(None))
    }

    async fn head(&mut self) -> Result<Head, Box<str>> {
        let mut room = MOST_HEAD;
        let mut seen = 0;
        loop {
            if self.unread.first().is_some_and(|first| *first != b'H') {
                return Err("its answer is no HTTP".into());
            }
            let whole = ends(&self.unread, seen);
            seen = self.unread.len();
            if whole && let Some((head, length)) = Head::read(&self.unread)? {
                if length > room {
                    return Err("its head is too long".into());
                }
                self.unread.advance(length);
                if !head.is_interim() {
                    return Ok(head);
                }
                (room, seen) = (room.saturating_sub(length), 0);
            } else if self.unread.len() >= room {
                return Err("its head is too long".into());
            } else if self.fill().await.map_err(|error| broke(&error))? == 0 {
                return Err("the connection was closed before an answer came".into());
            }
        }
    }

    /// The next bytes of the body; nothing at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Box<str>> {
        loop {
            match self.here()? {
                Next::Piece(piece) => return Ok(Some(piece)),
                Next::Over => return Ok(None),
                Next::More => {}
            }
            let filled = self.fill().await.map_err(|error| broke(&error))?;
            match (filled, self.left) {
                (0, Left::UntilClose) => self.left = Left::Length(0),
                (0, _) => return Err("the connection was closed in the middle of it".into()),
                _ => {}
            }
        }
    }

    /// Passes over what is here of the body already.
    pub(super) fn skip(&mut self) {
        while let Ok(Next::Piece(_)) = self.here() {}
    }

    /// What is here of the body.
    fn here(&mut self) -> Result<Next, &'static str> {
        let most = match &mut self.left {
            Left::Length(0) => return Ok(Next::Over),
            Left::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX),
            Left::UntilClose => usize::MAX,
            Left::Chunks(chunks) => {
                let next = chunks.next(&mut self.unread)?;
                if next == Next::Over {
                    self.left = Left::Length(0);
                }
                return Ok(next);
            }
        };
        if self.unread.is_empty() {
            return Ok(Next::More);
        }
        let piece = self.unread.split_to(most.min(self.unread.len())).freeze();
        if let Left::Length(left) = &mut self.left {
            *left -= piece.len() as u64;
        }
        Ok(Next::Piece(piece))
    }

    /// The whole body, if it is not longer than `limit` bytes.
    pub(super) async fn whole(&mut self, limit: usize) -> Result<Bytes, Unread> {
        if let Left::Length(length) = self.left {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > limit {
                return Err(Unread::TooLong);
            }
            return self.of_length(length).await;
        }
        let mut whole = BytesMut::new();
        while let Some(piece) = self.piece().await.map_err(Unread::Broken)? {
            if whole.len() + piece.len() > limit {
                return Err(Unread::TooLong);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// A body that says how long it is: read to where it stays.
    async fn of_length(&mut self, length: usize) -> Result<Bytes, Unread> {
        if length <= self.unread.len().min(COPIED) {
            let whole = Bytes::copy_from_slice(&self.unread[..length]);
            self.unread.advance(length);
            self.left = Left::Length(0);
            return Ok(whole);
        }
        if length == self.unread.len() && length >= self.unread.capacity() / WORTH {
            self.left = Left::Length(0);
            return Ok(mem::take(&mut self.unread).freeze());
        }
        let here = self.unread.len().min(length);
        let mut whole = BytesMut::with_capacity(length.min(FIRST_CAPACITY));
        whole.extend_from_slice(&self.unread[..here]);
        self.unread.advance(here);
        while whole.len() < length {
            let left = length - whole.len();
            if whole.capacity() == whole.len() {
                whole.reserve(left.min(FIRST_CAPACITY));
            }
            let read = self.stream.read_buf(&mut (&mut whole).limit(left)).await;
            let read = read.map_err(|error| Unread::Broken(broke(&error)))?;
            if read == 0 {
                let sentence = "the connection was closed in the middle of it";
                return Err(Unread::Broken(sentence.into()));
            }
        }
        self.left = Left::Length(0);
        Ok(whole.freeze())
    }

    /// Reads more; how much has come.
    async fn fill(&mut self) -> io::Result<usize> {
        if self.unread.capacity() - self.unread.len() < self.room {
            self.unread.reserve(self.room);
        }
        let read = self.stream.read_buf(&mut self.unread).await?;
        self.room = match read {
            0..READ => READ,
            _ if read >= self.room => (8 * self.room).min(READ_MOST),
            _ => self.room,
        };
        Ok(read)
    }
}

/// Whether a head may have ended behind the first `seen` bytes: an empty line is there.
fn ends(text: &[u8], seen: usize) -> bool {
    let new = &text[seen.saturating_sub(3)..];
    memchr::memchr_iter(b'\n', new).any(|at| {
        let behind = &new[at + 1..];
        behind.starts_with(b"\n") || behind.starts_with(b"\r\n")
    })
}

fn broke(error: &io::Error) -> Box<str> {
    format!("the connection broke: {error}").into()
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Both ends, one of them as a connection.
    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ours, theirs) = tokio::join!(TcpStream::connect(address), listener.accept());
        let connection = Connection::new(Stream::Plain(ours.unwrap()));
        (connection, theirs.unwrap().0)
    }

    async fn noticed(connection: &Connection) {
        if let Stream::Plain(stream) = &connection.stream {
            stream.readable().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_connection_on_which_something_came_unasked_carries_no_request() {
        let (mut connection, mut theirs) = pair().await;
        assert!(connection.is_ready());
        theirs
            .write_all(b"HTTP/1.1 408 Request Timeout\r\n")
            .await
            .unwrap();
        noticed(&connection).await;
        assert!(!connection.is_ready());
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_carries_no_request() {
        let (mut connection, theirs) = pair().await;
        drop(theirs);
        noticed(&connection).await;
        assert!(!connection.is_ready());
    }

    #[test]
    fn the_end_of_a_head_is_found_across_what_was_seen_before() {
        for text in ["a\r\n\r\n", "a\n\n", "a\n\r\n"] {
            for seen in 0..text.len() {
                assert!(ends(text.as_bytes(), seen), "{text:?} {seen}");
            }
        }
        assert!(!ends(b"a\r\nb\r\n", 0));
    }
}
