//! Which changed lists a session wants to hear of.

use serde::{Deserialize, Serialize};

/// The lists of a subscription (MCP 2026-07-28, basic/patterns/subscriptions, notification filter).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::gateway) struct Lists {
    #[serde(rename = "toolsListChanged", skip_serializing_if = "is_false")]
    pub(in crate::gateway) tools: bool,
    #[serde(rename = "promptsListChanged", skip_serializing_if = "is_false")]
    pub(in crate::gateway) prompts: bool,
    #[serde(rename = "resourcesListChanged", skip_serializing_if = "is_false")]
    pub(in crate::gateway) resources: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands the field over by reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Lists {
    /// Whether a notification of this method is wanted. Of a resource nobody is told who has not subscribed to it.
    pub(super) fn want(self, method: &str) -> bool {
        match method {
            "notifications/tools/list_changed" => self.tools,
            "notifications/prompts/list_changed" => self.prompts,
            "notifications/resources/list_changed" => self.resources,
            "notifications/resources/updated" => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_heard_of_that_was_not_asked_for() {
        let lists: Lists =
            serde_json::from_str(r#"{"promptsListChanged":true,"toolsListChanged":false}"#)
                .unwrap();
        assert!(lists.want("notifications/prompts/list_changed"));
        assert!(!lists.want("notifications/tools/list_changed"));
        assert!(!lists.want("notifications/message"));
        assert_eq!(
            serde_json::to_string(&lists).unwrap(),
            r#"{"promptsListChanged":true}"#
        );
    }
}
