//! `/metrics`: every number, with labels that only the configuration and the backends' own lists can add to.

use super::{exposition::Exposition, process};
use crate::{
    failsafe::{CircuitBreaker, CircuitMode, CircuitState},
    gateway::{catalogue::Kind, facade::Gateway, member::Member},
};

impl Gateway {
    /// The page `/metrics` in the text format of Prometheus.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let mut page = Exposition::default();
        self.write_calls(&mut page);
        self.write_tools(&mut page);
        self.write_circuits(&mut page);
        self.write_gateway(&mut page);
        process::write(&mut page, self.clock.epoch_ms(0));
        page.finish()
    }

    fn write_calls(&self, page: &mut Exposition) {
        page.family(
            "mcp_backend_requests_total",
            "counter",
            "Calls by what they settled as, refused ones included.",
        );
        for member in self.table().members() {
            for (outcome, total) in member.outcomes() {
                let labels = [("backend", member.name()), ("outcome", outcome.label())];
                page.sample(&labels, total);
            }
        }
        page.family(
            "mcp_backend_request_duration_seconds",
            "histogram",
            "How long the backend took, without queue and gateway.",
        );
        self.each(|name, member| {
            let snapshot = member.backend().failsafe().health_tracker.snapshot();
            page.histogram(&[("backend", name)], &snapshot);
        });
        page.family(
            "mcp_queue_wait_seconds",
            "histogram",
            "How long those calls waited that found no free place at the backend.",
        );
        self.each(|name, member| {
            page.histogram(
                &[("backend", name)],
                &member.backend().queue_wait().snapshot(),
            );
        });
    }

    fn write_tools(&self, page: &mut Exposition) {
        page.family(
            "mcp_tool_duration_seconds",
            "histogram",
            "How long calls of one tool took, for tools on the backend's own list that were called.",
        );
        self.each(|name, member| {
            let listing = member.catalogue().listing(Kind::Tools).unwrap_or_default();
            for tool in &listing.entries {
                if let Some(measured) = tool.measured() {
                    let labels = [("backend", name), ("tool", &*tool.key)];
                    page.histogram(&labels, &measured.snapshot());
                }
            }
        });
    }

    fn write_circuits(&self, page: &mut Exposition) {
        page.family(
            "mcp_circuit_state",
            "gauge",
            "The circuit breaker: 0 closed, 1 half-open, 2 open.",
        );
        self.each_breaker(|name, breaker| {
            page.sample(&[("backend", name)], number(breaker.state()));
        });
        page.family(
            "mcp_circuit_transitions_total",
            "counter",
            "Changes of the circuit breaker's state, by where to and why.",
        );
        self.each_breaker(|name, breaker| {
            for transition in breaker.transitions() {
                let labels = [
                    ("backend", name),
                    ("to", transition.to.label()),
                    ("cause", transition.cause.label()),
                ];
                page.sample(&labels, transition.count);
            }
        });
        page.family(
            "mcp_circuit_rejected_total",
            "counter",
            "Calls that the circuit breaker refused.",
        );
        self.each_breaker(|name, breaker| {
            let refuses = breaker.mode() != CircuitMode::Shadow;
            let rejected = if refuses { breaker.rejected_total() } else { 0 };
            page.sample(&[("backend", name)], rejected);
        });
        page.family(
            "mcp_circuit_shadow_passed_total",
            "counter",
            "Calls that a circuit breaker in shadow mode would have refused, and let go.",
        );
        self.each_breaker(|name, breaker| {
            if breaker.mode() == CircuitMode::Shadow {
                page.sample(&[("backend", name)], breaker.rejected_total());
            }
        });
        self.write_tool_circuits(page);
    }

    fn write_tool_circuits(&self, page: &mut Exposition) {
        page.family(
            "mcp_tool_circuit_state",
            "gauge",
            "The circuit breaker of one tool, for tools that have failed: 0 closed, 1 half-open, 2 open.",
        );
        self.each(|name, member| {
            for (tool, breaker) in member.backend().failsafe().tool_circuits() {
                let labels = [("backend", name), ("tool", &*tool)];
                page.sample(&labels, number(breaker.state()));
            }
        });
    }

    fn each_breaker(&self, mut write: impl FnMut(&str, &CircuitBreaker)) {
        self.each(|name, member| write(name, &member.backend().failsafe().circuit_breaker));
    }

    fn write_gateway(&self, page: &mut Exposition) {
        page.family(
            "mcp_gateway_overhead_seconds",
            "histogram",
            "What the gateway adds: the time of a request from its head to its answer, minus the waits for a place and for its backend. Measured for one request in sixteen.",
        );
        page.histogram(&[], &self.overhead.snapshot());
        page.family("mcp_sessions", "gauge", "Open client sessions.");
        page.sample(&[], self.sessions.count());
        page.family("mcp_gateway_build_info", "gauge", "The running version.");
        page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    }

    fn each(&self, mut write: impl FnMut(&str, &Member)) {
        for member in self.table().members() {
            write(member.name(), member);
        }
    }
}

const fn number(state: CircuitState) -> u8 {
    match state {
        CircuitState::Closed => 0,
        CircuitState::HalfOpen => 1,
        CircuitState::Open => 2,
    }
}
