//! What a command of `cap` looks at, and how it shows what it found.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use crate::{
    capability::{CapabilitySettings, Definition, PrivateNetworks},
    cli::{args::Options, configured::configured, ended::Ended},
    config::{Directory, Environment, Finding},
    failsafe::FailsafeConfig,
};

/// Capabilities, and what was said of them.
pub(super) struct Looked {
    pub(super) definitions: Vec<Arc<Definition>>,
    /// Why others are left out, a line each.
    pub(super) left_out: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Looked {
    /// Looks at these places, or at those of the configuration.
    pub(super) fn at(options: &Options, places: &[PathBuf]) -> Result<Self, Ended> {
        if places.is_empty() {
            return Self::configured(options);
        }
        for place in places {
            if !place.exists() {
                return Err(Ended::Misused(format!(
                    "{} is not there, so no capability can be read from it. Name a file, or a directory with files.",
                    place.display()
                )));
            }
        }
        let all = Directory::read(places, &Environment::of_process());
        let lines = |findings: &[Finding]| findings.iter().map(Finding::to_string).collect();
        let reasons = all.left_out.iter().flat_map(|file| &file.reasons);
        Ok(Self {
            left_out: reasons.map(Finding::to_string).collect(),
            warnings: lines(&all.warnings),
            definitions: all.definitions.into_iter().map(|(_, it)| it).collect(),
        })
    }

    /// What is served of it where `name` is called: as the configuration says, if there is one that speaks of capabilities.
    pub(super) fn settings(
        self,
        options: &Options,
        name: &str,
    ) -> Result<CapabilitySettings, Ended> {
        if !self.definitions.iter().any(|it| it.name.as_str() == name) {
            let known = self.definitions.iter().map(|it| it.name.as_str());
            let known: Vec<_> = known.collect();
            let left_out = match self.left_out.as_slice() {
                [] => String::new(),
                lines => format!("\nLeft out:\n{}", lines.join("\n")),
            };
            return Err(Ended::Misused(format!(
                "There is no capability `{name}`, so nothing was called. There are: {}.{left_out}",
                known.join(", ")
            )));
        }
        let configured = configured(options)?.capabilities;
        let base = configured.unwrap_or_else(|| CapabilitySettings {
            name: "capabilities".into(),
            definitions: Vec::new(),
            left_out: Vec::new(),
            networks: PrivateNetworks::default(),
            failsafe: FailsafeConfig::default(),
            timeout: Duration::from_secs(30),
        });
        Ok(CapabilitySettings {
            definitions: self.definitions,
            ..base
        })
    }

    fn configured(options: &Options) -> Result<Self, Ended> {
        let config = configured(options)?;
        let Some(capabilities) = config.capabilities else {
            return Err(Ended::Misused(
                "The configuration has no section `capabilities`, so there is nothing to look at. Name files or directories, or write that section."
                    .to_owned(),
            ));
        };
        let left_out = capabilities.left_out.iter().map(|it| it.to_string());
        let left_out: Vec<String> = left_out.collect();
        let is_other = |warning: &String| !left_out.iter().any(|line| warning.starts_with(&**line));
        let warnings = config.warnings.iter().map(Finding::to_string);
        Ok(Self {
            definitions: capabilities.definitions,
            warnings: warnings.filter(is_other).collect(),
            left_out,
        })
    }
}

/// Writes a result where it belongs.
pub(super) fn show(text: &str) -> Result<(), Ended> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).map_err(|error| {
        Ended::Failed(format!(
            "Standard output cannot be written ({error}), so the result is not shown. Send it to a file or a terminal that takes it."
        ))
    })
}
