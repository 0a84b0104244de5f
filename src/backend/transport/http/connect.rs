//! Opens one HTTP/1.1 connection to a backend, with TLS where the URL asks for it.

use std::{io, time::Duration};

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::{connection::Connection, endpoint::Endpoint, stream::Stream};
use crate::backend::tls::tls;

/// How long a connection may take to be made, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection on which nothing comes for so long is asked whether its other end is still there, again and again at this
/// interval, and counts as broken after so many questions without an answer: streams may be silent for hours, and a machine
/// that is gone says nothing.
const SILENCE: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_secs(10);
const QUESTIONS: u32 = 3;

/// Connects to `endpoint`. The error is a sentence for people.
pub(super) async fn connect(endpoint: &Endpoint) -> Result<Connection, Box<str>> {
    let Endpoint { host, port, .. } = endpoint;
    match timeout(CONNECT_TIMEOUT, open(endpoint)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(format!("no connection to {host}:{port}: {error}").into()),
        Err(_) => Err(format!("no connection to {host}:{port} within {CONNECT_TIMEOUT:?}").into()),
    }
}

async fn open(endpoint: &Endpoint) -> io::Result<Connection> {
    let stream = TcpStream::connect((&*endpoint.host, endpoint.port)).await?;
    stream.set_nodelay(true)?;
    notice_death(&stream);
    if !endpoint.tls {
        return Ok(Connection::new(Stream::Plain(stream)));
    }
    let name = ServerName::try_from(endpoint.host.to_string()).map_err(io::Error::other)?;
    let stream = TlsConnector::from(tls()?).connect(name, stream).await?;
    Ok(Connection::new(Stream::Tls(Box::new(stream))))
}

/// Without it a connection works as well; so it is no reason to have none.
fn notice_death(stream: &TcpStream) {
    let probes = TcpKeepalive::new()
        .with_time(SILENCE)
        .with_interval(ASK_AGAIN)
        .with_retries(QUESTIONS);
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&probes) {
        tracing::debug!(%error, "A dead connection will not be noticed");
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_whose_other_end_is_gone_without_a_word_breaks_in_a_minute() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
        let stream = stream.unwrap();
        notice_death(&stream);
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        let asked =
            socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        let noticed = socket.tcp_keepalive_time().unwrap() + asked;
        assert_eq!(noticed, Duration::from_secs(60));
    }
}
