//! `server`: where to listen, and the bounds of one request.

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
    let mut section = root.section("server");
    section.read("host", &mut server.host, values::host);
    section.read("port", &mut server.port, values::whole(0..=u16::MAX));
    section.time("request_timeout", &mut gateway.request_timeout);
    section.read(
        "shutdown_timeout",
        &mut server.shutdown_timeout,
        values::duration,
    );
    section.read(
        "max_body_size",
        &mut server.limits.max_body_size,
        values::whole(1..=1 << 30),
    );
    section.flag("access_log", &mut server.access_log);
    server.public_url = section.unquoted("public_url", values::url);
    section.without_effect("ws_port");
    section.finish();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::load::tests::{read, warnings};

    #[test]
    fn every_key_is_read_or_warned_of() {
        let text = "server: {host: 0.0.0.0, port: \"1234\", request_timeout: 5s, shutdown_timeout: 0, max_body_size: 1000, access_log: true, public_url: https://gw.example.org, ws_port: 39401}";
        let config = read(text, &[]).unwrap();
        assert_eq!(config.server.host.to_string(), "0.0.0.0");
        assert_eq!(config.server.port, 1234);
        assert_eq!(config.gateway.request_timeout, Duration::from_secs(5));
        assert_eq!(config.server.shutdown_timeout, Duration::ZERO);
        assert_eq!(config.server.limits.max_body_size, 1000);
        assert!(config.server.public_url.is_some() && config.server.access_log);
        let warnings = warnings(&config);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains("`server.ws_port` is not supported"));
    }
}
