//! The parts of a message that routing needs, and where each lies.

/// A range of bytes; empty means that the part is not there, for no JSON value is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::protocol) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(in crate::protocol) const ABSENT: Self = Self { start: 0, end: 0 };

    /// Bounds beyond `u32::MAX` cannot occur: longer texts are refused before they are scanned.
    pub(in crate::protocol) fn new(start: usize, end: usize) -> Self {
        Self {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end).unwrap_or(u32::MAX),
        }
    }

    pub(in crate::protocol) const fn is_absent(self) -> bool {
        self.start == self.end
    }

    pub(in crate::protocol) const fn start(self) -> usize {
        self.start as usize
    }

    pub(in crate::protocol) const fn end(self) -> usize {
        self.end as usize
    }

    pub(in crate::protocol) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start()..self.end()).unwrap_or_default()
    }
}

/// One part that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocol) enum Part {
    Version,
    Id,
    Method,
    Params,
    Result,
    Error,
    Name,
    Uri,
    Arguments,
    Cursor,
    ProgressToken,
    RequestId,
    Meta,
    MetaProgressToken,
    ErrorCode,
    ErrorMessage,
    IsError,
    ResultType,
    TtlMs,
    CacheScope,
}

type Members = &'static [(&'static str, Part)];

/// The members of a message (JSON-RPC 2.0, sections 4 and 5).
pub(super) const MESSAGE: Members = &[
    ("jsonrpc", Part::Version),
    ("id", Part::Id),
    ("method", Part::Method),
    ("params", Part::Params),
    ("result", Part::Result),
    ("error", Part::Error),
];

/// The members of `params` by which calls are routed, renamed and matched.
pub(super) const PARAMS: Members = &[
    ("name", Part::Name),
    ("uri", Part::Uri),
    ("arguments", Part::Arguments),
    ("cursor", Part::Cursor),
    ("progressToken", Part::ProgressToken),
    ("requestId", Part::RequestId),
    ("_meta", Part::Meta),
];

const META: Members = &[("progressToken", Part::MetaProgressToken)];

/// By which a tool says that this call failed (MCP 2025-11-25, server/tools, error handling), and what a result says of
/// itself (MCP 2026-07-28, basic, and server/utilities/caching).
const RESULT: Members = &[
    ("isError", Part::IsError),
    ("resultType", Part::ResultType),
    ("ttlMs", Part::TtlMs),
    ("cacheScope", Part::CacheScope),
];

const ERROR: Members = &[("code", Part::ErrorCode), ("message", Part::ErrorMessage)];

impl Part {
    const COUNT: usize = Self::CacheScope as usize + 1;

    /// The members to look for inside this part.
    pub(super) const fn members(self) -> Option<Members> {
        match self {
            Self::Params => Some(PARAMS),
            Self::Meta => Some(META),
            Self::Result => Some(RESULT),
            Self::Error => Some(ERROR),
            _ => None,
        }
    }

    /// Whether it belongs to the message itself, where no other members are legal.
    pub(super) const fn is_outermost(self) -> bool {
        (self as usize) <= Self::Error as usize
    }
}

/// Where each part lies, which names were met, and the first fault that is not one of grammar.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::protocol) struct Parts {
    spans: [Span; Part::COUNT],
    met: u32,
    fault: Option<&'static str>,
}

impl Parts {
    pub(in crate::protocol) const fn span(&self, part: Part) -> Span {
        self.spans[part as usize]
    }

    pub(in crate::protocol) const fn has(&self, part: Part) -> bool {
        !self.span(part).is_absent()
    }

    pub(in crate::protocol) const fn set(&mut self, part: Part, span: Span) {
        self.spans[part as usize] = span;
    }

    pub(in crate::protocol) const fn fault(&self) -> Option<&'static str> {
        self.fault
    }

    /// Takes over every part that `other` has.
    pub(in crate::protocol) fn adopt(&mut self, other: &Self) {
        for (mine, theirs) in self.spans.iter_mut().zip(other.spans) {
            if !theirs.is_absent() {
                *mine = theirs;
            }
        }
    }

    /// The same parts in a text where every boundary has moved.
    pub(in crate::protocol) fn moved(&self, to: impl Fn(Span) -> Span) -> Self {
        let mut moved = *self;
        for span in moved.spans.iter_mut().filter(|span| !span.is_absent()) {
            *span = to(*span);
        }
        moved
    }

    /// Notes that the name of `part` was met; a second time is a fault, for two readers may disagree which one counts.
    pub(super) fn meet(&mut self, part: Part, exact: bool) {
        let bit = 1 << part as u32;
        if self.met & bit != 0 {
            self.fault
                .get_or_insert("it has a member twice by which messages are routed");
        }
        if !exact && part.is_outermost() {
            self.fault.get_or_insert(
                "it has a member that differs from a JSON-RPC member only in letter case",
            );
        }
        self.met |= bit;
    }
}
