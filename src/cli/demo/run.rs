//! Joins the demo backend to the standard streams of this process.

use std::process::ExitCode;

use tokio::runtime::Builder;

use super::serve::serve;
use crate::cli::streams::Streams;

/// Serves until standard input ends. Nothing but JSON-RPC lines is written to standard output.
pub(in crate::cli) fn run() -> ExitCode {
    let Ok(runtime) = Builder::new_current_thread().enable_time().build() else {
        return ExitCode::FAILURE;
    };
    let Streams {
        input,
        output,
        written,
    } = Streams::open();
    runtime.block_on(serve(input, output));
    match written.recv() {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
