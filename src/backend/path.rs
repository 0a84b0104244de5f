//! The way of one call: queue, rate limit, breaker, transport, settle, and again where that is safe.

use std::{fmt, pin::pin, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Answer, Backend, BackendSettings, Call, CallError, LONGEST_WAIT, Line, Patience, call::outcome,
    patience::Late, spans, transport::Delivery,
};
use crate::{
    failsafe::{Asker, Attempt, Outcome, Place, Retry, Ticket, retry::draw},
    protocol::Message,
    telemetry::{Stamp, clock::micros},
};

/// What all attempts of one call share.
struct Way<'a> {
    backend: &'a Backend,
    call: &'a Call<'a>,
    place: Place<'a>,
    deadline: Instant,
    waited: Duration,
    /// The same with what it took to start or connect it.
    away: Duration,
    /// Waits between attempts.
    paused: Duration,
    ended: Stamp,
}

impl Backend {
    pub(super) async fn go(&self, call: &Call<'_>) -> Result<Answer, CallError> {
        let deadline = call
            .began
            .checked_add(self.settings().timeout)
            .map_or(call.deadline, |own| own.min(call.deadline));
        let asked = call.patience.map_or(Duration::ZERO, Patience::waited);
        let (place, queued, start) = self.queue_up(call, deadline + asked).await?;
        if call.limited {
            self.failsafe()
                .rate_limit()
                .map_err(|retry_after| CallError::RateLimited { retry_after })?;
        }
        let mut way = Way {
            backend: self,
            call,
            place,
            deadline,
            waited: Duration::ZERO,
            away: Duration::ZERO,
            paused: Duration::ZERO,
            ended: start,
        };
        let answered = way.answered(start).await;
        if let Some(spent) = call.spent {
            spent.add_queued(queued);
            spent.add_backend(way.away);
            spent.add_paused(way.paused);
        }
        Ok(Answer {
            message: answered?,
            queued,
            waited: way.waited,
            ended: way.ended,
        })
    }

    /// A place in the queue, how long it took, and the moment from which the backend's own time counts. A call that did not
    /// have to wait needs no second look at the clock.
    async fn queue_up(
        &self,
        call: &Call<'_>,
        deadline: Instant,
    ) -> Result<(Place<'_>, Duration, Stamp), CallError> {
        if self.is_stopped() {
            return Err(CallError::Stopped);
        }
        let place =
            self.queue()
                .enter(deadline)
                .await
                .map_err(|refusal| CallError::Overloaded {
                    in_flight: refusal.in_flight,
                    waited: refusal.waited,
                })?;
        let queued = place.waited();
        if queued.is_zero() {
            spans::queued(call, call.started, call.started);
            return Ok((place, queued, call.started));
        }
        let now = self.clock().now();
        spans::queued(call, call.started, now);
        self.queue_wait()
            .record_success(micros(queued), now.millis());
        Ok((place, queued, now))
    }
}

impl Way<'_> {
    /// Attempts until there is an answer, or another attempt would be unsafe, useless or too late. A repair is no attempt.
    async fn answered(&mut self, mut start: Stamp) -> Result<Message, CallError> {
        let (mut number, mut repaired) = (1, false);
        loop {
            let error = match self.attempt(start, number, repaired).await {
                Ok(message) => return Ok(message),
                Err(error) => error,
            };
            let Some(pause) = self.pause(&error, number, repaired) else {
                return Err(error);
            };
            if error.outcome().retry() == Retry::AfterRepair {
                repaired = true;
            } else {
                number += 1;
            }
            sleep(pause).await;
            start = self.backend.clock().now();
            self.paused += start.since(self.ended);
        }
    }

    /// The pause after attempt `number`, if there is to be another. A backend that is not started for a while refuses at
    /// once: whoever asked can do something else meanwhile.
    fn pause(&self, error: &CallError, number: u32, repaired: bool) -> Option<Duration> {
        if error.is_held_back() {
            return None;
        }
        let outcome = error.outcome();
        let attempt = Attempt {
            number,
            outcome,
            sent: error.was_sent(),
            repeatable: self.call.repeatable,
            // The gateway has no other credential to try.
            repaired: repaired || outcome == Outcome::Denied,
            retry_after: error.retry_after(),
            remaining: (self.deadline + self.asked()).saturating_duration_since(Instant::now()),
        };
        self.backend.failsafe().retry().next_delay(&attempt, draw())
    }

    /// How long the client of the call was asked for something so far.
    fn asked(&self) -> Duration {
        self.call.patience.map_or(Duration::ZERO, Patience::waited)
    }

    async fn attempt(
        &mut self,
        mut start: Stamp,
        number: u32,
        repaired: bool,
    ) -> Result<Message, CallError> {
        let backend = self.backend;
        if backend.is_stopped() {
            return Err(CallError::Stopped);
        }
        let mut ticket = backend.admit(self.call, start)?;
        if self.call.spent.is_some() {
            start = backend.clock().now();
            ticket.sent_at(start);
        }
        let span = spans::attempt(backend, self.call, start, number);
        let trace = self.call.trace.inside(span.as_ref());
        let carried = trace.carried();
        let begun = start;
        let asked_before = self.asked();
        let delivery = Delivery {
            carried: carried.as_ref(),
            trace: &trace,
            probe: ticket.is_probe(),
            ..delivery(self.call, self.deadline + asked_before)
        };
        let transport = self.call.line.map_or(backend.transport(), Line::transport);
        // Pinned where it is: handed on by value it would be in this future twice.
        let answer = {
            let answer = pin!(async {
                if !transport.is_running() {
                    transport.connect(delivery).await?;
                    start = backend.clock().now();
                    ticket.sent_at(start);
                }
                transport.request(delivery).await
            });
            match self.call.patience {
                None => timeout_at(self.deadline, answer)
                    .await
                    .map_err(|_| Late::Backend),
                Some(patience) => {
                    let asked = |asked| self.place.while_asked(asked);
                    Box::pin(patience.within(self.deadline, answer, asked)).await
                }
            }
        };
        let end = backend.clock().now();
        let asked = self.asked().saturating_sub(asked_before);
        if !asked.is_zero() {
            // What its client was asked meanwhile is not the backend's time.
            start = start.later(asked);
            ticket.sent_at(start);
        }
        let waited = end.since(start);
        self.waited += waited;
        self.away += end.since(begun).saturating_sub(asked);
        self.ended = end;
        let answer = match answer {
            Ok(Err(CallError::SessionLost)) if repaired => Err(forgetful()),
            Ok(answer) => answer,
            Err(late) => Err(too_late(late, waited)),
        };
        spans::ended(backend, span, &answer, waited, end);
        backend.settled(ticket, answer, end)
    }
}

