//! The breaker and the histogram of each provider, which capabilities that call the same host share, and the histogram of each
//! capability.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Origin, Service};
use crate::{
    failsafe::{Failsafe, FailsafeConfig, HealthTracker},
    telemetry::Clock,
};

/// The guards of all providers. They outlive the definitions, so that a reload forgets no failure.
#[derive(Debug)]
pub struct Guards {
    owner: Box<str>,
    config: FailsafeConfig,
    clock: Clock,
    made: Mutex<HashMap<Origin, Arc<Guard>>>,
    trackers: Mutex<HashMap<Box<str>, Arc<HealthTracker>>>,
}

/// What surrounds the calls to one provider.
#[derive(Debug)]
pub struct Guard {
    /// Its host, with the port where it is not the usual one.
    pub name: Box<str>,
    /// The same with its scheme, which is no name of a capability.
    pub origin: Box<str>,
    /// Its breaker and its health.
    pub failsafe: Arc<Failsafe>,
}

impl Guards {
    /// Guards of the providers of the backend `owner`.
    #[must_use]
    pub fn new(owner: &str, config: FailsafeConfig, clock: Clock) -> Self {
        Self {
            owner: owner.into(),
            config,
            clock,
            made: Mutex::default(),
            trackers: Mutex::default(),
        }
    }

    /// The guard of who is called by this service.
    pub(super) fn of(&self, service: &Service) -> Arc<Guard> {
        let origin = &service.endpoint().origin;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let guard = made
            .entry(origin.clone())
            .or_insert_with(|| Arc::new(self.guard(origin)));
        Arc::clone(guard)
    }

    /// How a capability does, whoever answers its calls.
    pub(super) fn tracker(&self, capability: &str) -> Arc<HealthTracker> {
        let full = || format!("{}/{capability}", self.owner);
        let fresh = || Arc::new(HealthTracker::with_clock(&full(), self.clock.clone()));
        let mut trackers = self.trackers.lock().unwrap_or_else(PoisonError::into_inner);
        let tracker = trackers.entry(capability.into()).or_insert_with(fresh);
        Arc::clone(tracker)
    }

    /// The same of one that was called.
    pub(super) fn known(&self, capability: &str) -> Option<Arc<HealthTracker>> {
        let trackers = self.trackers.lock().unwrap_or_else(PoisonError::into_inner);
        trackers.get(capability).cloned()
    }

    fn guard(&self, origin: &Origin) -> Guard {
        let origin: Box<str> = origin.to_string().into();
        let name = origin.split("://").last().unwrap_or_default();
        let full = format!("{}/{origin}", self.owner);
        let failsafe = Failsafe::with_clock(&full, &self.config, self.clock.clone());
        Guard {
            name: name.into(),
            failsafe: Arc::new(failsafe),
            origin,
        }
    }
}
