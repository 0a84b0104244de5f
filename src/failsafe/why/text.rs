//! The answer to "why" as people read it: the sentence first, then the evidence, newest first.

use std::fmt::{self, Display, Formatter};

use super::report::{ChangeReport, FailureReport, OutcomeReport, Why};
use crate::telemetry::clock::time_of_day;

impl Display for Why {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.backend, self.summary)?;
        for tool in &self.tools {
            writeln!(f, "{}, tool {}: {}", self.backend, tool.tool, tool.summary)?;
        }
        list(f, "changes", &self.changes)?;
        list(f, "failures", &self.failures)?;
        for tool in &self.tools {
            list(f, &format!("changes of {}", tool.tool), &tool.changes)?;
            list(f, &format!("failures of {}", tool.tool), &tool.failures)?;
        }
        list(f, "last calls", &self.outcomes)
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, name: &str, lines: &[T]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{name}, newest first:")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}

impl Display for ChangeReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (time, to) = (time_of_day(self.at_ms), self.to.label());
        write!(f, "{time}  {to:<9}  {}", self.cause)?;
        if let Some(after) = &self.after {
            write!(f, ": {after}")?;
        }
        facts(f, self.latency_ms, self.request_id.as_deref())
    }
}

impl Display for FailureReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let time = time_of_day(self.at_ms);
        write!(f, "{time}  {:<13}  {}", self.cause, self.message)?;
        facts(f, self.latency_ms, self.request_id.as_deref())
    }
}

impl Display for OutcomeReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let time = time_of_day(self.at_ms);
        write!(f, "{time}  {:<13}", self.outcome)?;
        facts(f, Some(self.latency_ms), self.request_id.as_deref())
    }
}

/// How long the call took and what it is called, in brackets.
fn facts(f: &mut Formatter<'_>, latency_ms: Option<f64>, request_id: Option<&str>) -> fmt::Result {
    match (latency_ms, request_id) {
        (None, None) => Ok(()),
        (Some(ms), None) => write!(f, "  [{ms} ms]"),
        (None, Some(id)) => write!(f, "  [request {id}]"),
        (Some(ms), Some(id)) => write!(f, "  [{ms} ms, request {id}]"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        failsafe::{Asker, Failsafe, FailsafeConfig, Outcome, Ticket},
        telemetry::{Clock, RequestId, Stamp},
    };

    fn failsafe() -> (Failsafe, Clock, impl Fn(Duration)) {
        let (clock, advance) = Clock::mocked();
        let config = FailsafeConfig::default();
        let failsafe = Failsafe::with_clock("search", &config, clock.clone());
        (failsafe, clock, advance)
    }

    fn ask(failsafe: &Failsafe, id: u128, now: Stamp) -> Ticket<'_> {
        let name = format!("00000000-0000-0000-0000-{id:012x}");
        let request_id = Some(RequestId::from_header(Some(&name)));
        let asker = Asker {
            tool: None,
            request_id,
        };
        failsafe.admit_for(asker, now).unwrap()
    }

    #[test]
    fn the_first_line_says_since_when_why_and_what_comes_next() {
        let (failsafe, clock, advance) = failsafe();
        let told = || failsafe.why().to_string();
        assert_eq!(
            told(),
            "search: closed since the start, with no failure on record\n"
        );
        let fail = |outcome, cause: &str| {
            let ticket = failsafe.admit(clock.now()).unwrap();
            advance(Duration::from_millis(300));
            ticket.settle(outcome, &cause, clock.now());
        };
        for _ in 0..4 {
            fail(Outcome::Unreachable, "connection refused");
        }
        assert!(told().starts_with(
            "search: closed since the start; on record 4 failures in 900.0ms: connection refused (4)\n"
        ));
        fail(Outcome::Timeout, "deadline 30s");
        let told = told();
        let (head, _) = told.split_once('\n').unwrap();
        assert!(head.starts_with("search: opened "), "{head}");
        assert!(
            head.contains(
                " UTC after 5 failures in 1.2s: connection refused (4), deadline 30s (1); next probe in 3"
            ),
            "{head}"
        );
    }

    #[test]
    fn a_failed_probe_is_told_beside_what_opened_the_circuit() {
        let (failsafe, clock, advance) = failsafe();
        let fail = |cause: &str| {
            let ticket = failsafe.admit(clock.now()).unwrap();
            ticket.settle(Outcome::Lost, &cause, clock.now());
        };
        (0..5).for_each(|_| fail("connection reset"));
        advance(Duration::from_secs(33));
        fail("connection refused");
        let summary = failsafe.circuit_breaker.summary();
        assert!(
            summary
                .contains("after 5 failures at once: connection reset (5); the last probe failed"),
            "{summary}"
        );
        assert!(
            summary.contains("(connection refused); next probe in 6"),
            "{summary}"
        );
        advance(Duration::from_secs(66));
        assert!(
            failsafe
                .circuit_breaker
                .summary()
                .ends_with("a probe is due: the next call is let through")
        );
        let probe = failsafe.admit(clock.now()).unwrap();
        let summary = failsafe.circuit_breaker.summary();
        assert!(summary.starts_with("half-open since "), "{summary}");
        assert!(
            summary.contains(", 1 probes in flight and 0 succeeded; opened "),
            "{summary}"
        );
        drop(probe);
    }

    #[test]
    fn every_call_is_named_with_its_outcome_and_latency() {
        let (failsafe, clock, advance) = failsafe();
        for (id, outcome) in [
            (1, Outcome::Success),
            (2, Outcome::Lost),
            (3, Outcome::ToolFailure),
        ] {
            let ticket = ask(&failsafe, id, clock.now());
            advance(Duration::from_micros(1_500));
            ticket.settle(outcome, &"it broke", clock.now());
        }
        let why = failsafe.why();
        let shown: Vec<_> = why
            .outcomes
            .iter()
            .map(|call| (call.outcome, call.request_id.as_deref().unwrap()))
            .collect();
        assert_eq!(
            shown,
            [
                ("tool_failure", "00000000-0000-0000-0000-000000000003"),
                ("lost", "00000000-0000-0000-0000-000000000002"),
                ("success", "00000000-0000-0000-0000-000000000001"),
            ]
        );
        let told = why.to_string();
        assert!(
            told.contains(
                "lost           it broke  [1.5 ms, request 00000000-0000-0000-0000-000000000002]"
            ),
            "{told}"
        );
        assert_eq!(why.failures.len(), 1);
    }
}
