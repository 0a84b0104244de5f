//! All capabilities as one server: what it says of itself, its tools, and a call of one.

use std::{any::Any, pin::Pin, sync::Arc};

use arc_swap::ArcSwap;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use super::{Calling, CapabilitySettings, Definition, ExecuteFault, Executor, Outside};
use crate::{
    backend::{Asked, CallError, Callee, Part, Provider, ServerInfo},
    protocol::{Era, Message, Revision, codes},
};

/// A page of the list of tools ends after so many tools, or bytes.
const PAGE: usize = 1_000;
const PAGE_BYTES: usize = 4 << 20;

/// Capabilities that are served.
#[derive(Debug)]
pub struct Served {
    /// Swapped whole when files have changed.
    now: ArcSwap<Offer>,
    info: Arc<ServerInfo>,
}

/// The capabilities of one reading.
#[derive(Debug)]
struct Offer {
    settings: CapabilitySettings,
    executor: Executor,
}

impl Served {
    /// The server of these capabilities.
    #[must_use]
    pub fn new(settings: CapabilitySettings, outside: Outside) -> Self {
        let info = Arc::new(info(&settings.name));
        let executor = Executor::new(settings.definitions.iter().cloned(), outside);
        let offer = Offer { settings, executor };
        Self {
            now: ArcSwap::from_pointee(offer),
            info,
        }
    }

    async fn answered(&self, asked: Asked<'_>) -> Result<Message, CallError> {
        let message = asked.message;
        let id = message.id().unwrap_or(b"null");
        match message.method().unwrap_or_default() {
            "initialize" => Ok(Message::response(id, &self.info.initialize_result)),
            "ping" => Ok(Message::response(id, b"{}")),
            "tools/list" => Ok(self.now.load().page(id, message.cursor().as_deref())),
            "tools/call" => self.now.load_full().called(id, asked).await,
            method => Ok(refused(
                id,
                codes::METHOD_NOT_FOUND,
                &format!("capabilities do not know the method `{method}`"),
            )),
        }
    }
}

impl Offer {
    /// A page of the tools; the cursor of the next is the place of its first.
    fn page(&self, id: &[u8], cursor: Option<&str>) -> Message {
        let start = match cursor.map(str::parse) {
            None => 0,
            Some(Ok(start)) => start,
            Some(Err(_)) => {
                return refused(id, codes::INVALID_PARAMS, "this is no cursor of this list");
            }
        };
        let mut tools = Vec::new();
        let mut bytes = 0;
        let mut left = self.settings.definitions.iter().skip(start);
        while tools.len() < PAGE
            && bytes < PAGE_BYTES
            && let Some(definition) = left.next()
        {
            let tool = Tool::of(definition);
            bytes += tool.input_schema.get().len();
            tools.push(tool);
        }
        let next = start + tools.len();
        let page = Page {
            next_cursor: left.next().map(|_| next.to_string()),
            tools,
        };
        Message::response(id, &serde_json::to_vec(&page).unwrap_or_default())
    }

    async fn called(&self, id: &[u8], asked: Asked<'_>) -> Result<Message, CallError> {
        let name = asked.message.name().unwrap_or_default();
        let arguments = asked.message.arguments();
        let calling = Calling {
            name: &name,
            arguments: arguments.as_deref(),
            caller: asked.caller,
            request_id: asked.request_id,
            trace: asked.trace,
            deadline: asked.deadline,
        };
        match self.executor.execute(&calling).await {
            Ok(result) => Ok(said(Message::response(id, &result))),
            Err(ExecuteFault::Unknown(name)) => Ok(refused(
                id,
                codes::INVALID_PARAMS,
                &format!("Unknown tool: {name}"),
            )),
            Err(ExecuteFault::Throttled { retry_after }) => {
                Err(CallError::Throttled { retry_after })
            }
            Err(ExecuteFault::Open {
                by_operator,
                retry_after,
                open_for,
                cause,
            }) => Err(CallError::CircuitOpen {
                tool: Some(name.as_ref().into()),
                by_operator,
                retry_after,
                open_for,
                cause: Some(cause),
            }),
            Err(ExecuteFault::Failed {
                reason,
                sent,
                retry_after,
            }) => Err(CallError::Tool {
                reason,
                sent,
                retry_after,
            }),
        }
    }
}

