//! The lock-free core under loom: every interleaving of two or three threads, one situation per test.
//!
//! This package compiles `src/lockfree` alone and depends on nothing else of the product, so it is also the wall that
//! keeps I/O, clocks and upward imports out of the core. Under `cfg(loom)` there are four buckets and one shard with a
//! single writer.

#[path = "../../src/lockfree/mod.rs"]
pub mod lockfree;

mod explore;
pub mod races;

pub use explore::{enough, explore, explore_within};
