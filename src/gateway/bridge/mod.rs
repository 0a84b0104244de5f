//! Requests of backends to clients, whatever era each is of.

pub(super) mod in_rounds;
mod own_way;
mod relay;

pub(super) use relay::Relay;
