//! The windows over which burn rates are taken, and from which rates on they alarm: those of the Site Reliability Workbook
//! (chapter 5, alerting on SLOs, multiwindow, multi-burn-rate alerts) and the two slower ones that go with them.

use std::time::Duration;

/// One window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) name: &'static str,
    pub(super) length: Duration,
}

const fn window(name: &'static str, minutes: u64) -> Window {
    Window {
        name,
        length: Duration::from_secs(60 * minutes),
    }
}

/// All windows, the shortest first.
pub(super) const WINDOWS: [Window; 7] = [
    window("5m", 5),
    window("30m", 30),
    window("1h", 60),
    window("2h", 120),
    window("6h", 360),
    window("1d", 1_440),
    window("3d", 4_320),
];

/// Indexes of a short and a long window, and the rate that both must reach: the short one ends the alarm soon after the cause.
pub(super) const ALARMS: [(usize, usize, f64); 4] =
    [(0, 2, 14.4), (1, 4, 6.0), (3, 5, 3.0), (4, 6, 1.0)];

/// The window over which the room for errors is told.
pub(super) const BUDGET: usize = 6;
