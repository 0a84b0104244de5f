//! From a good answer to what the tool gives.

use serde_json::Value;

use super::{
    Pick, Shape,
    content::{Reading, base64, media_type, reading},
};
use crate::{
    capability::{Provider, Reply, Service},
    failsafe::Outcome,
};

/// What was taken of an answer.
#[derive(Debug, PartialEq)]
pub(in crate::capability) enum Taken {
    /// JSON: its text, and it itself where somebody needs it.
    Json { text: String, value: Option<Value> },
    /// Text.
    Text(String),
    /// Bytes of a media type, in base64.
    Bytes { kind: String, base64: String },
}

/// Why an answer with a good status gives nothing.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::capability) enum Unusable {
    /// It breaks the rules of its own format: the provider has failed.
    Broken(String),
    /// The provider says itself that the call went wrong.
    Told {
        /// What the failure is to the provider.
        outcome: Outcome,
        /// What it says.
        sentence: String,
    },
    /// It is not what the definition expects.
    Unexpected(String),
}

/// What of a reply becomes the result. `tree` asks for the value besides its text.
pub(in crate::capability) fn taken(
    reply: &Reply,
    provider: &Provider,
    (pick, shape): (&Pick, &Shape),
    tree: bool,
) -> Result<Taken, Unusable> {
    let kind = media_type(&reply.headers);
    let has_own_rules = !matches!(provider.service, Service::Rest(_));
    let read = match reading(provider.response.format, kind.as_deref(), &reply.body) {
        _ if has_own_rules => Reading::Json,
        read => read,
    };
    match read {
        Reading::Json if reply.body.is_empty() && !has_own_rules => Ok(Taken::Text(String::new())),
        Reading::Json => json(reply, provider, (pick, shape), tree),
        Reading::Text => Ok(Taken::Text(
            String::from_utf8_lossy(&reply.body).into_owned(),
        )),
        Reading::Binary => Ok(Taken::Bytes {
            kind: kind.unwrap_or_else(|| "application/octet-stream".to_owned()),
            base64: base64(&reply.body),
        }),
    }
}

fn json(
    reply: &Reply,
    provider: &Provider,
    (pick, shape): (&Pick, &Shape),
    tree: bool,
) -> Result<Taken, Unusable> {
    let no_json = || Unusable::Broken("it answered with something that is no JSON".to_owned());
    let usual = match &provider.service {
        Service::Rest(_) => None,
        Service::Graphql(_) => Some(graphql(&reply.body)?),
        Service::JsonRpc(_) => Some(json_rpc(&reply.body)?),
    };
    let is_whole = matches!(pick, Pick::Whole);
    if is_whole && usual.is_none() && shape.is_plain() && !tree {
        let text = std::str::from_utf8(&reply.body).map_err(|_| no_json())?;
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|_| no_json())?;
        return Ok(Taken::Json {
            text: text.to_owned(),
            value: None,
        });
    }
    let value = match usual {
        Some(value) if is_whole => value,
        _ => pick
            .of(&reply.body)
            .map_err(|sentence| match sentence.as_str() {
                "is no JSON" => no_json(),
                _ => Unusable::Unexpected(format!("The answer {sentence}.")),
            })?,
    };
    let value = shape.shaped(value);
    Ok(Taken::Json {
        text: value.to_string(),
        value: Some(value),
    })
}

/// The data of a GraphQL answer (GraphQL, 7.1): errors beside data are in the result, errors without any are all there is.
fn graphql(body: &[u8]) -> Result<Value, Unusable> {
    let broken =
        || Unusable::Broken("it answered with something that is no GraphQL answer".to_owned());
    let answer: Value = serde_json::from_slice(body).map_err(|_| broken())?;
    let members = answer.as_object().ok_or_else(broken)?;
    let data = members.get("data").filter(|data| !data.is_null());
    let errors = members.get("errors").and_then(Value::as_array);
    match (data, errors) {
        (Some(data), None) => Ok(data.clone()),
        (Some(_), Some(_)) => Ok(answer),
        (None, Some(errors)) => {
            let said = errors.iter().filter_map(|error| error["message"].as_str());
            Err(Unusable::Told {
                outcome: Outcome::CallerFault,
                sentence: said.collect::<Vec<_>>().join("; "),
            })
        }
        (None, None) => Err(broken()),
    }
}

/// The result of a JSON-RPC answer (JSON-RPC 2.0, 5).
fn json_rpc(body: &[u8]) -> Result<Value, Unusable> {
    let broken =
        || Unusable::Broken("it answered with something that is no JSON-RPC answer".to_owned());
    let answer: Value = serde_json::from_slice(body).map_err(|_| broken())?;
    let members = answer.as_object().ok_or_else(broken)?;
    if let Some(error) = members.get("error").filter(|error| !error.is_null()) {
        let message = error["message"].as_str().unwrap_or_default();
        let code = error["code"].as_i64().unwrap_or_default();
        return Err(Unusable::Told {
            outcome: Outcome::of_rpc_error(code, message),
            sentence: format!("error {code}: {message}"),
        });
    }
    members.get("result").cloned().ok_or_else(broken)
}
