//! A collector of traces inside the test process: it takes OTLP over HTTP and over gRPC, as the official messages define it.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    thread::{self, JoinHandle},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use prost::Message;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::oneshot,
};

use super::until;

/// A collector on a free port; it stops when dropped.
pub(crate) struct Collector {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    requests: Vec<ExportTraceServiceRequest>,
    headers: Vec<HeaderMap>,
    refuses: bool,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let (stop, stopped) = oneshot::channel();
        let (told, address) = std::sync::mpsc::channel();
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = serving.listen(listener) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address: address.recv().unwrap(),
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Its address as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether it answers 503 from now on.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.shared.state.lock().unwrap().refuses = refuses;
    }

    /// Every export so far.
    pub(crate) fn exports(&self) -> Vec<ExportTraceServiceRequest> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// The headers of every export so far.
    pub(crate) fn headers(&self) -> Vec<HeaderMap> {
        self.shared.state.lock().unwrap().headers.clone()
    }

    /// Every span so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let exports = self.exports().into_iter();
        exports
            .flat_map(|export| export.resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }

    /// Waits until there are spans of all these names in one trace, and gives them in that order.
    pub(crate) fn trace(&self, id: &str, names: &[&str]) -> Vec<Span> {
        until(&format!("spans {names:?} of trace {id}"), || {
            let spans = self.spans();
            let in_trace = spans.iter().filter(|span| hex(&span.trace_id) == id);
            let in_trace: Vec<_> = in_trace.cloned().collect();
            let named = |name: &&str| in_trace.iter().find(|span| span.name == **name).cloned();
            names.iter().map(named).collect()
        })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    async fn listen(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&self).converse(stream));
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream) {
        let answers = service_fn(move |request| Arc::clone(&self).answer(request));
        let _ = auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), answers)
            .await;
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> io::Result<Response<Frames>> {
        let headers = request.headers().clone();
        let is_grpc = headers
            .get("content-type")
            .is_some_and(|kind| kind == "application/grpc");
        let path = request.uri().path().to_owned();
        let body = request
            .into_body()
            .collect()
            .await
            .map_err(io::Error::other)?;
        let mut body = body.to_bytes();
        // A message over gRPC has a byte for its compression and four for its length before it.
        let message = if is_grpc { body.split_off(5) } else { body };
        let is_right = match is_grpc {
            true => path == "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            false => path == "/v1/traces" && headers["content-type"] == "application/x-protobuf",
        };
        let mut state = self.state.lock().unwrap();
        if state.refuses || !is_right {
            return Ok(answer(StatusCode::SERVICE_UNAVAILABLE, Vec::new()));
        }
        let export = ExportTraceServiceRequest::decode(message).map_err(io::Error::other)?;
        state.requests.push(export);
        state.headers.push(headers);
        if !is_grpc {
            return Ok(answer(StatusCode::OK, Vec::new()));
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let frames = vec![
            Frame::data(Bytes::from_static(&[0; 5])),
            Frame::trailers(trailers),
        ];
        let mut response = answer(StatusCode::OK, frames);
        let kind = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert("content-type", kind);
        Ok(response)
    }
}

/// A body that is there as a whole, trailers included.
struct Frames(VecDeque<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

fn answer(status: StatusCode, frames: Vec<Frame<Bytes>>) -> Response<Frames> {
    let mut response = Response::new(Frames(frames.into()));
    *response.status_mut() = status;
    response
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a span says under a key, as text.
pub(crate) fn said(span: &Span, key: &str) -> String {
    let attribute = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == key);
    let value = attribute.and_then(|attribute| attribute.value.clone()?.value);
    match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}
