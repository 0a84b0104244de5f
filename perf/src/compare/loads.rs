//! The loads: what is asked for, over how many connections, and what must be answered.

use clap::ValueEnum;

use crate::{
    load::{FIRST_ID, Pace, Work},
    upstream::tools_list,
};

/// How many tools the server with many of them lists.
pub(super) const MANY: usize = 1_000;
/// The server that is reached through pipes, which nginx cannot.
pub(super) const STDIO: &str = "stdio";
/// Seconds after which a turn sends nothing more.
const LONGEST_TURN: u64 = 20;
const LARGE: usize = 64 << 10;
const SMALL_MESSAGE: &str = "what is the weather in Helsinki today?";

/// What a user does, by the name under which budgets and reports know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Load {
    /// tools/call, one caller who waits
    #[value(name = "call_1")]
    Call1,
    /// tools/call, 16 callers at once
    #[value(name = "call_16")]
    Call16,
    /// tools/call, 64 callers at once
    #[value(name = "call_64")]
    Call64,
    /// gateway_invoke, 16 callers at once
    #[value(name = "invoke_16")]
    Invoke16,
    /// gateway_invoke, 64 callers at once
    #[value(name = "invoke_64")]
    Invoke64,
    /// tools/call with 64 KiB both ways, 16 callers at once
    #[value(name = "echo_64k")]
    Echo64k,
    /// tools/list of 1,000 tools, 16 callers at once
    #[value(name = "list_1000")]
    List1000,
    /// tools/call answered by an event stream, 16 callers at once
    #[value(name = "sse_16")]
    Sse16,
    /// tools/call, 16 callers at once, a line logged for each
    #[value(name = "logged_16")]
    Logged16,
    /// tools/call, 16 callers at once, beside the same gateway with all its instruments on
    #[value(name = "observed_16")]
    Observed16,
    /// tools/call of a stdio server, 16 callers at once; direct: through the two pipes of the same server
    #[value(name = "stdio_16")]
    Stdio16,
    /// tools/call due at 2,000 a second over 16 connections
    #[value(name = "rate_2000")]
    Rate2000,
}

/// Where requests of a load go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// `/mcp/{backend}`: one server as if no gateway were there.
    Transparent,
    /// `/mcp`: the gateway's own tools.
    Aggregate,
}

impl Load {
    /// The name in budgets and on the command line.
    pub(super) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The words of the report.
    pub(super) fn title(self) -> String {
        let value = self.to_possible_value();
        value
            .and_then(|value| value.get_help().map(ToString::to_string))
            .unwrap_or_default()
    }

    /// Whether a budget holds its ratio.
    pub(super) const fn is_budgeted(self) -> bool {
        matches!(
            self,
            Self::Call16
                | Self::Call64
                | Self::Invoke16
                | Self::Invoke64
                | Self::Echo64k
                | Self::List1000
                | Self::Observed16
        )
    }

    pub(super) const fn connections(self) -> usize {
        match self {
            Self::Call1 => 1,
            Self::Call64 | Self::Invoke64 => 64,
            _ => 16,
        }
    }

    /// The work of a turn, when turns of small requests have `small`.
    pub(super) const fn work(self, small: u64) -> Work {
        let (requests, pace) = match self {
            Self::Echo64k | Self::List1000 => (small / 4, Pace::Closed),
            Self::Rate2000 => (small / 2, Pace::at_rate(2_000)),
            _ => (small, Pace::Closed),
        };
        Work {
            requests,
            seconds: LONGEST_TURN,
            pace,
        }
    }

    /// The server that answers.
    pub(super) const fn backend(self) -> &'static str {
        match self {
            Self::List1000 => "many",
            Self::Sse16 => "sse",
            Self::Stdio16 => STDIO,
            _ => "json",
        }
    }

    pub(super) const fn door(self) -> Door {
        match self {
            Self::Invoke16 | Self::Invoke64 => Door::Aggregate,
            _ => Door::Transparent,
        }
    }

    pub(super) const fn is_logged(self) -> bool {
        matches!(self, Self::Logged16)
    }

    /// Whether each gateway is measured twice: as it is, and with everything on that it can show of itself.
    pub(super) const fn is_observed(self) -> bool {
        matches!(self, Self::Observed16)
    }

    /// The request that the server itself is sent, and a proxy.
    pub(super) fn request(self) -> String {
        if self == Self::List1000 {
            return format!(r#"{{"jsonrpc":"2.0","id":{FIRST_ID},"method":"tools/list"}}"#);
        }
        let message = self.message();
        format!(
            r#"{{"jsonrpc":"2.0","id":{FIRST_ID},"method":"tools/call","params":{{"name":"echo","arguments":{{"message":"{message}"}}}}}}"#
        )
    }

    /// The request that the gateway is sent.
    pub(super) fn gateway_request(self) -> String {
        if self.door() == Door::Transparent {
            return self.request();
        }
        let (server, message) = (self.backend(), self.message());
        format!(
            r#"{{"jsonrpc":"2.0","id":{FIRST_ID},"method":"gateway_invoke","params":{{"server":"{server}","tool":"echo","arguments":{{"message":"{message}"}}}}}}"#
        )
    }

    /// What every answer holds.
    pub(super) fn content(self) -> Vec<u8> {
        if self == Self::List1000 {
            // The closing brace is left out: a gateway may add members.
            let mut list = tools_list(MANY);
            list.pop();
            return list.split_off(1).into_bytes();
        }
        format!(r#"{{"type":"text","text":"{}"}}"#, self.message()).into_bytes()
    }

    fn message(self) -> String {
        if self == Self::Echo64k {
            // As text is in JSON: mostly plain, with an escape now and then.
            return "All happy families are alike; each unhappy family is so in its own way.\\n"
                .repeat(LARGE / 72);
        }
        SMALL_MESSAGE.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_budgets_use() {
        assert_eq!(Load::Call16.name(), "call_16");
        assert_eq!(Load::Echo64k.name(), "echo_64k");
        assert_eq!(Load::List1000.name(), "list_1000");
    }

    #[test]
    fn the_large_message_is_of_64_kib() {
        let length = Load::Echo64k.request().len();
        assert!(
            (63 << 10..66 << 10).contains(&length),
            "it is {length} bytes"
        );
    }
}
