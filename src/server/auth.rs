//! Who asks: keys compared in constant time, each with its rights and its limit.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, header};
use ring::digest::{SHA256, digest};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::{
    headers::{self, X_API_KEY},
    settings::{ApiKey, AuthSettings},
};
use crate::{
    failsafe::RateLimit,
    gateway::{Caller, Owed, Refusal},
    telemetry::{Clock, Secret},
};

/// Everybody the gateway knows.
#[derive(Debug)]
pub(super) struct Keyring {
    /// Who asks where no key is needed.
    open: Option<Arc<Caller>>,
    keys: Vec<Key>,
    public_paths: Vec<PublicPath>,
    anonymous: Arc<Caller>,
}

/// One key. What is kept is its SHA-256, so that every comparison is 32 bytes long and tells nothing about the key.
#[derive(Debug)]
struct Key {
    digest: [u8; 32],
    caller: Arc<Caller>,
    /// Requests per minute, and the bucket they are taken from.
    limit: Option<(u32, Arc<RateLimit>)>,
}

/// A path that needs no key: exactly this one, or with `/*` at its end everything below it.
#[derive(Debug)]
struct PublicPath {
    path: Box<str>,
    below: bool,
}

impl Keyring {
    /// The keys of `settings`, and `token` beside them as the key that may do everything.
    pub(super) fn new(settings: &AuthSettings, token: Option<&Secret>, clock: &Clock) -> Self {
        let token = token.map(|token| Key::new(token, operator("bearer_token")));
        let keys = settings.api_keys.iter().map(|key| Key {
            limit: key.rate_limit.map(|rate| {
                let bucket = RateLimit::per_minute(rate, clock.clone());
                (rate, Arc::new(bucket))
            }),
            ..Key::new(&key.key, caller(key))
        });
        Self {
            open: (!settings.enabled).then(|| Arc::new(local())),
            keys: token.into_iter().chain(keys).collect(),
            public_paths: settings
                .public_paths
                .iter()
                .map(|path| PublicPath::new(path))
                .collect(),
            anonymous: Arc::new(Caller {
                name: "anonymous".into(),
                ..Caller::default()
            }),
        }
    }

    /// Keys that an earlier keyring has too, with the same limit, have spent what they have spent there.
    pub(super) fn go_on_counting(&mut self, earlier: &Self) {
        for key in &mut self.keys {
            let known = earlier.keys.iter().find(|known| known.digest == key.digest);
            if let Some(known) = known {
                Arc::make_mut(&mut key.caller).owed = known.caller.owed.clone();
            }
            let Some(limit) = known.and_then(|known| known.limit.as_ref()) else {
                continue;
            };
            key.limit = key.limit.take().map(|own| match own.0 == limit.0 {
                true => limit.clone(),
                false => own,
            });
        }
    }

    /// Whether somebody with this name and exactly these rights may ask.
    pub(super) fn knows(&self, caller: &Caller) -> bool {
        let keys = self.keys.iter().map(|key| &key.caller);
        let mut all = keys.chain(&self.open).chain([&self.anonymous]);
        all.any(|known| **known == *caller)
    }

    /// Who sent these headers, if they may ask for `path` now.
    pub(super) fn admit(&self, path: &str, headers: &HeaderMap) -> Result<&Arc<Caller>, Refusal> {
        if let Some(local) = &self.open {
            return Ok(local);
        }
        match presented(headers).and_then(|presented| self.find(presented)) {
            Some(key) => key.admit(),
            None if self.is_public(path) => Ok(&self.anonymous),
            None => Err(Refusal::Unauthorized),
        }
    }

    /// Looks at every key, whichever fits: the time taken says nothing about which one it was, or how near.
    fn find(&self, presented: &str) -> Option<&Key> {
        let presented = fingerprint(presented);
        let mut found = u32::MAX;
        for (key, index) in self.keys.iter().zip(0..) {
            found.conditional_assign(&index, key.digest.ct_eq(&presented));
        }
        usize::try_from(found)
            .ok()
            .and_then(|found| self.keys.get(found))
    }

    fn is_public(&self, path: &str) -> bool {
        self.public_paths.iter().any(|public| public.covers(path))
    }
}

impl Key {
    fn new(key: &Secret, caller: Caller) -> Self {
        Self {
            digest: fingerprint(key.expose()),
            caller: Arc::new(caller),
            limit: None,
        }
    }

    fn admit(&self) -> Result<&Arc<Caller>, Refusal> {
        let limit = self.limit.as_ref();
        let spent: Result<(), Duration> = limit.map_or(Ok(()), |(_, bucket)| bucket.take());
        match spent {
            Err(early) if !self.caller.owed.take() => Err(Refusal::CallerRateLimited(early)),
            _ => Ok(&self.caller),
        }
    }
}

impl PublicPath {
    fn new(path: &str) -> Self {
        let below = path.strip_suffix("/*");
        Self {
            path: below.unwrap_or(path).trim_end_matches('/').into(),
            below: below.is_some(),
        }
    }

    fn covers(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&*self.path);
        rest.is_some_and(|rest| matches!(rest, "" | "/") || (self.below && rest.starts_with('/')))
    }
}

