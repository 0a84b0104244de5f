//! `slo`: what a backend and its tools are held to.

use crate::{
    config::{section::Section, values},
    gateway::{LatencyObjective, Objectives, SloSettings},
};

/// Tools of one backend that can be held to something of their own: each keeps its past, 13 KB for availability and again for
/// latency.
const MOST_TOOLS: usize = 64;

pub(super) fn read(backend: &mut Section<'_>) -> Option<SloSettings> {
    backend.accept("slo");
    backend.place_of("slo")?;
    let mut section = backend.section("slo");
    let whole = objectives(&mut section);
    let mut settings = SloSettings {
        whole,
        ..SloSettings::default()
    };
    for (tool, mut own) in section.section("tools").each() {
        settings.tools.insert(tool.into(), objectives(&mut own));
        own.finish();
    }
    if settings.tools.len() > MOST_TOOLS {
        let count = settings.tools.len();
        let sentence =
            format!("names {count} tools, {MOST_TOOLS} are the most: keep those that matter most");
        section.refuse("tools", &sentence);
    }
    section.finish();
    Some(settings)
}

fn objectives(section: &mut Section<'_>) -> Objectives {
    let availability = section.optional("availability", percent);
    section.accept("latency");
    let latency = section.place_of("latency").and_then(|_| {
        let mut latency = section.section("latency");
        for (key, meaning) in [("threshold", "500ms"), ("objective", "99")] {
            if latency.place_of(key).is_none() {
                latency.refuse(key, &format!("is missing: write one such as {meaning}"));
            }
        }
        let threshold = latency.optional("threshold", values::some_time);
        let objective = latency.optional("objective", percent);
        latency.finish();
        Some(LatencyObjective {
            threshold: threshold?,
            objective: objective?,
        })
    });
    Objectives {
        availability,
        latency,
    }
}

/// All calls can never be good, and then there would be no room for errors to burn.
fn percent(text: &str) -> Result<f64, String> {
    values::decimal(text)
        .ok()
        .filter(|percent| *percent > 0.0 && *percent < 100.0)
        .ok_or_else(|| {
            "is no share to be held to: write percent above 0 and below 100, such as 99.9"
                .to_owned()
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::load::tests::read as load;

    #[test]
    fn a_backend_and_its_tools_are_held_to_what_is_written() {
        let text = "backends: {a: {command: x, slo: {availability: 99.9, latency: {threshold: 500ms, objective: 99}, tools: {find: {availability: 95}}}}, b: {command: x}}";
        let slos = load(text, &[]).unwrap().gateway.slos;
        assert_eq!(slos.len(), 1);
        let a = &slos["a"];
        assert_eq!(a.whole.availability, Some(99.9));
        let latency = a.whole.latency.unwrap();
        assert_eq!(latency.threshold, Duration::from_millis(500));
        assert!((latency.objective - 99.0).abs() < 1e-9);
        assert_eq!(a.tools["find"].availability, Some(95.0));
        assert_eq!(a.tools["find"].latency, None);
    }

    #[test]
    fn what_nobody_can_be_held_to_is_refused() {
        for (text, expected) in [
            ("availability: 100", "`100` is no share"),
            ("availability: 0", "`0` is no share"),
            (
                "latency: {objective: 99}",
                "`backends.a.slo.latency.threshold` is missing",
            ),
            ("avail: 9", "did you mean `availability`?"),
            (
                "tools: {find: {x: 1}}",
                "unknown key `backends.a.slo.tools.find.x`",
            ),
        ] {
            let text = format!("backends: {{a: {{command: x, slo: {{{text}}}}}}}");
            let problems = load(&text, &[]).unwrap_err();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(expected), "{text}: {problems:?}");
        }
        let tools: String = (0..65)
            .map(|n| format!("t{n}: {{availability: 9}},"))
            .collect();
        let text = format!("backends: {{a: {{command: x, slo: {{tools: {{{tools}}}}}}}}}");
        let problems = load(&text, &[]).unwrap_err();
        assert!(
            problems[0].contains("names 65 tools, 64 are the most"),
            "{problems:?}"
        );
    }
}
