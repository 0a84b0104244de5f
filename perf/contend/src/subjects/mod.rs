//! All that is measured: ours, the usual shape, and with the feature `rivals` the libraries.
//! Each file makes its subjects; nothing here decides what they mean.

mod all;
mod ours;
#[cfg(feature = "rivals")]
mod rivals;
mod shape;
#[path = "../../../../benches/shared/sixteen.rs"]
mod sixteen;
mod snapshots;

pub(crate) use all::all;
