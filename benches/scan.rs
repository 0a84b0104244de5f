//! What reading the envelope of a message costs, by the size of the message.

#[path = "shared/calls.rs"]
mod calls;
#[path = "shared/crowd.rs"]
mod crowd;

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use crowd::{brief, measure};
use mcp_gateway::protocol::Message;

fn scan(c: &mut Criterion, name: &str, bytes: &Bytes) {
    measure(c, name, |_| {
        black_box(Message::parse(bytes.clone()).is_ok());
    });
}

fn small(c: &mut Criterion) {
    scan(c, "scan: small tools/call", &calls::small());
}

fn large(c: &mut Criterion) {
    scan(c, "scan: tools/call of 64 KiB", &calls::large());
}

criterion_group!(name = scans; config = brief(); targets = small, large);
criterion_main!(scans);
