//! MCP over the standard streams of a child process.
//! A child is started by the first call that needs it, shared by all callers, and started again when it has died.

mod child;
mod order;
mod other_end;
mod process;
mod program;
mod pump;
mod restart;
mod stderr;
mod subscription;
mod supervise;
mod transport;

pub(super) use child::Child;
pub(super) use order::Order;
pub(super) use other_end::OtherEnd;
pub(super) use pump::Pump;
pub use supervise::supervise;
pub(super) use transport::StdioTransport;
