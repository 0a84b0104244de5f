//! One provider is asked once: through its breaker, with its credential, and its answer is judged.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tracing::{Instrument, Span, field::Empty};

use super::{
    AuthKind, Calling, KeyPlace, Limits, Provider, Reply, Service, Web,
    answer::{Pick, Taken, taken},
    credential,
    failure::{Failure, Stop},
    guards::Guard,
    pages,
    ready::{Capability, Ready},
    refusal::Refusal,
    render::{Rendered, Values, rendered},
    tokens::{Grant, Tokens},
};
use crate::{
    failsafe::{Asker, Outcome, Ticket},
    telemetry::{Clock, OpenSpan, Secret, SpanKind, Stamp, clock::milliseconds, redact::excerpt},
};

/// One attempt, with all that it needs.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) web: &'a Web,
    pub(super) tokens: &'a Tokens,
    pub(super) clock: &'a Clock,
    /// The longest answer that is read, in bytes.
    pub(super) most: usize,
    pub(super) capability: &'a Capability,
    pub(super) ready: &'a Ready,
    pub(super) provider: &'a Provider,
    /// Which of the capability's providers it is.
    pub(super) index: usize,
    pub(super) said: &'a Map<String, Value>,
    pub(super) calling: &'a Calling<'a>,
    /// When no answer is waited for any more.
    pub(super) deadline: Instant,
}

/// What a provider gave.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) taken: Taken,
    /// Where there is more.
    pub(super) next: Option<String>,
}

