//! The ways on which a client calls one tool of a backend.

use serde_json::{Value, json};

use super::message;

/// How a tool of the backend named `backend` is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// On `/mcp/backend`, by its own name.
    Direct,
    /// On `/mcp`, by `gateway_invoke`.
    Invoke,
    /// On `/mcp`, by its public name.
    Federated,
}

impl Way {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Direct, Self::Invoke, Self::Federated];

    /// The endpoint.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Direct => "/mcp/backend",
            Self::Invoke | Self::Federated => "/mcp",
        }
    }

    /// The params of the call.
    pub(crate) fn params(self, tool: &str, arguments: Value) -> Value {
        match self {
            Self::Direct => json!({"name": tool, "arguments": arguments}),
            Self::Invoke => {
                let arguments = json!({"server": "backend", "tool": tool, "arguments": arguments});
                json!({"name": "gateway_invoke", "arguments": arguments})
            }
            Self::Federated => {
                json!({"name": format!("backend__{tool}"), "arguments": arguments})
            }
        }
    }

    /// The call.
    pub(crate) fn call(self, id: u64, tool: &str, arguments: Value) -> String {
        message(json!(id), "tools/call", &self.params(tool, arguments))
    }
}
