//! `capabilities`: HTTP APIs that are served as tools.

use std::{path::PathBuf, time::Duration};

use super::{
    names::{self, Names},
    openapi,
};
use crate::{
    capability::{CapabilitySettings, PrivateNetworks},
    config::{capability_file::Directory, section::Section, tree::Value, values},
    failsafe::FailsafeConfig,
};

/// The name of their backend, and where they are looked for, if nothing is written.
const NAME: &str = "capabilities";
const DIRECTORY: &str = "capabilities";

/// Reads them, with the policy and the timeout that hold for each call; none if the section is not written or not enabled. The name must be none of another backend's.
pub(in crate::config) fn read(
    root: &mut Section<'_>,
    known: &mut Names,
    failsafe: &FailsafeConfig,
    timeout: Duration,
) -> Option<CapabilitySettings> {
    root.accept("capabilities");
    root.place_of("capabilities")?;
    let directories = directories(root);
    let mut section = root.section("capabilities");
    let mut enabled = true;
    section.flag("enabled", &mut enabled);
    let name = section.text("name").unwrap_or_else(|| NAME.to_owned());
    section.accept("directories");
    section.accept("openapi");
    let networks = networks(&mut section);
    if !enabled {
        known.add(&name, false);
        section.finish();
        return None;
    }
    check(&name, &section, known);
    known.add(&name, true);
    let all = Directory::read(&directories, section.reading().environment);
    let findings = section.reading().findings;
    for warning in all.warnings {
        findings.warn(&warning.place, warning.sentence);
    }
    let mut left_out = Vec::new();
    for file in all.left_out {
        for reason in file.reasons {
            left_out.push(reason.to_string().into());
            let sentence = format!("{}; this capability is left out", reason.sentence);
            findings.warn(&reason.place, sentence);
        }
    }
    let mut definitions: Vec<_> = all.definitions.into_iter().map(|(_, it)| it).collect();
    let names = definitions.iter().map(|it| it.name.as_str().to_owned());
    let names: Vec<_> = names.collect();
    let apis = openapi::read(&mut section, names.into_iter());
    definitions.extend(apis.definitions);
    left_out.extend(apis.left_out);
    section.finish();
    Some(CapabilitySettings {
        name: name.into(),
        definitions,
        left_out,
        networks,
        failsafe: failsafe.clone(),
        timeout,
    })
}

fn check(name: &str, section: &Section<'_>, known: &Names) {
    if let Some(fault) = names::fault(name) {
        section.refuse("name", &format!(": `{name}` {fault}"));
    }
    if known.has(name) {
        section.refuse(
            "name",
            &format!("is `{name}`, and a backend has this name too: rename one of them"),
        );
    }
}

/// The documents that are served without files of their own.
pub(in crate::config) fn documents(root: &mut Section<'_>) -> Vec<PathBuf> {
    root.accept("capabilities");
    openapi::files(&mut root.section("capabilities"))
}

/// Where files are looked for. Who names documents alone needs no directory.
pub(in crate::config) fn directories(root: &mut Section<'_>) -> Vec<PathBuf> {
    root.accept("capabilities");
    if root.place_of("capabilities").is_none() {
        return Vec::new();
    }
    let mut section = root.section("capabilities");
    let written = section.texts("directories");
    let environment = section.reading().environment;
    let needed = section.place_of("openapi").is_none();
    let usual = || needed.then(|| DIRECTORY.to_owned()).into_iter().collect();
    let names = written.unwrap_or_else(usual);
    names.iter().map(|name| environment.path(name)).collect()
}

/// `true` for all of them, or a list of networks.
fn networks(section: &mut Section<'_>) -> PrivateNetworks {
    const KEY: &str = "allow_private_networks";
    let is_list = matches!(
        section.node(KEY).map(|node| &node.value),
        Some(Value::List(_))
    );
    if is_list {
        let network = |text: &str| {
            text.parse()
                .map_err(|_| "is no network: write one such as 10.0.0.0/8 or fd00::/8".to_owned())
        };
        return PrivateNetworks::Only(section.list(KEY, network).unwrap_or_default());
    }
    match section.optional(KEY, values::flag) {
        Some(true) => PrivateNetworks::Allowed,
        _ => PrivateNetworks::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::tests::{read, warnings};

    fn capabilities(text: &str) -> CapabilitySettings {
        read(text, &[]).unwrap().capabilities.unwrap()
    }

    #[test]
    fn nothing_written_is_nothing_served() {
        assert_eq!(read("", &[]).unwrap().capabilities, None);
        let off = "capabilities: {enabled: false, directories: [/nowhere]}";
        let config = read(off, &[]).unwrap();
        assert_eq!((config.capabilities, config.warnings.len()), (None, 0));
    }

    #[test]
    fn good_files_are_served_and_bad_ones_are_warned_of_by_name() {
        let home = tempfile::tempdir().unwrap();
        let good = "fulcrum: \"1.0\"\nname: look\nproviders: {primary: {config: {base_url: https://a.example}}}\n";
        std::fs::write(home.path().join("good.yaml"), good).unwrap();
        std::fs::write(home.path().join("bad.yaml"), "fulcrum: \"2.0\"\n").unwrap();
        let text = format!(
            "capabilities: {{name: apis, directories: [{}]}}",
            home.path().display()
        );
        let config = read(&text, &[]).unwrap();
        let warned = warnings(&config).join("\n");
        assert!(
            warned.contains("bad.yaml:1:10: `fulcrum`: `2.0` is a format that is not known"),
            "{warned}"
        );
        assert!(warned.contains("; this capability is left out"), "{warned}");
        let settings = config.capabilities.unwrap();
        assert_eq!(&*settings.name, "apis");
        assert_eq!(settings.definitions[0].name.as_str(), "look");
        assert!(
            settings
                .left_out
                .iter()
                .any(|reason| reason.contains("bad.yaml"))
        );
    }

    #[test]
    fn networks_are_all_or_some_or_none() {
        let networks = |written: &str| {
            let text = format!("capabilities: {{directories: [], {written}}}");
            capabilities(&text).networks
        };
        assert_eq!(networks(""), PrivateNetworks::Refused);
        assert_eq!(
            networks("allow_private_networks: true"),
            PrivateNetworks::Allowed
        );
        let some = PrivateNetworks::Only(vec!["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(networks("allow_private_networks: [10.0.0.0/8]"), some);
        let wrong = "capabilities: {directories: [], allow_private_networks: [10.0.0.0/99]}";
        let problems = read(wrong, &[]).unwrap_err();
        assert!(
            problems[0].contains("`10.0.0.0/99` is no network"),
            "{problems:?}"
        );
    }

    #[test]
    fn the_name_is_one_that_no_backend_has() {
        let text = "capabilities: {directories: [], name: a}\nbackends: {a: {command: x}}";
        let problems = read(text, &[]).unwrap_err();
        assert!(
            problems[0].contains("a backend has this name too"),
            "{problems:?}"
        );
        let known = "capabilities: {directories: []}\nmeta_mcp: {warm_start: [capabilities]}";
        assert_eq!(
            read(known, &[]).unwrap().gateway.meta_mcp.warm_start,
            ["capabilities"]
        );
    }
}
