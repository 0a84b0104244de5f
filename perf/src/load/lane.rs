//! Connections to one address, and a turn of requests over them: one thread, one poll.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use quanta::Clock;

use super::{Ask, Check, FIRST_ID, Latencies, Pace, Work};
use crate::{
    alarm::Alarm,
    http::{Link, Open},
    poll::Poll,
};

/// How long a turn in which nothing is answered may last.
const PATIENCE: Duration = Duration::from_secs(10);

/// The key of the alarm; connections have their number.
const ALARM: u64 = u64::MAX;

/// Connections that are kept from turn to turn.
pub(crate) struct Lane {
    address: SocketAddr,
    poll: Poll,
    alarm: Alarm,
    desks: Vec<Desk>,
    ask: Ask,
    check: Check,
    clock: Clock,
    last_id: u64,
}

/// One connection and the request that is under way on it.
struct Desk {
    link: Link,
    id: u64,
    due_ns: u64,
}

/// Where a turn stands.
struct Progress {
    pace: Pace,
    started_ns: u64,
    stop_ns: u64,
    requests: u64,
    sent: u64,
    answered: u64,
    idle: Vec<usize>,
    latencies: Latencies,
}

impl Lane {
    /// Opens that many connections.
    pub(crate) fn open(
        address: SocketAddr,
        connections: usize,
        ask: Ask,
        check: Check,
    ) -> io::Result<Self> {
        let mut lane = Self {
            address,
            poll: Poll::new()?,
            alarm: Alarm::new()?,
            desks: Vec::with_capacity(connections),
            ask,
            check,
            clock: Clock::new(),
            last_id: FIRST_ID - 1,
        };
        lane.poll.watch(&lane.alarm, ALARM)?;
        for key in 0..connections {
            let desk = lane.connect(key as u64)?;
            lane.desks.push(desk);
        }
        Ok(lane)
    }

    /// Opens all connections anew: a server with several workers shares them out by chance.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        for key in 0..self.desks.len() {
            self.desks[key] = self.connect(key as u64)?;
        }
        Ok(())
    }

    fn connect(&self, key: u64) -> io::Result<Desk> {
        let link = Link::new(TcpStream::connect_timeout(&self.address, PATIENCE)?)?;
        self.poll.watch(&link, key)?;
        Ok(Desk {
            link,
            id: 0,
            due_ns: 0,
        })
    }

    /// Sends the requests of a turn and waits for all answers.
    ///
    /// # Errors
    /// An answer that is wrong, a connection that ends, and ten seconds without any answer.
    pub(crate) fn turn(&mut self, work: Work) -> io::Result<Latencies> {
        let started_ns = self.now_ns();
        let mut progress = Progress {
            pace: work.pace,
            started_ns,
            stop_ns: work.stop_ns(started_ns),
            requests: work.requests,
            sent: 0,
            answered: 0,
            idle: (0..self.desks.len()).rev().collect(),
            latencies: Latencies::new()?,
        };
        let mut ringing = Vec::new();
        let mut silent_since_ns = progress.started_ns;
        let mut alarm_ns = None;
        loop {
            let next_due_ns = self.send_due(&mut progress)?;
            let answered = progress.answered;
            if answered == progress.requests {
                break;
            }
            if next_due_ns != alarm_ns {
                self.set_alarm(next_due_ns)?;
                alarm_ns = next_due_ns;
            }
            ringing.extend(self.poll.wait(Some(PATIENCE))?);
            for key in ringing.drain(..) {
                if key == ALARM {
                    alarm_ns = None;
                } else {
                    self.receive(key, &mut progress)?;
                }
            }
            if progress.answered > answered {
                silent_since_ns = self.now_ns();
            } else if self.now_ns() - silent_since_ns > nanoseconds(PATIENCE) {
                return Err(io::Error::other("nothing was answered for ten seconds"));
            }
        }
        progress.latencies.elapsed_ns = self.now_ns() - progress.started_ns;
        Ok(progress.latencies)
    }

    /// Sends what is due on connections that are free; when the next one is, for which a connection waits.
    fn send_due(&mut self, progress: &mut Progress) -> io::Result<Option<u64>> {
        while progress.sent < progress.requests
            && let Some(key) = progress.idle.last()
        {
            let now_ns = self.now_ns();
            if now_ns >= progress.stop_ns {
                progress.requests = progress.sent;
                break;
            }
            let due_ns = progress
                .pace
                .due_ns(progress.sent, progress.started_ns, now_ns);
            if due_ns > now_ns {
                return Ok(Some(due_ns));
            }
            let desk = &mut self.desks[*key];
            self.last_id += 1;
            desk.id = self.last_id;
            desk.due_ns = due_ns;
            desk.link.send(self.ask.under(self.last_id))?;
            progress.sent += 1;
            progress.idle.pop();
        }
        Ok(None)
    }

    fn set_alarm(&self, due_ns: Option<u64>) -> io::Result<()> {
        let Some(due_ns) = due_ns else { return Ok(()) };
        let left_ns = due_ns.saturating_sub(self.now_ns());
        self.alarm.ring_in(Duration::from_nanos(left_ns))
    }

    fn receive(&mut self, key: u64, progress: &mut Progress) -> io::Result<()> {
        let key = usize::try_from(key).map_err(io::Error::other)?;
        let Some(desk) = self.desks.get_mut(key) else {
            return Ok(());
        };
        desk.link.flush()?;
        if desk.link.fill()? == Open::No {
            return Err(io::Error::other(
                "a connection was closed by the other side",
            ));
        }
        let Some(answer) = desk.link.message()? else {
            return Ok(());
        };
        self.check.http(&answer, desk.id)?;
        let length = answer.length;
        desk.link.consume(length);
        let due_ns = desk.due_ns;
        progress
            .latencies
            .record(self.now_ns().saturating_sub(due_ns));
        progress.answered += 1;
        progress.idle.push(key);
        self.send_due(progress).map(drop)
    }

    fn now_ns(&self) -> u64 {
        self.clock.delta_as_nanos(0, self.clock.raw())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
