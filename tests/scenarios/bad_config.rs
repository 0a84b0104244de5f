//! Configurations that cannot work: the program does not start, and says file, line, key, and what would work.

use crate::support::{Ended, Setup};

fn refused(config: &str, words: &[&str]) -> Ended {
    for arguments in [vec!["validate"], vec!["--port", "0"]] {
        let setup = arguments
            .iter()
            .fold(Setup::text(config), |setup, argument| setup.arg(argument));
        let ended = setup.run();
        assert_eq!(ended.code, 2, "{arguments:?} {ended:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        for word in words.iter().chain(&["gateway.yaml"]) {
            assert!(
                ended.stderr.contains(word),
                "{arguments:?}: {word:?} in {}",
                ended.stderr
            );
        }
    }
    Setup::text(config).arg("validate").run()
}

pub(crate) fn unknown_key() {
    refused("server:\n  prot: 8080\n", &["2", "prot", "port"]);
    refused(
        "backends:\n  files:\n    comand: ls\n",
        &["3", "comand", "command"],
    );
    refused(
        "failsafe:\n  circuit_breaker:\n    failure_treshold: 5\n",
        &["3", "failure_treshold", "failure_threshold"],
    );
}

pub(crate) fn wrong_value() {
    refused("server:\n  port: http\n", &["2", "port"]);
    refused(
        "server:\n  request_timeout: 30 parsecs\n",
        &["2", "request_timeout", "parsecs"],
    );
    refused(
        "backends:\n  files:\n    command: ls\n    http_url: http://localhost\n",
        &["command", "http_url"],
    );
    refused("backends:\n  \"a/b\":\n    command: ls\n", &["a/b"]);
    refused(
        "backends:\n  files: {}\n",
        &["files", "command", "http_url"],
    );
    refused("server: [1\n", &["1"]);
    let ended = refused("port 8080\n", &["1", "this is not a configuration"]);
    assert_eq!(ended.stderr.lines().count(), 1, "said once: {ended:?}");
}

pub(crate) fn missing_variable() {
    let config = "backends:\n  files:\n    command: ls\n    env:\n      KEY: ${NO_SUCH_VARIABLE}\n";
    refused(config, &["5", "NO_SUCH_VARIABLE"]);
    let ended = Setup::text(&config.replace("${NO_SUCH_VARIABLE}", "${NO_SUCH_VARIABLE:-fine}"))
        .arg("validate")
        .run();
    assert_eq!(ended.code, 0, "{ended:?}");
}

pub(crate) fn all_at_once() {
    let ended = refused(
        "server:\n  prot: 1\n  hots: x\nnonsense: 1\n",
        &["prot", "hots", "nonsense"],
    );
    assert!(ended.stderr.lines().count() >= 3, "{}", ended.stderr);
}

pub(crate) fn secrets_stay_out() {
    let ended =
        Setup::text("auth:\n  enabled: true\n  bearer_token: hunter2hunter2\n  api_keys: 7\n")
            .arg("validate")
            .run();
    assert_eq!(ended.code, 2);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

pub(crate) fn no_such_file() {
    let ended = Setup::unconfigured()
        .arg("-c")
        .arg("/no/such/gateway.yaml")
        .run();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("/no/such/gateway.yaml"));
    let ended = Setup::unconfigured().arg("--no-such-flag").run();
    assert_eq!(ended.code, 2, "{ended:?}");
}
