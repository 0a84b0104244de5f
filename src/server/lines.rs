//! One client on a pair of byte streams: a message a line, both ways (MCP 2025-11-25 and 2026-07-28, basic/transports/stdio).

use std::{future::pending, pin::pin, sync::Arc};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    auth::local,
    client::{Client, Said, WayOut},
    listen::BACKEND_GRACE,
    settings::ServerSettings,
};
use crate::{
    gateway::{Gateway, Refusal, Route},
    protocol::{LineDecoder, encode_line},
    telemetry::{Carrier, RequestId},
};

/// Serves `/mcp` to one client until its `input` ends or `stop` resolves, and shuts the gateway down: calls in flight may
/// finish within the shutdown timeout, or until `stop` resolves where it was the input that ended. Nothing but JSON-RPC is
/// put into `output`.
///
/// Who can start this process and write to it may do everything, so there is no authentication.
pub async fn serve_lines(
    gateway: Arc<Gateway>,
    settings: &ServerSettings,
    streams: (mpsc::Receiver<Bytes>, mpsc::Sender<Bytes>),
    stop: impl Future<Output = ()>,
) {
    let (input, output) = streams;
    let out = WayOut {
        messages: output,
        written: |message| encode_line(&message),
    };
    let caller = Arc::new(local());
    let mut client = Client::new(Arc::clone(&gateway), caller, Route::Aggregate, out);
    let mut stop = pin!(stop);
    let longest = settings.limits.max_body_size;
    let has_ended = tokio::select! {
        () = read(&mut client, &gateway, input, longest) => true,
        () = &mut stop => false,
    };
    let deadline = Instant::now() + settings.shutdown_timeout;
    let stopped_again = async move {
        if has_ended {
            stop.await;
        } else {
            pending::<()>().await;
        }
    };
    gateway.close_streams();
    gateway.end_of_answers();
    client
        .finish(async {
            tokio::select! {
                () = stopped_again => {}
                () = sleep_until(deadline) => {}
            }
        })
        .await;
    gateway.shutdown(Instant::now() + BACKEND_GRACE).await;
}

async fn read(
    client: &mut Client,
    gateway: &Gateway,
    mut input: mpsc::Receiver<Bytes>,
    longest: usize,
) {
    let mut lines = LineDecoder::new(longest);
    loop {
        let chunk = input.recv().await;
        let is_last = chunk.is_none();
        // The end of the input ends a line too.
        lines.push(&chunk.unwrap_or(Bytes::from_static(b"\n")));
        for line in lines.by_ref() {
            match line {
                Ok(body) => {
                    let said = Said {
                        body,
                        request_id: RequestId::random(),
                        trace: gateway.tracer().begin(&Carrier::default()),
                        started: gateway.clock().now(),
                    };
                    client.take(said).await;
                }
                Err(long) => {
                    let refusal = Refusal::BodyTooLarge(longest);
                    let reply = refusal.reply(long.id.as_deref());
                    client.out().say(reply.body).await;
                }
            }
            if client.out().is_closed() {
                return;
            }
        }
        if is_last {
            return;
        }
    }
}
