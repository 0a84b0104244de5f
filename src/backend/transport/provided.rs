//! A backend that is a part of this program: who provides it answers the messages that a server would be sent.

use std::{any::Any, fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{Delivery, ServerInfo};
use crate::{
    backend::CallError,
    failsafe::{Failsafe, HealthMetrics},
    lockfree::Latest,
    protocol::Message,
    telemetry::{RequestId, Trace},
};

/// How much earlier than its caller a provider stops waiting: a tool that is too slow is told apart from a backend that is.
const SOONER: Duration = Duration::from_millis(5);

/// A server that runs in this program, of an older revision: its clients of the newest are spoken for as with any other.
pub trait Provider: fmt::Debug + Send + Sync {
    /// What its transport is called where people see backends.
    fn name(&self) -> &'static str;

    /// What it says of itself.
    fn info(&self) -> Arc<ServerInfo>;

    /// Whether it would answer as another does, so that neither need take the other's place.
    fn is_same(&self, other: &dyn Provider) -> bool;

    /// Whether it could go on as this other one, with its tools.
    fn can_become(&self, _other: &dyn Provider) -> bool {
        false
    }

    /// Goes on as this other one: calls that come from now on find its tools, those in flight end as they began.
    fn become_other(&self, _other: &dyn Provider) {}

    /// Itself, for those that know what it is.
    fn as_any(&self) -> &dyn Any;

    /// What was written and is not served, each with the reason.
    fn left_out(&self) -> Vec<Box<str>> {
        Vec::new()
    }

    /// How its tools do that were called.
    fn parts(&self) -> Vec<Part> {
        Vec::new()
    }

    /// Those whom it has called itself.
    fn callees(&self) -> Vec<Callee> {
        Vec::new()
    }

    /// Answers a request with a response of the same id. Dropping the future ends the work.
    fn answer<'a>(
        &'a self,
        asked: Asked<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Message, CallError>> + Send + 'a>>;
}

/// Somebody whom a [`Provider`] calls, each of whom has a breaker.
#[derive(Clone, Debug)]
pub struct Callee {
    /// What it is called below the backend's name, other than any tool.
    pub name: Box<str>,
    /// Its breaker, counts and latencies.
    pub failsafe: Arc<Failsafe>,
}

/// A tool of a [`Provider`].
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What it is called below the backend's name.
    pub name: Box<str>,
    /// Counts and latencies.
    pub health: HealthMetrics,
}

/// A request to a [`Provider`].
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The JSON-RPC request.
    pub message: &'a Message,
    /// The name of the credential by which the client is known; empty for the gateway itself.
    pub caller: &'a str,
    /// The name of the request in spans and logs.
    pub request_id: RequestId,
    /// The part of the trace that the request is in.
    pub trace: &'a Trace,
    /// When its caller stops waiting.
    pub deadline: Instant,
}

/// The way to a [`Provider`]: there is nothing to start or to open.
#[derive(Clone, Debug)]
pub(in crate::backend) struct ProvidedTransport {
    provider: Arc<dyn Provider>,
    /// 1 while an operator has stopped it.
    stopped: Arc<Latest>,
}

impl ProvidedTransport {
    pub(in crate::backend) fn new(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            stopped: Arc::new(Latest::new(0)),
        }
    }

    pub(in crate::backend) fn is_running(&self) -> bool {
        self.stopped.value() == 0
    }

    pub(in crate::backend) fn set_stopped(&self, stopped: bool) {
        self.stopped.set(stopped.into());
    }

    pub(in crate::backend) fn name(&self) -> &'static str {
        self.provider.name()
    }

    pub(in crate::backend) fn info(&self) -> Arc<ServerInfo> {
        self.provider.info()
    }

    /// Has a request answered. A tool that does not answer in time has failed alone.
    pub(in crate::backend) async fn request(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<Message, CallError> {
        let began = Instant::now();
        let deadline = delivery.deadline.checked_sub(SOONER);
        let deadline = deadline.unwrap_or(delivery.deadline);
        let asked = Asked {
            message: delivery.message,
            caller: delivery.caller,
            request_id: delivery.request_id,
            trace: delivery.trace,
            deadline,
        };
        timeout_at(deadline, self.provider.answer(asked))
            .await
            .unwrap_or_else(|_| {
                Err(CallError::Tool {
                    reason: format!("no answer within {:.1?}", deadline - began).into(),
                    sent: true,
                    retry_after: None,
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backend::{Backend, BackendSettings, Call, TransportSettings},
        failsafe::{CircuitState, Outcome},
        protocol::{Era, Revision},
        telemetry::Clock,
    };

    /// Answers with its number, and never where it is negative.
    #[derive(Debug)]
    struct Number(i32);

    impl Provider for Number {
        fn name(&self) -> &'static str {
            "number"
        }

        fn info(&self) -> Arc<ServerInfo> {
            Arc::new(ServerInfo {
                initialize_result: "{}".into(),
                revision: Revision::LATEST_LEGACY,
                era: Era::Legacy,
            })
        }

        fn is_same(&self, other: &dyn Provider) -> bool {
            let other = other.as_any().downcast_ref::<Self>();
            other.is_some_and(|other| other.0 == self.0)
        }

        fn as_any(&self) -> &dyn Any {
            self
        }

        fn answer<'a>(
            &'a self,
            asked: Asked<'a>,
        ) -> Pin<Box<dyn Future<Output = Result<Message, CallError>> + Send + 'a>> {
            Box::pin(async move {
                if self.0 < 0 {
                    std::future::pending::<()>().await;
                }
                let result = format!("[{},{:?}]", self.0, asked.caller);
                Ok(Message::response(b"1", result.as_bytes()))
            })
        }
    }

    fn backend(number: i32) -> Arc<Backend> {
        let transport = TransportSettings::Provided(Arc::new(Number(number)));
        Backend::new(BackendSettings::new("n", transport), Clock::new())
    }

    fn call(backend: &Backend) -> Call<'static> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let message = Message::request(b"7", "tools/call", None);
        Call {
            caller: "me",
            limited: true,
            ..Call::of_gateway(message, backend.clock().now(), deadline)
        }
    }

    #[tokio::test]
    async fn a_provider_is_a_backend_like_any_other() {
        let backend = backend(5);
        let answer = backend.request(&call(&backend)).await.unwrap();
        assert_eq!(answer.message.result().unwrap(), "[5,\"me\"]");
        let status = backend.status();
        assert_eq!((status.transport, status.status), ("number", "ready"));
        assert_eq!(status.health_metrics.success_count, 1);
        let other = |number| TransportSettings::Provided(Arc::new(Number(number)));
        assert_eq!(backend.settings().transport, other(5));
        assert_ne!(backend.settings().transport, other(6));
        backend.kill(Instant::now()).await;
        assert!(!backend.status().running);
        assert!(backend.request(&call(&backend)).await.is_err());
        backend
            .revive(Instant::now() + Duration::from_secs(20))
            .await
            .unwrap();
        assert!(backend.status().running);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tool_that_does_not_answer_fails_alone() {
        let backend = backend(-1);
        let tool = backend.failsafe().tool("slow");
        for _ in 0..5 {
            let mut call = call(&backend);
            call.tool = Some(&tool);
            let error = backend.request(&call).await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::ToolFailure, "{error}");
            assert!(error.was_sent() && error.to_string().starts_with("no answer within"));
        }
        assert_eq!(tool.breaker().unwrap().state(), CircuitState::Open);
        let status = backend.status();
        assert_eq!(status.circuit_state, CircuitState::Closed);
        assert!(status.healthy);
    }
}
