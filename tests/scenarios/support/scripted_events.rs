//! SSE answers with every oddity of framing that servers have been seen to send.

use super::frame::{self, Asked};

const PRIMING: &str = "id: 0\nretry: 500\ndata:\n\n";

/// The tools whose answer is a stream, each named for its oddity.
pub(crate) const STREAMED: &[&str] = &[
    "sse_plain",
    "sse_priming",
    "sse_comments",
    "sse_crlf",
    "sse_multiline",
    "sse_bytewise",
    "sse_progress",
    "sse_other_fields",
    "sse_cut_short",
];

/// The chunks of the answer to one call.
pub(crate) fn chunks(asked: &Asked, id: &str) -> Vec<Vec<u8>> {
    let answer = frame::said(id, "streamed 😀 é");
    let event = format!("event: message\ndata: {answer}\n\n");
    let whole = match asked.name.as_str() {
        "sse_priming" => format!("{PRIMING}{event}"),
        "sse_comments" => format!(": hello\n\n:\n\n: keep-alive\n{event}: bye\n\n"),
        "sse_crlf" => event.replace('\n', "\r\n"),
        "sse_multiline" => format!(
            "data: {}\n\n",
            answer.replace(r#","id""#, ",\ndata: \"id\"")
        ),
        "sse_progress" => format!("{PRIMING}{}{event}", progress(asked)),
        "sse_other_fields" => format!("foo: bar\nid\ndata:{answer}\nevent:message\nretry:x\n\n"),
        "sse_cut_short" => format!("data: {}", &answer[..answer.len() / 2]),
        _ => event,
    };
    if asked.name == "sse_bytewise" {
        return whole.bytes().map(|byte| vec![byte]).collect();
    }
    vec![whole.into_bytes()]
}

fn progress(asked: &Asked) -> String {
    let token = asked.progress_token.as_deref().unwrap_or("null");
    (1..=3)
        .map(|step| {
            format!(
                r#"data: {{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step},"total":3}}}}"#
            ) + "\n\n"
        })
        .collect()
}
