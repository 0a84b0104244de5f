//! The binary: parse, call, exit code.

/// glibc hands large buffers back to the system and takes them again: small calls and calls of 64 KiB cost about 5 % more
/// with it, lists of a thousand tools up to 18 % (`perf`, `compare`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    mcp_gateway::cli::run(std::env::args_os())
}
