//! The built binary with files of capabilities: what `cap` says of them, and the code it ends with.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot go on must fail")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

const GOOD: &str = "# Looks for things.\nfulcrum: \"1.0\"\nname: look\nproviders:\n  primary:\n    config: {base_url: https://a.example}\n";

/// What `cap` with these arguments ends with, and what it says on both streams.
fn cap(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_mcp-gateway"))
        .arg("cap")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_starter_set_is_valid_and_its_tools_only_read() {
    let set = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/capabilities");
    let (code, stdout, stderr) = cap(&["validate", set]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert_eq!(stdout, "8 capabilities are valid\n");
    let (_, listed, _) = cap(&["list", set]);
    let reads = |line: &str| line.split('\t').nth(1) == Some("reads");
    assert_eq!(
        listed.lines().filter(|line| reads(line)).count(),
        8,
        "{listed}"
    );
    assert!(
        listed.contains("weather\treads\thttps://api.open-meteo.com\tThe weather"),
        "{listed}"
    );
}

#[test]
fn the_file_that_the_documentation_shows_is_valid() {
    let page = include_str!("../docs/capabilities.md");
    let shown = page.split("```yaml\n").skip(1);
    let shown = shown.filter_map(|rest| rest.split("```").next());
    let mut files = shown.filter(|block| block.starts_with("fulcrum:"));
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("shown.yaml");
    fs::write(&file, files.next().unwrap()).unwrap();
    let (code, stdout, stderr) = cap(&["validate", text(&file)]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert_eq!(stdout, "1 capability is valid\n");
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_what_is_good_is_counted() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("good.yaml"), GOOD).unwrap();
    let bad = GOOD.replace("base_url", "base_ulr");
    fs::write(home.path().join("bad.yaml"), bad).unwrap();
    let cli = GOOD.replace("    config:", "    service: cli\n    config:");
    fs::write(home.path().join("cli.yaml"), cli).unwrap();
    let (code, stdout, stderr) = cap(&["validate", text(home.path())]);
    assert_eq!((code, &*stdout), (Some(2), "1 capability is valid\n"));
    let near =
        "bad.yaml:6:14: unknown key `providers.primary.config.base_ulr`: did you mean `base_url`?";
    assert!(stderr.contains(near), "{stderr}");
    let named =
        "cli.yaml:6:5: `providers.primary.service` is `cli`, which this gateway does not call";
    assert!(stderr.contains(named), "{stderr}");
    let (code, _, stderr) = cap(&["validate", "/nowhere/at/all"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("/nowhere/at/all is not there"), "{stderr}");
}

#[test]
fn a_pinned_file_that_was_changed_is_left_out() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a.yaml");
    fs::write(&file, GOOD).unwrap();
    let (code, stdout, stderr) = cap(&["pin", text(&file)]);
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert!(stdout.ends_with("a.yaml: pinned\n"), "{stdout}");
    assert_eq!(cap(&["validate", text(&file)]).0, Some(0));
    let pinned = fs::read_to_string(&file).unwrap();
    assert!(pinned.contains("# Looks for things.\n"), "{pinned}");
    fs::write(&file, pinned.replace("a.example", "b.example")).unwrap();
    let (code, _, stderr) = cap(&["validate", text(&file)]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("`sha256` is the pin of another text"),
        "{stderr}"
    );
    assert_eq!(
        cap(&["pin", text(&file)]).0,
        Some(0),
        "whoever has looked pins it again"
    );
    assert_eq!(cap(&["validate", text(&file)]).0, Some(0));
}

#[test]
fn a_file_that_is_wrong_is_not_pinned() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a.yaml");
    fs::write(&file, "fulcrum: \"1.0\"\n").unwrap();
    let (code, _, stderr) = cap(&["pin", text(&file)]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("`name` is missing"), "{stderr}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "fulcrum: \"1.0\"\n");
}
