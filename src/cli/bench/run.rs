//! A run: the echo and a gateway are started, called in turns, and ended.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use tokio::runtime::Builder;

use super::{
    children::Served,
    lane::{Endpoint, Lane},
    machine::Machine,
    options::BenchOptions,
    report::Report,
    seen::Seen,
    turn::{Work, turn},
};
use crate::{
    cli::{args::Options, configured::program, ended::Ended, stop::Signals},
    telemetry::Clock,
};

/// Turns of each way: what happens to the machine meanwhile happens to both.
const TURNS: u32 = 5;
/// How long each way is called before anything counts.
const WARM_UP: Duration = Duration::from_millis(200);

/// Measures and prints.
pub(in crate::cli) fn run(options: &Options, bench: &BenchOptions) -> Result<(), Ended> {
    if !bench.own {
        return Err(Ended::Misused(
            "What is to be measured is not named, so nothing was done. Write `mcp-gateway bench --self`."
                .to_owned(),
        ));
    }
    let program = program()?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Ended::Failed(format!("No runtime can be made ({error}). Try again.")))?;
    let report = runtime.block_on(Box::pin(until_stopped(&program, options, bench)))?;
    let text = if bench.json {
        report.json()
    } else {
        report.to_string()
    };
    io::stdout().lock().write_all(text.as_bytes()).map_err(|error| {
        Ended::Failed(format!(
            "Standard output cannot be written ({error}), so the figures are lost. Send them to a file or a terminal that takes them."
        ))
    })
}

async fn until_stopped(
    program: &Path,
    options: &Options,
    bench: &BenchOptions,
) -> Result<Report, Ended> {
    let failed = |error: io::Error| {
        Ended::Failed(format!(
            "The run did not come to its end ({error}), so nothing was measured. Try again, with a lower --rate where connections broke."
        ))
    };
    let mut signals = Signals::listen().map_err(failed)?;
    let echo = Served::echo(program).await.map_err(failed)?;
    let gateway = Served::gateway(program, echo.address, &options.log_level).await;
    let ended = match &gateway {
        Err(error) => Err(failed(io::Error::other(error.to_string()))),
        Ok(gateway) => tokio::select! {
            report = measured(bench, &echo, gateway) => report.map_err(failed),
            signal = signals.next() => Err(Ended::Failed(format!(
                "Stopped by {signal} before the end, so nothing was measured."
            ))),
        },
    };
    if let Ok(gateway) = gateway {
        gateway.end().await;
    }
    echo.end().await;
    ended
}

async fn measured(bench: &BenchOptions, echo: &Served, gateway: &Served) -> io::Result<Report> {
    let (clock, machine) = (Clock::new(), Machine::of_now());
    let count = usize::from(bench.connections);
    let mut ways = [
        Way::open(echo.address, "/mcp", count).await?,
        Way::open(gateway.address, "/mcp/echo", count).await?,
    ];
    let work = |length| Work {
        rate: bench.rate,
        length,
    };
    for way in &mut ways {
        way.turn(&clock, work(WARM_UP)).await?;
    }
    let mut all = [seen()?, seen()?];
    let length = bench.duration / (2 * TURNS);
    let account = gateway.account()?;
    for _ in 0..TURNS {
        for (way, all) in ways.iter_mut().zip(&mut all) {
            let before = account.spent()?;
            let mut turn = way.turn(&clock, work(length)).await?;
            turn.gateway_ns = account.spent()?.since(&before);
            all.add(&turn);
        }
    }
    let [direct, through] = all;
    let resident = account.resident_kib()?;
    Ok(Report::new(bench, machine, &direct, &through, resident))
}

/// The connections of one way.
struct Way(Vec<Lane>);

impl Way {
    async fn open(
        address: std::net::SocketAddr,
        path: &'static str,
        count: usize,
    ) -> io::Result<Self> {
        let mut lanes = Vec::with_capacity(count);
        for _ in 0..count {
            lanes.push(Lane::open(Endpoint { address, path }).await?);
        }
        Ok(Self(lanes))
    }

    async fn turn(&mut self, clock: &Clock, work: Work) -> io::Result<Seen> {
        let (lanes, seen) = turn(clock, std::mem::take(&mut self.0), work).await?;
        self.0 = lanes;
        Ok(seen)
    }
}

fn seen() -> io::Result<Seen> {
    Seen::new().map_err(io::Error::other)
}
