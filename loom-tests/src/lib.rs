//! The lock-free core under loom.
//!
#![doc = include_str!("../README.md")]

#[path = "../../src/lockfree/mod.rs"]
pub mod lockfree;

mod explore;
pub mod races;

pub use explore::{enough, explore, explore_within};
