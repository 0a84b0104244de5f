//! The way to the collector: OTLP over HTTP, carried by whoever is handed in, or over gRPC.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    Protocol, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
    tonic_types::{metadata::MetadataMap, transport::ClientTlsConfig},
};
use opentelemetry_sdk::{Resource, trace::SpanExporter as _};

use super::{
    settings::{OtlpProtocol, TraceSettings},
    tracer::TracerError,
};

/// Carries one body to where it was made for.
pub trait Post: fmt::Debug + Send + Sync {
    /// The status and the body of the answer, or why there is none.
    fn post(&self, body: Bytes) -> Posted<'_>;
}

/// An answer on its way.
pub type Posted<'a> = Pin<Box<dyn Future<Output = Result<(u16, Bytes), Box<str>>> + Send + 'a>>;

/// Makes the exporter; for gRPC that takes a runtime.
pub(super) fn exporter(
    settings: &TraceSettings,
    post: Arc<dyn Post>,
) -> impl FnOnce() -> Result<SpanExporter, TracerError> + Send + use<> {
    let settings = settings.clone();
    move || {
        let endpoint = settings.endpoint.to_string();
        let builder = SpanExporter::builder();
        let built = match settings.protocol {
            OtlpProtocol::HttpProtobuf => builder
                .with_http()
                .with_http_client(Client(post))
                .with_protocol(Protocol::HttpBinary)
                .with_endpoint(endpoint)
                .with_timeout(settings.timeout)
                .build(),
            OtlpProtocol::Grpc => {
                let builder = builder
                    .with_tonic()
                    .with_endpoint(endpoint)
                    .with_timeout(settings.timeout)
                    .with_metadata(metadata(&settings));
                match settings.endpoint.scheme_str() {
                    Some("https") => builder
                        .with_tls_config(ClientTlsConfig::new().with_native_roots())
                        .build(),
                    _ => builder.build(),
                }
            }
        };
        let mut exporter = built
            .map_err(|error| TracerError(format!("traces cannot be exported: {error}").into()))?;
        exporter.set_resource(&resource(&settings));
        Ok(exporter)
    }
}

fn metadata(settings: &TraceSettings) -> MetadataMap {
    let mut headers = HeaderMap::new();
    for (name, secret) in &settings.headers {
        if let Ok(value) = secret.expose().parse() {
            headers.insert(name, value);
        }
    }
    MetadataMap::from_headers(headers)
}

fn resource(settings: &TraceSettings) -> Resource {
    let said = settings.resource.iter();
    let said = said.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    Resource::builder_empty()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(said)
        .with_service_name(settings.service_name.clone())
        .build()
}

/// What the exporter takes for an HTTP client. Where to, and with which headers, its `Post` knows.
#[derive(Debug)]
struct Client(Arc<dyn Post>);

impl HttpClient for Client {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let (status, body) = self
                .0
                .post(request.into_body())
                .await
                .map_err(String::from)?;
            Ok(Response::builder().status(status).body(body)?)
        })
    }
}
