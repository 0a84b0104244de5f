//! Messages as they come: a small call, and one that carries a document.

use bytes::Bytes;

/// A `tools/call` as clients send it.
pub(crate) fn small() -> Bytes {
    Bytes::from_static(
        br#"{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"name":"search","arguments":{"query":"circuit breaker","limit":10},"_meta":{"progressToken":17}}}"#,
    )
}

/// The same with a text of 64 KiB as its argument.
pub(crate) fn large() -> Bytes {
    let text = "A line of a document, as long as lines are.\\n".repeat(1_490);
    Bytes::from(format!(
        r#"{{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{{"name":"store","arguments":{{"text":"{text}"}}}}}}"#
    ))
}
