//! Requests of backends to clients, whatever era each is of.

mod changes;
pub(super) mod in_rounds;
mod levels;
mod own_way;
mod relay;

pub(super) use relay::Relay;
