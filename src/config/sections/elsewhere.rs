//! Sections of other gateways' files that have no effect here: one warning each, by name.

use crate::config::section::Section;

const SECTIONS: [&str; 17] = [
    "agent_auth",
    "cache",
    "code_mode",
    "config_export",
    "control_plane",
    "cost_governance",
    "discovery",
    "key_server",
    "marketplace",
    "mtls",
    "playbooks",
    "routing_profiles",
    "runtime",
    "security",
    "semantic_search",
    "tool_profiles",
    "webhooks",
];

pub(in crate::config) fn read(root: &mut Section<'_>) {
    for key in SECTIONS {
        root.without_effect(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::tests::{read, warnings};

    #[test]
    fn each_section_loads_with_one_warning_that_names_it() {
        let text: String = SECTIONS
            .iter()
            .map(|name| format!("{name}: {{enabled: true, deep: [{{x: \"${{UNSET}}\"}}]}}\n"))
            .collect();
        let config = read(&text, &[]).unwrap();
        let warnings = warnings(&config);
        assert_eq!(warnings.len(), SECTIONS.len());
        for (warning, name) in warnings.iter().zip(SECTIONS) {
            assert!(
                warning.contains(&format!("`{name}` is not supported")),
                "{warning}"
            );
        }
    }
}
