//! `validate`: says what the configuration would do, or everything that keeps it from doing so.

use std::io::{self, Write};

use super::{args::Options, configured::configured, ended::Ended};
use crate::config::Config;

pub(super) fn validate(options: &Options) -> Result<(), Ended> {
    let config = configured(options)?;
    config.server.check()?;
    io::stdout()
        .lock()
        .write_all(summary(&config).as_bytes())
        .map_err(|error| Ended::Failed(format!("Standard output cannot be written ({error}), so the result is not shown. Send it to a file or a terminal that takes it.")))
}

fn summary(config: &Config) -> String {
    let file = config.file.as_ref().map_or_else(
        || "no file found, so the built-in demo is served".to_owned(),
        |file| file.display().to_string(),
    );
    let capabilities = config.capabilities.iter().map(|it| &*it.name);
    let backends = config.backends.iter().map(|backend| &*backend.name);
    let backends: Vec<_> = backends.chain(capabilities).collect();
    let mut text = format!(
        "{file}: valid; {} on {}:{}; {}\n",
        match backends.as_slice() {
            [] => "no backends".to_owned(),
            [one] => format!("1 backend ({one})"),
            many => format!("{} backends ({})", many.len(), many.join(", ")),
        },
        config.server.host,
        config.server.port,
        match config.warnings.len() {
            0 => "no warnings".to_owned(),
            1 => "1 warning".to_owned(),
            count => format!("{count} warnings"),
        }
    );
    for warning in &config.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    text
}
