//! A client that hands its POSTs straight to the gateway.

use std::{pin::Pin, sync::Arc, time::Duration};

use mcp_gateway::{
    backend::{Backend, BackendSettings, StdioSettings, TransportSettings},
    gateway::{
        Caller, EventStream, Gateway, GatewaySettings, Inbound, Mirrored, Outbound, Reply, Route,
    },
    telemetry::{Clock, RequestId, Trace},
};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

/// The demo backend of the built binary under this name.
pub(crate) fn demo(name: &str) -> BackendSettings {
    stdio(name, env!("CARGO_BIN_EXE_mcp-gateway"))
}

/// A backend whose program does not exist.
pub(crate) fn missing(name: &str) -> BackendSettings {
    stdio(name, "/no/such/program")
}

fn stdio(name: &str, program: &str) -> BackendSettings {
    let child = StdioSettings::new(program, &["demo"]);
    BackendSettings::new(name, TransportSettings::Stdio(child))
}

pub(crate) fn gateway(settings: GatewaySettings, names: &[&str]) -> Arc<Gateway> {
    over(settings, names.iter().map(|name| demo(name)).collect())
}

pub(crate) fn over(settings: GatewaySettings, backends: Vec<BackendSettings>) -> Arc<Gateway> {
    let clock = Clock::new();
    let backends = backends
        .into_iter()
        .map(|settings| Backend::new(settings, clock.clone()))
        .collect();
    let gateway = Gateway::new(settings, backends, clock);
    gateway.supervise();
    gateway
}

/// Somebody who asks one endpoint.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) session: Option<Box<str>>,
    route: Route,
}

impl Client {
    pub(crate) fn new(gateway: Arc<Gateway>) -> Self {
        Self {
            gateway,
            caller: Arc::new(Caller {
                operator: true,
                ..Caller::default()
            }),
            session: None,
            route: Route::Aggregate,
        }
    }

    /// The same caller at one backend's endpoint, without a session.
    pub(crate) fn at(&self, backend: &str) -> Self {
        Self {
            route: Route::Backend(backend.into()),
            session: None,
            ..self.clone()
        }
    }

    /// Opens a session; the answer to `initialize`.
    pub(crate) async fn open(&mut self) -> Value {
        let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}});
        let opened = reply(self.post(request("initialize", &params)).await);
        self.session = opened.session;
        serde_json::from_slice(&opened.body).unwrap()
    }

    /// Sends a request and gives the JSON-RPC answer.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = reply(self.post(request(method, &params)).await);
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Calls a tool and gives its result.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Value {
        let params = json!({"name": name, "arguments": arguments});
        self.ask("tools/call", params).await["result"].clone()
    }

    /// Opens the stream of the session, and gives what comes on it first after `act`.
    pub(crate) async fn hears(&self, act: impl Future) -> Value {
        let session = self.session.as_deref();
        let stream = self.gateway.listen(&self.route, session, &self.caller);
        let mut stream = Box::into_pin(stream.unwrap_or_else(|_| panic!("no stream")));
        act.await;
        let first = std::future::poll_fn(|context| stream.as_mut().poll_next(context));
        let first = timeout(Duration::from_secs(20), first).await.unwrap();
        serde_json::from_slice(&first.unwrap().message).unwrap()
    }

    /// The HTTP status of a request.
    pub(crate) async fn status(&self, method: &str) -> u16 {
        reply(self.post(request(method, &json!({}))).await).status
    }

    /// Sends a request that takes a stream, and gives everything that comes on it.
    pub(crate) async fn stream(&self, method: &str, params: Value) -> Vec<Value> {
        let inbound = Inbound {
            accepts_stream: true,
            ..self.inbound(&request(method, &params))
        };
        let Outbound::Stream(stream) = self.gateway.post(inbound).await else {
            panic!("no stream");
        };
        let mut stream: Pin<Box<dyn EventStream>> = Box::into_pin(stream);
        let mut messages = Vec::new();
        while let Some(message) =
            std::future::poll_fn(|context| stream.as_mut().poll_next(context)).await
        {
            messages.push(serde_json::from_slice(&message.message).unwrap());
        }
        messages
    }

    pub(crate) async fn post(&self, body: Value) -> Outbound {
        self.gateway.post(self.inbound(&body)).await
    }

    /// Ends the gateway with its backends.
    pub(crate) async fn end(&self) {
        self.gateway
            .shutdown(Instant::now() + Duration::from_secs(5))
            .await;
    }

    fn inbound(&self, body: &Value) -> Inbound {
        Inbound {
            route: self.route.clone(),
            caller: Arc::clone(&self.caller),
            session: self.session.clone(),
            revision: None,
            mirrored: Some(Mirrored::default()),
            request_id: RequestId::random(),
            trace: Trace::default(),
            started: self.gateway.clock().now(),
            accepts_stream: false,
            body: serde_json::to_vec(body).unwrap().into(),
        }
    }
}

fn request(method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

pub(crate) fn reply(outbound: Outbound) -> Reply {
    match outbound {
        Outbound::Reply(reply) => reply,
        Outbound::Stream(_) => panic!("a stream"),
        Outbound::Accepted => panic!("nothing"),
    }
}