/// Whoever is on this machine, where that is enough.
pub(super) fn local() -> Caller {
    Caller {
        is_everybody: true,
        ..operator("local")
    }
}

fn operator(name: &str) -> Caller {
    Caller {
        name: name.into(),
        operator: true,
        ..Caller::default()
    }
}

fn caller(key: &ApiKey) -> Caller {
    Caller {
        name: key.name.as_str().into(),
        backends: key.backends.clone(),
        allowed_tools: key.allowed_tools.clone(),
        denied_tools: key.denied_tools.clone(),
        operator: key.admin,
        is_everybody: false,
        owed: Owed::default(),
    }
}

fn fingerprint(key: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
    bytes
}

/// The key in `Authorization: Bearer` (RFC 6750, section 2.1), else in `X-API-Key`.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers::text(headers, &header::AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer
        .or_else(|| headers::text(headers, &X_API_KEY))
        .filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn keyring(clock: &Clock) -> Keyring {
        let key = |key: &str, name: &str| ApiKey {
            key: Secret::new(key),
            name: name.to_owned(),
            backends: None,
            allowed_tools: None,
            denied_tools: Vec::new(),
            rate_limit: None,
            admin: false,
        };
        let settings = AuthSettings {
            enabled: true,
            bearer_token: None,
            api_keys: vec![
                key("alpha", "a"),
                ApiKey {
                    rate_limit: Some(2),
                    backends: Some(vec!["demo".to_owned()]),
                    ..key("beta", "b")
                },
            ],
            public_paths: vec!["/health".to_owned(), "/docs/*".to_owned()],
        };
        Keyring::new(&settings, Some(&Secret::new("master")), clock)
    }

    fn name(keyring: &Keyring, path: &str, header: &str, value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        let header = http::HeaderName::try_from(header).unwrap();
        headers.insert(header, HeaderValue::from_str(value).unwrap());
        let admitted = keyring.admit(path, &headers).ok();
        admitted.map(|caller| caller.name.to_string())
    }

    #[test]
    fn each_key_is_found_in_either_header_with_its_own_rights() {
        let keyring = keyring(&Clock::new());
        let bearer = |value| name(&keyring, "/mcp", "authorization", value);
        assert_eq!(bearer("Bearer alpha").as_deref(), Some("a"));
        assert_eq!(bearer("bearer  beta").as_deref(), Some("b"));
        assert_eq!(bearer("Bearer master").as_deref(), Some("bearer_token"));
        assert_eq!(
            name(&keyring, "/mcp", "x-api-key", "alpha").as_deref(),
            Some("a")
        );
    }

    #[test]
    fn a_wrong_key_is_nobody() {
        let keyring = keyring(&Clock::new());
        for value in [
            "Bearer alphA",
            "Bearer alph",
            "Bearer alpha2",
            "Bearer ",
            "Bearer",
            "Basic alpha",
            "alpha",
        ] {
            assert_eq!(
                name(&keyring, "/mcp", "authorization", value),
                None,
                "{value}"
            );
        }
        assert_eq!(name(&keyring, "/mcp", "x-api-key", ""), None);
        assert_eq!(
            keyring.admit("/mcp", &HeaderMap::new()).err(),
            Some(Refusal::Unauthorized)
        );
    }

    #[test]
    fn public_paths_need_no_key_and_their_neighbours_do() {
        let keyring = keyring(&Clock::new());
        let open = |path| keyring.admit(path, &HeaderMap::new()).is_ok();
        for path in ["/health", "/health/", "/docs", "/docs/a/b"] {
            assert!(open(path), "{path}");
        }
        for path in ["/health/backends", "/healthy", "/docsx", "/", "/mcp"] {
            assert!(!open(path), "{path}");
        }
    }

    #[test]
    fn a_key_that_spent_its_minute_is_told_when_to_come_back_and_others_are_not_touched() {
        let (clock, advance) = Clock::mocked();
        let keyring = keyring(&clock);
        let beta = || name(&keyring, "/mcp", "x-api-key", "beta");
        assert!(beta().is_some() && beta().is_some());
        let mut headers = HeaderMap::new();
        headers.insert(X_API_KEY, HeaderValue::from_static("beta"));
        let refused = keyring.admit("/mcp", &headers).err();
        assert_eq!(
            refused,
            Some(Refusal::CallerRateLimited(Duration::from_secs(30)))
        );
        assert!(name(&keyring, "/mcp", "x-api-key", "alpha").is_some());
        advance(Duration::from_secs(30));
        assert!(beta().is_some());
        assert!(beta().is_none());
    }

    #[test]
    fn with_auth_off_everybody_is_the_local_operator() {
        let keyring = Keyring::new(&AuthSettings::default(), None, &Clock::new());
        let caller = keyring.admit("/mcp", &HeaderMap::new()).unwrap();
        assert_eq!(&*caller.name, "local");
        assert!(caller.operator);
    }

    #[test]
    fn no_key_is_readable_in_what_is_printed() {
        let text = format!("{:?}", keyring(&Clock::new()));
        assert!(
            !text.contains("alpha") && !text.contains("master"),
            "{text}"
        );
    }
}
