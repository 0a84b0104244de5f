//! What the gateway is made from.

use std::{collections::BTreeMap, time::Duration};

use super::{objectives::SloSettings, selection::ToolSelection};

/// Decisions that hold for all backends.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewaySettings {
    /// How long one request may take from its last byte to its answer.
    pub request_timeout: Duration,
    /// How long a fan-out over all backends waits before it answers with what it has.
    pub fan_out_timeout: Duration,
    /// The aggregate endpoint.
    pub meta_mcp: MetaMcpSettings,
    /// Client sessions.
    pub sessions: SessionSettings,
    /// How often the `Health metrics` lines are written.
    pub health_log_interval: Duration,
    /// What is measured of our own part.
    pub timing: TimingSettings,
    /// What backends are held to, by their names.
    pub slos: BTreeMap<Box<str>, SloSettings>,
}

/// What is measured of our own part in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimingSettings {
    /// Whether each answer of a backend says where its time went, in a `Server-Timing` header; then every request is
    /// measured, else one in sixteen.
    pub server_timing: bool,
    /// How long the gateway itself may take; a measured request that takes longer is counted.
    pub overhead_budget: Option<Duration>,
}

/// The aggregate endpoint `/mcp`.
#[derive(Clone, Debug, PartialEq)]
pub struct MetaMcpSettings {
    /// True: `/mcp` lists the meta-tools and [`MetaMcpSettings::surfaced_tools`]. False: it lists the tools of all backends.
    pub enabled: bool,
    /// How the tools of backends are named on `/mcp`.
    pub naming: Naming,
    /// How long a listed catalogue is served before it is asked for again.
    pub cache_ttl: Duration,
    /// How long the last good catalogue of a backend that does not answer is shown.
    pub stale_grace: Duration,
    /// Backends whose catalogue is read at start rather than at first use; `*` means all.
    pub warm_start: Vec<String>,
    /// Tools of backends listed beside the meta-tools.
    pub surfaced_tools: Vec<SurfacedTool>,
    /// Which tools of a backend are there at all; of a backend that is not named, all.
    pub selections: BTreeMap<Box<str>, ToolSelection>,
}

impl MetaMcpSettings {
    /// Whether a backend's tool is there.
    pub(super) fn shows(&self, backend: &str, tool: &str) -> bool {
        self.selections
            .get(backend)
            .is_none_or(|selection| selection.shows(tool))
    }
}

/// How tools of backends are named on the aggregate endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// `backend__tool`.
    #[default]
    Prefixed,
    /// `tool`; a collision is resolved by prefixing the later backend's.
    Plain,
}

/// One tool listed beside the meta-tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurfacedTool {
    /// The backend.
    pub server: String,
    /// The tool.
    pub tool: String,
}

/// Bounds of client sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSettings {
    /// Sessions alive at once; a further `initialize` is refused.
    pub max: usize,
    /// A session that nobody used for this long is ended.
    pub ttl: Duration,
    /// How often idle sessions are looked for.
    pub reap_interval: Duration,
    /// Messages kept for a slow reader. One more costs a session's stream its oldest, and a call's stream the new one.
    pub buffer: usize,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            fan_out_timeout: Duration::from_secs(5),
            meta_mcp: MetaMcpSettings::default(),
            sessions: SessionSettings::default(),
            health_log_interval: Duration::from_secs(60),
            timing: TimingSettings::default(),
            slos: BTreeMap::new(),
        }
    }
}

impl Default for MetaMcpSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            naming: Naming::Prefixed,
            cache_ttl: Duration::from_secs(300),
            stale_grace: Duration::from_secs(900),
            warm_start: Vec::new(),
            surfaced_tools: Vec::new(),
            selections: BTreeMap::new(),
        }
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            max: 10_000,
            ttl: Duration::from_secs(1800),
            reap_interval: Duration::from_secs(60),
            buffer: 100,
        }
    }
}
