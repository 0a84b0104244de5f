//! The pages for people and machines who watch: health, and metrics in both forms.
//! Everything is put together when it is asked for; requests only count.

mod exposition;
mod health;
mod metrics;
mod objectives;
mod process;

pub use exposition::MetricsFormat;
