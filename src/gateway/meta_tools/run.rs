//! Runs a meta-tool, as a tool or as a method, and says how it went in the way that fits.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    MetaTool,
    arguments::{Arguments, not_an_object, object_text},
    given::{Given, Trouble},
    invoke, kill_server, list_servers, list_tools, reload_config, revive_server, search_tools,
};
use crate::gateway::{
    facade::Gateway,
    replies::{Recovery, Refusal, failed_call, failed_tool},
    request::Request,
    trace::traced,
};

impl Gateway {
    /// A meta-tool by tools/call: whatever goes wrong is a result that the model reads.
    pub(in crate::gateway) async fn meta_tool_call(
        self: &Arc<Self>,
        tool: MetaTool,
        request: &Request,
    ) -> Bytes {
        let given = request.message.arguments().unwrap_or_default();
        let result = match self.run(tool, request, &given).await {
            Ok(Given::ToolResult(result)) => result,
            Ok(Given::Object(object)) => as_tool_result(&object),
            Err(Trouble::Refused(refusal)) => shown(request, &Recovery::from(&refusal)),
            Err(Trouble::ToolFailed(recovery) | Trouble::Failed(recovery)) => {
                shown(request, &recovery)
            }
        };
        request.respond(&result)
    }

    /// A meta-tool as a method of its own.
    pub(in crate::gateway) async fn meta_method(
        self: &Arc<Self>,
        tool: MetaTool,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        let given = request.message.params().unwrap_or_default();
        match self.run(tool, request, &given).await {
            Ok(Given::ToolResult(result)) => Ok(request.respond(&result)),
            Ok(Given::Object(object)) => Ok(request.respond(object.get().as_bytes())),
            Err(Trouble::ToolFailed(recovery)) => Ok(request.respond(&shown(request, &recovery))),
            Err(Trouble::Failed(recovery)) => Ok(failed_call(request.id(), &recovery)),
            Err(Trouble::Refused(refusal)) => Err(refusal),
        }
    }

    async fn run(
        self: &Arc<Self>,
        tool: MetaTool,
        request: &Request,
        given: &[u8],
    ) -> Result<Given, Trouble> {
        if tool.is_for_operators() && !request.caller.operator {
            return Err(Refusal::OperatorOnly(tool.name()).into());
        }
        let text = object_text(given).ok_or_else(|| not_an_object(tool))?;
        let arguments = Arguments::read(tool, &text)?;
        match tool {
            MetaTool::ListServers => list_servers::run(self, request).await,
            MetaTool::ListTools => list_tools::run(self, request, &arguments).await,
            MetaTool::SearchTools => search_tools::run(self, request, &arguments).await,
            MetaTool::Invoke => invoke::run(self, request, &arguments).await,
            MetaTool::ReviveServer => revive_server::run(self, request, &arguments).await,
            MetaTool::KillServer => kill_server::run(self, request, &arguments).await,
            MetaTool::ReloadConfig => reload_config::run(self, request).await,
        }
    }
}

/// A failure as a result for the model; it names the request as a success does.
fn shown(request: &Request, recovery: &Recovery) -> Bytes {
    let failed = Bytes::from(Box::<str>::from(failed_tool(recovery)).into_string());
    traced(&failed, &request.trace_name())
}

/// An object as a tool's result: structured, and as text for clients that only read text.
fn as_tool_result(object: &RawValue) -> Bytes {
    #[derive(Serialize)]
    struct Content<'a> {
        r#type: &'static str,
        text: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ToolResult<'a> {
        content: [Content<'a>; 1],
        structured_content: &'a RawValue,
        is_error: bool,
    }
    let result = ToolResult {
        content: [Content {
            r#type: "text",
            text: object.get(),
        }],
        structured_content: object,
        is_error: false,
    };
    serde_json::to_vec(&result).unwrap_or_default().into()
}
