//! What the listener is made from.

use std::{net::IpAddr, net::Ipv4Addr, time::Duration};

use super::token::TokenFile;
use crate::telemetry::Secret;

/// Where and how to listen.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    /// The address to bind; loopback unless authentication is on.
    pub host: IpAddr,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// How long calls in flight may take after a stop signal.
    pub shutdown_timeout: Duration,
    /// The name under which clients reach the gateway, where a proxy stands before it; its host passes the `Host` check.
    pub public_url: Option<http::Uri>,
    /// Bounds on what a peer may send.
    pub limits: LimitSettings,
    /// Who may ask.
    pub auth: AuthSettings,
    /// How often a silent stream gets a comment, so that nobody in between closes it.
    pub keep_alive_interval: Duration,
    /// Whether each HTTP request is logged.
    pub access_log: bool,
}

impl ServerSettings {
    /// A key that opens a gateway which runs with these settings, for who has access to its files; none if it needs none, or
    /// none is known.
    #[must_use]
    pub fn key(&self) -> Option<Secret> {
        let auth = &self.auth;
        if !auth.enabled {
            return None;
        }
        let token = match &auth.bearer_token {
            Some(BearerToken::Given(token)) => Some(token.clone()),
            Some(BearerToken::Auto) => TokenFile::known(self.port),
            None => None,
        };
        let widest = |key: &&ApiKey| (key.admin, key.backends.is_none());
        let key = || auth.api_keys.iter().max_by_key(widest);
        token.or_else(|| key().map(|key| key.key.clone()))
    }
}

/// Bounds on what a peer may send.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitSettings {
    /// The longest body, in bytes.
    pub max_body_size: usize,
    /// The longest head, in bytes; at least 8 KiB are taken. A body that fits into as much is taken without a copy.
    pub max_head_size: usize,
    /// How long a peer may take to send its head.
    pub head_timeout: Duration,
    /// How long a peer may take to send its body.
    pub body_timeout: Duration,
    /// How long a connection may stay open without a request; it is closed after once to twice this time.
    pub idle_timeout: Duration,
    /// Connections at once; further ones wait in the listen queue.
    pub max_connections: usize,
}

/// Who may ask.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuthSettings {
    /// Off: everybody who reaches the port may.
    pub enabled: bool,
    /// One token that may do everything.
    pub bearer_token: Option<BearerToken>,
    /// Keys with rights of their own.
    pub api_keys: Vec<ApiKey>,
    /// Paths that need no key: exactly these, or with `/*` at the end everything below.
    pub public_paths: Vec<String>,
}

/// The one token that may do everything.
#[derive(Clone, Debug, PartialEq)]
pub enum BearerToken {
    /// As configured.
    Given(Secret),
    /// Made at the first start and kept in a file that only its owner can read, one per configured port.
    Auto,
}

/// One key and what it may do.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// The key itself.
    pub key: Secret,
    /// Its name in logs.
    pub name: String,
    /// The backends it may use; all if absent.
    pub backends: Option<Vec<String>>,
    /// The tools it may use; all if absent.
    pub allowed_tools: Option<Vec<String>>,
    /// Tools it may not use.
    pub denied_tools: Vec<String>,
    /// Requests per minute; unlimited if absent.
    pub rate_limit: Option<u32>,
    /// Whether it may stop and revive backends, and have the configuration read again.
    pub admin: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 39400,
            shutdown_timeout: Duration::from_secs(30),
            public_url: None,
            limits: LimitSettings::default(),
            auth: AuthSettings::default(),
            keep_alive_interval: Duration::from_secs(15),
            access_log: false,
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            max_body_size: 10 << 20,
            max_head_size: 128 << 10,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            max_connections: 10_000,
        }
    }
}
