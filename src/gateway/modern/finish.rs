//! Makes an answer one of revision 2026-07-28: what a result must say of itself, and which status an error has.

use bytes::Bytes;

use crate::{
    gateway::inbound::Reply,
    protocol::{Message, RawObject, codes, quote},
};

/// Results that a client may keep for a time say for how long (MCP 2026-07-28, server/utilities/caching).
const CACHEABLE: [&str; 6] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];

/// The same reply to `asked` for a client of this revision.
pub(super) fn finished(asked: &Message, reply: Reply) -> Reply {
    let method = asked.method().unwrap_or_default();
    let Ok(message) = Message::parse(reply.body.clone()) else {
        return reply;
    };
    if message.result().is_some() {
        return Reply {
            body: stamped(&message, CACHEABLE.contains(&method)),
            ..reply
        };
    }
    match message.error_code() {
        Some(codes::METHOD_NOT_FOUND) => Reply {
            status: 404,
            ..reply
        },
        Some(
            codes::MISSING_CLIENT_CAPABILITY | codes::HEADER_MISMATCH | codes::UNSUPPORTED_REVISION,
        ) => Reply {
            status: 400,
            ..reply
        },
        Some(codes::RESOURCE_NOT_FOUND) => Reply {
            body: missing_resource(asked, &message),
            ..reply
        },
        Some(codes::URL_ELICITATION_REQUIRED) => Reply {
            body: under_code(&message, codes::INTERNAL_ERROR),
            ..reply
        },
        _ => reply,
    }
}

/// The answer, its result with what it lacks before its other members, every other byte as it was. Backends of older
/// revisions say nothing of caching, so nobody may keep what they answer.
fn stamped(message: &Message, is_cacheable: bool) -> Bytes {
    let members = [
        r#""resultType":"complete""#,
        r#""ttlMs":0"#,
        r#""cacheScope":"private""#,
    ];
    let count = if is_cacheable { 3 } else { 1 };
    let lacking: Vec<&str> = members
        .into_iter()
        .zip(message.result_says())
        .take(count)
        .filter_map(|(member, is_there)| (!is_there).then_some(member))
        .collect();
    if lacking.is_empty() {
        return message.bytes().clone();
    }
    message.with_in_result(&lacking.join(","))
}

/// The same error under another code: this revision has two codes of earlier ones no longer (basic, error codes).
fn under_code(message: &Message, code: i64) -> Bytes {
    let error = message.error().unwrap_or_default();
    let data = RawObject::parse(&error).and_then(|error| error.member("data"));
    with_data(message, code, data.map(|data| data.get().as_bytes()))
}

/// A resource that is not there: the error names it, also where the backend has not.
fn missing_resource(asked: &Message, message: &Message) -> Bytes {
    let error = message.error().unwrap_or_default();
    let data = RawObject::parse(&error).and_then(|error| error.read::<RawObject<'_>>("data"));
    let is_named = data.is_some_and(|data| data.member("uri").is_some());
    let is_read = asked.method() == Some("resources/read");
    let Some(uri) = asked.subject().filter(|_| is_read && !is_named) else {
        return under_code(message, codes::INVALID_PARAMS);
    };
    let data = [&b"{\"uri\":"[..], &quote(&uri), b"}"].concat();
    with_data(message, codes::INVALID_PARAMS, Some(&data))
}

fn with_data(message: &Message, code: i64, data: Option<&[u8]>) -> Bytes {
    Message::error_response(
        message.id().unwrap_or(b"null"),
        code,
        &message.error_message().unwrap_or_default(),
        data,
    )
    .bytes()
    .clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::replies::answered;

    fn finish(method: &str, body: &'static str) -> (u16, String) {
        let params = br#"{"uri":"x:y","name":"n"}"#;
        let asked = Message::request(b"1", method, Some(params));
        let reply = finished(&asked, answered(body.into()));
        (
            reply.status,
            String::from_utf8(reply.body.to_vec()).unwrap(),
        )
    }

    #[test]
    fn a_result_says_that_it_is_complete_and_a_list_that_nobody_may_keep_it() {
        assert_eq!(
            finish(
                "tools/call",
                r#"{"jsonrpc":"2.0","id":7,"result":{"content" : [1e5]}}"#
            )
            .1,
            r#"{"jsonrpc":"2.0","id":7,"result":{"resultType":"complete","content" : [1e5]}}"#
        );
        assert_eq!(
            finish("tools/list", r#"{"jsonrpc":"2.0","id":"a","result":{}}"#).1,
            r#"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","ttlMs":0,"cacheScope":"private"}}"#
        );
    }

    #[test]
    fn what_a_backend_says_of_its_result_stays() {
        let whole = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"x"}}"#;
        assert_eq!(finish("tools/call", whole).1, whole);
        assert_eq!(
            finish(
                "resources/read",
                r#"{"jsonrpc":"2.0","id":1,"result":{"ttlMs":60000}}"#
            )
            .1,
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","cacheScope":"private","ttlMs":60000}}"#
        );
    }

    #[test]
    fn errors_have_the_codes_and_statuses_of_this_revision() {
        let missing = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"no","data":{"uri":"x:y"}}}"#;
        assert_eq!(
            finish("resources/read", missing),
            (200, missing.replace("-32002", "-32602"))
        );
        let unnamed = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"no"}}"#;
        assert_eq!(
            finish("resources/read", unnamed),
            (200, missing.replace("-32002", "-32602"))
        );
        let address = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"sign in","data":{"elicitations":[]}}}"#;
        assert_eq!(
            finish("tools/call", address),
            (200, address.replace("-32042", "-32603"))
        );
        let unknown = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
        assert_eq!(finish("x", unknown), (404, unknown.into()));
        let lacking = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"no","data":{"requiredCapabilities":{"sampling":{}}}}}"#;
        assert_eq!(finish("tools/call", lacking), (400, lacking.into()));
    }
}
