//! `/metrics`: every number, with labels that only the configuration and the backends' own lists can add to.

use bytes::Bytes;

use super::{
    exposition::{Exemplar, Exposition, Kind as Of, MetricsFormat},
    process, providers,
};
use crate::{
    backend::Backend,
    failsafe::{CircuitBreaker, CircuitMode, CircuitState},
    gateway::{catalogue::Kind, facade::Gateway, member::Member},
};

impl Gateway {
    /// The page `/metrics`.
    #[must_use]
    pub fn metrics(&self, format: MetricsFormat) -> Bytes {
        let mut page = Exposition::new(format);
        self.write_calls(&mut page);
        self.write_queues(&mut page);
        self.write_tools(&mut page);
        self.write_circuits(&mut page);
        providers::write(&mut page, &self.table());
        self.write_gateway(&mut page);
        self.write_spans(&mut page);
        self.write_objectives(&mut page);
        process::write(&mut page, self.clock.epoch_ms(0));
        page.finish()
    }

    fn write_calls(&self, page: &mut Exposition) {
        page.family(
            "mcp_backend_requests_total",
            Of::Counter,
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
            Of::Histogram,
            "How long the backend took, without queue and gateway.",
        );
        self.each(|name, member| {
            let backend = member.backend();
            let recorder = backend.failsafe().health_tracker.recorder();
            let exemplar = |above, up_to| {
                let found = backend.exemplars().newest(above, up_to)?;
                Some(Exemplar {
                    micros: found.micros,
                    trace: found.trace,
                    span: found.span,
                    epoch_ms: self.clock.epoch_ms(found.at_ms),
                })
            };
            page.histogram_with(&[("backend", name)], recorder, &exemplar);
        });
        page.family(
            "mcp_backend_healthy",
            Of::Gauge,
            "Whether fewer than three calls in a row have failed: 1 or 0.",
        );
        self.each(|name, member| {
            let healthy = member.backend().failsafe().health_tracker.is_healthy();
            page.sample(&[("backend", name)], healthy);
        });
    }

    fn write_queues(&self, page: &mut Exposition) {
        let mut gauge = |name, help, read: fn(&Backend) -> usize| {
            page.family(name, Of::Gauge, help);
            self.each(|name, member| page.sample(&[("backend", name)], read(member.backend())));
        };
        gauge(
            "mcp_queue_in_flight",
            "Calls that the backend is working on.",
            |backend| backend.queue().in_flight(),
        );
        gauge(
            "mcp_queue_places",
            "How many calls the backend may be given at once.",
            |backend| backend.settings().max_concurrency,
        );
        gauge(
            "mcp_queue_waiting",
            "Calls that wait for a free place at the backend.",
            |backend| backend.queue().waiting(),
        );
        gauge(
            "mcp_queue_waiting_limit",
            "How many calls may wait for a free place; further ones are refused.",
            |backend| backend.settings().max_queue,
        );
        page.family(
            "mcp_queue_wait_seconds",
            Of::Histogram,
            "How long those calls waited that found no free place at the backend.",
        );
        self.each(|name, member| {
            page.histogram(&[("backend", name)], member.backend().queue_wait());
        });
    }

    fn write_tools(&self, page: &mut Exposition) {
        page.family(
            "mcp_tool_duration_seconds",
            Of::Histogram,
            "How long calls of one tool took, for tools on the backend's own list that were called.",
        );
        self.each(|name, member| {
            let listing = member.catalogue().listing(Kind::Tools).unwrap_or_default();
            for tool in &listing.entries {
                if let Some(measured) = tool.measured() {
                    let labels = [("backend", name), ("tool", &*tool.key)];
                    page.histogram(&labels, measured);
                }
            }
        });
    }

    fn write_circuits(&self, page: &mut Exposition) {
        page.family(
            "mcp_circuit_state",
            Of::Gauge,
            "The circuit breaker: 0 closed, 1 half-open, 2 open.",
        );
        self.each_breaker(|name, breaker| {
            page.sample(&[("backend", name)], number(breaker.state()));
        });
        page.family(
            "mcp_circuit_transitions_total",
            Of::Counter,
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
            Of::Counter,
            "Calls that the circuit breaker refused.",
        );
        self.each_breaker(|name, breaker| {
            let refuses = breaker.mode() != CircuitMode::Shadow;
            let rejected = if refuses { breaker.rejected_total() } else { 0 };
            page.sample(&[("backend", name)], rejected);
        });
        page.family(
            "mcp_circuit_shadow_passed_total",
            Of::Counter,
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
            Of::Gauge,
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
            Of::Histogram,
            "What the gateway adds: the time of a request from its head to its answer, minus the waits for a place, for its backend and before it was sent again. Measured for one request in sixteen, or for each where `telemetry.server_timing` is on.",
        );
        page.histogram(&[], self.overhead.recorder());
        page.family(
            "mcp_gateway_overhead_budget_exceeded_total",
            Of::Counter,
            "Measured requests that took the gateway itself longer than `telemetry.overhead_budget`.",
        );
        page.sample(&[], self.overhead.exceeded());
        page.family("mcp_sessions", Of::Gauge, "Open client sessions.");
        page.sample(&[], self.sessions.count());
        page.family("mcp_gateway_build_info", Of::Info, "The running version.");
        page.sample(&[("version", env!("CARGO_PKG_VERSION"))], true);
    }

    fn write_spans(&self, page: &mut Exposition) {
        let Some(counts) = self.tracer().counts() else {
            return;
        };
        page.family(
            "mcp_trace_spans_total",
            Of::Counter,
            "Spans by what became of them: taken by the collector, lost because the queue was full, not taken.",
        );
        let results = [
            ("exported", counts.exported),
            ("dropped", counts.dropped),
            ("failed", counts.failed),
        ];
        for (result, total) in results {
            page.sample(&[("result", result)], total);
        }
    }

    fn each(&self, mut write: impl FnMut(&str, &Member)) {
        for member in self.table().members() {
            write(member.name(), member);
        }
    }
}

pub(super) const fn number(state: CircuitState) -> u8 {
    match state {
        CircuitState::Closed => 0,
        CircuitState::HalfOpen => 1,
        CircuitState::Open => 2,
    }
}
