//! Which of many sockets has something to do: epoll, which rings once for each change.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    io::Errno,
};

/// Events that are taken at once.
const EVENTS: usize = 128;

/// Sockets that are watched, each under a key.
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(EVENTS),
        })
    }

    /// Rings for `source` whenever it becomes readable or writable, until it is closed.
    pub(crate) fn watch(&self, source: impl AsFd, key: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        Ok(epoll::add(
            &self.epoll,
            source,
            EventData::new_u64(key),
            flags,
        )?)
    }

    /// The keys of the sockets that ring; none when `timeout` is over, which is rounded up to milliseconds.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
    ) -> io::Result<impl Iterator<Item = u64> + use<'_>> {
        let timeout = timeout.map(Timespec::try_from).transpose();
        let timeout = timeout.map_err(io::Error::other)?;
        match epoll::wait(
            &self.epoll,
            spare_capacity(&mut self.events),
            timeout.as_ref(),
        ) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.events.drain(..).map(|event| event.data.u64()))
    }
}
