//! Calls a capability: its arguments are looked at, its providers asked one after another, and what they say becomes the
//! result of a tool.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};
use tracing::Instrument;

use super::{
    Definition, Fault, Guard, Guards, Provider, Web,
    answer::{Notes, Switched, failed, told},
    attempt::{Answered, Attempt},
    cache::{self, Cache, CacheKey, Outcome},
    failure::{Failure, Stop},
    ready::{Capability, Ready},
    refusal::Refusal,
    tokens::Tokens,
};
use crate::{
    failsafe::{self, HealthMetrics, retry::draw},
    telemetry::{Clock, OpenSpan, RequestId, SpanKind, Stamp, Trace},
};

/// The longest answer of a provider that is read, in bytes.
const LONGEST: usize = 10 << 20;
/// How much earlier than its caller the executor stops waiting, so that it can still say why.
const SOONER: Duration = Duration::from_millis(20);

/// What the executors of all definitions share, so that a reload closes no connection and forgets no failure.
#[derive(Clone, Debug)]
pub struct Outside {
    /// Who sends requests.
    pub web: Web,
    /// The breakers and histograms of the providers.
    pub guards: Arc<Guards>,
    /// The one clock.
    pub clock: Clock,
}

/// Every capability of one backend, ready to be called.
#[derive(Debug)]
pub struct Executor {
    outside: Outside,
    tokens: Tokens,
    cache: Cache,
    capabilities: Vec<Capability>,
    by_name: HashMap<Box<str>, usize>,
}

/// One call of a capability.
#[derive(Clone, Copy, Debug)]
pub struct Calling<'a> {
    /// Which capability.
    pub name: &'a str,
    /// Its arguments, a JSON object; none is an empty one.
    pub arguments: Option<&'a [u8]>,
    /// The name of the credential by which the client is known; empty for the gateway itself.
    pub caller: &'a str,
    /// The name of the request in spans and logs.
    pub request_id: RequestId,
    /// The part of the trace that the call is in.
    pub trace: &'a Trace,
    /// When its caller stops waiting.
    pub deadline: Instant,
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecuteFault {
    /// There is no such capability.
    Unknown(Box<str>),
    /// The provider asks for a pause; nothing was done.
    Throttled {
        /// How long it asks for.
        retry_after: Duration,
    },
    /// The breakers of all providers are open; nothing was sent.
    Open {
        /// Whether an operator keeps the first of them open.
        by_operator: bool,
        /// When the next probe of one is due.
        retry_after: Duration,
        /// How long the first has been open.
        open_for: Duration,
        /// Who that is, and the failure that opened it, as a sentence.
        cause: Box<str>,
    },
    /// No provider has answered.
    Failed {
        /// Who failed and why, as a sentence.
        reason: Box<str>,
        /// Whether one of them may have done what was asked.
        sent: bool,
        /// When it is worth trying again, where that is known.
        retry_after: Option<Duration>,
    },
}

/// How long is waited where a provider asks for a pause without saying how long.
const USUAL_PAUSE: Duration = Duration::from_secs(1);

impl Executor {
    /// An executor of these definitions. Of two with the same name the first is called.
    #[must_use]
    pub fn new(definitions: impl IntoIterator<Item = Arc<Definition>>, outside: Outside) -> Self {
        let each = definitions.into_iter();
        let capabilities: Vec<_> = each
            .map(|definition| Capability::new(definition, &outside.guards))
            .collect();
        let mut by_name = HashMap::with_capacity(capabilities.len());
        for (index, capability) in capabilities.iter().enumerate() {
            let name = capability.definition.name.as_str();
            by_name.entry(name.into()).or_insert(index);
        }
        Self {
            outside,
            tokens: Tokens::default(),
            cache: Cache::default(),
            capabilities,
            by_name,
        }
    }

