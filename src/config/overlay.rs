//! Any key by an environment variable: `MCP_GATEWAY_SECTION__KEY` is laid over what the file says.

use super::{
    Environment, Finding, Place,
    tree::{self, Entry, Node, Value},
};

const PREFIX: &str = "MCP_GATEWAY_";
const STEP: &str = "__";

/// Lays every overriding variable over the tree; each that cannot be is returned.
pub(super) fn lay(root: &mut Node, environment: &Environment) -> Vec<Finding> {
    environment
        .with_prefix(PREFIX)
        .filter(|(name, _)| name[PREFIX.len()..].contains(STEP))
        .filter_map(|(name, text)| lay_one(root, name, text).err())
        .collect()
}

fn lay_one(root: &mut Node, name: &str, text: &str) -> Result<(), Finding> {
    let at = Place::Variable(name.into());
    let mut node = root;
    for step in name[PREFIX.len()..].split(STEP) {
        node = descend(node, step, &at).map_err(|reason| Finding::new(&at, reason))?;
    }
    *node = value(text, at)?;
    Ok(())
}

fn value(text: &str, at: Place) -> Result<Node, Finding> {
    if text.starts_with(['[', '{']) {
        return tree::parse_variable(text, &at);
    }
    Ok(Node {
        value: Value::Scalar(text.to_owned()),
        at,
    })
}

fn descend<'a>(node: &'a mut Node, step: &str, at: &Place) -> Result<&'a mut Node, String> {
    if step.is_empty() {
        return Err(
            "has an empty part in its name, so no key is meant: write MCP_GATEWAY_SECTION__KEY"
                .to_owned(),
        );
    }
    if let Value::Nothing = node.value {
        *node = Node {
            at: at.clone(),
            value: Value::Map(Vec::new()),
        };
    }
    match &mut node.value {
        Value::Map(entries) => Ok(entry(entries, step, at)),
        Value::List(items) => step
            .parse()
            .ok()
            .and_then(|index: usize| items.get_mut(index))
            .ok_or_else(|| {
                format!(
                    "means an element `{step}` of a list, which is not there: elements count from 0"
                )
            }),
        _ => Err(format!(
            "means a key `{}` below a plain value: name a key that the configuration knows",
            step.to_lowercase()
        )),
    }
}

fn entry<'a>(entries: &'a mut Vec<Entry>, step: &str, at: &Place) -> &'a mut Node {
    let index = entries
        .iter()
        .position(|entry| as_step(&entry.key) == as_step(step))
        .unwrap_or_else(|| {
            entries.push(Entry {
                key: step.to_lowercase(),
                at: at.clone(),
                node: Node {
                    at: at.clone(),
                    value: Value::Nothing,
                },
            });
            entries.len() - 1
        });
    &mut entries[index].node
}

/// A key as it can stand in the name of a variable: backends may have names that a variable cannot hold.
fn as_step(key: &str) -> String {
    key.chars()
        .map(|character| match character {
            _ if character.is_ascii_alphanumeric() => character.to_ascii_lowercase(),
            _ => '_',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn laid(text: &str, variables: &[(&str, &str)]) -> (Node, Vec<String>) {
        let mut root = tree::parse_file(text, &Path::new("g.yaml").into()).unwrap();
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let findings = lay(&mut root, &environment);
        (root, findings.iter().map(Finding::to_string).collect())
    }

    fn at<'a>(node: &'a Node, path: &[&str]) -> &'a Node {
        path.iter().fold(node, |node, key| match &node.value {
            Value::Map(entries) => {
                &entries
                    .iter()
                    .find(|entry| entry.key == *key)
                    .unwrap_or_else(|| panic!("no {key}"))
                    .node
            }
            Value::List(items) => &items[key.parse::<usize>().unwrap()],
            other => panic!("no {key} in {other:?}"),
        })
    }

    fn scalar(text: &str) -> Value {
        Value::Scalar(text.to_owned())
    }

    #[test]
    fn a_variable_replaces_or_adds_a_key_and_is_its_place() {
        let (root, findings) = laid(
            "server:\n  port: 1\n  host: localhost\n",
            &[
                ("MCP_GATEWAY_SERVER__PORT", "2"),
                ("MCP_GATEWAY_FAILSAFE__RETRY__ENABLED", "false"),
                ("MCP_GATEWAY_META_MCP__WARM_START", "[a, b]"),
                ("MCP_GATEWAY_PORT", "3"),
            ],
        );
        assert_eq!(findings, [""; 0]);
        let port = at(&root, &["server", "port"]);
        assert_eq!(port.value, scalar("2"));
        assert_eq!(port.at, Place::Variable("MCP_GATEWAY_SERVER__PORT".into()));
        assert_eq!(at(&root, &["server", "host"]).value, scalar("localhost"));
        assert_eq!(
            at(&root, &["failsafe", "retry", "enabled"]).value,
            scalar("false")
        );
        assert_eq!(
            at(&root, &["meta_mcp", "warm_start", "1"]).value,
            scalar("b")
        );
    }

    #[test]
    fn names_that_a_variable_cannot_hold_are_met_and_lists_count_from_0() {
        let (root, findings) = laid(
            "backends:\n  My-Server.2:\n    command: old\nauth:\n  api_keys:\n    - key: a\n",
            &[
                ("MCP_GATEWAY_BACKENDS__MY_SERVER_2__COMMAND", "new"),
                ("MCP_GATEWAY_AUTH__API_KEYS__0__KEY", "b"),
            ],
        );
        assert_eq!(findings, [""; 0]);
        assert_eq!(
            at(&root, &["backends", "My-Server.2", "command"]).value,
            scalar("new")
        );
        assert_eq!(
            at(&root, &["auth", "api_keys", "0", "key"]).value,
            scalar("b")
        );
    }

    #[test]
    fn a_variable_that_means_nothing_is_named_without_its_value() {
        let (_, findings) = laid(
            "server:\n  port: 1\nauth:\n  api_keys: []\n",
            &[
                ("MCP_GATEWAY_SERVER__PORT__X", "secret"),
                ("MCP_GATEWAY_AUTH__API_KEYS__3__KEY", "secret"),
                ("MCP_GATEWAY___X", "secret"),
                ("MCP_GATEWAY_META_MCP__WARM_START", "[secret"),
            ],
        );
        assert_eq!(findings.len(), 4, "{findings:?}");
        for finding in findings {
            assert!(finding.starts_with("environment variable MCP_GATEWAY_"));
            assert!(!finding.contains("secret"), "{finding}");
        }
    }
}
