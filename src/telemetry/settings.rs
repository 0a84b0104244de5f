//! What is told to others of what happens here.

use super::trace::TraceSettings;

/// What is told to others; nothing unless somebody asks for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelemetrySettings {
    /// Where traces go.
    pub traces: Option<TraceSettings>,
}
