//! The breaker and the histogram of each provider: capabilities that call the same host are told of its failures together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Origin, Service};
use crate::{
    failsafe::{Failsafe, FailsafeConfig},
    telemetry::Clock,
};

/// The guards of all providers. They outlive the definitions, so that a reload forgets no failure.
#[derive(Debug)]
pub struct Guards {
    owner: Box<str>,
    config: FailsafeConfig,
    clock: Clock,
    made: Mutex<HashMap<(Origin, &'static str), Arc<Guard>>>,
}

/// What surrounds the calls to one provider.
#[derive(Debug)]
pub struct Guard {
    /// Its host, with the port where it is not the usual one.
    pub name: Box<str>,
    /// Its breaker and its health.
    pub failsafe: Failsafe,
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
        }
    }

    /// The guard of who is called by this service.
    pub(super) fn of(&self, service: &Service) -> Arc<Guard> {
        let origin = &service.endpoint().origin;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let guard = made
            .entry((origin.clone(), service.name()))
            .or_insert_with(|| Arc::new(self.guard(origin)));
        Arc::clone(guard)
    }

    fn guard(&self, origin: &Origin) -> Guard {
        let shown = origin.to_string();
        let name: Box<str> = shown.split("://").last().unwrap_or_default().into();
        let full = format!("{}/{name}", self.owner);
        Guard {
            failsafe: Failsafe::with_clock(&full, &self.config, self.clock.clone()),
            name,
        }
    }
}
