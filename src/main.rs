//! The binary: parse, call, exit code.

fn main() -> std::process::ExitCode {
    mcp_gateway::cli::run(std::env::args_os())
}
