//! When to open, how long to stay open, how to recover: thresholds that cannot be wrong once built.

use crate::lockfree::breaker::policy_error::PolicyError;

/// Probes in flight and probe successes have four bits each.
pub(super) const MOST_PROBES: u32 = 15;
/// The outcomes of a window are the bits of one register.
pub(super) const WIDEST_WINDOW: u32 = 32;
/// Half of what the time field of the word can hold: a due time stays in range for the first four years.
pub(super) const LONGEST_MS: u64 = 1 << 37;
/// The generation comes round after 2^18 changes. Open, half-open, closed, open again are three changes, and one
/// such round lasts at least one reset timeout: so a stale permit could only be mistaken for a fresh one after this many.
const ROUNDS_UNTIL_ALIAS: u64 = (1 << 18) / 3;

/// The windows of time that a ring of slots can hold: from 0.1 s to an hour.
pub(super) const SHORTEST_WINDOW_MS: u64 = 100;
pub(super) const LONGEST_WINDOW_MS: u64 = 3_600_000;

/// What opens the breaker. Only a failure is ever weighed: a success cannot newly exceed a limit on failures. One that
/// completes a minimum leaves the weighing to the next failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// So many failures in a row.
    Consecutive(u32),
    /// So many failures among the last `window` results, once `minimum` results are known.
    LastN {
        /// How many results are remembered, 1 to 32.
        window: u32,
        /// How many of them must be failures, 1 to `window`.
        failures: u32,
        /// How many results must be known before any failure counts, at most `window`.
        minimum: u32,
    },
    /// So many percent of the calls in the last [window of time](PolicyBuilder::window_ms).
    Rate(Rate),
}

/// A part of the calls in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many of a hundred calls, 1 to 100.
    pub percent: u32,
    /// How many calls must be in the window before the part is judged, at least 1.
    pub minimum: u32,
}

impl Rate {
    /// How many of `calls` calls are enough; the minimum is taken if they are fewer.
    pub(super) fn enough_of(self, calls: u64) -> u64 {
        let calls = calls.max(u64::from(self.minimum));
        (calls * u64::from(self.percent)).div_ceil(100)
    }

    pub(super) fn is_reached(self, part: u64, calls: u64) -> bool {
        calls >= u64::from(self.minimum) && part >= self.enough_of(calls)
    }
}

/// Checked settings of one breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(super) rule: Rule,
    pub(super) slow: Option<Rate>,
    pub(super) window_ms: u64,
    pub(super) success_threshold: u32,
    pub(super) half_open_max_calls: u32,
    pub(super) reset_timeout_ms: u64,
    pub(super) max_reset_timeout_ms: u64,
    pub(super) lease_ms: u64,
    pub(super) jitter_percent: u32,
    pub(super) seed: u64,
}

impl Policy {
    /// Starts from the defaults: five failures in a row open; three probes at a time, three successes close;
    /// 30 s to the first probe, doubling to at most 300 s, spread by up to 10 %; a probe is given up after 60 s.
    pub const fn builder() -> PolicyBuilder {
        PolicyBuilder(Self::DEFAULT)
    }

    const DEFAULT: Self = Self {
        rule: Rule::Consecutive(5),
        slow: None,
        window_ms: 60_000,
        success_threshold: 3,
        half_open_max_calls: 3,
        reset_timeout_ms: 30_000,
        max_reset_timeout_ms: 300_000,
        lease_ms: 60_000,
        jitter_percent: 10,
        seed: 0,
    };

    /// The number of failures on record that opens the breaker; of a rate, the least number that can.
    #[must_use]
    pub fn failure_threshold(&self) -> u32 {
        match self.rule {
            Rule::Consecutive(failures) | Rule::LastN { failures, .. } => failures,
            Rule::Rate(rate) => u32::try_from(rate.enough_of(0)).unwrap_or(u32::MAX),
        }
    }

    /// Whether calls have to be counted by time.
    pub(super) const fn needs_window(&self) -> bool {
        self.slow.is_some() || matches!(self.rule, Rule::Rate(_))
    }

    /// How long the breaker stays open: `reset_timeout` doubled for every earlier open of the row, capped, and spread so
    /// that breakers which opened together do not probe together. Never shorter than the reset timeout, never longer than its maximum.
    pub(super) fn open_for_ms(&self, opens_in_a_row: u32, generation: u32) -> u64 {
        let doubled = self
            .reset_timeout_ms
            .saturating_mul(1 << opens_in_a_row.min(31));
        let capped = doubled.min(self.max_reset_timeout_ms);
        let spread = self.spread_ms(capped, generation);
        if capped + spread <= self.max_reset_timeout_ms {
            capped + spread
        } else {
            (capped - spread).max(self.reset_timeout_ms)
        }
    }