impl Backend {
    fn settled(
        &self,
        ticket: Ticket<'_>,
        answer: Result<Message, CallError>,
        end: Stamp,
    ) -> Result<Message, CallError> {
        match answer {
            // What breaks because we stop it says nothing of the backend: the ticket is dropped.
            Err(error) if self.is_stopped() && error.was_sent() => Err(error),
            Err(_) if self.is_stopped() => Err(CallError::Stopped),
            answer => {
                settle(ticket, self.settings(), &answer, end);
                answer
            }
        }
    }

    fn admit<'a>(&'a self, call: &'a Call<'_>, now: Stamp) -> Result<Ticket<'a>, CallError> {
        let asker = Asker {
            tool: call.tool,
            request_id: Some(call.request_id),
        };
        self.failsafe()
            .admit_for(asker, now)
            .map_err(|rejected| CallError::CircuitOpen {
                tool: rejected.tool,
                by_operator: rejected.by_operator,
                retry_after: rejected.retry_after,
                open_for: rejected.open_for,
                cause: rejected.cause.map(|cause| cause.text.clone()),
            })
    }
}

fn delivery<'a>(call: &'a Call<'_>, deadline: Instant) -> Delivery<'a> {
    Delivery {
        message: &call.message,
        speaker: call.speaker,
        param_headers: call.param_headers,
        caller: call.caller,
        request_id: call.request_id,
        trace: call.trace,
        carried: None,
        events: call.events.as_ref(),
        deadline,
        probe: false,
    }
}

fn settle(
    mut ticket: Ticket<'_>,
    settings: &BackendSettings,
    answer: &Result<Message, CallError>,
    end: Stamp,
) {
    match answer {
        Ok(message) => ticket.settle(outcome(message), &AnswerError { message, settings }, end),
        Err(error) => {
            if let Some(pause) = error.retry_after() {
                ticket.retry_after(pause);
            }
            ticket.settle(error.outcome(), error, end);
        }
    }
}

/// The error in an answer, as the cause of a tool's failure.
struct AnswerError<'a> {
    message: &'a Message,
    settings: &'a BackendSettings,
}

impl fmt::Display for AnswerError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.message.error_code().unwrap_or_default();
        if f.alternate() {
            return write!(f, "error {code}");
        }
        let message = self.message.error_message().unwrap_or_default();
        let excerpt = self.settings.excerpt(&message);
        write!(f, "it answered with error {code}: {excerpt}")
    }
}

fn too_late(late: Late, waited: Duration) -> CallError {
    match late {
        Late::Backend => CallError::TimedOut { after: waited },
        Late::Client => CallError::unanswered(format!(
            "it asked the client for something, and the client did not answer within {LONGEST_WAIT:?}"
        )),
    }
}

fn forgetful() -> CallError {
    CallError::protocol("it forgets each session as soon as it is opened")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        backend::{BackendSettings, StdioSettings, TransportSettings},
        telemetry::Clock,
    };

    fn shell(script: &str) -> Arc<Backend> {
        let stdio = StdioSettings::new("sh", &["-c", script]);
        let mut settings = BackendSettings::new("shell", TransportSettings::Stdio(stdio));
        settings.failsafe.circuit_breaker.enabled = false;
        Backend::new(settings, Clock::new())
    }

    fn call(backend: &Backend) -> Call<'static> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let message = Message::request(b"7", "tools/list", None);
        Call {
            limited: true,
            ..Call::of_gateway(message, backend.clock().now(), deadline)
        }
    }

    #[tokio::test]
    async fn a_call_in_flight_does_not_start_again_what_an_operator_stopped() {
        let backend = shell(
            r#"read initialize
            echo '{"jsonrpc":"2.0","id":1000000001,"result":{"protocolVersion":"2025-06-18","capabilities":{}}}'
            read initialized
            read call
            echo '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'
            read end"#,
        );
        let mut notices = backend.notices();
        let call = tokio::spawn({
            let backend = Arc::clone(&backend);
            async move { backend.request(&call(&backend)).await }
        });
        notices.recv().await.unwrap();
        backend.kill(Instant::now() + Duration::from_secs(20)).await;
        assert_eq!(call.await.unwrap().unwrap_err(), CallError::Stopped);
        let status = backend.status();
        assert!(!status.running);
        assert_eq!(
            (status.restarts, status.health_metrics.failure_count),
            (0, 0)
        );
    }

    #[tokio::test]
    async fn a_child_in_a_crash_loop_is_refused_at_once_with_the_reason() {
        let backend = shell("exit 3");
        let refused = loop {
            let error = backend.request(&call(&backend)).await.unwrap_err();
            if error.is_held_back() {
                break error;
            }
        };
        assert!(refused.to_string().contains("exited with status 3"));
        assert!(backend.status().restarts < 10);
    }
}
