//! The live page: its files, which are part of the program, its events, and what an operator does from it.
//! The files hold no data; everything else needs a key where the gateway needs one.

mod act;
mod assets;
mod events;

pub(super) use act::act;
pub(super) use assets::{Asset, asset};
pub(super) use events::{near, watch};
