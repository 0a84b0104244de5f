//! From a file and the environment to the settings of every floor.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Environment, Finding, Place, Problems, capability_file, demo, env_file, locate, overlay,
    reading::{Findings, Reading},
    section::Section,
    sections,
    tree::{self, Node, Value},
};
use crate::{
    backend::{BackendSettings, TransportSettings},
    capability::CapabilitySettings,
    gateway::GatewaySettings,
    server::ServerSettings,
    telemetry::TelemetrySettings,
};

/// What a configuration is read from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The file that was named; otherwise it is looked for.
    pub file: Option<PathBuf>,
    /// The variables it may speak of.
    pub environment: Environment,
    /// This program, which is its own demo backend and supervises every child.
    pub program: PathBuf,
}

/// A configuration that can be served.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it was read from; none if the built-in demo is served.
    pub file: Option<PathBuf>,
    /// The listener.
    pub server: ServerSettings,
    /// Decisions that hold for all backends.
    pub gateway: GatewaySettings,
    /// What is told to others of what happens here; it holds from the start.
    pub telemetry: TelemetrySettings,
    /// The backends that are enabled, in the order of the file.
    pub backends: Vec<BackendSettings>,
    /// The capabilities that are served, if any are to be.
    pub capabilities: Option<CapabilitySettings>,
    /// What was understood and has no effect, or not the effect it seems to have.
    pub warnings: Vec<Finding>,
}

/// Finds and reads the configuration.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn load(sources: &Sources) -> Result<Config, Problems> {
    let file = chosen(sources);
    let root = match &file {
        Some(file) => read_tree(file)?,
        None => Node {
            at: Place::Defaults,
            value: Value::Nothing,
        },
    };
    let mut config = from_tree(root, &sources.environment)?;
    if file.is_none() && config.backends.is_empty() && config.capabilities.is_none() {
        config.backends.push(demo::backend(&sources.program));
    }
    for backend in &mut config.backends {
        if let TransportSettings::Stdio(stdio) = &mut backend.transport {
            stdio.supervisor = Some(sources.program.clone());
        }
    }
    config.file = file;
    Ok(config)
}

/// Every file that a reading looks at, there or not: where one of them changes, another configuration may be meant.
#[must_use]
pub fn files(sources: &Sources) -> Vec<PathBuf> {
    let chosen = chosen(sources);
    let mut files = match &sources.file {
        Some(file) => vec![file.clone()],
        None => locate::places(&sources.environment),
    };
    let end = files.iter().position(|file| Some(file) == chosen.as_ref());
    files.truncate(end.map_or(files.len(), |end| end + 1));
    if let Some(Ok(root)) = chosen.as_deref().map(read_tree) {
        files.extend(of_tree(root, &sources.environment));
    }
    files
}

/// The files that a configuration names. What is wrong with it is said by whoever reads it.
fn of_tree(mut root: Node, environment: &Environment) -> Vec<PathBuf> {
    let findings = Findings::default();
    let mut files = env_files(&root, environment, &findings);
    let environment = with_env_files(&root, environment, &findings);
    overlay::lay(&mut root, &environment);
    let reading = Reading {
        environment: &environment,
        findings: &findings,
    };
    let mut section = Section::new(&root, &root.at, "", reading);
    let places = sections::capabilities::directories(&mut section);
    files.extend(capability_file::files(&places));
    files.extend(sections::capabilities::documents(&mut section));
    files
}

fn chosen(sources: &Sources) -> Option<PathBuf> {
    match &sources.file {
        Some(file) => Some(file.clone()),
        None => locate::first(&locate::places(&sources.environment)).map(Path::to_path_buf),
    }
}

fn from_tree(mut root: Node, environment: &Environment) -> Result<Config, Problems> {
    let findings = Findings::default();
    let environment = with_env_files(&root, environment, &findings);
    for finding in overlay::lay(&mut root, &environment) {
        findings.problem(&finding.place, finding.sentence);
    }
    let reading = Reading {
        environment: &environment,
        findings: &findings,
    };
    let mut config = settings(&root, reading);
    let (problems, warnings) = findings.sorted();
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    config.warnings = warnings;
    Ok(config)
}

fn read_tree(file: &Path) -> Result<Node, Finding> {
    let file: Arc<Path> = file.into();
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Finding::new(
            &Place::File(Arc::clone(&file)),
            format!("cannot be read ({error}): name a readable file with -c or MCP_GATEWAY_CONFIG"),
        )
    })?;
    let root = tree::parse_file(&text, &file)?;
    match root.value {
        Value::Map(_) | Value::Nothing => Ok(root),
        _ => Err(Finding::new(
            &root.at,
            "this is not a configuration: write sections such as `backends:`, each with its keys below it",
        )),
    }
}

