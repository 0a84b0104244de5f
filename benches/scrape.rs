//! What a look at two thousand histograms costs, as many as a hundred backends with twenty tools have, in each form of the page.

#[path = "shared/crowd.rs"]
mod crowd;
#[path = "shared/scraped.rs"]
mod scraped;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crowd::{brief, measure};
use mcp_gateway::gateway::MetricsFormat;
use scraped::gateway_of;

fn pages(c: &mut Criterion) {
    let gateway = gateway_of(1_000);
    for format in [
        MetricsFormat::Text,
        MetricsFormat::OpenMetrics,
        MetricsFormat::Protobuf,
    ] {
        measure(c, &format!("scrape: 2000 histograms, {format:?}"), |_| {
            black_box(gateway.metrics(format));
        });
    }
}

criterion_group!(name = scrape; config = brief(); targets = pages);
criterion_main!(scrape);
