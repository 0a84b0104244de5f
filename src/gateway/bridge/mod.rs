//! Requests of backends to clients, whatever era each is of.

mod changes;
mod conversation;
pub(super) mod in_rounds;
mod lent;
mod levels;
mod of_call;
mod outside;
mod own_way;
mod parked;
mod relay;
mod seal;
mod turns;

pub(super) use conversation::{Conversation, Step};
pub(super) use lent::{LentLines, Own};
pub(super) use of_call::OfCall;
pub(super) use parked::{NoPlace, Parked, Questions};
pub(super) use relay::Relay;
pub(super) use seal::Seal;
