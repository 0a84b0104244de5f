//! Load: requests over kept connections, in a closed or an open loop, each answer verified and each latency kept.

mod ask;
mod check;
mod lane;
mod pace;
mod turn;

pub(crate) use ask::{Ask, FIRST_ID};
pub(crate) use check::Check;
pub(crate) use lane::Lane;
pub(crate) use pace::Pace;
pub(crate) use turn::Latencies;
