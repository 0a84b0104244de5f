//! Where spans are sent, and of which requests they are kept.

use std::time::Duration;

use crate::telemetry::Secret;

/// How traces are exported.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// The collector: the whole URL.
    pub endpoint: http::Uri,
    /// How it is spoken to.
    pub protocol: OtlpProtocol,
    /// Headers, or gRPC metadata, of every export; their values are secrets.
    pub headers: Vec<(http::HeaderName, Secret)>,
    /// How long one export may take, with its repetitions.
    pub timeout: Duration,
    /// Which requests are traced.
    pub sampling: Sampling,
    /// The name of this service in traces.
    pub service_name: String,
    /// What else is said of this service: keys and values.
    pub resource: Vec<(String, String)>,
    /// Spans that wait to be sent; further ones are dropped and counted.
    pub max_queue: usize,
    /// The most spans in one export.
    pub max_batch: usize,
    /// The longest a span waits for others to be sent with.
    pub delay: Duration,
}

/// The form of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// Protocol Buffers in the body of a POST.
    #[default]
    HttpProtobuf,
    /// gRPC.
    Grpc,
}

/// Which requests are traced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// The share of traces, 0 to 1, that is kept where nobody has decided before.
    pub ratio: f64,
    /// Whether the decision of a client that traces is kept.
    pub parent_based: bool,
}

impl Default for Sampling {
    /// Everything, unless a client has decided otherwise: the standard's default `parentbased_always_on`.
    fn default() -> Self {
        Self {
            ratio: 1.0,
            parent_based: true,
        }
    }
}

impl Sampling {
    /// The decision for a trace: the same for one id everywhere, as other implementations make it
    /// (OpenTelemetry, Trace SDK, `TraceIdRatioBased`).
    pub(super) fn samples(self, parent_is_sampled: Option<bool>, trace: [u8; 16]) -> bool {
        match parent_is_sampled {
            Some(sampled) if self.parent_based => sampled,
            _ if self.ratio >= 1.0 => true,
            _ => {
                let [.., a, b, c, d, e, f, g, h] = trace;
                let low = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 11;
                // 53 bits are exact in a double.
                share(low) < self.ratio
            }
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the number has 53 bits, which a double holds"
)]
fn share(low: u64) -> f64 {
    low as f64 / (1_u64 << 53) as f64
}

impl TraceSettings {
    /// Settings with every default of the standard in place: a request in ten seconds, 2,048 spans waiting, 512 at once,
    /// five seconds apart (OpenTelemetry, SDK configuration).
    #[must_use]
    pub fn new(endpoint: http::Uri) -> Self {
        Self {
            endpoint,
            protocol: OtlpProtocol::default(),
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            sampling: Sampling::default(),
            service_name: "mcp-gateway".to_owned(),
            resource: Vec::new(),
            max_queue: 2_048,
            max_batch: 512,
            delay: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_takes_its_share_of_ids_and_a_client_decides_before_it() {
        let with = |ratio, parent_based| Sampling {
            ratio,
            parent_based,
        };
        let low = [0; 16];
        let high = [0xff; 16];
        assert!(with(0.01, true).samples(None, low));
        assert!(!with(0.99, true).samples(None, high));
        assert!(!with(0.0, true).samples(None, low));
        assert!(with(1.0, true).samples(None, high));
        assert!(with(0.0, true).samples(Some(true), high));
        assert!(!with(1.0, true).samples(Some(false), low));
        assert!(with(1.0, false).samples(Some(false), low));
        assert!(!with(0.0, false).samples(Some(true), low));
        let taken = (0..=255_u8)
            .filter(|byte| {
                let mut id = [0; 16];
                id[8] = *byte;
                with(0.25, true).samples(None, id)
            })
            .count();
        assert_eq!(taken, 64);
    }
}
