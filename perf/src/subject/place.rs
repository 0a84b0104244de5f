//! Where a subject listens, and when it does.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use crate::process::Process;

/// How often a subject that starts is asked again, and how often in all.
const KNOCK_INTERVAL: Duration = Duration::from_micros(200);
const KNOCKS: u32 = 50_000;

/// A loopback address that nobody listens on.
pub(super) fn free() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Waits until the process listens there.
pub(super) fn wait_for(process: &mut Process, address: SocketAddr) -> io::Result<()> {
    for _ in 0..KNOCKS {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        if let Some(status) = process.ended()? {
            return Err(io::Error::other(format!(
                "a process ended that was to listen: {status}"
            )));
        }
        thread::sleep(KNOCK_INTERVAL);
    }
    Err(io::ErrorKind::TimedOut.into())
}
