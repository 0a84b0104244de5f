//! Which meta-tools there are.

use serde_json::value::RawValue;

use super::definitions;

/// A meta-tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum MetaTool {
    ListServers,
    ListTools,
    SearchTools,
    Invoke,
    ReviveServer,
    KillServer,
    ReloadConfig,
}

impl MetaTool {
    pub(in crate::gateway) const ALL: [Self; 7] = [
        Self::ListServers,
        Self::ListTools,
        Self::SearchTools,
        Self::Invoke,
        Self::ReviveServer,
        Self::KillServer,
        Self::ReloadConfig,
    ];

    pub(in crate::gateway) const fn name(self) -> &'static str {
        match self {
            Self::ListServers => "gateway_list_servers",
            Self::ListTools => "gateway_list_tools",
            Self::SearchTools => "gateway_search_tools",
            Self::Invoke => "gateway_invoke",
            Self::ReviveServer => "gateway_revive_server",
            Self::KillServer => "gateway_kill_server",
            Self::ReloadConfig => "gateway_reload_config",
        }
    }

    pub(in crate::gateway) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// Whether it is shown to operators alone.
    pub(in crate::gateway) const fn is_for_operators(self) -> bool {
        matches!(
            self,
            Self::ReviveServer | Self::KillServer | Self::ReloadConfig
        )
    }

    /// The arguments it takes.
    pub(super) const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::ListServers | Self::ReloadConfig => &[],
            Self::ListTools | Self::ReviveServer | Self::KillServer => &["server"],
            Self::SearchTools => &["query", "limit"],
            Self::Invoke => &["server", "tool", "arguments"],
        }
    }

    /// Its definition as tools/list shows it.
    pub(in crate::gateway) fn definition(self) -> Box<RawValue> {
        let text = match self {
            Self::ListServers => definitions::LIST_SERVERS,
            Self::ListTools => definitions::LIST_TOOLS,
            Self::SearchTools => definitions::SEARCH_TOOLS,
            Self::Invoke => definitions::INVOKE,
            Self::ReviveServer => definitions::REVIVE_SERVER,
            Self::KillServer => definitions::KILL_SERVER,
            Self::ReloadConfig => definitions::RELOAD_CONFIG,
        };
        RawValue::from_string(text.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_definition_names_its_tool_and_exactly_its_arguments() {
        for tool in MetaTool::ALL {
            let definition: serde_json::Value =
                serde_json::from_str(tool.definition().get()).unwrap();
            assert_eq!(definition["name"], tool.name());
            let properties = definition["inputSchema"]["properties"].as_object().unwrap();
            let mut defined: Vec<&str> = properties.keys().map(String::as_str).collect();
            let mut taken = tool.arguments().to_vec();
            defined.sort_unstable();
            taken.sort_unstable();
            assert_eq!(defined, taken, "{}", tool.name());
            assert!(definition["annotations"]["readOnlyHint"].is_boolean());
        }
    }

    #[test]
    fn a_name_leads_back_to_its_tool() {
        for tool in MetaTool::ALL {
            assert_eq!(MetaTool::named(tool.name()), Some(tool));
        }
        assert_eq!(MetaTool::named("gateway_nothing"), None);
    }
}
