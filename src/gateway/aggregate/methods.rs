//! Which method of `/mcp` goes where.

use std::sync::Arc;

use bytes::Bytes;

use crate::gateway::{
    facade::Gateway, meta_tools::MetaTool, nearest::nearest, replies::Refusal, request::Request,
};

const METHODS: [&str; 15] = [
    "initialize",
    "ping",
    "logging/setLevel",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "server/discover",
    "subscriptions/listen",
];

impl Gateway {
    /// Answers a request on `/mcp`.
    pub(in crate::gateway) async fn aggregate(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        match request.message.method().unwrap_or_default() {
            "ping" => Ok(request.respond(b"{}")),
            "logging/setLevel" => {
                let members = self.table().members_for(&request.caller).cloned().collect();
                self.set_level(request, members).await
            }
            "tools/list" => self.list_tools(request).await,
            "tools/call" => self.call_tool(request).await,
            "resources/list" => self.list_resources(request).await,
            "resources/templates/list" => self.list_templates(request).await,
            "resources/read" => self.read_resource(request).await,
            "resources/subscribe" => self.subscribe_resource(request).await,
            "resources/unsubscribe" => self.unsubscribe_resource(request).await,
            "prompts/list" => self.list_prompts(request).await,
            "prompts/get" => self.get_prompt(request).await,
            "completion/complete" => self.complete(request).await,
            method => match MetaTool::named(method) {
                Some(meta_tool) => self.meta_method(meta_tool, request).await,
                None => Err(unknown_method(method)),
            },
        }
    }
}

fn unknown_method(method: &str) -> Refusal {
    let known = METHODS.into_iter().chain(MetaTool::ALL.map(MetaTool::name));
    Refusal::UnknownMethod {
        method: method.into(),
        suggest: nearest(method, known).map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_method_is_told_from_a_mistyped_one() {
        let suggested = |method| match unknown_method(method) {
            Refusal::UnknownMethod { suggest, .. } => suggest,
            _ => None,
        };
        assert_eq!(suggested("tools/lst").as_deref(), Some("tools/list"));
        assert_eq!(
            suggested("gateway_list_server").as_deref(),
            Some("gateway_list_servers")
        );
        assert_eq!(suggested("something/else"), None);
    }
}
