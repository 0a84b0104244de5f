//! Latency: per-thread shards that only their thread writes, merged when somebody looks.
//! Recording is plain load and store, and a snapshot blocks nobody, counts nothing twice and is exact once recorders rest.

mod buckets;
mod recorder;
mod ring;
mod shard;
mod snapshot;
mod sweep;

pub use buckets::HIGHEST_US;
pub use recorder::Recorder;
pub use ring::SnapshotRing;
pub use snapshot::Snapshot;
