//! The same load without a gateway: requests and answers as lines through the two pipes of one child process.

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Write},
    process::{ChildStdin, ChildStdout},
    time::Duration,
};

use quanta::Clock;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Ask, Check, FIRST_ID, Latencies, Work};

/// How long a silent child is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The ends of a child's standard streams, and how many calls are under way at once.
pub(crate) struct Pipes {
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    at_once: usize,
    ask: Ask,
    check: Check,
    clock: Clock,
    last_id: u64,
    under_way: VecDeque<(u64, u64)>,
}

impl Pipes {
    /// Takes the streams of a child that answers in order.
    pub(crate) fn new(
        (requests, answers): (ChildStdin, ChildStdout),
        at_once: usize,
        ask: Ask,
        check: Check,
    ) -> Self {
        Self {
            requests,
            answers: BufReader::with_capacity(64 << 10, answers),
            at_once,
            ask,
            check,
            clock: Clock::new(),
            last_id: FIRST_ID - 1,
            under_way: VecDeque::new(),
        }
    }

    /// Sends the requests of a turn in a closed loop and waits for all answers.
    pub(super) fn turn(&mut self, work: Work) -> io::Result<Latencies> {
        let mut latencies = Latencies::new()?;
        let started_ns = self.now_ns();
        let stop_ns = work.stop_ns(started_ns);
        let mut left = work.requests;
        let mut line = Vec::new();
        while left > 0 && self.under_way.len() < self.at_once {
            self.send()?;
            left -= 1;
        }
        while let Some((id, sent_ns)) = self.under_way.pop_front() {
            self.wait()?;
            line.clear();
            self.answers.read_until(b'\n', &mut line)?;
            self.check.json(line.trim_ascii_end(), id)?;
            let now_ns = self.now_ns();
            latencies.record(now_ns - sent_ns);
            if left > 0 && now_ns < stop_ns {
                self.send()?;
                left -= 1;
            }
        }
        latencies.elapsed_ns = self.now_ns() - started_ns;
        Ok(latencies)
    }

    fn send(&mut self) -> io::Result<()> {
        self.last_id += 1;
        self.under_way.push_back((self.last_id, self.now_ns()));
        self.requests.write_all(self.ask.under(self.last_id))
    }

    fn wait(&self) -> io::Result<()> {
        if !self.answers.buffer().is_empty() {
            return Ok(());
        }
        let timeout = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
        let mut watched = [PollFd::new(self.answers.get_ref(), PollFlags::IN)];
        if poll(&mut watched, Some(&timeout))? == 0 {
            return Err(io::Error::other("nothing was answered for ten seconds"));
        }
        Ok(())
    }

    fn now_ns(&self) -> u64 {
        self.clock.delta_as_nanos(0, self.clock.raw())
    }
}
