//! What a circuit breaker is made from, as people write it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{failsafe::duration, lockfree};

/// When calls stop flowing, and how they come back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CircuitBreakerConfig {
    /// False: calls always flow, whatever they come to.
    pub enabled: bool,
    /// Who decides whether calls flow.
    pub mode: CircuitMode,
    /// Consecutive failures that open the breaker under [`TripPolicy::Consecutive`].
    pub failure_threshold: u32,
    /// Successful probes that close it again.
    pub success_threshold: u32,
    /// How long it stays open before the first probe.
    #[serde(with = "duration")]
    pub reset_timeout: Duration,
    /// Probes in flight at once while half-open.
    pub half_open_max_calls: u32,
    /// Each time a probe fails the wait doubles, up to this.
    #[serde(with = "duration")]
    pub max_reset_timeout: Duration,
    /// By how many percent the wait is stretched at most, so that breakers that opened together do not probe together.
    pub jitter: u32,
    /// A probe that did not report for this long no longer holds its place. Longer than any call may take.
    #[serde(with = "duration")]
    pub probe_lease: Duration,
    /// What opens it.
    pub policy: TripPolicy,
    /// Which calls are slow, and how many of them open it too; none is slow if absent.
    pub slow_call: Option<SlowCallConfig>,
    /// The breakers of single tools, with the same settings.
    pub tools: ToolCircuitsConfig,
}

/// Who decides whether calls flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CircuitMode {
    /// The results of calls.
    #[default]
    Automatic,
    /// Nobody: the results decide and the decision is reported, but every call flows.
    Shadow,
    /// An operator: every call is refused.
    ForcedOpen,
    /// An operator: every call flows; failures are counted and open nothing.
    ForcedClosed,
    /// Nobody: every call flows and nothing is counted.
    Disabled,
}

/// What opens a breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TripPolicy {
    /// [`CircuitBreakerConfig::failure_threshold`] failures with no success between them.
    #[default]
    Consecutive,
    /// A number of failures among the last calls, whatever their order.
    LastN {
        /// How many of the last calls are looked at, 1 to 32.
        window: u32,
        /// Failures among them that open the breaker.
        failures: u32,
        /// Calls that must have been seen before it can open.
        #[serde(default = "one")]
        minimum: u32,
    },
    /// A part of the calls of the last while.
    TimeWindow {
        /// How far back is looked, 100 ms to 1 h.
        #[serde(with = "duration")]
        window: Duration,
        /// Failures among a hundred calls that open the breaker, 1 to 100.
        failure_rate: u32,
        /// Calls that must be in the window before it can open.
        #[serde(default = "ten")]
        minimum_calls: u32,
    },
}

/// Which calls are slow, and how many of them open the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowCallConfig {
    /// A call that succeeds and takes at least this long is slow.
    #[serde(with = "duration")]
    pub duration: Duration,
    /// Slow calls among a hundred that open the breaker, 1 to 100.
    pub rate: u32,
    /// How far back is looked, 100 ms to 1 h. The same as that of [`TripPolicy::TimeWindow`], if that is the policy.
    #[serde(with = "duration", default = "one_minute")]
    pub window: Duration,
    /// Calls that must be in the window before slow ones can open it.
    #[serde(default = "ten")]
    pub minimum_calls: u32,
}

/// The breakers of single tools: a tool that fails or is slow opens alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolCircuitsConfig {
    /// False: only the backend as a whole has a breaker.
    pub enabled: bool,
    /// How many tools of one backend can have a breaker. Each is made when its tool first fails.
    pub max: u32,
}

const fn one() -> u32 {
    1
}

const fn ten() -> u32 {
    10
}

const fn one_minute() -> Duration {
    Duration::from_secs(60)
}

impl CircuitMode {
    /// Its name in configuration, status and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Shadow => "shadow",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::Disabled => "disabled",
        }
    }

    /// Every mode.
    pub const ALL: [Self; 5] = [
        Self::Automatic,
        Self::Shadow,
        Self::ForcedOpen,
        Self::ForcedClosed,
        Self::Disabled,
    ];
}

impl From<lockfree::Mode> for CircuitMode {
    fn from(mode: lockfree::Mode) -> Self {
        match mode {
            lockfree::Mode::Automatic => Self::Automatic,
            lockfree::Mode::ForcedOpen => Self::ForcedOpen,
            lockfree::Mode::ForcedClosed => Self::ForcedClosed,
            lockfree::Mode::Disabled => Self::Disabled,
        }
    }
}

impl Default for CircuitBreakerConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            mode: CircuitMode::Automatic,
            failure_threshold: 5,
            success_threshold: 3,
            reset_timeout: Duration::from_secs(30),
            half_open_max_calls: 3,
            max_reset_timeout: Duration::from_secs(300),
            jitter: 10,
            probe_lease: Duration::from_secs(120),
            policy: TripPolicy::Consecutive,
            slow_call: None,
            tools: ToolCircuitsConfig::default(),
        }
    }
}

impl Default for ToolCircuitsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            max: 256,
        }
    }
}
