//! What both transports do to a message on its way: our id and progress token out, the caller's token back in, and the
//! answers that the gateway itself gives to a backend's requests.

use std::{borrow::Cow, fmt::Display, sync::LazyLock};

use crate::{
    backend::{EventSender, Introduced},
    protocol::{Edit, LOG_LEVEL, Message, Revision, introduction},
};

/// `message` with our own id in place of the caller's, and the same number as its progress token if it has one.
pub(super) fn outgoing<'a>(message: &'a Message, serial: &'a str) -> Edit<'a> {
    let edit = message.edit().id(serial.as_bytes());
    if message.progress_token().is_some() {
        edit.progress_token(serial.as_bytes())
    } else {
        edit
    }
}

/// Hands `event` to the caller of `call`, with its own progress token if the event bears one. A caller that does not read
/// loses the event, not the call.
pub(super) fn forward(events: Option<&EventSender>, call: &Message, event: &Message) {
    let Some(events) = events else { return };
    let event = match (event.progress_token(), call.progress_token()) {
        (Some(_), Some(token)) => event.edit().progress_token(token).finish_message(),
        // Progress that the caller did not ask for bears a token that means nothing to it.
        (Some(_), None) => return,
        (None, _) => event.clone(),
    };
    if !events.put(event) {
        tracing::debug!("An event was dropped: its caller does not read");
    }
}

/// A message that is too long for us, and the setting that takes it.
pub(super) fn too_long(what: impl Display) -> String {
    format!("{what} Raise `max_message_size` of this backend to take longer ones.")
}

/// The notification that tells a backend that nobody waits for request `serial` any more.
pub(super) fn cancelled(serial: u64) -> Message {
    let params = format!(r#"{{"requestId":{serial},"reason":"the caller has gone"}}"#);
    Message::notification("notifications/cancelled", Some(params.as_bytes()))
}

/// The gateway's own name and version.
pub(super) const CLIENT: &str = concat!(
    r#"{"name":"mcp-gateway","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}"#
);

/// What a modern server is told of a client that nobody knows: that it is the gateway, which can be asked for nothing.
pub(super) fn ourselves() -> &'static str {
    static OURSELVES: LazyLock<String> = LazyLock::new(|| introduction(CLIENT, "{}"));
    &OURSELVES
}

/// The members of `_meta` by which a modern server is told of an older client.
pub(super) fn introduced(client: Introduced<'_>) -> Cow<'_, str> {
    let by = client.by.unwrap_or(ourselves());
    match client.log_level {
        Some(level) => format!(r#"{by},"{LOG_LEVEL}":"{level}""#).into(),
        None => by.into(),
    }
}

/// The request by which a modern server says what it is.
pub(super) fn discover() -> Message {
    Message::request(b"0", "server/discover", None).with_sender(ourselves())
}

/// The request that opens a session at `revision` for a client of this `clientInfo` with these `capabilities`.
pub(super) fn initialize(revision: Revision, client: &str, capabilities: &str) -> Message {
    let params = format!(
        r#"{{"protocolVersion":"{}","capabilities":{capabilities},"clientInfo":{client}}}"#,
        revision.as_str(),
    );
    Message::request(b"0", "initialize", Some(params.as_bytes()))
}

/// The notification that ends the handshake.
pub(super) fn initialized() -> Message {
    Message::notification("notifications/initialized", None)
}

/// Whether a notification concerns everybody who uses the backend rather than the call on whose stream it came.
pub(super) fn is_for_everybody(method: &str) -> bool {
    is_list_change(method) || method == "notifications/resources/updated"
}

/// Whether a notification says that a list has changed.
pub(super) fn is_list_change(method: &str) -> bool {
    method.ends_with("/list_changed")
}
