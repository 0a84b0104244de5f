//! gateway_search_tools: finds tools by words.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    arguments::Arguments,
    given::{Given, Trouble},
};
use crate::{
    gateway::{
        catalogue::Kind,
        directory::{Directory, ListedTool},
        facade::Gateway,
        freshen::Missing,
        nearest::nearest,
        replies::Refusal,
        request::Request,
    },
    protocol::RawObject,
};

const DEFAULT_LIMIT: usize = 10;
const MOST: usize = 100;
/// Characters of a query; each of its words is looked up, so an endless one would occupy a whole thread.
const LONGEST_QUERY: usize = 1000;
/// Names suggested when nothing matches.
const SUGGESTIONS: usize = 5;

#[derive(Serialize)]
struct Found<'a> {
    query: &'a str,
    matches: Vec<Match<'a>>,
    total: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Match<'a> {
    server: &'a str,
    tool: &'a str,
    description: &'a str,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_schema: Option<&'a RawValue>,
}

pub(super) async fn run(
    gateway: &Arc<Gateway>,
    request: &Request,
    arguments: &Arguments<'_>,
) -> Result<Given, Trouble> {
    let query = arguments.required("query")?;
    if query.chars().nth(LONGEST_QUERY).is_some() {
        return Err(Refusal::InvalidParams(
            format!("gateway_search_tools was not run: `query` is longer than {LONGEST_QUERY} characters. Say in a few words what the tool should do.")
                .into(),
        )
        .into());
    }
    let limit = arguments.number("limit")?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::InvalidParams(
            format!("gateway_search_tools was not run: `limit` is {limit}. Use 1 to {MOST}.")
                .into(),
        )
        .into());
    }
    let missing = gateway.freshen_list(&[Kind::Tools], &request.caller).await;
    let directory = gateway.directory();
    let mut matches: Vec<Match<'_>> = directory
        .search(&query)
        .filter(|(_, listed)| listed.is_for(&request.caller))
        .map(|(score, listed)| hit(score, listed))
        .collect();
    let total = matches.len();
    matches.truncate(limit);
    let suggestions = if matches.is_empty() {
        suggestions(&directory, request, &query)
    } else {
        Vec::new()
    };
    Ok(Given::object(&Found {
        query: &query,
        matches,
        total,
        suggestions,
        missing,
    }))
}

fn hit(score: f32, listed: &ListedTool) -> Match<'_> {
    let definition = RawObject::parse(listed.entry.raw.get().as_bytes());
    Match {
        server: listed.member.name(),
        tool: &listed.entry.key,
        description: &listed.entry.description,
        score,
        input_schema: definition.and_then(|tool| tool.member("inputSchema")),
    }
}

/// Names that look like a word of the query; where none does, some of what there is.
fn suggestions(directory: &Directory, request: &Request, query: &str) -> Vec<String> {
    let names: BTreeSet<&str> = directory
        .tools()
        .iter()
        .filter(|listed| listed.is_for(&request.caller))
        .map(|listed| &*listed.entry.key)
        .collect();
    let near: BTreeSet<&str> = query
        .split_whitespace()
        .filter_map(|word| nearest(word, names.iter().copied()))
        .collect();
    let shown = if near.is_empty() { names } else { near };
    shown
        .into_iter()
        .take(SUGGESTIONS)
        .map(str::to_owned)
        .collect()
}
