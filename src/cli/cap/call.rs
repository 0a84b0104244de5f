//! `cap test`: one call of one capability, as a client would make it.

use std::path::PathBuf;

use serde_json::Value;
use tokio::{runtime::Builder, time::Instant};

use super::looked::{Looked, show};
use crate::{
    backend::Asked,
    cli::{args::Options, capabilities::Capabilities, ended::Ended},
    protocol::Message,
    telemetry::{Clock, RequestId, Trace},
};

pub(super) fn call(
    options: &Options,
    (name, arguments): (&str, &str),
    places: &[PathBuf],
) -> Result<(), Ended> {
    let message = message(name, arguments)?;
    let looked = Looked::at(options, places)?;
    let settings = looked.settings(options, name)?;
    let deadline = settings.timeout;
    let backend = Capabilities::new(Clock::new()).backend(settings);
    let provider = backend.provider();
    let provider = provider.ok_or_else(|| Ended::Failed("Nothing is provided.".to_owned()))?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Ended::Failed(format!("No runtime can be made ({error}). Try again.")))?;
    let answer = runtime.block_on(async {
        let asked = Asked {
            message: &message,
            caller: "",
            request_id: RequestId::random(),
            trace: Trace::none(),
            deadline: Instant::now() + deadline,
        };
        provider.answer(asked).await
    });
    let answer = answer.map_err(|error| Ended::Failed(format!("{name}: {error}.")))?;
    told(name, &answer)
}

fn message(name: &str, arguments: &str) -> Result<Message, Ended> {
    let arguments: Value = serde_json::from_str(arguments).map_err(|error| {
        Ended::Misused(format!(
            "--args is no JSON ({error}), so nothing was called. Write an object such as {{\"query\": \"rust\"}}."
        ))
    })?;
    let params = serde_json::json!({"name": name, "arguments": arguments}).to_string();
    Ok(Message::request(
        b"1",
        "tools/call",
        Some(params.as_bytes()),
    ))
}

/// The result as it is, indented; a result that says that it failed ends the program so.
fn told(name: &str, answer: &Message) -> Result<(), Ended> {
    let Some(result) = answer.result() else {
        let reason = answer.error_message().unwrap_or_default();
        return Err(Ended::Failed(format!("{name}: {reason}.")));
    };
    let result: Value = serde_json::from_slice(&result).unwrap_or_default();
    let text = serde_json::to_string_pretty(&result).unwrap_or_default();
    show(&format!("{text}\n"))?;
    if answer.is_tool_error() {
        return Err(Ended::Failed(format!("{name} says that it failed.")));
    }
    Ok(())
}
