//! `meta_mcp`: what the aggregate endpoint shows.

use std::{collections::BTreeMap, time::Duration};

use super::names::Names;
use crate::{
    config::{section::Section, values},
    gateway::{MetaMcpSettings, Naming, SurfacedTool, ToolSelection},
};

pub(in crate::config) fn read(
    root: &mut Section<'_>,
    known: &Names,
    settings: &mut MetaMcpSettings,
) {
    let mut section = root.section("meta_mcp");
    section.flag("enabled", &mut settings.enabled);
    section.read("naming", &mut settings.naming, naming);
    section.read("cache_ttl", &mut settings.cache_ttl, values::duration);
    section.read("stale_grace", &mut settings.stale_grace, values::duration);
    let mut cached = true;
    section.flag("cache_tools", &mut cached);
    if !cached {
        settings.cache_ttl = Duration::ZERO;
    }
    settings.warm_start = section.texts("warm_start").unwrap_or_default();
    settings
        .warm_start
        .retain(|name| name == "*" || known.check(name, &section, "warm_start"));
    settings.surfaced_tools = section
        .sections("surfaced_tools")
        .into_iter()
        .filter_map(|item| surfaced(item, known, &settings.selections))
        .collect();
    section.finish();
}

fn naming(text: &str) -> Result<Naming, String> {
    match text {
        "prefixed" => Ok(Naming::Prefixed),
        "plain" => Ok(Naming::Plain),
        _ => Err("is no way of naming tools: write prefixed or plain".to_owned()),
    }
}

fn surfaced(
    mut item: Section<'_>,
    known: &Names,
    selections: &BTreeMap<Box<str>, ToolSelection>,
) -> Option<SurfacedTool> {
    let server = item.required("server", "the backend of the tool");
    let tool = item.required("tool", "the name of the tool");
    let there = server
        .as_ref()
        .is_some_and(|server| known.check(server, &item, "server"));
    if let (Some(server), Some(tool), Some(at)) = (&server, &tool, item.place_of("tool"))
        && selections
            .get(server.as_str())
            .is_some_and(|selection| !selection.shows(tool))
    {
        let sentence = format!(
            "`{}` is not shown, because backends.{server}.tools leaves `{tool}` out: take it off one of the two",
            item.path_of("tool")
        );
        item.reading().findings.warn(at, sentence);
    }
    item.finish();
    there.then_some(SurfacedTool {
        server: server?,
        tool: tool?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::tests::{read, warnings};

    #[test]
    fn every_key_is_read_and_a_disabled_backend_is_left_out() {
        let text = "meta_mcp:\n  enabled: false\n  naming: plain\n  cache_ttl: 1m\n  stale_grace: 2m\n  warm_start: [a, off]\n  surfaced_tools: [{server: a, tool: echo}, {server: off, tool: x}]\nbackends: {a: {command: x}, off: {command: y, enabled: false}}\n";
        let expected = MetaMcpSettings {
            enabled: false,
            naming: Naming::Plain,
            cache_ttl: Duration::from_secs(60),
            stale_grace: Duration::from_secs(120),
            warm_start: vec!["a".to_owned()],
            surfaced_tools: vec![SurfacedTool {
                server: "a".to_owned(),
                tool: "echo".to_owned(),
            }],
            selections: BTreeMap::new(),
        };
        assert_eq!(read(text, &[]).unwrap().gateway.meta_mcp, expected);
        let uncached = read("meta_mcp: {cache_tools: false, warm_start: [\"*\"]}", &[]).unwrap();
        assert_eq!(uncached.gateway.meta_mcp.cache_ttl, Duration::ZERO);
        assert_eq!(uncached.gateway.meta_mcp.warm_start, ["*"]);
    }

    #[test]
    fn a_surfaced_tool_that_its_backend_leaves_out_is_warned_of() {
        let text = "meta_mcp: {surfaced_tools: [{server: a, tool: echo}, {server: a, tool: add}]}\nbackends: {a: {command: x, tools: {exclude: [e*]}}}";
        let warnings = warnings(&read(text, &[]).unwrap());
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let told = "`meta_mcp.surfaced_tools[0].tool` is not shown, because backends.a.tools leaves `echo` out";
        assert!(warnings[0].contains(told), "{warnings:?}");
    }

    #[test]
    fn names_that_nobody_has_are_refused() {
        for (text, expected) in [
            (
                "{warm_start: [ab]}",
                "`meta_mcp.warm_start` names the backend `ab`",
            ),
            (
                "{surfaced_tools: [{server: ab, tool: x}]}",
                "`meta_mcp.surfaced_tools[0].server` names the backend `ab`",
            ),
            (
                "{surfaced_tools: [{server: abc}]}",
                "`meta_mcp.surfaced_tools[0].tool` is missing",
            ),
            ("{naming: short}", "`short` is no way of naming"),
        ] {
            let text = format!("meta_mcp: {text}\nbackends: {{abc: {{command: x}}}}");
            let problems = read(&text, &[]).unwrap_err();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(expected), "{text}: {problems:?}");
        }
    }
}
