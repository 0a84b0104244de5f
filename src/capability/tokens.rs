//! Tokens that are given for a client's id and secret (RFC 6749, 4.4): asked for once, kept until they end.

use std::{sync::Arc, time::Duration};

use arc_swap::{ArcSwap, ArcSwapOption};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{
    Key, Limits, Reply, Web, credential,
    failure::{Failure, Stop},
};
use crate::{
    failsafe::Outcome,
    telemetry::{Clock, Secret, Stamp},
};

/// How much earlier than its end a token is no longer shown.
const SOONER: Duration = Duration::from_secs(30);
/// How long a token is good whose end nobody has told.
const USUAL: Duration = Duration::from_secs(300);
/// The longest answer that is read for a token, in bytes.
const LONGEST: usize = 64 << 10;

/// Every token that was given.
#[derive(Debug, Default)]
pub(super) struct Tokens(ArcSwap<Vec<Arc<Slot>>>);

/// The token for one id and secret at one endpoint. Who shows it takes no lock; whoever asks for it holds the turn, and the
/// others wait for the same.
#[derive(Debug)]
struct Slot {
    endpoint: Uri,
    scopes: Vec<Box<str>>,
    key: Key,
    token: ArcSwapOption<Token>,
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Token {
    secret: Secret,
    given: Stamp,
    until: Stamp,
}

/// What a token is asked for with.
#[derive(Clone, Copy)]
pub(super) struct Grant<'a> {
    pub(super) key: &'a Key,
    pub(super) endpoint: &'a Uri,
    pub(super) scopes: &'a [Box<str>],
    pub(super) web: &'a Web,
    pub(super) clock: &'a Clock,
    pub(super) deadline: Instant,
}

impl Tokens {
    /// The token: the one that is held, or a new one.
    pub(super) async fn token(&self, grant: Grant<'_>) -> Result<Secret, Stop> {
        let slot = self.slot(grant);
        if let Some(secret) = slot.good(grant.clock.now()) {
            return Ok(secret);
        }
        let _turn = slot.turn.lock().await;
        if let Some(secret) = slot.good(grant.clock.now()) {
            return Ok(secret);
        }
        let token = asked(grant).await?;
        let secret = token.secret.clone();
        slot.token.store(Some(Arc::new(token)));
        Ok(secret)
    }

    /// The provider has refused what it was shown after `shown`: an older token is not shown again. False if the token is
    /// newer, so that another would be refused as well.
    pub(super) fn refused(&self, grant: Grant<'_>, shown: Stamp) -> bool {
        let slot = self.slot(grant);
        let Some(held) = slot.token.load_full() else {
            return true;
        };
        let is_old = held.given < shown;
        if is_old {
            // One that was given in this moment is another, and stays.
            slot.token.compare_and_swap(&held, None);
        }
        is_old
    }

    fn slot(&self, grant: Grant<'_>) -> Arc<Slot> {
        if let Some(slot) = found(&self.0.load(), grant) {
            return slot;
        }
        let new = Arc::new(Slot {
            endpoint: grant.endpoint.clone(),
            scopes: grant.scopes.to_vec(),
            key: grant.key.clone(),
            token: ArcSwapOption::empty(),
            turn: Mutex::default(),
        });
        self.0.rcu(|slots| match found(slots, grant) {
            Some(_) => Arc::clone(slots),
            None => Arc::new(slots.iter().chain([&new]).cloned().collect()),
        });
        // Somebody else's, if that was there first.
        found(&self.0.load(), grant).unwrap_or(new)
    }
}

fn found(slots: &[Arc<Slot>], grant: Grant<'_>) -> Option<Arc<Slot>> {
    let is_it = |slot: &&Arc<Slot>| {
        slot.endpoint == *grant.endpoint && *slot.scopes == *grant.scopes && slot.key == *grant.key
    };
    slots.iter().find(is_it).cloned()
}

impl Slot {
    fn good(&self, now: Stamp) -> Option<Secret> {
        let token = self.token.load();
        let token = token.as_ref().filter(|token| now < token.until);
        token.map(|token| token.secret.clone())
    }
}

/// Asks for a token: with the secret in the header, and, as some servers want it, in the body.
async fn asked(grant: Grant<'_>) -> Result<Token, Stop> {
    let client = credential::current(grant.key).await;
    let client = client.map_err(|sentence| Failure::new(Outcome::Misconfigured, sentence))?;
    let Some((id, secret)) = client.expose().split_once(':') else {
        let sentence =
            "the credential is no CLIENT_ID:CLIENT_SECRET, for which a token could be asked";
        return Err(Failure::new(Outcome::Misconfigured, sentence).into());
    };
    let reply = sent(grant, (id, secret), true).await?;
    let reply = match reply.status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
            sent(grant, (id, secret), false).await?
        }
        _ => reply,
    };
    read(&reply, grant)
}

async fn sent(grant: Grant<'_>, client: (&str, &str), in_header: bool) -> Result<Reply, Stop> {
    let limits = Limits {
        deadline: grant.deadline,
        most: LONGEST,
    };
    let request = request(grant, client, in_header);
    let request =
        request.map_err(|error| Failure::new(Outcome::Misconfigured, error.to_string()))?;
    let exchanged = Box::pin(grant.web.exchange(request, limits)).await;
    exchanged.map_err(|fault| match Stop::from(fault) {
        Stop::Failed(failure) => Stop::Failed(Failure {
            sentence: format!("no token from {}: {}", host(grant), failure.sentence).into(),
            // Nothing of the call itself was sent.
            outcome: Outcome::Unreachable,
            ..failure
        }),
        refused => refused,
    })
}

fn request(
    grant: Grant<'_>,
    (id, secret): (&str, &str),
    in_header: bool,
) -> Result<Request<Bytes>, http::Error> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut body = "grant_type=client_credentials".to_owned();
    if !grant.scopes.is_empty() {
        body.push_str("&scope=");
        body.push_str(&encoded(&grant.scopes.join(" ")));
    }
    let mut request = Request::post(grant.endpoint)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    if in_header {
        let word = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
        request = request.header(AUTHORIZATION, format!("Basic {word}"));
    } else {
        body.push_str(&format!(
            "&client_id={}&client_secret={}",
            encoded(id),
            encoded(secret)
        ));
    }
    request.body(body.into())
}

fn read(reply: &Reply, grant: Grant<'_>) -> Result<Token, Stop> {
    #[derive(Deserialize)]
    struct Given {
        access_token: Box<str>,
        expires_in: Option<u64>,
    }
    let status = reply.status;
    if !status.is_success() {
        let outcome = match Outcome::of_http_status(status.as_u16()) {
            Outcome::CallerFault => Outcome::Denied,
            outcome => outcome,
        };
        let sentence = format!("no token from {}: it answered {status}", host(grant));
        return Err(Failure::new(outcome, sentence).into());
    }
    let given: Given = serde_json::from_slice(&reply.body).map_err(|_| {
        let sentence = format!("no token from {}: its answer holds none", host(grant));
        Failure::new(Outcome::Denied, sentence)
    })?;
    let good_for = given.expires_in.map_or(USUAL, Duration::from_secs);
    let now = grant.clock.now();
    Ok(Token {
        secret: Secret::new(given.access_token),
        given: now,
        until: now.later(good_for.saturating_sub(SOONER)),
    })
}

fn host(grant: Grant<'_>) -> &str {
    grant.endpoint.host().unwrap_or_default()
}
