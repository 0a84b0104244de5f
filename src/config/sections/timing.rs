//! `telemetry.server_timing` and `telemetry.overhead_budget`: what is measured of our own part.

use crate::{
    config::{section::Section, values},
    gateway::TimingSettings,
};

pub(super) fn read(telemetry: &mut Section<'_>, settings: &mut TimingSettings) {
    telemetry.flag("server_timing", &mut settings.server_timing);
    let budget = telemetry.optional("overhead_budget", values::some_time);
    settings.overhead_budget = budget.or(settings.overhead_budget);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::load::tests::read;

    #[test]
    fn the_header_and_the_budget_are_read_and_a_budget_of_nothing_is_refused() {
        let text = "telemetry: {server_timing: true, overhead_budget: 1ms}";
        let timing = read(text, &[]).unwrap().gateway.timing;
        assert!(timing.server_timing);
        assert_eq!(timing.overhead_budget, Some(Duration::from_millis(1)));
        assert_eq!(read("", &[]).unwrap().gateway.timing.overhead_budget, None);
        let problems = read("telemetry: {overhead_budget: 0}", &[]).unwrap_err();
        assert!(
            problems[0].contains("`telemetry.overhead_budget`: `0` leaves no time"),
            "{problems:?}"
        );
    }
}