    /// Whether everything in a definition can be read that is written in the words of others: its schema, its paths and
    /// filters. A call of one that cannot says the same.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(definition: &Definition) -> Result<(), Fault> {
        Ready::new(definition).map(drop)
    }

    /// The capabilities in their order.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.capabilities
            .iter()
            .map(|capability| &capability.definition)
    }

    /// The guards of a capability's providers, in the order in which they are asked.
    #[must_use]
    pub fn guards(&self, name: &str) -> &[Arc<Guard>] {
        let index = self.by_name.get(name);
        index.map_or(&[], |index| &self.capabilities[*index].guards)
    }

    /// The guards of all providers that were called, each once.
    #[must_use]
    pub fn called(&self) -> Vec<&Arc<Guard>> {
        let mut called: Vec<&Arc<Guard>> = Vec::new();
        for guard in self.capabilities.iter().flat_map(|it| &it.guards) {
            let was_called = guard.failsafe.health_tracker.last_recorded_ms().is_some();
            if was_called && !called.iter().any(|known| Arc::ptr_eq(known, guard)) {
                called.push(guard);
            }
        }
        called
    }

    /// How a capability does, once it was called, whatever its definition was then.
    #[must_use]
    pub fn health(&self, name: &str) -> Option<HealthMetrics> {
        Some(self.outside.guards.known(name)?.metrics())
    }

    /// Calls a capability. The result is one of MCP's `tools/call`, as JSON. Dropping the future ends the call, and counts
    /// neither way.
    ///
    /// # Errors
    /// If there is no such capability, or none of its providers has answered.
    pub async fn execute(&self, calling: &Calling<'_>) -> Result<Bytes, ExecuteFault> {
        let Some(index) = self.by_name.get(calling.name) else {
            return Err(ExecuteFault::Unknown(calling.name.into()));
        };
        let span = tracing::debug_span!("execute", capability = calling.name, request_id = %calling.request_id);
        let traced = self.traced(calling);
        let call = Call {
            executor: self,
            capability: &self.capabilities[*index],
            calling: &Calling {
                trace: &calling.trace.inside(traced.as_ref()),
                ..*calling
            },
        };
        let began = self.outside.clock.now();
        let answered = call.answered().instrument(span).await;
        self.record(call.capability, &answered, began);
        answered
    }

    /// An answer is a success whatever it says; what is only put off is neither.
    fn record(&self, of: &Capability, answered: &Result<Bytes, ExecuteFault>, began: Stamp) {
        let Outside { guards, clock, .. } = &self.outside;
        let name = of.definition.name.as_str();
        let tracker = of.tracker.get_or_init(|| guards.tracker(name));
        match answered {
            Ok(_) => tracker.record_success(clock.now().since(began)),
            Err(ExecuteFault::Failed { .. }) => tracker.record_failure(),
            Err(_) => {}
        }
    }

    fn traced(&self, calling: &Calling<'_>) -> Option<OpenSpan> {
        let name = || "execute".to_owned();
        let now = self.outside.clock.now();
        let mut span = calling.trace.span(SpanKind::Internal, now, name)?;
        span.set("capability", calling.name.to_owned());
        span.set("request_id", calling.request_id.to_string());
        Some(span)
    }
}

struct Call<'a> {
    executor: &'a Executor,
    capability: &'a Capability,
    calling: &'a Calling<'a>,
}

impl Call<'_> {
    async fn answered(&self) -> Result<Bytes, ExecuteFault> {
        let refused = |refusal: &Refusal| Ok(failed(refusal, &Notes::default()));
        let ready = match self.capability.ready() {
            Ok(ready) => ready,
            Err(fault) => {
                let happened = format!("The definition of this capability is at fault: {fault}.");
                return refused(&Refusal::of_definition(happened));
            }
        };
        let said = match self.arguments(ready) {
            Ok(said) => said,
            Err(happened) => return refused(&Refusal::of_arguments(happened)),
        };
        let call = Box::pin(self.asked(ready, &said));
        let Some(ttl) = self.capability.definition.cached_for() else {
            return call.await.0;
        };
        let Executor { cache, outside, .. } = self.executor;
        cache
            .through(self.key(ready, said.clone()), ttl, &outside.clock, call)
            .await
    }

    /// Which answer it is. What is asked for with a credential may be for one caller and not for another.
    fn key(&self, ready: &Ready, said: Map<String, Value>) -> CacheKey {
        let is_private = self.capability.definition.auth.is_some() || !ready.secrets.is_empty();
        let caller = if is_private { self.calling.caller } else { "" };
        cache::key(self.calling.name, &Value::Object(said).to_string(), caller)
    }

    /// The arguments, if they are what the schema asks for.
    fn arguments(&self, ready: &Ready) -> Result<Map<String, Value>, String> {
        let no_object = || "The arguments are no JSON object: nothing was sent.".to_owned();
        let text = self.calling.arguments.unwrap_or(b"{}");
        let said: Map<String, Value> = serde_json::from_slice(text).map_err(|_| no_object())?;
        let fixed = &self.capability.definition.primary.static_params;
        let missing = fixed.iter().filter(|(name, _)| {
            !said.contains_key(&**name) && ready.required.iter().any(|it| **it == **name)
        });
        let mut whole = said.clone();
        whole.extend(missing.map(|(name, value)| (name.to_string(), value.clone())));
        ready.checker.check(&whole)?;
        Ok(said)
    }

    /// Asks one provider after another.
    async fn asked(&self, ready: &Ready, said: &Map<String, Value>) -> Outcome {
        let definition = &self.capability.definition;
        let hints = definition.hints();
        let repeatable = hints.read_only || hints.idempotent;
        let end = self
            .calling
            .deadline
            .checked_sub(SOONER)
            .unwrap_or(self.calling.deadline);
        let mut notes = Notes::default();
        let mut failures: Vec<Failure> = Vec::new();
        let count = self.capability.guards.len();
        for (index, provider) in definition.providers().enumerate() {
            let others = repeatable && index + 1 < count;
            let attempt = Attempt {
                web: &self.executor.outside.web,
                tokens: &self.executor.tokens,
                clock: &self.executor.outside.clock,
                most: LONGEST,
                capability: self.capability,
                ready,
                provider,
                index,
                said,
                calling: self.calling,
                deadline: end,
            };
            let host = &attempt.guard().name;
            match patiently(attempt, others, repeatable).await {
                Ok(answered) => {
                    notes.provider = (index > 0).then(|| host.clone());
                    return self.told(answered, notes);
                }
                Err(Stop::Refused(refusal)) => return (Ok(failed(&refusal, &notes)), false),
                Err(Stop::Failed(failure)) => {
                    notes.switched.push(Switched {
                        provider: host.clone(),
                        error: failure.sentence.clone(),
                    });
                    let is_last = !repeatable && !failure.is_harmless();
                    failures.push(failure);
                    if is_last {
                        break;
                    }
                }
            }
        }
        (unanswered(&failures, &notes), false)
    }

    fn told(&self, answered: Answered, mut notes: Notes) -> Outcome {
        notes.next = answered.next;
        let structured = self.capability.definition.output.is_some();
        match told(&answered.taken, structured, &notes) {
            Ok(result) => (Ok(result), true),
            Err(happened) => {
                let refusal = Refusal::of_definition(happened.to_owned());
                (Ok(failed(&refusal, &notes)), false)
            }
        }
    }
}

