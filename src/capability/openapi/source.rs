//! The bytes of an OpenAPI document: out of a file, or from a URL.

use std::{fs, thread, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use tokio::time::Instant;

use crate::capability::{Limits, PrivateNetworks, Web};

/// The longest document that is read, in bytes: four times the largest known.
const LONGEST: usize = 64 << 20;

/// Whether what is written is a URL.
#[must_use]
pub fn is_url(spec: &str) -> bool {
    spec.starts_with("http://") || spec.starts_with("https://")
}

/// Reads the document that a file or a URL holds. Blocks until it is there, at most for so long.
///
/// # Errors
/// Why it is not, as a part of a sentence.
pub fn read_document(spec: &str, patience: Duration) -> Result<Vec<u8>, String> {
    if !is_url(spec) {
        return fs::read(spec).map_err(|error| error.to_string());
    }
    let request =
        Request::get(spec).header(header::ACCEPT, "application/json, application/yaml, */*");
    let request = request
        .body(Bytes::new())
        .map_err(|error| error.to_string())?;
    // A thread of its own, so that it may be called where another runtime is at work already.
    let fetched = thread::scope(|scope| scope.spawn(|| fetch(request, patience)).join());
    fetched.unwrap_or_else(|_| Err("reading it has failed".to_owned()))
}

/// A person names whom to ask, so it may be anybody whom this machine can reach.
fn fetch(request: Request<Bytes>, patience: Duration) -> Result<Vec<u8>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let reply = runtime.block_on(async {
        let limits = Limits {
            deadline: Instant::now() + patience,
            most: LONGEST,
        };
        let web = Web::new(PrivateNetworks::Allowed);
        web.exchange(request, limits).await
    });
    let reply = reply.map_err(|fault| fault.to_string())?;
    if reply.status.is_success() {
        Ok(reply.body.into())
    } else {
        Err(format!("it answers {}", reply.status))
    }
}
