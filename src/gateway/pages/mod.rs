//! The pages for people and machines who watch: health, and metrics in both forms.
//! Everything is put together when it is asked for; requests only count.

mod exposition;
mod health;
mod live;
mod metrics;
mod objectives;
mod process;
mod providers;

pub use exposition::MetricsFormat;
pub(super) use live::Live;
pub use live::{Action, View};
