//! What a call settled as, and the one table that says what each outcome means for the breaker and for sending again.

/// What a call settled as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The backend did its work.
    Success,
    /// The tool answered with `isError: true`: it works, and says that this call did not.
    ToolError,
    /// The tool failed inside a backend that works: JSON-RPC -32603, -32000 to -32019, or a code of its own.
    ToolFailure,
    /// The backend cannot be reached until somebody mends the configuration, such as a command that does not exist.
    Misconfigured,
    /// The backend could not be reached: spawn failed, connect refused.
    Unreachable,
    /// The connection broke: reset, broken pipe, end of file, child exit.
    Lost,
    /// No answer within the deadline.
    Timeout,
    /// HTTP 5xx.
    ServerError,
    /// Malformed JSON, a status or a message that no revision of the protocol allows.
    ProtocolViolation,
    /// The backend has forgotten our session and refused the call before it ran.
    SessionLost,
    /// HTTP 429: the backend asks for a pause.
    Throttled,
    /// HTTP 401 or 403: the caller or the credential, not the backend.
    Denied,
    /// The caller's fault: JSON-RPC -32700, -32600 to -32602, another HTTP 4xx, an unknown tool.
    CallerFault,
    /// The client cancelled or went away.
    Cancelled,
    /// The breaker refused; nothing was sent.
    CircuitOpen,
    /// The queue refused; nothing was sent.
    Overloaded,
    /// The rate limit in our own configuration refused; nothing was sent.
    RateLimited,
    /// An operator stopped the backend, or the gateway is shutting down; nothing was sent.
    Stopped,
}

/// What an outcome is to the breaker and to health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The backend works.
    Success,
    /// The backend failed.
    Failure,
    /// It says nothing about the backend, and counts neither way.
    Neither,
}

/// When the gateway itself may send the call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never.
    Never,
    /// If it was never sent, or if it is safe to repeat.
    IfHarmless,
    /// After the pause that the backend asked for: it refused the call before it ran.
    AfterPause,
    /// Once, after the session or the credential is renewed: it was refused before it ran.
    AfterRepair,
}

impl Outcome {
    /// Every outcome, in the order of the table: the whole set of labels a metric can show.
    pub const ALL: [Self; 18] = [
        Self::Success,
        Self::ToolError,
        Self::ToolFailure,
        Self::Misconfigured,
        Self::Unreachable,
        Self::Lost,
        Self::Timeout,
        Self::ServerError,
        Self::ProtocolViolation,
        Self::SessionLost,
        Self::Throttled,
        Self::Denied,
        Self::CallerFault,
        Self::Cancelled,
        Self::CircuitOpen,
        Self::Overloaded,
        Self::RateLimited,
        Self::Stopped,
    ];

    /// The table: what the outcome is to the breaker, when it may be sent again, and its label.
    const fn row(self) -> (Verdict, Retry, &'static str) {
        use Retry::{AfterPause, AfterRepair, IfHarmless, Never};
        use Verdict::{Failure, Neither, Success};
        match self {
            Self::Success => (Success, Never, "success"),
            Self::ToolError => (Success, Never, "tool_error"),
            Self::ToolFailure => (Neither, Never, "tool_failure"),
            Self::Misconfigured => (Failure, Never, "misconfigured"),
            Self::Unreachable => (Failure, IfHarmless, "unreachable"),
            Self::Lost => (Failure, IfHarmless, "lost"),
            Self::Timeout => (Failure, IfHarmless, "timeout"),
            Self::ServerError => (Failure, IfHarmless, "server_error"),
            Self::ProtocolViolation => (Failure, IfHarmless, "protocol"),
            Self::SessionLost => (Neither, AfterRepair, "session_lost"),
            Self::Throttled => (Neither, AfterPause, "throttled"),
            Self::Denied => (Neither, AfterRepair, "denied"),
            Self::CallerFault => (Neither, Never, "caller_fault"),
            Self::Cancelled => (Neither, Never, "cancelled"),
            Self::CircuitOpen => (Neither, Never, "circuit_open"),
            Self::Overloaded => (Neither, Never, "overloaded"),
            Self::RateLimited => (Neither, Never, "rate_limited"),
            Self::Stopped => (Neither, Never, "stopped"),
        }
    }