/// The files that `env_files` names.
fn env_files(root: &Node, environment: &Environment, findings: &Findings) -> Vec<PathBuf> {
    let reading = Reading {
        environment,
        findings,
    };
    let names = Section::new(root, &root.at, "", reading).texts("env_files");
    let names = names.unwrap_or_default();
    names.iter().map(|name| environment.path(name)).collect()
}

/// The environment with the variables of all `env_files` beneath it. A file that is not there is skipped.
fn with_env_files(root: &Node, environment: &Environment, findings: &Findings) -> Environment {
    let mut all = environment.clone();
    let reading = Reading {
        environment,
        findings,
    };
    let section = Section::new(root, &root.at, "", reading);
    let at = section.place_of("env_files").unwrap_or(&root.at);
    for file in env_files(root, environment, findings) {
        let file: Arc<Path> = file.into();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                let sentence = format!(
                    "`env_files`: {} cannot be read ({error}): make it readable, or take it off the list",
                    file.display()
                );
                findings.problem(at, sentence);
                continue;
            }
        };
        match env_file::parse(&text) {
            Ok(variables) => all.absorb(variables),
            Err(line) => findings.problem(
                &Place::Line {
                    file,
                    line,
                    column: 1,
                },
                "this line sets no variable: write NAME=value, or begin a comment with #",
            ),
        }
    }
    all
}

