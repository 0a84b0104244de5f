//! Connects to the address that was looked at, and to no other.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::{PrivateNetworks, Resolve, WebFault};
use crate::backend::{Stream, tls};

/// How long one address of several is tried.
const TRY: Duration = Duration::from_secs(4);
/// How many addresses of a host are tried.
const ADDRESSES: usize = 4;

/// Opens connections for the client: resolves a host once, looks at every address, and connects to one of these.
#[derive(Clone, Debug)]
pub(super) struct Connector(Arc<Ways>);

#[derive(Debug)]
struct Ways {
    networks: PrivateNetworks,
    resolver: Box<dyn Resolve>,
}

impl Connector {
    pub(super) fn new(networks: PrivateNetworks, resolver: Box<dyn Resolve>) -> Self {
        Self(Arc::new(Ways { networks, resolver }))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = WebFault;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, WebFault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WebFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let ways = Arc::clone(&self.0);
        Box::pin(async move { Ok(TokioIo::new(ways.open(&url).await?)) })
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        match self {
            Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(H2) => {
                connected.negotiated_h2()
            }
            Self::Tls(_) | Self::Plain(_) => connected,
        }
    }
}

const H2: &[u8] = b"h2";

impl Ways {
    async fn open(&self, url: &Uri) -> Result<Stream, WebFault> {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_tls = url.scheme() == Some(&Scheme::HTTPS);
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let addresses = self.addresses(host, port).await?;
        let failed = |error: io::Error| WebFault::Unreachable(error.to_string().into());
        let stream = connected(&addresses).await.map_err(failed)?;
        if is_tls {
            encrypted(host, stream).await.map_err(failed)
        } else {
            Ok(Stream::Plain(stream))
        }
    }

    /// The addresses of a host, if each of them may be called.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, WebFault> {
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => self
                .resolver
                .resolve(host.into(), port)
                .await
                .map_err(|error| {
                    WebFault::Unreachable(format!("the host {host} is not found: {error}").into())
                })?,
        };
        let forbidden = found
            .iter()
            .find_map(|address| self.networks.refuses(address.ip()));
        match forbidden {
            Some(what) => Err(WebFault::Forbidden {
                host: host.into(),
                what,
            }),
            None => Ok(found),
        }
    }
}

/// A connection to the first that takes one.
async fn connected(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in addresses.iter().take(ADDRESSES) {
        match timeout(TRY, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "no connection within 4 s"),
        }
    }
    Err(last)
}

async fn encrypted(host: &str, stream: TcpStream) -> io::Result<Stream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let mut config = ClientConfig::clone(&*tls()?);
    config.alpn_protocols = vec![H2.to_vec(), b"http/1.1".to_vec()];
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    Ok(Stream::Tls(Box::new(stream)))
}
