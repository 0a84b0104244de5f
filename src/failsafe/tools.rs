//! The circuits of single tools: a tool that fails or is slow opens alone, and a backend that is dead opens whole.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tracing::warn;

use crate::{
    failsafe::circuit_breaker::{
        CircuitBreaker, CircuitBreakerConfig, CircuitMode, ToolCircuitsConfig,
    },
    lockfree::Counter,
    telemetry::Clock,
};

/// One tool of a backend, as its calls name it: [`Failsafe::tool`](crate::failsafe::Failsafe::tool) makes it. It costs
/// nothing until a call of the tool fails for the first time; from then on the tool has a breaker.
#[derive(Debug)]
pub struct ToolCircuit {
    name: Box<str>,
    breaker: OnceLock<Arc<CircuitBreaker>>,
}

/// The breakers of the tools of one backend: made when they are needed, and bounded in number.
pub(super) struct ToolCircuits {
    backend: Box<str>,
    config: CircuitBreakerConfig,
    clock: Clock,
    made: papaya::HashMap<Box<str>, Arc<CircuitBreaker>>,
    /// Held while one is made, so that there are never too many. A call of a tool that has its breaker never asks for it.
    making: Mutex<()>,
    left_out: Counter,
}

impl ToolCircuit {
    /// The tool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tool's breaker, if it ever failed.
    #[inline]
    #[must_use]
    pub fn breaker(&self) -> Option<&CircuitBreaker> {
        self.breaker.get().map(|breaker| &**breaker)
    }
}

impl ToolCircuits {
    pub(super) fn new(backend: &str, config: &CircuitBreakerConfig, clock: Clock) -> Self {
        let on = config.enabled
            && config.tools.enabled
            && matches!(config.mode, CircuitMode::Automatic | CircuitMode::Shadow);
        Self {
            backend: backend.into(),
            config: CircuitBreakerConfig {
                tools: ToolCircuitsConfig {
                    enabled: on,
                    ..config.tools
                },
                ..config.clone()
            },
            clock,
            made: papaya::HashMap::new(),
            making: Mutex::new(()),
            left_out: Counter::new(),
        }
    }

    pub(super) fn tool(&self, name: &str) -> ToolCircuit {
        let known = self.made.pin().get(name).cloned();
        ToolCircuit {
            name: name.into(),
            breaker: known.map_or_else(OnceLock::new, OnceLock::from),
        }
    }

    /// The breaker of a tool that has failed; none if tools have none, or too many have one already.
    pub(super) fn breaker<'a>(&self, tool: &'a ToolCircuit) -> Option<&'a CircuitBreaker> {
        if tool.breaker.get().is_none()
            && let Some(made) = self.make(&tool.name)
        {
            // Of two that make it at once both have found the same.
            let _ = tool.breaker.set(made);
        }
        tool.breaker()
    }

    /// Every breaker that was made, by the name of its tool.
    pub(super) fn all(&self) -> Vec<(Box<str>, Arc<CircuitBreaker>)> {
        let made = self.made.pin();
        let mut all: Vec<_> = made
            .iter()
            .map(|(name, breaker)| (name.clone(), Arc::clone(breaker)))
            .collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    fn make(&self, name: &str) -> Option<Arc<CircuitBreaker>> {
        if !self.config.tools.enabled {
            return None;
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let made = self.made.pin();
        if let Some(known) = made.get(name) {
            return Some(Arc::clone(known));
        }
        if made.len() >= self.config.tools.max as usize {
            self.leave_out(name);
            return None;
        }
        let owner = (&*self.backend, name);
        let fresh = CircuitBreaker::of_tool(owner, &self.config, self.clock.clone());
        let fresh = Arc::new(fresh);
        made.insert(name.into(), Arc::clone(&fresh));
        Some(fresh)
    }

    fn leave_out(&self, tool: &str) {
        if self.left_out.next() == 1 {
            let (backend, max) = (&*self.backend, self.config.tools.max);
            warn!(
                backend,
                tool,
                max,
                "A tool that failed gets no breaker of its own, because so many have one: raise circuit_breaker.tools.max"
            );
        }
    }
}

impl fmt::Debug for ToolCircuits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCircuits")
            .field("count", &self.made.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::transcript::transcript;

    fn circuits(change: impl Fn(&mut CircuitBreakerConfig)) -> ToolCircuits {
        let mut config = CircuitBreakerConfig::default();
        change(&mut config);
        ToolCircuits::new("search", &config, Clock::mocked().0)
    }

    #[test]
    fn a_tool_gets_its_breaker_when_it_fails_and_finds_it_again_under_its_name() {
        let circuits = circuits(|_| {});
        let tool = circuits.tool("find");
        assert!(tool.breaker().is_none());
        let breaker: *const _ = circuits.breaker(&tool).unwrap();
        let again = circuits.tool("find");
        assert!(std::ptr::eq(again.breaker().unwrap(), breaker));
        assert_eq!(circuits.all().len(), 1);
    }

    #[test]
    fn tools_beyond_the_last_have_none_and_that_is_said_once() {
        let circuits = circuits(|config| config.tools.max = 2);
        let lines = transcript(|| {
            for name in ["a", "b", "c", "d", "a"] {
                let made = circuits.breaker(&circuits.tool(name)).is_some();
                assert_eq!(made, name < "c", "{name}");
            }
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("WARN A tool that failed gets no breaker"));
        assert!(lines[0].ends_with("| backend=search tool=c max=2"));
    }

    #[test]
    fn an_operator_who_decides_on_the_backend_decides_on_its_tools() {
        let none = |change: fn(&mut CircuitBreakerConfig)| {
            let circuits = circuits(change);
            circuits.breaker(&circuits.tool("a")).is_none()
        };
        assert!(none(|config| config.enabled = false));
        assert!(none(|config| config.tools.enabled = false));
        assert!(none(|config| config.mode = CircuitMode::ForcedClosed));
        assert!(!none(|config| config.mode = CircuitMode::Shadow));
    }

    #[test]
    fn threads_that_meet_at_the_first_failure_get_one_breaker() {
        let circuits = circuits(|config| config.tools.max = 1);
        let tool = circuits.tool("a");
        let together = std::sync::Barrier::new(8);
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    together.wait();
                    let _ = circuits.breaker(&tool);
                });
            }
        });
        assert_eq!(circuits.all().len(), 1);
        assert!(tool.breaker().is_some());
        assert_eq!(circuits.left_out.total(), 0);
    }
}
