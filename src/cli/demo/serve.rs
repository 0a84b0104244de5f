//! One session of the demo backend: lines in, lines out, and the calls that are still sleeping.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::{
    select,
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use super::{
    answer::answer,
    exchange::{Refusal, params_of},
    sleep::{Sleep, requested_sleep},
};
use crate::protocol::{Kind, LineDecoder, Malformed, Message, codes, encode_line};

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 16 << 20;

/// Calls that may sleep at once.
const MAX_SLEEPING: usize = 1024;

/// Serves one client until its input ends; calls that still sleep then are dropped.
pub(super) async fn serve(mut input: mpsc::Receiver<Bytes>, output: mpsc::Sender<Bytes>) {
    let mut lines = LineDecoder::new(MAX_LINE);
    let mut session = Session::new(output);
    loop {
        select! {
            chunk = input.recv() => {
                let Some(chunk) = chunk else { return };
                lines.push(&chunk);
                for line in lines.by_ref() {
                    session.line(line.map_err(|error| error.to_string())).await;
                }
            }
            Some(_) = session.sleeping.join_next() => session.forget_awake(),
        }
    }
}

struct Session {
    output: mpsc::Sender<Bytes>,
    sleeping: JoinSet<()>,
    by_id: HashMap<Bytes, AbortHandle>,
}

impl Session {
    fn new(output: mpsc::Sender<Bytes>) -> Self {
        Self {
            output,
            sleeping: JoinSet::new(),
            by_id: HashMap::new(),
        }
    }

    async fn line(&mut self, line: Result<Bytes, String>) {
        let message = match line {
            Ok(line) => Message::parse(line).map_err(|fault| refuse_malformed(&fault)),
            Err(reason) => Err(Message::error_response(
                b"null",
                codes::INVALID_REQUEST,
                &reason,
                None,
            )),
        };
        match message {
            Err(refusal) => self.send(&refusal).await,
            Ok(message) => match message.kind() {
                Kind::Request => self.request(&message).await,
                Kind::Notification => self.notification(&message),
                Kind::Response => {}
            },
        }
    }

    async fn request(&mut self, message: &Message) {
        match requested_sleep(message) {
            Some(sleep) if self.sleeping.len() < MAX_SLEEPING => self.start(message, sleep),
            Some(_) => {
                let refusal = Refusal::new(
                    codes::SERVER_ERROR,
                    "Too many calls sleep already; try again later.",
                );
                self.send(&settled(message, Err(refusal))).await;
            }
            None => {
                self.send(&answered(message)).await;
            }
        }
    }

    fn start(&mut self, message: &Message, sleep: Sleep) {
        let output = self.output.clone();
        let request = message.clone();
        let handle = self.sleeping.spawn(async move {
            let outcome = sleep.run(&output).await;
            let line = encode_line(settled(&request, Ok(outcome)).bytes());
            drop(output.send(line).await);
        });
        let id = Bytes::copy_from_slice(message.id().unwrap_or_default());
        self.by_id.insert(id, handle);
    }

    /// A cancelled call is never answered (MCP 2025-11-25, basic/utilities/cancellation).
    fn notification(&mut self, message: &Message) {
        if message.method() == Some("notifications/cancelled")
            && let Some(call) = message.cancelled_id().and_then(|id| self.by_id.remove(id))
        {
            call.abort();
        }
    }

    fn forget_awake(&mut self) {
        self.by_id.retain(|_, call| !call.is_finished());
    }

    /// Nobody reads any more when this fails; the input will end as well.
    async fn send(&self, message: &Message) {
        drop(self.output.send(encode_line(message.bytes())).await);
    }
}

/// The answer to a request that waits for nothing.
pub(in crate::cli) fn answered(request: &Message) -> Message {
    let outcome = answer(request.method().unwrap_or_default(), &params_of(request));
    settled(request, outcome)
}

fn settled(request: &Message, outcome: Result<serde_json::Value, Refusal>) -> Message {
    let id = request.id().unwrap_or(b"null");
    match outcome {
        Ok(result) => Message::response(id, result.to_string().as_bytes()),
        Err(refusal) => {
            let data = refusal.data.map(|data| data.to_string());
            let data = data.as_ref().map(String::as_bytes);
            Message::error_response(id, refusal.code, &refusal.message, data)
        }
    }
}

