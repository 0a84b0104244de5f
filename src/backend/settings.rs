//! What one backend is made from.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use super::Provider;
use crate::{
    failsafe::FailsafeConfig,
    protocol::Revision,
    telemetry::{Secret, redact::excerpt},
};

/// One configured server, as the configuration or a library user gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendSettings {
    /// The name people and clients use; holds none of `/ \ :`.
    pub name: Box<str>,
    /// How it is reached.
    pub transport: TransportSettings,
    /// What it is for, shown to models by `gateway_list_servers`.
    pub description: Option<String>,
    /// How long one call may take, queue and retries included.
    pub timeout: Duration,
    /// The policy around each call.
    pub failsafe: FailsafeConfig,
    /// Calls in flight at once; further ones queue. At least 1.
    pub max_concurrency: usize,
    /// Calls that may wait for a place; further ones are refused at once.
    pub max_queue: usize,
    /// Tools that are safe to send twice although their annotations do not say so.
    pub repeatable_tools: Vec<String>,
    /// The revision asked for in `initialize`.
    pub revision: Revision,
    /// A stdio child that nobody called for this long is ended, and started again by the next call.
    pub stop_when_idle_for: Option<Duration>,
    /// Clients that may have a session or a child of their own at once, because the backend can ask them for something;
    /// further ones share one, on which nobody can be asked. Of several callers none takes all.
    pub max_client_sessions: usize,
    /// The longest message taken from the backend, in bytes.
    pub max_message_size: usize,
}

/// How a backend is reached.
#[derive(Clone, Debug)]
pub enum TransportSettings {
    /// A child process that speaks JSON-RPC lines on its standard streams.
    Stdio(StdioSettings),
    /// A Streamable HTTP endpoint.
    Http(HttpSettings),
    /// A part of this program.
    Provided(Arc<dyn Provider>),
}

impl PartialEq for TransportSettings {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stdio(one), Self::Stdio(other)) => one == other,
            (Self::Http(one), Self::Http(other)) => one == other,
            (Self::Provided(one), Self::Provided(other)) => one.is_same(&**other),
            _ => false,
        }
    }
}

/// A child process to start. Its arguments may hold secrets: `Debug` shows how many there are.
#[derive(Clone, PartialEq)]
pub struct StdioSettings {
    /// The program: a path, or a name looked up on `PATH`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables added to the gateway's own environment.
    pub env: BTreeMap<String, Secret>,
    /// Its working directory; the gateway's own if absent.
    pub cwd: Option<PathBuf>,
    /// The `mcp-gateway` binary, put between the gateway and the child so that no descendant of the child outlives the
    /// gateway, however it ends. Without it (a program that embeds the library) only an orderly end takes the child along.
    pub supervisor: Option<PathBuf>,
}

/// An HTTP endpoint to call. Its query may hold secrets: `Debug` leaves it out.
#[derive(Clone, PartialEq)]
pub struct HttpSettings {
    /// The MCP endpoint, `http://` or `https://`.
    pub url: http::Uri,
    /// Headers sent with every request; their values are secrets.
    pub headers: Vec<(http::HeaderName, Secret)>,
}

impl StdioSettings {
    /// `program` with `args` in the gateway's own environment and working directory, under no supervisor.
    #[must_use]
    pub fn new(program: impl Into<String>, args: &[&str]) -> Self {
        Self {
            program: program.into(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            env: BTreeMap::new(),
            cwd: None,
            supervisor: None,
        }
    }
}

impl BackendSettings {
    /// Settings with every default in place: timeout 30 s, 64 calls at once, 256 waiting, 64 clients with a session
    /// of their own, messages up to 64 MiB.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>, transport: TransportSettings) -> Self {
        Self {
            name: name.into(),
            transport,
            description: None,
            timeout: Duration::from_secs(30),
            failsafe: FailsafeConfig::default(),
            max_concurrency: 64,
            max_queue: 256,
            repeatable_tools: Vec::new(),
            revision: Revision::LATEST_LEGACY,
            stop_when_idle_for: None,
            max_client_sessions: 64,
            max_message_size: 64 << 20,
        }
    }
}

impl BackendSettings {
    /// What the backend wrote, as it may stand in an error or a log: short, on one line, and without the secrets that it was
    /// given.
    pub(super) fn excerpt(&self, text: &str) -> Box<str> {
        match &self.transport {
            TransportSettings::Stdio(stdio) => excerpt(text, stdio.env.values()),
            TransportSettings::Http(http) => {
                excerpt(text, http.headers.iter().map(|(_, value)| value))
            }
            TransportSettings::Provided(_) => excerpt(text, []),
        }
    }

    /// Who provides it, if it is a part of this program.
    #[must_use]
    pub fn provider(&self) -> Option<&dyn Provider> {
        match &self.transport {
            TransportSettings::Provided(provider) => Some(&**provider),
            _ => None,
        }
    }

    /// The names of the headers that are configured for it, joined by commas.
    pub(super) fn header_names(&self) -> Box<str> {
        let TransportSettings::Http(http) = &self.transport else {
            return Box::default();
        };
        let names: Vec<_> = http.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ").into()
    }
}

impl fmt::Debug for StdioSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdioSettings")
            .field("program", &self.program)
            .field("args", &self.args.len())
            .field("env", &self.env)
            .field("cwd", &self.cwd)
            .field("supervisor", &self.supervisor)
            .finish()
    }
}

impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSettings")
            .field("host", &self.url.host())
            .field("port", &self.url.port_u16())
            .field("path", &self.url.path())
            .field("headers", &self.headers)
            .finish()
    }
}
