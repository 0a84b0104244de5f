//! `why NAME`: asks the gateway that runs with this configuration, and prints its answer.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::{net::TcpStream, time::timeout};

use super::{args::Options, configured::configured, ended::Ended};
use crate::server::ServerSettings;

/// How long the answer may take, and how long it may be.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST: usize = 4 << 20;

/// The part of an error that is for people.
#[derive(Deserialize)]
struct Refused {
    error: Sentence,
}

#[derive(Deserialize)]
struct Sentence {
    message: String,
}

pub(super) fn why(options: &Options, name: &str) -> Result<(), Ended> {
    let settings = configured(options)?.server;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Ended::Failed(format!("No runtime can be made ({error}). Try again.")))?;
    let address = address(&settings);
    let asked = runtime.block_on(async { timeout(PATIENCE, ask(&settings, address, name)).await });
    let (status, text) = asked
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(|error| {
            Ended::Failed(format!(
                "No gateway answers at {address} ({error}), so nothing is known. Start it, or name its configuration with -c or its port with --port."
            ))
        })?;
    if status != StatusCode::OK {
        return Err(refused(status, &text));
    }
    io::stdout().lock().write_all(text.as_bytes()).map_err(|error| {
        Ended::Failed(format!(
            "Standard output cannot be written ({error}), so the answer is not shown. Send it to a file or a terminal that takes it."
        ))
    })
}

async fn ask(
    settings: &ServerSettings,
    address: SocketAddr,
    name: &str,
) -> io::Result<(StatusCode, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut gateway, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let mut request = Request::get(format!("/health/backends/{name}/why"))
        .header(header::HOST, address.to_string())
        .header(header::ACCEPT, "text/plain");
    if let Some(key) = settings.key() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", key.expose()));
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let answered = async {
        let response = gateway
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST);
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    tokio::select! {
        answer = answered => answer,
        Err(error) = connection => Err(io::Error::other(error)),
    }
}

/// Where the gateway is reached from this machine.
const fn address(settings: &ServerSettings) -> SocketAddr {
    let host = match settings.host {
        host if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        host => host,
    };
    SocketAddr::new(host, settings.port)
}

fn refused(status: StatusCode, text: &str) -> Ended {
    let sentence = serde_json::from_str::<Refused>(text).map_or_else(
        |_| {
            format!(
                "What answers is no gateway of this version: it said HTTP {status}. Check the port."
            )
        },
        |refused| refused.error.message,
    );
    match status {
        StatusCode::NOT_FOUND => Ended::Misused(sentence),
        _ => Ended::Failed(sentence),
    }
}
