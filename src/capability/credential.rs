//! How a credential is shown to a provider.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, header::COOKIE};
use tokio::task::spawn_blocking;

use super::{Auth, AuthKind, Key, KeyPlace, render::Rendered};
use crate::telemetry::Secret;

/// The credential as it is now; a file is read beside the other work.
///
/// # Errors
/// Why there is none, as a sentence that shows nothing of it.
pub(super) async fn current(key: &Key) -> Result<Secret, String> {
    if let Key::Held(secret) = key {
        return Ok(secret.clone());
    }
    let key = key.clone();
    let read = spawn_blocking(move || match key.value() {
        Ok(secret) => Ok(secret.into_owned()),
        Err(error) => Err(error.to_string()),
    });
    read.await
        .unwrap_or_else(|_| Err("the credential's file could not be read".to_owned()))
}

/// Puts the credential where the definition says. `token` is what the key holds, or what was given for it.
///
/// # Errors
/// If no header can hold it.
pub(super) fn show(auth: &Auth, token: &Secret, rendered: &mut Rendered) -> Result<(), String> {
    let word = match auth.kind {
        AuthKind::Basic if token.expose().contains(':') => STANDARD.encode(token.expose()),
        _ => token.expose().to_owned(),
    };
    match &auth.place {
        KeyPlace::Query(name) => {
            rendered.put_query(name, &word);
            return Ok(());
        }
        KeyPlace::Header { name, prefix } => {
            let value = match &**prefix {
                "" => word,
                prefix => format!("{} {word}", prefix.trim_end()),
            };
            rendered.headers.insert(name.clone(), hidden(&value)?);
        }
        KeyPlace::Cookie(name) => {
            let others = rendered.headers.get(COOKIE);
            let others = others.and_then(|value| value.to_str().ok());
            let value = match others {
                Some(others) => format!("{others}; {name}={word}"),
                None => format!("{name}={word}"),
            };
            rendered.headers.insert(COOKIE, hidden(&value)?);
        }
    }
    Ok(())
}

/// A value that no log shows.
fn hidden(value: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(value).map_err(
        |_| "the credential holds a line end or another character that no header can hold",
    )?;
    value.set_sensitive(true);
    Ok(value)
}