    /// A part of `wait_ms`, between nothing and `jitter_percent` of it, that differs from seed to seed and from open to open.
    fn spread_ms(&self, wait_ms: u64, generation: u32) -> u64 {
        let widest = wait_ms / 100 * u64::from(self.jitter_percent)
            + wait_ms % 100 * u64::from(self.jitter_percent) / 100;
        scramble(self.seed ^ u64::from(generation)) % (widest + 1)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The finisher of SplitMix64 (Steele, Lea, Flood, 2014): neighbouring inputs give unrelated outputs.
const fn scramble(seed: u64) -> u64 {
    let a = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}

/// Settings on their way to a [`Policy`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PolicyBuilder(Policy);

impl PolicyBuilder {
    /// What opens the breaker.
    pub const fn rule(mut self, rule: Rule) -> Self {
        self.0.rule = rule;
        self
    }

    /// The part of slow calls in the window of time that opens the breaker, whatever its rule says of failures; none by default.
    /// Which calls are slow is the caller's to say: [`Verdict::Slow`](crate::lockfree::Verdict::Slow).
    pub const fn slow_rate(mut self, rate: Option<Rate>) -> Self {
        self.0.slow = rate;
        self
    }

    /// The window of time that rates look at, in milliseconds: 100 to 3,600,000, by default 60,000.
    pub const fn window_ms(mut self, ms: u64) -> Self {
        self.0.window_ms = ms;
        self
    }

    /// How many probes must succeed before the breaker closes, 1 to 15.
    pub const fn success_threshold(mut self, probes: u32) -> Self {
        self.0.success_threshold = probes;
        self
    }

    /// How many probes may be in flight at a time, 1 to 15.
    pub const fn half_open_max_calls(mut self, calls: u32) -> Self {
        self.0.half_open_max_calls = calls;
        self
    }

    /// The time from the first open to the first probe, in milliseconds.
    pub const fn reset_timeout_ms(mut self, ms: u64) -> Self {
        self.0.reset_timeout_ms = ms;
        self
    }

    /// The longest the breaker stays open between probes, in milliseconds; at least the reset timeout.
    pub const fn max_reset_timeout_ms(mut self, ms: u64) -> Self {
        self.0.max_reset_timeout_ms = ms;
        self
    }

    /// The longest a call may take, in milliseconds. A probe that has not reported by then loses its slot;
    /// the word keeps this time in steps of 256 ms, rounded up.
    pub const fn lease_ms(mut self, ms: u64) -> Self {
        self.0.lease_ms = ms;
        self
    }

    /// By how many percent the open time may be stretched (or shortened, at the cap), 0 to 100.
    pub const fn jitter_percent(mut self, percent: u32) -> Self {
        self.0.jitter_percent = percent;
        self
    }

    /// What tells this breaker's jitter from that of its neighbours, for example a hash of its name.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`PolicyError`] names the first setting that cannot work.
    pub const fn build(self) -> Result<Policy, PolicyError> {
        let policy = self.0;
        if let Some(wrong) = wrong_rule(policy.rule) {
            return Err(wrong);
        }
        if let Some(wrong) = wrong_window(&policy) {
            return Err(wrong);
        }
        if policy.success_threshold == 0 || policy.success_threshold > MOST_PROBES {
            return Err(PolicyError::SuccessThreshold(policy.success_threshold));
        }
        if policy.half_open_max_calls == 0 || policy.half_open_max_calls > MOST_PROBES {
            return Err(PolicyError::HalfOpenMaxCalls(policy.half_open_max_calls));
        }
        if policy.jitter_percent > 100 {
            return Err(PolicyError::Jitter(policy.jitter_percent));
        }
        if let Some(wrong) = wrong_times(&policy) {
            return Err(wrong);
        }
        Ok(policy)
    }
}

const fn wrong_rule(rule: Rule) -> Option<PolicyError> {
    match rule {
        Rule::Consecutive(0) => Some(PolicyError::FailureThreshold),
        Rule::LastN { window, .. } if window == 0 || window > WIDEST_WINDOW => {
            Some(PolicyError::Window(window))
        }
        Rule::LastN {
            window,
            failures,
            minimum,
        } if failures == 0 || failures > window || minimum > window => Some(PolicyError::Rate {
            window,
            failures,
            minimum,
        }),
        Rule::Rate(rate) => wrong_rate(rate),
        Rule::Consecutive(_) | Rule::LastN { .. } => None,
    }
}

const fn wrong_rate(rate: Rate) -> Option<PolicyError> {
    let Rate { percent, minimum } = rate;
    if percent == 0 || percent > 100 || minimum == 0 {
        return Some(PolicyError::Percent { percent, minimum });
    }
    None
}

const fn wrong_window(policy: &Policy) -> Option<PolicyError> {
    let window_ms = policy.window_ms;
    match policy.slow {
        Some(slow) if wrong_rate(slow).is_some() => {
            let Rate { percent, minimum } = slow;
            Some(PolicyError::SlowPercent { percent, minimum })
        }
        _ if window_ms < SHORTEST_WINDOW_MS || window_ms > LONGEST_WINDOW_MS => {
            Some(PolicyError::WindowTime { window_ms })
        }
        _ => None,
    }
}

const fn wrong_times(policy: &Policy) -> Option<PolicyError> {
    let (reset_ms, max_ms) = (policy.reset_timeout_ms, policy.max_reset_timeout_ms);
    if reset_ms == 0 || reset_ms > max_ms || max_ms > LONGEST_MS {
        return Some(PolicyError::ResetTimeout { reset_ms, max_ms });
    }
    let lease_ms = policy.lease_ms;
    if lease_ms == 0 || lease_ms > LONGEST_MS {
        return Some(PolicyError::Lease { lease_ms });
    }
    if lease_ms / ROUNDS_UNTIL_ALIAS >= reset_ms {
        return Some(PolicyError::Alias { reset_ms, lease_ms });
    }
    None
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass_their_own_check_and_are_those_that_are_said() {
        assert_eq!(Policy::builder().build(), Ok(Policy::default()));
        let said = Policy::builder()
            .rule(Rule::Consecutive(5))
            .slow_rate(None)
            .window_ms(60_000)
            .success_threshold(3)
            .half_open_max_calls(3)
            .reset_timeout_ms(30_000)
            .max_reset_timeout_ms(300_000)
            .lease_ms(60_000)
            .jitter_percent(10)
            .seed(0);
        assert_eq!(said.build(), Ok(Policy::default()));
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let b = Policy::builder;
        let rate = |window, failures, minimum| {
            b().rule(Rule::LastN {
                window,
                failures,
                minimum,
            })
            .build()
        };
        assert_eq!(
            b().rule(Rule::Consecutive(0)).build(),
            Err(PolicyError::FailureThreshold)
        );
        assert_eq!(rate(33, 1, 1), Err(PolicyError::Window(33)));
        assert_eq!(rate(0, 1, 1), Err(PolicyError::Window(0)));
        assert!(matches!(rate(8, 9, 1), Err(PolicyError::Rate { .. })));
        assert!(matches!(rate(8, 0, 1), Err(PolicyError::Rate { .. })));
        assert!(matches!(rate(8, 1, 9), Err(PolicyError::Rate { .. })));
        assert!(rate(32, 32, 32).is_ok());
        assert_eq!(
            b().success_threshold(16).build(),
            Err(PolicyError::SuccessThreshold(16))
        );
        assert_eq!(
            b().half_open_max_calls(0).build(),
            Err(PolicyError::HalfOpenMaxCalls(0))
        );
        assert_eq!(
            b().jitter_percent(101).build(),
            Err(PolicyError::Jitter(101))
        );
        assert!(matches!(
            b().reset_timeout_ms(0).build(),
            Err(PolicyError::ResetTimeout { .. })
        ));
        assert!(matches!(
            b().max_reset_timeout_ms(29_999).build(),
            Err(PolicyError::ResetTimeout { .. })
        ));
        assert!(matches!(
            b().lease_ms(0).build(),
            Err(PolicyError::Lease { .. })
        ));
    }

    #[test]
    fn each_limit_holds_to_the_last_setting_and_not_one_further() {
        let longest_ms = 1 << 37;
        let b = || Policy::builder().max_reset_timeout_ms(longest_ms);
        let patient = || b().reset_timeout_ms(longest_ms);
        for (fit, does_not) in [
            (b().success_threshold(1), b().success_threshold(0)),
            (b().success_threshold(15), b().success_threshold(16)),
            (b().half_open_max_calls(1), b().half_open_max_calls(0)),
            (b().half_open_max_calls(15), b().half_open_max_calls(16)),
            (b().jitter_percent(100), b().jitter_percent(101)),
            (b().window_ms(100), b().window_ms(99)),
            (b().window_ms(3_600_000), b().window_ms(3_600_001)),
            (patient(), b().reset_timeout_ms(longest_ms + 1)),
            (patient(), patient().max_reset_timeout_ms(longest_ms + 1)),
            (patient().lease_ms(1), patient().lease_ms(0)),
            (
                patient().lease_ms(longest_ms),
                patient().lease_ms(longest_ms + 1),
            ),
        ] {
            assert!(fit.clone().build().is_ok(), "{fit:?}");
            assert!(does_not.clone().build().is_err(), "{does_not:?}");
        }
    }

    #[test]
    fn the_least_number_of_failures_that_opens_is_told() {
        let least = |rule| {
            let policy = Policy::builder().rule(rule).build();
            policy.map(|policy| policy.failure_threshold())
        };
        let last_n = Rule::LastN {
            window: 20,
            failures: 8,
            minimum: 10,
        };
        let rate = Rate {
            percent: 50,
            minimum: 13,
        };
        assert_eq!(least(Rule::Consecutive(5)), Ok(5));
        assert_eq!(least(last_n), Ok(8));
        assert_eq!(least(Rule::Rate(rate)), Ok(7));
    }

    #[test]
    fn a_rate_is_part_of_a_hundred_with_a_minimum_in_a_window_of_seconds() {
        let b = Policy::builder;
        let (rate, none) = (|percent, minimum| Rate { percent, minimum }, 0);
        for (percent, minimum) in [(0, 1), (101, 1), (50, none)] {
            let error = b().rule(Rule::Rate(rate(percent, minimum))).build();
            assert_eq!(error, Err(PolicyError::Percent { percent, minimum }));
            let error = b().slow_rate(Some(rate(percent, minimum))).build();
            assert_eq!(error, Err(PolicyError::SlowPercent { percent, minimum }));
        }
        for window_ms in [0, 99, 3_600_001] {
            let error = b().window_ms(window_ms).build();
            assert_eq!(error, Err(PolicyError::WindowTime { window_ms }));
        }
        let all = b().rule(Rule::Rate(rate(100, 1))).window_ms(100);
        assert_eq!(all.build().map(|policy| policy.failure_threshold()), Ok(1));
    }

    #[test]
    fn a_rate_is_reached_by_the_least_number_that_makes_the_part() {
        let rate = Rate {
            percent: 34,
            minimum: 5,
        };
        assert_eq!(
            [0, 5, 6, 100, 10_000].map(|calls| rate.enough_of(calls)),
            [2, 2, 3, 34, 3_400]
        );
        assert!(!rate.is_reached(4, 4) && rate.is_reached(2, 5) && !rate.is_reached(1, 5));
    }

    #[test]
    fn a_call_that_could_outlive_every_generation_is_refused() {
        let with = |reset, lease| {
            Policy::builder()
                .reset_timeout_ms(reset)
                .lease_ms(lease)
                .build()
        };
        assert!(with(1, 87_380).is_ok());
        assert!(matches!(with(1, 87_381), Err(PolicyError::Alias { .. })));
        assert!(with(100, 3_600_000).is_ok());
    }

    #[test]
    fn the_open_time_doubles_up_to_its_cap() {
        let policy = Policy::builder().jitter_percent(0).build().unwrap();
        let waits: Vec<_> = (0..6).map(|n| policy.open_for_ms(n, 0)).collect();
        assert_eq!(waits, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
        assert_eq!(policy.open_for_ms(31, 0), 300_000);
    }

    #[test]
    fn the_open_time_doubles_thirty_one_times_at_most_and_never_overflows() {
        let longest_ms = 1 << 37;
        let open_for_ms = |reset_ms, opens| {
            let policy = Policy::builder()
                .reset_timeout_ms(reset_ms)
                .max_reset_timeout_ms(longest_ms)
                .jitter_percent(0);
            policy.build().unwrap().open_for_ms(opens, 0)
        };
        assert_eq!(
            [30, 31, 32].map(|n| open_for_ms(1, n)),
            [1 << 30, 1 << 31, 1 << 31]
        );
        assert_eq!(open_for_ms(longest_ms, 31), longest_ms);
    }

    #[test]
    fn jitter_spreads_the_open_time_and_keeps_it_between_the_two_limits() {
        let mut seen = std::collections::HashSet::new();
        for seed in 0..200 {
            let policy = Policy::builder()
                .jitter_percent(50)
                .seed(seed)
                .build()
                .unwrap();
            for opens in 0..8 {
                let wait = policy.open_for_ms(opens, 7);
                assert!((30_000..=300_000).contains(&wait), "{wait}");
                seen.insert(wait);
            }
        }
        assert!(seen.len() > 900, "{}", seen.len());
    }

    #[test]
    fn jitter_reaches_every_millisecond_of_its_part_and_none_beyond() {
        for reset_ms in [200, 299] {
            let open_for_ms = |seed| {
                let policy = Policy::builder().reset_timeout_ms(reset_ms);
                let policy = policy.jitter_percent(100).seed(seed).build().unwrap();
                policy.open_for_ms(0, 1)
            };
            let seen: std::collections::BTreeSet<u64> = (0..5_000).map(open_for_ms).collect();
            assert!(seen.into_iter().eq(reset_ms..=2 * reset_ms));
        }
    }

    #[test]
    fn seeds_are_scrambled_into_the_numbers_that_the_authors_of_splitmix64_give() {
        let step = 0x9e37_79b9_7f4a_7c15;
        assert_eq!(scramble(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(scramble(step), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(scramble(step.wrapping_add(step)), 0x06c4_5d18_8009_454f);
    }
}
