//! Load: requests over kept connections or the pipes of a child, in a closed or an open loop, each answer verified and each
//! latency kept.

mod ask;
mod check;
mod command;
mod lane;
mod pace;
mod pipes;
mod road;
mod turn;
mod work;

pub(crate) use ask::{Ask, FIRST_ID};
pub(crate) use check::Check;
pub(crate) use command::{Load, run};
pub(crate) use lane::Lane;
pub(crate) use pace::Pace;
pub(crate) use pipes::Pipes;
pub(crate) use road::Road;
pub(crate) use turn::Latencies;
pub(crate) use work::Work;
