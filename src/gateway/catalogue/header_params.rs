//! Arguments of a tool that its calls repeat in headers, as its definition says
//! (MCP 2026-07-28, basic/transports/streamable-http, custom headers from tool parameters).

use std::borrow::Cow;

use crate::{
    backend::ParamHeader,
    protocol::{RawObject, Text, decoded_header, encoded_header},
};

const PREFIX: &str = "mcp-param-";

/// One annotated property.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::gateway) struct HeaderParam {
    /// The header, in lower case.
    header: Box<str>,
    /// The names that lead to the argument.
    path: Vec<Box<str>>,
}

impl HeaderParam {
    /// That of the argument to which `path` leads, under a name that is no whole header yet.
    pub(super) fn new(name: &str, path: &[Box<str>]) -> Self {
        Self {
            header: [PREFIX, &name.to_ascii_lowercase()].concat().into(),
            path: path.to_vec(),
        }
    }

    /// Whether both are repeated in one header.
    pub(super) fn shares_its_header(&self, other: &Self) -> bool {
        self.header == other.header
    }

    /// The value that the header repeats; none where the argument is absent or null.
    fn value<'a>(&self, arguments: &'a [u8]) -> Option<Cow<'a, str>> {
        let (last, before) = self.path.split_last()?;
        let mut object = RawObject::parse(arguments)?;
        for name in before {
            object = object.read(name)?;
        }
        let value = object.member(last)?.get();
        match value.as_bytes().first()? {
            b'"' => serde_json::from_str(value).ok().map(|Text(text)| text),
            b'n' | b'{' | b'[' => None,
            _ => Some(value.into()),
        }
    }
}

/// The headers of a call with these arguments.
pub(in crate::gateway) fn headers_of(params: &[HeaderParam], arguments: &[u8]) -> Vec<ParamHeader> {
    let header = |param: &HeaderParam| {
        let value = param.value(arguments)?;
        Some((param.header.clone(), encoded_header(&value).into()))
    };
    params.iter().filter_map(header).collect()
}

/// A header that does not say what its argument says.
pub(in crate::gateway) struct Wrong<'a> {
    pub(in crate::gateway) header: &'a str,
    /// What it says, if it is there and can be read.
    pub(in crate::gateway) said: Option<Option<Cow<'a, str>>>,
    pub(in crate::gateway) value: Cow<'a, str>,
}

/// The first header that does not say what the arguments say.
pub(in crate::gateway) fn first_wrong<'a>(
    params: &'a [HeaderParam],
    arguments: &'a [u8],
    given: &'a [ParamHeader],
) -> Option<Wrong<'a>> {
    params.iter().find_map(|param| {
        let value = param.value(arguments)?;
        let header = given.iter().find(|(name, _)| *name == param.header);
        let said = header.map(|(_, said)| decoded_header(said));
        let is_right = said
            .as_ref()
            .is_some_and(|said| said.as_ref() == Some(&value));
        let header = &*param.header;
        (!is_right).then_some(Wrong {
            header,
            said,
            value,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::catalogue::annotations::annotated;

    const TOOL: &str = r#"{"name":"t","inputSchema":{"type":"object","properties":{
        "region":{"type":"string","x-mcp-header":"Region"},
        "deep":{"type":"object","properties":{"count":{"type":"integer","x-mcp-header":"Count"}}},
        "list":{"type":"array","items":{"type":"string"}}}}}"#;

    fn params() -> Box<[HeaderParam]> {
        annotated(serde_json::from_str(TOOL).unwrap()).unwrap()
    }

    #[test]
    fn annotated_properties_are_found_where_they_may_stand() {
        let arguments = br#"{"region":"Z\u00fcrich","deep":{"count": -7},"list":["x"]}"#;
        let headers = headers_of(&params(), arguments);
        let text = |name: &str, value: &str| (Box::from(name), Box::from(value));
        assert_eq!(
            headers,
            [
                text("mcp-param-region", "=?base64?WsO8cmljaA==?="),
                text("mcp-param-count", "-7")
            ]
        );
        assert!(headers_of(&params(), br#"{"region":null}"#).is_empty());
        assert!(headers_of(&params(), b"[]").is_empty());
    }

    #[test]
    fn a_header_must_be_there_and_say_what_the_argument_says() {
        let params = params();
        let wrong = |given: &[(&str, &str)]| {
            let given: Vec<ParamHeader> = given
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect();
            first_wrong(&params, br#"{"region":"Hello"}"#, &given).is_some()
        };
        assert!(!wrong(&[("mcp-param-region", "=?base64?SGVsbG8=?=")]));
        assert!(!wrong(&[("mcp-param-region", " Hello ")]));
        assert!(wrong(&[("mcp-param-region", "=?base64?SGVsbG8?=")]));
        assert!(wrong(&[("mcp-param-region", "SGVsbG8=")]));
        assert!(wrong(&[]));
    }
}
