//! What is said about a capability besides how it is called.

/// What a person wrote; what is absent is derived from how the capability is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// A group.
    pub category: Option<Box<str>>,
    /// Words by which it is found.
    pub tags: Vec<Box<str>>,
    /// Changes nothing.
    pub read_only: Option<bool>,
    /// May destroy something.
    pub destructive: Option<bool>,
    /// Sent twice, it does what it does once.
    pub idempotent: Option<bool>,
    /// Reaches what is outside of this system.
    pub open_world: Option<bool>,
}

/// The annotations of the tool (MCP 2025-11-25, schema, `ToolAnnotations`). They decide what is safe to repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hints {
    /// `readOnlyHint`.
    pub read_only: bool,
    /// `destructiveHint`.
    pub destructive: bool,
    /// `idempotentHint`.
    pub idempotent: bool,
    /// `openWorldHint`.
    pub open_world: bool,
}

impl Metadata {
    /// The hints, over those that how it is called speaks for.
    pub(super) fn hints(&self, safe: bool, repeatable: bool) -> Hints {
        let read_only = self.read_only.unwrap_or(safe);
        Hints {
            read_only,
            destructive: self.destructive.unwrap_or(!read_only),
            idempotent: self.idempotent.unwrap_or(read_only || repeatable),
            open_world: self.open_world.unwrap_or(true),
        }
    }
}
