//! Another configuration takes the place of the present one while requests are served: what stays the same is not touched,
//! and what goes finishes what it has begun.

mod adopt;
mod again;
mod plan;
mod retire;
mod shown;
mod wishes;

pub use adopt::Adopted;
pub(super) use retire::Retiring;
pub(super) use wishes::{ConfigStatus, Reloads};
pub use wishes::{ReloadOutcome, Reloaded, Wish};
