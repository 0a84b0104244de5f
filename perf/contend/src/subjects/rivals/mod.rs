//! The libraries that others guard calls and time them with, each used as its own documentation shows.
//! One file for those that guard, one for those that time.

mod breakers;
mod recorders;

pub(super) use breakers::breakers;
pub(super) use recorders::recorders;
