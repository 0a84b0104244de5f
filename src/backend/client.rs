//! A client, as a backend of its own session or child is told of it: its name, and what it can be asked for.

use crate::protocol::{RawObject, introduction};

/// What a client said of itself when it opened its session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// `clientInfo`, a JSON object.
    info: Box<str>,
    /// `capabilities`, a JSON object.
    capabilities: Box<str>,
    /// The same for servers that are told in each request.
    introduction: Box<str>,
}

/// What a client has to declare for each request that a server may send it (MCP 2025-11-25, client).
const ASKABLE: [(&str, &str); 3] = [
    ("sampling/createMessage", "sampling"),
    ("elicitation/create", "elicitation"),
    ("roots/list", "roots"),
];

impl Client {
    /// A client of this `clientInfo` with these `capabilities`, both JSON objects.
    #[must_use]
    pub fn new(info: &str, capabilities: &str) -> Self {
        Self {
            info: info.into(),
            capabilities: capabilities.into(),
            introduction: introduction(info, capabilities).into(),
        }
    }

    /// `clientInfo`.
    #[must_use]
    pub fn info(&self) -> &str {
        &self.info
    }

    /// `capabilities`.
    #[must_use]
    pub fn capabilities(&self) -> &str {
        &self.capabilities
    }

    /// The members of `_meta` that introduce it to a modern server.
    #[must_use]
    pub fn introduction(&self) -> &str {
        &self.introduction
    }

    /// Whether it can be asked for anything at all.
    #[must_use]
    pub fn can_be_asked(&self) -> bool {
        ASKABLE.iter().any(|(method, _)| self.takes(method))
    }

    /// Whether it takes requests of this method.
    #[must_use]
    pub fn takes(&self, method: &str) -> bool {
        let needed = ASKABLE.iter().find(|(asked, _)| *asked == method);
        needed.is_some_and(|(_, capability)| {
            RawObject::parse(self.capabilities.as_bytes())
                .is_some_and(|declared| declared.member(capability).is_some())
        })
    }
}

impl Default for Client {
    /// One that has said nothing of itself, and can be asked for nothing.
    fn default() -> Self {
        Self::new("{}", "{}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_takes_what_it_has_declared() {
        let client = Client::new("{}", r#"{"roots":{"listChanged":true},"experimental":{}}"#);
        assert!(client.takes("roots/list") && client.can_be_asked());
        assert!(!client.takes("elicitation/create") && !client.takes("experimental"));
        assert!(!Client::new("{}", r#"{"experimental":{}}"#).can_be_asked());
    }
}