    /// What it is to the breaker and to health.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        self.row().0
    }

    /// What it is to the circuit of the one tool that was called. What keeps the backend from being reached says nothing of
    /// the tool.
    #[must_use]
    pub const fn for_tool(self) -> Verdict {
        match self {
            Self::Success | Self::ToolError => Verdict::Success,
            Self::ToolFailure | Self::Timeout => Verdict::Failure,
            _ => Verdict::Neither,
        }
    }

    /// When the gateway itself may send the call again.
    #[must_use]
    pub const fn retry(self) -> Retry {
        self.row().1
    }

    /// Its name in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().2
    }

    /// Its place in [`Outcome::ALL`], for arrays with one cell for each.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its place as the flight recorder keeps it.
    pub(super) const fn tag(self) -> u16 {
        self as u16
    }

    /// The outcome with this tag.
    pub(super) fn of_tag(tag: u16) -> Option<Self> {
        Self::ALL.get(usize::from(tag)).copied()
    }

    /// What an HTTP status means by itself.
    #[must_use]
    pub const fn of_http_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Success,
            401 | 403 => Self::Denied,
            429 => Self::Throttled,
            400..=499 => Self::CallerFault,
            500..=599 => Self::ServerError,
            _ => Self::ProtocolViolation,
        }
    }

    /// What a JSON-RPC error means. The message decides only where servers have no code of their own for a lost session.
    #[must_use]
    pub fn of_rpc_error(code: i64, message: &str) -> Self {
        match code {
            -32_600 | -32_019..=-32_000 if tells_of_lost_session(message) => Self::SessionLost,
            -32_700 | -32_602..=-32_600 => Self::CallerFault,
            // What the request does not say, or its client cannot be asked for (MCP, error codes).
            -32_022..=-32_020 | -32_042 => Self::CallerFault,
            _ => Self::ToolFailure,
        }
    }
}

/// "Session not found" is what the reference servers answer for an id they do not know; the others are words in use for the same.
fn tells_of_lost_session(message: &str) -> bool {
    const SIGNS: [&str; 4] = [
        "session not found",
        "session expired",
        "no valid session",
        "server not initialized",
    ];
    let message = message.to_ascii_lowercase();
    SIGNS.iter().any(|sign| message.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    use Retry::{AfterPause, AfterRepair, IfHarmless, Never};

    fn http(status: u16) -> Outcome {
        Outcome::of_http_status(status)
    }

    fn rpc(code: i64) -> Outcome {
        Outcome::of_rpc_error(code, "it did not work")
    }

    /// One row of the table: every raw fact that belongs to it leads to the same verdict and the same retry.
    fn row(outcomes: &[Outcome], verdict: Verdict, retry: Retry) {
        for outcome in outcomes {
            assert_eq!(outcome.verdict(), verdict, "{outcome:?}");
            assert_eq!(outcome.retry(), retry, "{outcome:?}");
        }
    }

    #[test]
    fn a_backend_that_is_gone_slow_or_broken_has_failed_and_is_asked_again_where_harmless() {
        row(&[Outcome::Unreachable], Verdict::Failure, IfHarmless);
        row(&[Outcome::Lost], Verdict::Failure, IfHarmless);
        row(&[Outcome::Timeout], Verdict::Failure, IfHarmless);
        let statuses = [http(500), http(502), http(503), http(504)];
        row(&statuses, Verdict::Failure, IfHarmless);
        let violations = [Outcome::ProtocolViolation, http(302)];
        row(&violations, Verdict::Failure, IfHarmless);
        row(&[Outcome::Misconfigured], Verdict::Failure, Never);
    }

    #[test]
    fn a_tool_that_failed_is_not_a_backend_that_failed() {
        let codes = [rpc(-32_603), rpc(-32_000), rpc(-32_019), rpc(7)];
        row(&codes, Verdict::Neither, Never);
        row(&[Outcome::ToolError], Verdict::Success, Never);
        row(&[http(200), http(202)], Verdict::Success, Never);
    }

    #[test]
    fn a_lost_session_is_repaired_however_the_backend_words_it() {
        let said = Outcome::of_rpc_error;
        let facts = [
            Outcome::SessionLost,
            said(-32_001, "Session not found"),
            said(-32_600, "Session not found"),
            said(-32_000, "Bad Request: No valid session ID provided"),
            said(-32_000, "Bad Request: Server not initialized"),
        ];
        row(&facts, Verdict::Neither, AfterRepair);
        let other = said(-32_602, "chat session not found");
        assert_eq!(other, Outcome::CallerFault);
    }

    #[test]
    fn what_the_caller_or_the_credential_did_wrong_leaves_the_breaker_untouched() {
        row(&[http(401), http(403)], Verdict::Neither, AfterRepair);
        row(&[http(429)], Verdict::Neither, AfterPause);
        let codes = [
            -32_700, -32_600, -32_601, -32_602, -32_020, -32_021, -32_022, -32_042,
        ];
        assert!(
            codes
                .into_iter()
                .all(|code| rpc(code) == Outcome::CallerFault)
        );
        row(&codes.map(rpc), Verdict::Neither, Never);
        let statuses = [http(400), http(404), http(405), http(422)];
        row(&statuses, Verdict::Neither, Never);
        row(&[Outcome::Cancelled], Verdict::Neither, Never);
    }

    #[test]
    fn what_was_refused_here_says_nothing_of_the_backend() {
        let refused = [
            Outcome::CircuitOpen,
            Outcome::Overloaded,
            Outcome::RateLimited,
            Outcome::Stopped,
        ];
        row(&refused, Verdict::Neither, Never);
    }

    #[test]
    fn labels_and_places_are_unique() {
        let labels: std::collections::BTreeSet<_> =
            Outcome::ALL.iter().map(|outcome| outcome.label()).collect();
        assert_eq!(labels.len(), Outcome::ALL.len());
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome.index(), place);
        }
    }
}
