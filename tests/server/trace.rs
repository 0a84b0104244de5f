//! The name of a request: in its answer and in its span.

use std::{fmt::Debug, sync::mpsc};

use mcp_gateway::server::ServerSettings;
use tracing::{
    field::{Field, Visit},
    span,
    subscriber::{self, Subscriber},
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
};

use crate::wire::{Running, bare, ping};

const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

#[tokio::test]
async fn a_valid_request_id_comes_back_and_any_other_is_replaced() {
    let server = Running::start(ServerSettings::default());
    let kept = server
        .ask(&ping("/mcp", &format!("X-Request-Id: {ID}\r\n")))
        .await;
    assert_eq!(kept.header("x-request-id"), Some(ID));
    assert_eq!(kept.header("x-trace-id"), Some(ID));
    for given in [
        "",
        "X-Request-Id: 42\r\n",
        "X-Request-Id: <b>67e55044</b>\r\n",
    ] {
        let answer = server.ask(&bare("GET", "/nowhere", given)).await;
        let fresh = answer.header("x-request-id").unwrap_or_default();
        assert!(fresh.len() == 36 && fresh != ID, "{given:?} {answer:?}");
    }
}

/// Where the fields of every `http_request` span go.
struct Spans(mpsc::Sender<String>);

impl<S: Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        if attributes.metadata().name() == "http_request" {
            let mut fields = Fields(String::new());
            attributes.record(&mut fields);
            let _ = self.0.send(fields.0);
        }
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{}={value:?};", field.name());
    }
}

#[tokio::test]
async fn every_request_has_a_span_with_its_name_and_without_its_query() {
    let (spans, seen) = mpsc::channel();
    let _here = subscriber::set_default(Registry::default().with(Spans(spans)));
    let server = Running::start(ServerSettings::default());
    let name = format!("X-Request-Id: {ID}\r\n");
    let request = bare("GET", "/livez?key=hidden", &name);
    assert_eq!(server.ask(&request).await.status, 200);
    assert_eq!(
        seen.try_iter().collect::<Vec<_>>(),
        [format!("method=GET;uri=\"/livez\";request_id={ID};")]
    );
}
