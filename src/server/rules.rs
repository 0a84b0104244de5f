//! What holds for requests and may change while they are served: who may ask, from where, and within which bounds.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::{ArcSwap, Guard};

use super::{
    auth::Keyring,
    bind::BindError,
    guard::Guard as Wall,
    settings::{BearerToken, LimitSettings, ServerSettings},
    token::TokenFile,
};
use crate::{
    gateway::Gateway,
    telemetry::{Clock, Secret},
};

/// The rules at one moment.
pub(super) struct Rules {
    pub(super) wall: Wall,
    pub(super) keyring: Keyring,
    pub(super) limits: LimitSettings,
    pub(super) keep_alive: Duration,
    pub(super) access_log: bool,
    /// How long calls in flight may take after a stop signal.
    pub(super) shutdown_timeout: Duration,
}

/// The rules of a server, in the hands of whoever started it.
#[derive(Clone)]
pub struct ServerRules {
    now: Arc<ArcSwap<Rules>>,
    /// With the address that it listens on, which cannot change.
    started: Arc<ServerSettings>,
    clock: Clock,
}

/// Rules that could hold, and do not yet.
#[must_use]
pub struct NextRules {
    of: ServerRules,
    rules: Rules,
}

impl ServerRules {
    pub(super) fn new(started: ServerSettings, token: Option<&Secret>) -> Self {
        let clock = Clock::new();
        let keyring = Keyring::new(&started.auth, token, &clock);
        Self {
            now: Arc::new(ArcSwap::from_pointee(Rules::new(&started, keyring))),
            started: Arc::new(started),
            clock,
        }
    }

    /// The rules as of now, for a look that waits for nothing.
    pub(super) fn now(&self) -> Guard<Arc<Rules>> {
        self.now.load()
    }

    /// Looks whether these settings could hold where the server listens, and makes the token that they ask for.
    ///
    /// # Errors
    /// What would keep a server with these settings and this address from starting.
    pub fn next(&self, settings: &ServerSettings) -> Result<NextRules, BindError> {
        let settings = ServerSettings {
            host: self.started.host,
            port: self.started.port,
            ..settings.clone()
        };
        settings.check()?;
        let made = token(&settings)?;
        let token = made.as_ref().map(|made| &made.token);
        let mut keyring = Keyring::new(&settings.auth, token, &self.clock);
        keyring.go_on_counting(&self.now().keyring);
        Ok(NextRules {
            of: self.clone(),
            rules: Rules::new(&settings, keyring),
        })
    }

    /// The settings of these that hold from the next start on, by their keys.
    #[must_use]
    pub fn needs_restart(&self, settings: &ServerSettings) -> Vec<&'static str> {
        let differs = [
            ("server.host", settings.host != self.started.host),
            ("server.port", settings.port != self.started.port),
        ];
        let differing = differs.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(key, _)| key).collect()
    }
}

impl NextRules {
    /// Lets them hold from now on. Sessions of callers that are gone, or have other rights, end; calls in flight go on.
    pub fn hold(self, gateway: &Gateway) {
        self.of.now.store(Arc::new(self.rules));
        let rules = self.of.now();
        gateway.dismiss_all_but(|caller| rules.keyring.knows(caller));
    }
}

impl Rules {
    fn new(settings: &ServerSettings, keyring: Keyring) -> Self {
        Self {
            wall: Wall::new(settings),
            keyring,
            limits: settings.limits.clone(),
            keep_alive: settings.keep_alive_interval,
            access_log: settings.access_log,
            shutdown_timeout: settings.shutdown_timeout,
        }
    }
}

/// The token that may do everything, and where it lies.
pub(super) struct Token {
    pub(super) token: Secret,
    /// Its file, if it was made here.
    pub(super) file: Option<std::path::PathBuf>,
}

/// The token that these settings ask for.
pub(super) fn token(settings: &ServerSettings) -> Result<Option<Token>, BindError> {
    let auth = &settings.auth;
    let (token, file) = match auth.bearer_token.as_ref().filter(|_| auth.enabled) {
        None => return Ok(None),
        Some(BearerToken::Given(token)) => (token.clone(), None),
        Some(BearerToken::Auto) => {
            let made = TokenFile::open(settings.port).map_err(BindError::Token)?;
            (made.token, Some(made.path))
        }
    };
    Ok(Some(Token { token, file }))
}

impl fmt::Debug for ServerRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerRules").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::server::{ApiKey, AuthSettings};

    fn key(name: &str) -> ApiKey {
        ApiKey {
            key: Secret::new(name),
            name: name.to_owned(),
            backends: None,
            allowed_tools: None,
            denied_tools: Vec::new(),
            rate_limit: Some(1),
            admin: false,
        }
    }

    fn keyed(keys: &[&str]) -> ServerSettings {
        ServerSettings {
            auth: AuthSettings {
                enabled: true,
                api_keys: keys.iter().map(|name| key(name)).collect(),
                ..AuthSettings::default()
            },
            ..ServerSettings::default()
        }
    }

    fn admits(rules: &ServerRules, key: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", http::HeaderValue::from_str(key).unwrap());
        rules.now().keyring.admit("/mcp", &headers).is_ok()
    }

    fn change(rules: &ServerRules, settings: &ServerSettings) {
        let gateway = Gateway::new(
            crate::gateway::GatewaySettings::default(),
            Vec::new(),
            Clock::new(),
        );
        rules.next(settings).unwrap().hold(&gateway);
    }

    #[test]
    fn keys_change_and_a_key_that_stays_has_spent_what_it_has_spent() {
        let rules = ServerRules::new(keyed(&["old", "both"]), None);
        assert!(admits(&rules, "both"));
        change(&rules, &keyed(&["both", "new"]));
        assert!(
            !admits(&rules, "both"),
            "its one request of this minute is spent"
        );
        assert!(admits(&rules, "new") && !admits(&rules, "old"));
    }

    #[test]
    fn an_open_door_is_refused_where_the_server_listens_not_where_it_would() {
        let mut open = keyed(&["a"]);
        open.host = [0, 0, 0, 0].into();
        let rules = ServerRules::new(open, None);
        let next = ServerSettings::default();
        assert!(next.check().is_ok());
        assert!(matches!(rules.next(&next), Err(BindError::Exposed(_))));
        assert!(admits(&rules, "a"));
        assert_eq!(rules.needs_restart(&next), ["server.host"]);
    }
}
