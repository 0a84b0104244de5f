//! gateway_list_tools: what all servers offer in brief, or one server in full.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    arguments::Arguments,
    given::{Given, Trouble},
};
use crate::{
    backend::BackendStatus,
    gateway::{
        catalogue::{Entry, Kind},
        facade::Gateway,
        freshen::Missing,
        member::Member,
        request::Request,
        table::Table,
    },
    protocol::quote,
};

#[derive(Serialize)]
struct InBrief<'a> {
    tools: Vec<Brief<'a>>,
    total: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing>,
}

#[derive(Serialize)]
struct Brief<'a> {
    server: &'a str,
    name: &'a str,
    description: &'a str,
}

#[derive(Serialize)]
struct InFull<'a> {
    server: &'a str,
    status: BackendStatus,
    /// The list is the last good one, not today's.
    stale: bool,
    tools: Vec<Box<RawValue>>,
    total: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing>,
}

pub(super) async fn run(
    gateway: &Arc<Gateway>,
    request: &Request,
    arguments: &Arguments<'_>,
) -> Result<Given, Trouble> {
    match arguments.text("server")? {
        Some(server) => {
            let member = gateway.member(&server, &request.caller)?;
            let asked = vec![Arc::clone(&member)];
            // Only this one was asked for, and its first start may take a while: waiting delays nobody else's list.
            let missing = gateway
                .freshen_members(asked, &[Kind::Tools], request.deadline)
                .await;
            Ok(in_full(&gateway.table(), &member, request, missing))
        }
        None => {
            let missing = gateway.freshen_list(&[Kind::Tools], &request.caller).await;
            Ok(in_brief(gateway, request, missing))
        }
    }
}

fn in_brief(gateway: &Gateway, request: &Request, missing: Vec<Missing>) -> Given {
    let directory = gateway.directory();
    let tools: Vec<Brief<'_>> = directory
        .tools()
        .iter()
        .filter(|listed| listed.is_for(&request.caller))
        .map(|listed| Brief {
            server: listed.member.name(),
            name: &listed.entry.key,
            description: &listed.entry.description,
        })
        .collect();
    let total = tools.len();
    Given::object(&InBrief {
        tools,
        total,
        missing,
    })
}

fn in_full(table: &Table, member: &Member, request: &Request, missing: Vec<Missing>) -> Given {
    let listing = member.catalogue().listing(Kind::Tools).unwrap_or_default();
    let tools: Vec<_> = listing
        .entries
        .iter()
        .filter(|tool| table.shows(member.name(), &tool.key))
        .filter(|tool| request.caller.may_call(member.name(), &tool.key))
        .map(|tool| with_server(member.name(), tool))
        .collect();
    Given::object(&InFull {
        server: member.name(),
        status: member.backend().status(),
        stale: member.catalogue().is_stale(Kind::Tools),
        total: tools.len(),
        tools,
        missing,
    })
}

/// The definition as the backend wrote it, with the server's name before everything else.
fn with_server(server: &str, tool: &Entry) -> Box<RawValue> {
    let text = tool.raw.get();
    let quoted = String::from_utf8(quote(server)).unwrap_or_default();
    let spliced = text
        .strip_prefix('{')
        .map(|rest| ["{\"server\":", &quoted, ",", rest].concat());
    spliced
        .and_then(|text| RawValue::from_string(text).ok())
        .unwrap_or_else(|| tool.raw.clone())
}
