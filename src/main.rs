//! The binary: parse, call, exit code.

/// glibc hands large buffers back to the system and takes them again: calls of 64 KiB cost a tenth more with it, lists of
/// a thousand tools a third (`perf`, `compare`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    mcp_gateway::cli::run(std::env::args_os())
}
