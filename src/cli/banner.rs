//! What is said at the start: where the gateway listens, what stands behind it, and what is wrong with which.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::Path,
};

use super::args::Format;
use crate::{
    backend::{BackendSettings, TransportSettings},
    capability::CapabilitySettings,
    config::{Config, Finding},
};

/// The lines that are known before anything listens.
pub(super) struct Banner {
    file: String,
    backends: Vec<Line>,
    warnings: Vec<String>,
}

/// One backend.
struct Line {
    name: String,
    transport: String,
    obstacle: Option<String>,
}

impl Banner {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            file: config.file.as_ref().map_or_else(
                || "none found, serving the built-in demo".to_owned(),
                |file| file.display().to_string(),
            ),
            backends: lines(config),
            warnings: config.warnings.iter().map(Finding::to_string).collect(),
        }
    }

    /// Shows it on standard error: to a person as text, to a machine as lines of its log. Without a URL it is one client
    /// that is served, on the standard streams.
    pub(super) fn show(&self, url: Option<&str>, token: Option<&Path>, format: Format) {
        match format {
            Format::Text => {
                // Nobody reads it where standard error is closed.
                let _ = io::stderr().write_all(self.text(url, token).as_bytes());
            }
            Format::Json => self.log(url, token),
        }
    }

    fn text(&self, url: Option<&str>, token: Option<&Path>) -> String {
        let place = url.unwrap_or("standard input");
        let mut text = format!(
            "mcp-gateway {} listens on {place}\n  configuration: {}\n",
            env!("CARGO_PKG_VERSION"),
            self.file,
        );
        // Writing to a string cannot fail.
        if let Some(token) = token {
            let _ = writeln!(
                text,
                "  token: clients send `Authorization: Bearer` with what {} holds",
                token.display()
            );
        }
        if self.backends.is_empty() {
            text.push_str("  backends: none; add one under `backends` in the configuration\n");
        }
        for line in &self.backends {
            let _ = writeln!(text, "  backend {}: {}", line.name, line.transport);
            if let Some(obstacle) = &line.obstacle {
                let _ = writeln!(text, "    cannot start: {obstacle}");
            }
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "  warning: {warning}");
        }
        text
    }

    fn log(&self, url: Option<&str>, token: Option<&Path>) {
        let token = token.map(|token| tracing::field::display(token.display()));
        tracing::info!(
            url,
            configuration = self.file,
            backends = self.backends.len(),
            token,
            "Listening"
        );
        for line in &self.backends {
            match &line.obstacle {
                None => tracing::info!(backend = line.name, transport = line.transport, "Backend"),
                Some(reason) => {
                    tracing::warn!(backend = line.name, reason, "Backend cannot start");
                }
            }
        }
        for warning in &self.warnings {
            tracing::warn!("{warning}");
        }
    }
}

fn lines(config: &Config) -> Vec<Line> {
    let backends = config.backends.iter().map(Line::of);
    let capabilities = config.capabilities.as_ref().map(Line::of_capabilities);
    backends.chain(capabilities).collect()
}

impl Line {
    fn of_capabilities(settings: &CapabilitySettings) -> Self {
        let count = match settings.definitions.len() {
            1 => "1 capability".to_owned(),
            count => format!("{count} capabilities"),
        };
        let left_out = if settings.left_out.is_empty() {
            ""
        } else {
            ", others are left out"
        };
        Self {
            name: settings.name.to_string(),
            transport: format!("{count}{left_out}"),
            obstacle: None,
        }
    }

    fn of(settings: &BackendSettings) -> Self {
        let (transport, obstacle) = match &settings.transport {
            TransportSettings::Stdio(stdio) => {
                (format!("stdio, {}", stdio.program), stdio.obstacle())
            }
            TransportSettings::Http(http) => (format!("http, {}", shown(&http.url)), None),
            TransportSettings::Provided(provider) => (provider.name().to_owned(), None),
        };
        Self {
            name: settings.name.to_string(),
            transport,
            obstacle,
        }
    }
}

/// A URL without its query, in which people put keys.
fn shown(url: &http::Uri) -> String {
    let (scheme, authority) = (url.scheme_str(), url.authority());
    match (scheme, authority) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}{}", url.path()),
        _ => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Environment, Sources, load},
        telemetry::Secret,
    };

    fn banner(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("g.yaml");
        std::fs::write(&file, text).unwrap();
        let config = load(&Sources {
            file: Some(file),
            environment: Environment::default(),
            program: "/bin/mcp-gateway".into(),
        })
        .unwrap();
        Banner::of(&config).text(
            Some("http://127.0.0.1:39400/mcp"),
            Some(Path::new("/state/token")),
        )
    }

    #[test]
    fn it_says_where_what_and_what_is_wrong() {
        let text = banner(
            "backends: {a: {command: /no/such/program}, b: {command: /bin/sh, idle_timeout: 1}}",
        );
        assert!(text.starts_with(&format!(
            "mcp-gateway {} listens on http://127.0.0.1:39400/mcp\n",
            env!("CARGO_PKG_VERSION")
        )));
        assert!(text.contains("/state/token"));
        assert!(text.contains(
            "  backend a: stdio, /no/such/program\n    cannot start: the command `/no/such/program`"
        ));
        assert!(
            text.contains("  backend b: stdio, /bin/sh\n  warning: "),
            "{text}"
        );
    }

    #[test]
    fn keys_in_a_url_and_headers_are_not_shown() {
        let text = banner(
            "backends: {a: {http_url: \"https://example.org/mcp?key=hunter2\", headers: {A: hunter2}}}",
        );
        assert!(text.contains("  backend a: http, https://example.org/mcp\n"));
        assert!(!text.contains(Secret::new("hunter2").expose()));
    }

    #[test]
    fn no_backends_is_said_with_what_to_do() {
        assert!(banner("").contains("backends: none; add one under `backends`"));
    }
}
