//! `streaming`: sessions of clients, and the streams to them.

use crate::{
    config::{section::Section, values},
    gateway::GatewaySettings,
    server::ServerSettings,
};

pub(in crate::config) fn read(
    root: &mut Section<'_>,
    server: &mut ServerSettings,
    gateway: &mut GatewaySettings,
) {
    let mut section = root.section("streaming");
    let mut enabled = true;
    section.flag("enabled", &mut enabled);
    if let (false, Some(at)) = (enabled, section.place_of("enabled")) {
        section.reading().findings.warn(
            at,
            "`streaming.enabled` is false and has no effect: a client that does not accept text/event-stream gets plain JSON anyway",
        );
    }
    let sessions = &mut gateway.sessions;
    section.read(
        "buffer_size",
        &mut sessions.buffer,
        values::whole(1..=100_000),
    );
    section.time("session_ttl", &mut sessions.ttl);
    section.time("session_reaper_interval", &mut sessions.reap_interval);
    section.time("keep_alive_interval", &mut server.keep_alive_interval);
    section.without_effect("auto_subscribe");
    section.finish();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::load::tests::{read, warnings};

    #[test]
    fn every_key_is_read_or_warned_of() {
        let text = "streaming: {enabled: false, buffer_size: 5, keep_alive_interval: 1s, auto_subscribe: [], session_ttl: 1m, session_reaper_interval: 2s}";
        let config = read(text, &[]).unwrap();
        let sessions = &config.gateway.sessions;
        assert_eq!(sessions.buffer, 5);
        assert_eq!(sessions.ttl, Duration::from_secs(60));
        assert_eq!(sessions.reap_interval, Duration::from_secs(2));
        assert_eq!(config.server.keep_alive_interval, Duration::from_secs(1));
        let warnings = warnings(&config);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].contains("`streaming.enabled` is false"));
        assert!(warnings[1].contains("`streaming.auto_subscribe` is not supported"));
    }
}
