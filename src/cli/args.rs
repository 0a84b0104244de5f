//! The arguments of the program.

use std::{ffi::OsString, net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{bench::BenchOptions, cap::CapCommand};
use crate::{config, telemetry::LogFormat};

/// One endpoint in front of every tool an AI agent uses.
#[derive(Debug, Parser)]
#[command(name = "mcp-gateway", version)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serves the configured backends; the same as no command at all.
    Serve {
        /// Serves one client on standard input and output, and ends with it; nothing listens on a port.
        #[arg(long)]
        stdio: bool,
    },
    /// Reads the configuration, prints everything that is wrong with it, and serves nothing.
    Validate,
    /// Asks the running gateway why calls to a backend flow or do not: its circuit, the last failures, the last calls.
    Why {
        /// The backend's name.
        name: String,
    },
    /// Looks at capabilities: APIs over HTTP that files make tools of.
    #[command(subcommand)]
    Cap(CapCommand),
    /// Measures what the gateway adds on this machine: an echo that is built in is called directly and through a gateway
    /// of its own, in turns. Its log says what --log-level names.
    Bench(BenchOptions),
    /// Speaks MCP over HTTP on a free port, which it prints: what `bench` calls.
    #[command(hide = true)]
    Echo,
    /// Speaks MCP on the standard streams: the backend that is served when nothing is configured.
    #[command(hide = true)]
    Demo,
    /// Runs a command that ends when the gateway does.
    #[command(hide = true)]
    Supervise {
        /// The gateway's process id, the program, its arguments.
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The configuration; without it: ./gateway.yaml, ~/.config/mcp-gateway/gateway.yaml,
    /// /etc/mcp-gateway/gateway.yaml, or a built-in demo.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        env = "MCP_GATEWAY_CONFIG"
    )]
    pub(super) config: Option<PathBuf>,
    /// The port to listen on; 0 takes any free one.
    #[arg(short, long, global = true, env = "MCP_GATEWAY_PORT")]
    pub(super) port: Option<u16>,
    /// The address to listen on; anything but loopback needs auth.
    #[arg(long, global = true, env = "MCP_GATEWAY_HOST", value_parser = config::host)]
    pub(super) host: Option<IpAddr>,
    /// What is logged: error, warn, info, debug, trace, off, or a filter; RUST_LOG wins.
    #[arg(
        long,
        global = true,
        env = "MCP_GATEWAY_LOG_LEVEL",
        value_name = "LEVEL",
        default_value = "info"
    )]
    pub(super) log_level: String,
    /// How it is logged, on standard error.
    #[arg(
        long,
        global = true,
        env = "MCP_GATEWAY_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub(super) log_format: Format,
    /// Lists the tools of all backends on /mcp, not the meta-tools.
    #[arg(long, global = true)]
    pub(super) no_meta_mcp: bool,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

impl From<Format> for LogFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_contradicts_itself_nowhere() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_behind_the_command() {
        for line in ["g -c x.yaml -p 0 validate", "g validate -c x.yaml --port 0"] {
            let arguments = parse(line).unwrap();
            assert!(matches!(arguments.command, Some(Command::Validate)));
            assert_eq!(arguments.options.config, Some("x.yaml".into()));
            assert_eq!(arguments.options.port, Some(0));
        }
        assert!(parse("g --host localhost").unwrap().command.is_none());
    }

    #[test]
    fn what_follows_two_dashes_is_left_alone() {
        let arguments = parse("g supervise -- 12 npx -y --port x -- y").unwrap();
        let Some(Command::Supervise { arguments }) = arguments.command else {
            panic!("not supervise")
        };
        assert_eq!(arguments, ["12", "npx", "-y", "--port", "x", "--", "y"]);
    }

    #[test]
    fn a_slip_is_a_usage_error() {
        for line in [
            "g --prot 1",
            "g srve",
            "g --port http",
            "g --host example.org",
            "g --log-format xml",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
