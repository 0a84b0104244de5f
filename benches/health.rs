//! What the health word costs: a success that finds nothing to end, and one that does.

#[path = "shared/crowd.rs"]
mod crowd;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crowd::{brief, measure};
use mcp_gateway::lockfree::HealthWord;

fn healthy(c: &mut Criterion) {
    let health = HealthWord::new(3);
    measure(c, "health: success, healthy", |_| {
        black_box(health.success());
    });
}

fn wavering(c: &mut Criterion) {
    let health = HealthWord::new(3);
    measure(c, "health: a failure and a success", |_| {
        black_box(health.failure());
        black_box(health.success());
    });
}

criterion_group!(name = health; config = brief(); targets = healthy, wavering);
criterion_main!(health);