fn settings(root: &Node, reading: Reading<'_>) -> Config {
    let mut section = Section::new(root, &root.at, "", reading);
    section.accept("env_files");
    let mut server = ServerSettings::default();
    let mut gateway = GatewaySettings::default();
    sections::server::read(&mut section, &mut server, &mut gateway);
    sections::streaming::read(&mut section, &mut server, &mut gateway);
    let failsafe = sections::failsafe::read_global(&mut section);
    let mut backends = sections::backends::read(&mut section, &failsafe, gateway.request_timeout);
    let capabilities = sections::capabilities::read(
        &mut section,
        &mut backends.names,
        &failsafe,
        gateway.request_timeout,
    );
    let known = &backends.names;
    gateway.meta_mcp.selections = backends.selections;
    gateway.slos = backends.slos;
    sections::auth::read(&mut section, known, &mut server.auth);
    sections::meta_mcp::read(&mut section, known, &mut gateway.meta_mcp);
    let mut telemetry = TelemetrySettings::default();
    sections::telemetry::read(&mut section, &mut telemetry, &mut gateway);
    sections::elsewhere::read(&mut section);
    section.finish();
    Config {
        file: None,
        server,
        gateway,
        telemetry,
        backends: backends.settings,
        capabilities,
        warnings: Vec::new(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backend::TransportSettings;

    /// What a file of this text comes to, with these variables set.
    pub(in crate::config) fn read(
        text: &str,
        variables: &[(&str, &str)],
    ) -> Result<Config, Vec<String>> {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        tree::parse_file(text, &Path::new("g.yaml").into())
            .map_err(Problems::from)
            .and_then(|root| from_tree(root, &environment))
            .map_err(|problems| problems.0.iter().map(Finding::to_string).collect())
    }

    pub(in crate::config) fn warnings(config: &Config) -> Vec<String> {
        config.warnings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn nothing_written_means_every_default() {
        let config = read("", &[]).unwrap();
        assert_eq!(config.server.port, 39400);
        assert_eq!(config.gateway, GatewaySettings::default());
        assert_eq!(
            config.server.auth.public_paths,
            ["/health", "/livez", "/readyz"]
        );
        assert_eq!(config.backends, []);
        assert_eq!(config.warnings, []);
    }

    #[test]
    fn a_variable_wins_over_the_file_and_its_faults_name_it() {
        let text = "server: {port: 1, request_timeout: 5s}";
        let config = read(text, &[("MCP_GATEWAY_SERVER__PORT", "2")]).unwrap();
        assert_eq!(config.server.port, 2);
        assert_eq!(config.gateway.request_timeout, Duration::from_secs(5));
        let problems = read(text, &[("MCP_GATEWAY_SERVER__PROT", "2")]).unwrap_err();
        assert_eq!(
            problems,
            [
                "environment variable MCP_GATEWAY_SERVER__PROT: unknown key `server.prot`: did you mean `port`?"
            ]
        );
    }

    #[test]
    fn a_named_file_that_is_not_there_is_said_so() {
        let sources = Sources {
            file: Some("/nowhere/gateway.yaml".into()),
            environment: Environment::default(),
            program: "/bin/mcp-gateway".into(),
        };
        let problem = load(&sources).unwrap_err().to_string();
        assert!(
            problem.starts_with("/nowhere/gateway.yaml: cannot be read ("),
            "{problem}"
        );
    }

    #[test]
    fn env_files_feed_variables_and_children_and_missing_ones_are_skipped() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys.env");
        std::fs::write(&file, "TOKEN=from-file\nPORT=7\n").unwrap();
        let text = format!(
            "env_files: [~/nowhere.env, {}]\nserver: {{port: \"${{PORT}}\"}}\nbackends: {{a: {{command: x, env: {{T: \"env:TOKEN\"}}}}}}",
            file.display()
        );
        let config = read(&text, &[("PORT", "8"), ("HOME", "/nowhere")]).unwrap();
        assert_eq!(config.server.port, 8);
        let TransportSettings::Stdio(stdio) = &config.backends[0].transport else {
            panic!("not stdio")
        };
        let env: Vec<_> = stdio
            .env
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        assert_eq!(env, [("T", "from-file"), ("TOKEN", "from-file")]);
        std::fs::write(&file, "# ok\nTOKEN\n").unwrap();
        let problems = read(&text, &[("PORT", "8")]).unwrap_err();
        assert!(
            problems.iter().any(|problem| problem
                .starts_with(&format!("{}:2:1: this line sets no", file.display()))),
            "{problems:?}"
        );
    }

    #[test]
    fn what_is_looked_at_are_all_places_up_to_the_first_and_the_env_files_it_names() {
        let home = tempfile::tempdir().unwrap();
        let variables = [("HOME".to_owned(), home.path().display().to_string())];
        let mut sources = Sources {
            file: None,
            environment: variables.into_iter().collect(),
            program: "/bin/mcp-gateway".into(),
        };
        let places = locate::places(&sources.environment);
        assert_eq!(files(&sources), places, "any of them may appear");
        std::fs::create_dir_all(places[1].parent().unwrap()).unwrap();
        std::fs::write(&places[1], "env_files: [~/keys.env]").unwrap();
        let keys = home.path().join("keys.env");
        let found = [&places[..2], &[keys]].concat();
        assert_eq!(files(&sources), found);
        std::fs::write(&places[1], "env_files: [").unwrap();
        sources.file = Some(places[1].clone());
        assert_eq!(files(&sources), places[1..2]);
    }

    #[test]
    fn the_example_loads_without_a_word_and_says_the_defaults() {
        let text = include_str!("../../gateway.example.yaml");
        let example = read(text, &[]).unwrap();
        assert_eq!(example.warnings, []);
        let defaults = read("", &[]).unwrap();
        assert_eq!(example.server, defaults.server);
        assert_eq!(example.gateway, defaults.gateway);
        let names: Vec<_> = example
            .backends
            .iter()
            .map(|backend| &*backend.name)
            .collect();
        assert_eq!(names, ["everything"]);
        let enabled = text.replacen("    enabled: false\n    http_url", "    http_url", 1);
        let both = read(&enabled, &[("REMOTE_TOKEN", "x")]).unwrap();
        assert_eq!(both.backends.len(), 2);
        let commented = [
            "bearer_token: auto",
            "public_url:",
            "cwd:",
            "stop_when_idle_for:",
            "tools:",
            "endpoint:",
            "overhead_budget:",
            "webhook:",
            "slo:",
            "capabilities:",
        ];
        let uncommented = commented.iter().fold(enabled, |text, key| {
            assert!(text.contains(&format!("# {key}")), "{key}");
            text.replacen(&format!("# {key}"), key, 1)
        });
        read(&uncommented, &[("REMOTE_TOKEN", "x")]).unwrap();
    }

    proptest::proptest! {
        #[test]
        fn no_text_and_no_variable_makes_it_panic(
            text in "(backends|server|auth|a|[:{}\\[\\]$#*&!|>'\"%@`~-]|[ \n\t]|\\PC){0,40}",
            name in "(SERVER|BACKENDS|_|[A-Z0-9]){0,8}",
            value in "\\PC{0,12}",
        ) {
            let name = format!("MCP_GATEWAY_{name}");
            let _ = read(&text, &[(&name, &value)]);
            let text = format!("backends: {{a: {{command: {text:?}, env: {{A: {value:?}}}}}}}");
            let _ = read(&text, &[(&name, &value)]);
            let _ = env_file::parse(&text);
        }
    }
}
