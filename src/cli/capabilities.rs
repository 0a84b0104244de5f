//! Capabilities as a backend: what a configuration says of them, called over what earlier readings of it have opened.

use std::sync::Arc;

use crate::{
    backend::{BackendSettings, TransportSettings},
    capability::{CapabilitySettings, Guards, Outside, PrivateNetworks, Served, Web},
    failsafe::FailsafeConfig,
    telemetry::Clock,
};

/// Calls of capabilities in flight at once: each is one request, and its provider has a breaker of its own.
const MOST_CALLS: usize = 1024;

/// What one reading of the configuration hands to the next, so that no failure is forgotten and no connection closed.
pub(super) struct Capabilities {
    clock: Clock,
    opened: Option<Opened>,
}

struct Opened {
    name: Box<str>,
    networks: PrivateNetworks,
    failsafe: FailsafeConfig,
    outside: Outside,
}

impl Capabilities {
    pub(super) const fn new(clock: Clock) -> Self {
        Self {
            clock,
            opened: None,
        }
    }

    /// The backend of these capabilities.
    pub(super) fn backend(&mut self, settings: CapabilitySettings) -> BackendSettings {
        let outside = self.outside(&settings);
        let (name, failsafe, timeout) = (
            settings.name.clone(),
            settings.failsafe.clone(),
            settings.timeout,
        );
        let served = Arc::new(Served::new(settings, outside));
        let mut backend = BackendSettings::new(name, TransportSettings::Provided(served));
        backend.description = Some("APIs over HTTP, each operation a tool".to_owned());
        backend.failsafe = failsafe;
        // One slow provider says nothing of the others; the breaker of each counts its own.
        backend.failsafe.circuit_breaker.slow_call = None;
        backend.timeout = timeout;
        backend.max_concurrency = MOST_CALLS;
        backend
    }

    fn outside(&mut self, settings: &CapabilitySettings) -> Outside {
        let is_good = |opened: &&Opened| {
            opened.name == settings.name
                && opened.networks == settings.networks
                && opened.failsafe == settings.failsafe
        };
        if let Some(opened) = self.opened.as_ref().filter(is_good) {
            return opened.outside.clone();
        }
        let guards = Guards::new(
            &settings.name,
            settings.failsafe.clone(),
            self.clock.clone(),
        );
        let outside = Outside {
            web: Web::new(settings.networks.clone()),
            guards: Arc::new(guards),
            clock: self.clock.clone(),
        };
        self.opened = Some(Opened {
            name: settings.name.clone(),
            networks: settings.networks.clone(),
            failsafe: settings.failsafe.clone(),
            outside: outside.clone(),
        });
        outside
    }
}