impl Provider for Served {
    fn name(&self) -> &'static str {
        "capabilities"
    }

    fn info(&self) -> Arc<ServerInfo> {
        Arc::clone(&self.info)
    }

    fn is_same(&self, other: &dyn Provider) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| other.now.load().settings == self.now.load().settings)
    }

    fn can_become(&self, other: &dyn Provider) -> bool {
        let Some(other) = other.as_any().downcast_ref::<Self>() else {
            return false;
        };
        let (now, other) = (self.now.load(), other.now.load());
        now.settings.name == other.settings.name
    }

    fn become_other(&self, other: &dyn Provider) {
        if let Some(other) = other.as_any().downcast_ref::<Self>() {
            self.now.store(other.now.load_full());
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn answer<'a>(
        &'a self,
        asked: Asked<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Message, CallError>> + Send + 'a>> {
        Box::pin(self.answered(asked))
    }

    fn left_out(&self) -> Vec<Box<str>> {
        self.now.load().settings.left_out.clone()
    }

    fn parts(&self) -> Vec<Part> {
        let now = self.now.load();
        let names = now.settings.definitions.iter().map(|it| it.name.as_str());
        let part = |name: &str| {
            Some(Part {
                name: name.into(),
                health: now.executor.health(name)?,
            })
        };
        names.filter_map(part).collect()
    }

    fn callees(&self) -> Vec<Callee> {
        let now = self.now.load();
        let each = now.executor.called().into_iter();
        each.map(|guard| Callee {
            name: guard.origin.clone(),
            failsafe: Arc::clone(&guard.failsafe),
        })
        .collect()
    }
}

fn info(name: &str) -> ServerInfo {
    let revision = Revision::LATEST_LEGACY;
    let result = json!({
        "protocolVersion": revision.as_str(),
        "capabilities": {"tools": {"listChanged": true}},
        "serverInfo": {"name": name, "version": env!("CARGO_PKG_VERSION")},
    });
    ServerInfo {
        initialize_result: result.to_string().into(),
        revision,
        era: Era::Legacy,
    }
}

/// A result as one that came from elsewhere: only so is it known whether it says that the call failed.
fn said(result: Message) -> Message {
    Message::parse(result.bytes().clone()).unwrap_or(result)
}

fn refused(id: &[u8], code: i64, sentence: &str) -> Message {
    Message::error_response(id, code, sentence, None)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tool<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<&'a RawValue>,
    annotations: Annotations,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotations {
    read_only_hint: bool,
    destructive_hint: bool,
    idempotent_hint: bool,
    open_world_hint: bool,
}

impl<'a> Tool<'a> {
    fn of(definition: &'a Definition) -> Self {
        let hints = definition.hints();
        Self {
            name: definition.name.as_str(),
            description: &definition.description,
            input_schema: definition.input.raw(),
            output_schema: definition.output.as_ref().map(|schema| schema.raw()),
            annotations: Annotations {
                read_only_hint: hints.read_only,
                destructive_hint: hints.destructive,
                idempotent_hint: hints.idempotent,
                open_world_hint: hints.open_world,
            },
            meta: meta(definition),
        }
    }
}

/// By what it is found, for clients that sort their tools.
fn meta(definition: &Definition) -> Option<Value> {
    let metadata = &definition.metadata;
    let mut meta = serde_json::Map::new();
    if let Some(category) = &metadata.category {
        meta.insert("category".to_owned(), (&**category).into());
    }
    if !metadata.tags.is_empty() {
        let tags: Vec<Value> = metadata.tags.iter().map(|tag| (&**tag).into()).collect();
        meta.insert("tags".to_owned(), tags.into());
    }
    (!meta.is_empty()).then_some(Value::Object(meta))
}
