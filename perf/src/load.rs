//! One turn of load: a fixed number of requests over a few kept connections, each timed and each answer checked.

use std::{
    io,
    net::SocketAddr,
    sync::Barrier,
    thread::{self, ScopedJoinHandle},
};

use memchr::memmem;
use quanta::Clock;

use crate::{http::Connection, process::Process};

/// Requests that each connection sends before any is timed.
const WARM_UP: usize = 500;

/// Where requests go, and what must come back.
pub(crate) struct Target<'a> {
    /// The way they take, in the report.
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) request: Vec<u8>,
    pub(crate) expected: &'static str,
    /// The process whose processor time is counted.
    pub(crate) process: &'a Process,
}

/// What one turn took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) cpu_us: f64,
    pub(crate) per_second: f64,
}

/// Connections to a target that are kept from turn to turn.
pub(crate) struct Lane<'a> {
    target: &'a Target<'a>,
    connections: Vec<Connection>,
}

impl<'a> Lane<'a> {
    /// Opens the connections and warms them up.
    pub(crate) fn open(target: &'a Target<'a>, connections: usize) -> io::Result<Self> {
        let connections = (0..connections)
            .map(|_| warm(target))
            .collect::<io::Result<_>>()?;
        Ok(Self {
            target,
            connections,
        })
    }

    /// Sends `requests` requests, all connections at once.
    pub(crate) fn turn(&mut self, requests: usize) -> io::Result<Turn> {
        let target = self.target;
        let each = requests.div_ceil(self.connections.len());
        let gate = Barrier::new(self.connections.len() + 1);
        let clock = Clock::new();
        let (gate, clock) = (&gate, &clock);
        thread::scope(|scope| {
            let connections = self.connections.iter_mut();
            let workers: Vec<_> = connections
                .map(|connection| {
                    scope.spawn(move || work(connection, target, each, (gate, clock)))
                })
                .collect();
            let cpu_before = target.process.cpu_ns();
            let started = clock.raw();
            gate.wait();
            let latencies = gather(workers)?;
            let elapsed_ns = clock.delta_as_nanos(started, clock.raw());
            let cpu_ns = target.process.cpu_ns()?.checked_sub(cpu_before?);
            let cpu_ns =
                cpu_ns.ok_or_else(|| io::Error::other("a thread that was counted ended"))?;
            Ok(summary(&latencies, cpu_ns, elapsed_ns))
        })
    }
}

fn warm(target: &Target<'_>) -> io::Result<Connection> {
    let mut connection = Connection::open(target.address)?;
    for _ in 0..WARM_UP {
        once(&mut connection, target)?;
    }
    Ok(connection)
}

fn gather(workers: Vec<ScopedJoinHandle<'_, io::Result<Vec<u64>>>>) -> io::Result<Vec<u64>> {
    let mut latencies = Vec::new();
    for worker in workers {
        let one = worker.join();
        latencies.extend(one.map_err(|_| io::Error::other("a connection's thread panicked"))??);
    }
    Ok(latencies)
}

fn work(
    connection: &mut Connection,
    target: &Target<'_>,
    each: usize,
    (gate, clock): (&Barrier, &Clock),
) -> io::Result<Vec<u64>> {
    let mut latencies = Vec::with_capacity(each);
    gate.wait();
    for _ in 0..each {
        let sent = clock.raw();
        once(connection, target)?;
        latencies.push(clock.delta_as_nanos(sent, clock.raw()));
    }
    Ok(latencies)
}

fn once(connection: &mut Connection, target: &Target<'_>) -> io::Result<()> {
    let answer = connection.exchange(&target.request)?;
    let found = memmem::find(&answer.body, target.expected.as_bytes()).is_some();
    if found && answer.status() == 200 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the {} answered with status {} and {}",
        target.name,
        answer.status(),
        String::from_utf8_lossy(&answer.body)
    )))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds of one turn are far below 2^52"
)]
fn summary(latencies: &[u64], cpu_ns: u64, elapsed_ns: u64) -> Turn {
    let count = latencies.len() as f64;
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    let quantile = |per_cent: usize| {
        let place = (sorted.len() * per_cent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or(0) as f64 / 1e3
    };
    Turn {
        p50_us: quantile(50),
        p99_us: quantile(99),
        cpu_us: cpu_ns as f64 / count / 1e3,
        per_second: count / (elapsed_ns as f64 / 1e9),
    }
}
