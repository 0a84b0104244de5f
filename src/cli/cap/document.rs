//! The bytes of an OpenAPI document: out of a file, or from a URL.

use std::{fs, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use tokio::time::Instant;

use crate::{
    capability::{Limits, PrivateNetworks, Web},
    cli::ended::Ended,
};

/// How long a document may take to come, and the longest that is read, in bytes: four times the largest known.
const PATIENCE: Duration = Duration::from_secs(60);
const LONGEST: usize = 64 << 20;

/// Whether what was typed is a URL.
pub(super) fn is_url(spec: &str) -> bool {
    spec.starts_with("http://") || spec.starts_with("https://")
}

/// Reads the document that was typed.
pub(super) fn read(spec: &str) -> Result<Vec<u8>, Ended> {
    let read = if is_url(spec) {
        fetch(spec)
    } else {
        fs::read(spec).map_err(|error| error.to_string())
    };
    read.map_err(|error| {
        Ended::Failed(format!(
            "{spec} cannot be read ({error}), so nothing is imported. Mend its name, or try again."
        ))
    })
}

/// A person names whom they ask, so it may be anybody whom this machine can reach.
fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let request = Request::get(url)
        .header(header::ACCEPT, "application/json, application/yaml, */*")
        .body(Bytes::new());
    let request = request.map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let reply = runtime.block_on(async {
        let limits = Limits {
            deadline: Instant::now() + PATIENCE,
            most: LONGEST,
        };
        Web::new(PrivateNetworks::Allowed)
            .exchange(request, limits)
            .await
    });
    let reply = reply.map_err(|fault| fault.to_string())?;
    if reply.status.is_success() {
        Ok(reply.body.to_vec())
    } else {
        Err(format!("it answers {}", reply.status))
    }
}
