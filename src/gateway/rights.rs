//! What a caller may use.

use super::{inbound::Caller, replies::Refusal};

impl Caller {
    /// Its name, if there may be others beside it.
    pub(super) fn apart(&self) -> Option<&str> {
        (!self.is_everybody).then_some(&*self.name)
    }

    /// Whether it may use this backend.
    pub(super) fn may_use(&self, backend: &str) -> bool {
        self.backends
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == backend))
    }

    /// Whether it may call this tool. A list names tools as `tool`, or as `backend:tool` for one backend alone.
    pub(super) fn may_call(&self, backend: &str, tool: &str) -> bool {
        let names = |entry: &String| {
            entry == tool
                || entry
                    .split_once(':')
                    .is_some_and(|(server, name)| server == backend && name == tool)
        };
        self.may_use(backend)
            && !self.denied_tools.iter().any(names)
            && self
                .allowed_tools
                .as_ref()
                .is_none_or(|allowed| allowed.iter().any(names))
    }

    /// Whether lists of tools must be cut for it.
    pub(super) const fn is_bound_to_tools(&self) -> bool {
        self.allowed_tools.is_some() || !self.denied_tools.is_empty()
    }

    /// Refuses a tool that it may not call.
    pub(super) fn permit(&self, backend: &str, tool: &str) -> Result<(), Refusal> {
        if !self.may_use(backend) {
            return Err(Refusal::BackendForbidden(backend.into()));
        }
        if !self.may_call(backend, tool) {
            return Err(Refusal::ToolForbidden(tool.into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_lists_everything_is_allowed() {
        let caller = Caller::default();
        assert!(caller.may_use("a") && caller.may_call("a", "t"));
        assert!(!caller.is_bound_to_tools());
    }

    #[test]
    fn a_denied_tool_stays_denied_even_if_it_is_allowed() {
        let caller = Caller {
            backends: Some(vec!["a".to_owned(), "b".to_owned()]),
            allowed_tools: Some(vec!["read".to_owned(), "a:write".to_owned()]),
            denied_tools: vec!["b:read".to_owned()],
            ..Caller::default()
        };
        assert!(caller.may_call("a", "read") && caller.may_call("a", "write"));
        assert!(!caller.may_call("b", "write"));
        assert_eq!(
            caller.permit("b", "read"),
            Err(Refusal::ToolForbidden("read".into()))
        );
        assert_eq!(
            caller.permit("c", "read"),
            Err(Refusal::BackendForbidden("c".into()))
        );
    }
}
