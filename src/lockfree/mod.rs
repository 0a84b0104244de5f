//! The hot path: a breaker and a health flag that are one atomic word each, and latency in per-thread shards.
//! No I/O, no clock, no logging, and no allocation while a call is admitted, settled or recorded.