/// Asks a provider; and asks it again where that is safe and, without `others`, nobody else can be asked.
async fn patiently(attempt: Attempt<'_>, others: bool, repeatable: bool) -> Result<Answered, Stop> {
    let end = attempt.deadline;
    let policy = attempt.guard().failsafe.retry();
    let mut number = 1;
    loop {
        let deadline = until(attempt.provider, end, others);
        let answered = Attempt {
            deadline,
            ..attempt
        }
        .made()
        .await;
        let Err(Stop::Failed(failure)) = &answered else {
            return answered;
        };
        // A pause that the provider asks for is taken where calls wait for their turn.
        let is_over = others || failure.outcome == failsafe::Outcome::Throttled;
        let failed = failsafe::Attempt {
            number,
            outcome: failure.outcome,
            sent: !failure.is_harmless(),
            repeatable,
            repaired: true,
            retry_after: failure.retry_after,
            remaining: end.saturating_duration_since(Instant::now()),
        };
        match policy.next_delay(&failed, draw()) {
            Some(pause) if !is_over => sleep(pause).await,
            _ => return answered,
        }
        number += 1;
    }
}

/// When a provider has to have answered: with `others` behind it, early enough that they can.
fn until(provider: &Provider, end: Instant, others: bool) -> Instant {
    let now = Instant::now();
    let left = end.saturating_duration_since(now);
    let share = if others { left / 2 } else { left };
    now + share.min(provider.timeout)
}

/// What is said when nobody has answered: the first who was asked decides what it is.
fn unanswered(failures: &[Failure], notes: &Notes) -> Result<Bytes, ExecuteFault> {
    let each = notes
        .switched
        .iter()
        .map(|it| format!("{}: {}", it.provider, it.error));
    let reason = each.collect::<Vec<_>>().join("; ");
    let retry_after = failures
        .iter()
        .filter_map(|failure| failure.retry_after)
        .min();
    let rejected = failures
        .first()
        .and_then(|failure| failure.rejected.as_ref());
    let all_open = failures.iter().all(|failure| failure.rejected.is_some());
    if let Some(rejected) = rejected.filter(|_| all_open) {
        let because = rejected.cause.as_ref().map(|cause| &*cause.text);
        let first = notes.switched.first().map(|it| &*it.provider);
        return Err(ExecuteFault::Open {
            by_operator: rejected.by_operator,
            retry_after: retry_after.unwrap_or(rejected.retry_after),
            open_for: rejected.open_for,
            cause: [first.unwrap_or_default(), ": ", because.unwrap_or_default()]
                .concat()
                .into(),
        });
    }
    match failures.first().map(|failure| failure.outcome) {
        Some(failsafe::Outcome::Throttled) => Err(ExecuteFault::Throttled {
            retry_after: retry_after.unwrap_or(USUAL_PAUSE),
        }),
        Some(failsafe::Outcome::Denied | failsafe::Outcome::Misconfigured) => {
            let refusal = Refusal::of_credential(format!("{reason}."));
            Ok(failed(&refusal, &Notes::default()))
        }
        _ => Err(ExecuteFault::Failed {
            reason: reason.into(),
            sent: failures.iter().any(|failure| !failure.is_harmless()),
            retry_after,
        }),
    }
}

impl fmt::Display for ExecuteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "there is no capability {name:?}"),
            Self::Throttled { retry_after } => {
                write!(f, "it asks for a pause; try again in {retry_after:.1?}")
            }
            Self::Open {
                retry_after, cause, ..
            } => write!(
                f,
                "the circuit is open because of {cause}; try again in {retry_after:.1?}"
            ),
            Self::Failed { reason, .. } => f.write_str(reason),
        }
    }
}

impl std::error::Error for ExecuteFault {}