impl Attempt<'_> {
    /// Asks the provider.
    pub(super) async fn made(&self) -> Result<Answered, Stop> {
        let span = tracing::debug_span!(
            "execute_provider",
            capability = self.calling.name,
            provider = &*self.guard().name,
            request_id = %self.calling.request_id,
            method = Empty,
            url = Empty,
            status = Empty,
            latency_ms = Empty,
        );
        let answered = self.renewing(&span).instrument(span.clone()).await;
        if let Err(stop) = &answered {
            span.in_scope(|| {
                tracing::debug!(outcome = stop.outcome().label(), error = %stop, "Provider gave no result");
            });
        }
        answered
    }

    /// Asks, and asks once more with a new token if the one that was shown is refused: then nothing was done.
    async fn renewing(&self, span: &Span) -> Result<Answered, Stop> {
        let began = self.clock.now();
        let answered = self.go(span).await;
        let is_denied = matches!(&answered, Err(stop) if stop.outcome() == Outcome::Denied);
        match self.grant() {
            Some(grant) if is_denied && self.tokens.refused(grant, began) => self.go(span).await,
            _ => answered,
        }
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.capability.guards[self.index]
    }

    async fn go(&self, span: &Span) -> Result<Answered, Stop> {
        let values = Values {
            said: self.said,
            fixed: &self.provider.static_params,
            defaults: &self.ready.defaults,
        };
        let rendered = rendered(&self.provider.service, &values)?;
        let asker = Asker {
            tool: None,
            request_id: Some(self.calling.request_id),
        };
        let ticket = self.guard().failsafe.admit_for(asker, self.clock.now());
        let mut ticket = ticket.map_err(Failure::from)?;
        let judged = self.exchanged(rendered, &mut ticket, span).await;
        let ended = self.clock.now();
        match &judged {
            Ok(_) => ticket.settle(Outcome::Success, &"", ended),
            Err(stop) => {
                if let Stop::Failed(Failure {
                    retry_after: Some(pause),
                    ..
                }) = stop
                {
                    ticket.retry_after(*pause);
                }
                ticket.settle(stop.outcome(), stop, ended);
            }
        }
        judged
    }

    /// Shows the credential, sends the request, and judges its answer.
    async fn exchanged(
        &self,
        mut rendered: Rendered,
        ticket: &mut Ticket<'_>,
        span: &Span,
    ) -> Result<Answered, Stop> {
        let secret = self.credential(&mut rendered).await?;
        let sent = self.clock.now();
        ticket.sent_at(sent);
        let traced = self.traced(&rendered, sent);
        self.carry(&mut rendered, traced.as_ref());
        span.record("method", rendered.method.as_str());
        span.record("url", &*rendered.shown);
        let limits = Limits {
            deadline: self.deadline,
            most: self.most,
        };
        let exchanged = Box::pin(self.web.exchange(rendered.request()?, limits)).await;
        let ended = self.clock.now();
        span.record("latency_ms", milliseconds(ended.since(sent)));
        let status = exchanged.as_ref().ok().map(|reply| reply.status.as_u16());
        if let Some(status) = status {
            span.record("status", status);
        }
        let judged = exchanged
            .map_err(Stop::from)
            .and_then(|reply| self.judged(&reply, secret.as_ref()));
        if let Some(mut traced) = traced {
            traced.set_some("http.response.status_code", status.map(i64::from));
            if let Err(stop) = &judged {
                traced.fail(stop.outcome().label(), stop.to_string());
            }
            traced.end(ended);
        }
        judged
    }

    /// Shows the credential, and gives it back, so that no error repeats it.
    async fn credential(&self, rendered: &mut Rendered) -> Result<Option<Secret>, Stop> {
        let Some(auth) = &self.capability.definition.auth else {
            return Ok(None);
        };
        let misconfigured = |sentence| Failure::new(Outcome::Misconfigured, sentence);
        let secret = match self.grant() {
            Some(grant) => self.tokens.token(grant).await?,
            None => credential::current(&auth.key)
                .await
                .map_err(misconfigured)?,
        };
        credential::show(auth, &secret, rendered).map_err(misconfigured)?;
        Ok(Some(secret))
    }

    /// What a token is asked for with, if the credential is none to be shown itself.
    fn grant(&self) -> Option<Grant<'_>> {
        let auth = self.capability.definition.auth.as_ref()?;
        let AuthKind::OAuth2 {
            token_endpoint,
            scopes,
        } = &auth.kind
        else {
            return None;
        };
        Some(Grant {
            key: &auth.key,
            endpoint: token_endpoint,
            scopes,
            web: self.web,
            clock: self.clock,
            deadline: self.deadline,
        })
    }

    fn traced(&self, rendered: &Rendered, admitted: Stamp) -> Option<OpenSpan> {
        let name = || "execute_provider".to_owned();
        let trace = self.calling.trace;
        let mut span = trace.span(SpanKind::Client, admitted, name)?;
        span.set("capability", self.calling.name.to_owned());
        span.set("provider", self.guard().name.to_string());
        span.set("request_id", self.calling.request_id.to_string());
        span.set("http.request.method", rendered.method.to_string());
        span.set("url.full", rendered.shown.clone());
        let origin = &self.provider.service.endpoint().origin;
        span.set("server.address", origin.host.to_string());
        span.set("server.port", i64::from(origin.port));
        Some(span)
    }

    /// Tells the provider of the trace. What the application says of the request is not for strangers, so no baggage goes along.
    fn carry(&self, rendered: &mut Rendered, span: Option<&OpenSpan>) {
        let Some(carried) = self.calling.trace.inside(span).carried() else {
            return;
        };
        for (name, value) in carried.headers().filter(|(name, _)| *name != "baggage") {
            if let Ok(value) = HeaderValue::from_str(value) {
                let name = HeaderName::from_static(name);
                rendered.headers.entry(name).or_insert(value);
            }
        }
    }

    fn judged(&self, reply: &Reply, secret: Option<&Secret>) -> Result<Answered, Stop> {
        let status = reply.status;
        if !status.is_success() {
            return Err(self.refused(reply, secret));
        }
        let pick = &self.ready.picks[self.index];
        let tree = self.capability.definition.output.is_some();
        let taken = taken(reply, self.provider, (pick, &self.ready.shape), tree)?;
        Ok(Answered {
            next: self.next(reply, pick, secret),
            taken,
        })
    }

    /// What an answer means whose status is no good one.
    fn refused(&self, reply: &Reply, secret: Option<&Secret>) -> Stop {
        let outcome = Outcome::of_http_status(reply.status.as_u16());
        let said = self.said_by(&reply.body, secret);
        let colon = if said.is_empty() { "" } else { ": " };
        let status = reply.status;
        let sentence = format!("it answered {status}{colon}{said}");
        if outcome != Outcome::CallerFault {
            return Stop::Failed(Failure {
                outcome,
                retry_after: retry_after(reply),
                ..Failure::new(outcome, sentence)
            });
        }
        let name = &self.guard().name;
        let happened = format!("{name} answered {status}{colon}{said}.");
        Stop::Refused(match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Refusal::of_absence(happened),
            _ => Refusal::of_arguments(happened),
        })
    }

    /// What a body says, as a person or a model may read it.
    fn said_by(&self, body: &[u8], secret: Option<&Secret>) -> Box<str> {
        let text = match serde_json::from_slice::<Value>(body) {
            Ok(mut value) => {
                self.ready.shape.redact(&mut value);
                value.to_string()
            }
            Err(_) => String::from_utf8_lossy(&body[..body.len().min(4_096)]).into_owned(),
        };
        excerpt(&text, self.ready.secrets.iter().chain(secret))
    }

    /// Where the next page is; where the whole body is the result, only what a header says of it is news.
    fn next(&self, reply: &Reply, pick: &Pick, secret: Option<&Secret>) -> Option<String> {
        let place = self
            .capability
            .definition
            .auth
            .as_ref()
            .map(|auth| &auth.place);
        let hidden = match place {
            Some(KeyPlace::Query(name)) => Some(&**name),
            _ => None,
        };
        let is_rest = matches!(self.provider.service, Service::Rest(_));
        let named = || {
            let is_part = is_rest && !matches!(pick, Pick::Whole);
            is_part.then(|| pages::named(&reply.body)).flatten()
        };
        let next = pages::linked(&reply.headers, &reply.url, hidden).or_else(named)?;
        let shows = |secret: &&Secret| next.contains(secret.expose());
        let hidden = self.ready.secrets.iter().chain(secret).any(|it| shows(&it));
        (!hidden).then_some(next)
    }
}

/// How long the provider asks to be left alone (RFC 9110, 10.2.3); a date is taken relative to its own.
fn retry_after(reply: &Reply) -> Option<Duration> {
    let text = |name| reply.headers.get(name)?.to_str().ok();
    let said = text(RETRY_AFTER)?.trim();
    if let Ok(seconds) = said.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    date(said)?
        .duration_since(date(text(http::header::DATE)?)?)
        .ok()
}
