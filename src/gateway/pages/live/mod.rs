//! What the live page shows: one look a second at all backends while somebody watches, one in five seconds otherwise.
//! Everything comes from what is counted anyway; no request knows of it.

mod act;
mod ask;
mod bins;
mod calls;
mod column;
mod look;
mod own;
mod picture;
mod sampler;
mod tools;
mod track;
mod view;

pub use act::Action;
pub(in crate::gateway) use ask::Live;
pub use view::View;
