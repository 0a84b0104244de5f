//! One load on one address: what somebody runs who wants to see one number.

use std::{
    io::{self, Write},
    net::{SocketAddr, ToSocketAddrs},
};

use clap::Args;

use super::{Ask, Check, FIRST_ID, Lane, Latencies, Pace, Work};
use crate::{account::Account, http::post, process::own_account, subject::open_session};

/// Requests to any MCP endpoint over HTTP, each answer verified: status, id, length and what is expected.
#[derive(Args, Clone, Debug)]
pub(crate) struct Load {
    /// Where to, as http://HOST:PORT/PATH.
    url: String,
    /// Connections that are kept.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests in all.
    #[arg(long, default_value_t = 20_000)]
    requests: u64,
    /// Seconds after which nothing more is sent.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Requests a second, due at fixed times; without it each connection sends when it is answered.
    #[arg(long)]
    rate: Option<u64>,
    /// The method that is called.
    #[arg(long, default_value = "tools/call")]
    method: String,
    /// Its params, as JSON.
    #[arg(
        long,
        default_value = r#"{"name":"echo","arguments":{"message":"hello"}}"#
    )]
    params: String,
    /// What every answer must hold.
    #[arg(long, default_value = "")]
    expect: String,
    /// Opens no session first.
    #[arg(long)]
    no_session: bool,
    /// A process whose processor time and memory are reported, with those of its children.
    #[arg(long)]
    pid: Option<u32>,
}

/// Applies the load and prints what it took.
pub(crate) fn run(load: &Load) -> io::Result<()> {
    let (address, path) = place(&load.url)?;
    let session = if load.no_session {
        String::new()
    } else {
        open_session(address, path)?
    };
    let (method, params) = (&load.method, &load.params);
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":{FIRST_ID},"method":"{method}","params":{params}}}"#);
    let ask = Ask::new(post(path, address, &session, &body))?;
    let check = Check::new(load.expect.clone().into_bytes());
    let mut lane = Lane::open(address, load.connections, ask, check)?;
    let work = Work {
        requests: load.requests,
        seconds: load.seconds,
        pace: load.rate.map_or(Pace::Closed, Pace::at_rate),
    };
    let accounts = [Some(own_account()), load.pid.map(Account::family)];
    let before = accounts.map(|account| account.map(Account::spent));
    let latencies = lane.turn(work)?;
    writeln!(io::stdout(), "{}", shown(&latencies))?;
    for ((account, before), name) in accounts.iter().zip(before).zip(["client", "server"]) {
        if let (Some(account), Some(before)) = (account, before) {
            let spent_ns = account.spent()?.since(&before?);
            let spent_us = per_call(spent_ns, &latencies) / 1e3;
            let kib = account.resident_kib()?;
            writeln!(
                io::stdout(),
                "{name}: {spent_us:.2} us of processor time a call, {kib} KiB resident"
            )?;
        }
    }
    Ok(())
}

fn shown(latencies: &Latencies) -> String {
    let percentile = |percent: f64| latencies.percentile_us(percent);
    format!(
        "{} answers, {:.0} a second; p50 {:.1} us, p90 {:.1}, p99 {:.1}, p99.9 {:.1}, worst {:.1}",
        latencies.count(),
        1e9 / per_call(latencies.elapsed_ns, latencies),
        percentile(50.0),
        percentile(90.0),
        percentile(99.0),
        percentile(99.9),
        percentile(100.0),
    )
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nanoseconds and counts are far below 2^52"
)]
fn per_call(ns: u64, latencies: &Latencies) -> f64 {
    ns as f64 / latencies.count().max(1) as f64
}

fn place(url: &str) -> io::Result<(SocketAddr, &str)> {
    let wrong = || io::Error::other(format!("`{url}` is not http://HOST:PORT/PATH"));
    let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
    let (host, path) = rest.split_at(rest.find('/').ok_or_else(wrong)?);
    let address = host.to_socket_addrs()?.next().ok_or_else(wrong)?;
    Ok((address, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_an_address_and_a_path() {
        let address = SocketAddr::from(([127, 0, 0, 1], 39_400));
        assert_eq!(
            place("http://127.0.0.1:39400/mcp/a").unwrap(),
            (address, "/mcp/a")
        );
        for wrong in [
            "127.0.0.1:39400/mcp",
            "http://127.0.0.1:39400",
            "http://127.0.0.1/mcp",
        ] {
            assert!(place(wrong).is_err());
        }
    }
}
