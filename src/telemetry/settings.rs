//! What is told to others of what happens here.

use std::fmt;

use http::{HeaderName, Uri};

use super::{Secret, trace::TraceSettings};

/// What is told to others; nothing unless somebody asks for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelemetrySettings {
    /// Where traces go.
    pub traces: Option<TraceSettings>,
    /// Who is told of breakers that open and close, and of objectives that are about to be missed.
    pub webhook: Option<WebhookSettings>,
}

/// Where alarms are posted to.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// It may carry a key.
    pub url: Uri,
    /// Sent with each.
    pub headers: Vec<(HeaderName, Secret)>,
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings")
            .field("host", &self.url.host())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
