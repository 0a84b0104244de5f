//! The hot path: a breaker and a health flag that are one atomic word each, and latencies and the last outcomes in
//! per-thread shards. No I/O, no clock, no logging, and no allocation while a call is admitted, settled or recorded.
#![doc = include_str!("breaker/transitions.md")]

mod breaker;
mod counters;
mod flight;
mod health;
mod histogram;
mod lease;
mod pace;
mod repeats;
mod shards;
mod sync;

pub use breaker::{
    Breaker, Mode, Permit, Policy, PolicyBuilder, PolicyError, Rate, Refused, Rule, Settled, State,
    Transition, Verdict, View,
};
pub use counters::{Counter, Gauge, Latest};
pub use flight::{FlightEntry, FlightRecorder};
pub use health::{HealthChange, HealthWord};
pub use histogram::{HIGHEST_US, Recorder, Snapshot, SnapshotRing};
pub use pace::Pace;
pub use repeats::{Repeated, Repeats};