fn refuse_malformed(fault: &Malformed) -> Message {
    let code = if fault.is_parse_error() {
        codes::PARSE_ERROR
    } else {
        codes::INVALID_REQUEST
    };
    let id = fault.id().unwrap_or(b"null");
    Message::error_response(id, code, &fault.to_string(), None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};
    use tokio::{task::JoinHandle, time::Instant};

    use super::*;

    struct Client {
        input: mpsc::Sender<Bytes>,
        output: mpsc::Receiver<Bytes>,
        server: JoinHandle<()>,
    }

    impl Client {
        fn connect() -> Self {
            let (input, received) = mpsc::channel(64);
            let (sent, output) = mpsc::channel(64);
            let server = tokio::spawn(serve(received, sent));
            Self {
                input,
                output,
                server,
            }
        }

        async fn say(&self, line: &str) {
            let line = Bytes::from(format!("{line}\n"));
            self.input.send(line).await.unwrap();
        }

        async fn call(&self, id: u64, method: &str, params: Value) {
            let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
            self.say(&message.to_string()).await;
        }

        async fn sleep(&self, id: u64, ms: u64) {
            let params = json!({"name": "sleep", "arguments": {"ms": ms}});
            self.call(id, "tools/call", params).await;
        }

        async fn hear(&mut self) -> Value {
            let line = self.output.recv().await.unwrap();
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            serde_json::from_slice(&line).unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_opens_a_session_and_calls_a_tool() {
        let mut client = Client::connect();
        client
            .call(1, "initialize", json!({"protocolVersion": "2025-06-18"}))
            .await;
        let opened = client.hear().await;
        assert_eq!(opened["id"], 1);
        assert_eq!(opened["result"]["protocolVersion"], "2025-06-18");
        client
            .say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            .await;
        let params = json!({"name": "echo", "arguments": {"message": "hi"}});
        client.call(2, "tools/call", params).await;
        assert_eq!(client.hear().await["result"]["content"][0]["text"], "hi");
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleeping_call_holds_up_nobody() {
        let mut client = Client::connect();
        let start = Instant::now();
        client.sleep(1, 500).await;
        client.sleep(2, 200).await;
        client.call(3, "ping", json!({})).await;
        let mut heard = Vec::new();
        for _ in 0..3 {
            let id = client.hear().await["id"].clone();
            heard.push((id, start.elapsed().as_millis()));
        }
        assert_eq!(heard, [(json!(3), 0), (json!(2), 200), (json!(1), 500)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_call_is_never_answered() {
        let mut client = Client::connect();
        client.sleep(1, 200).await;
        client.sleep(2, 300).await;
        client
            .say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
            .await;
        assert_eq!(client.hear().await["id"], 2);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(client.output.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_reported_under_the_callers_token() {
        let mut client = Client::connect();
        let params =
            json!({"name": "sleep", "arguments": {"ms": 1000}, "_meta": {"progressToken": "t"}});
        client.call(1, "tools/call", params).await;
        for step in 1..=10 {
            let report = client.hear().await;
            assert_eq!(
                report["params"],
                json!({"progressToken": "t", "progress": step * 100, "total": 1000})
            );
        }
        assert_eq!(
            client.hear().await["result"]["content"][0]["text"],
            "Slept for 1000 ms."
        );
    }

    #[tokio::test(start_paused = true)]
    async fn faults_are_answered_with_their_code_and_the_id_that_was_read() {
        let mut client = Client::connect();
        for (line, id, code) in [
            ("{", json!(null), -32700),
            (r#"{"jsonrpc":"2.0","id":7}"#, json!(7), -32600),
            ("[]", json!(null), -32600),
            (
                r#"{"jsonrpc":"2.0","id":"x","method":"lost"}"#,
                json!("x"),
                -32601,
            ),
            (
                r#"{"jsonrpc":"2.0","id":8,"method":"resources/read","params":{"uri":"demo://lost"}}"#,
                json!(8),
                -32002,
            ),
        ] {
            client.say(line).await;
            let answer = client.hear().await;
            assert_eq!(
                (&answer["id"], &answer["error"]["code"]),
                (&id, &json!(code))
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_its_input_while_a_call_sleeps() {
        let mut client = Client::connect();
        client.sleep(1, 60_000).await;
        client.call(2, "ping", json!({})).await;
        let start = Instant::now();
        drop(client.input);
        client.server.await.unwrap();
        let last = client.output.recv().await.unwrap();
        assert_eq!(last, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n");
        assert_eq!(client.output.recv().await, None);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
