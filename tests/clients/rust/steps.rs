//! Walks through what a session consists of, step by step, with the Rust SDK's client.
//!
//! Reads a JSON list of walks on standard input. Each names its place, the era in which the client speaks, and a key of
//! its own. Prints a line of JSON for each step: the walk, the step, and the fault, which is null where there was none.
#![expect(
    deprecated,
    reason = "sampling, roots and logging are to go one day, and are used until then"
)]
#![expect(clippy::print_stdout, reason = "its lines are what it is started for")]

mod person;

use std::{error::Error, fmt::Debug, io, time::Duration};

use person::{FORM_NAME, Person, ROOT, Told};
use rmcp::{
    RoleClient,
    model::{
        CallToolRequest, CallToolRequestParams, ClientRequest, GetPromptRequestParams,
        LoggingLevel, ProtocolVersion, ReadResourceRequestParams, RequestMetaObject,
        ResourceContents, ServerNotification, SetLevelRequestParams, SubscribeRequestParams,
        SubscriptionFilter,
    },
    service::{ClientLifecycleMode, ClientServiceExt, PeerRequestOptions, RunningService},
    transport::StreamableHttpClientTransport,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

const STEP: Duration = Duration::from_secs(15);
const STEPS: [&str; 13] = [
    "connect",
    "list",
    "call",
    "read",
    "prompt",
    "progress",
    "cancel",
    "form",
    "url",
    "sampling",
    "roots",
    "logging",
    "subscribe",
];

type Fault = Box<dyn Error + Send + Sync>;
type Outcome = Result<(), Fault>;

#[derive(Deserialize)]
struct Walk {
    name: String,
    url: String,
    era: Era,
    key: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Era {
    Legacy,
    Modern,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let walks: Vec<Walk> = serde_json::from_reader(io::stdin())?;
    for walk in walks {
        match timeout(STEP, Session::open(&walk)).await {
            Ok(Ok(session)) => session.walk().await,
            Ok(Err(fault)) => report(&walk, "connect", Some(&fault.to_string())),
            Err(late) => report(&walk, "connect", Some(&late.to_string())),
        }
    }
    Ok(())
}

fn report(walk: &Walk, step: &str, fault: Option<&str>) {
    println!(
        "{}",
        json!({"walk": walk.name, "step": step, "fault": fault})
    );
}

/// A connected client, and what it is told.
struct Session<'a> {
    walk: &'a Walk,
    client: RunningService<RoleClient, Person>,
    told: Told,
}

impl<'a> Session<'a> {
    async fn open(walk: &'a Walk) -> Result<Self, Fault> {
        let (person, told) = Person::new();
        let lifecycle = match walk.era {
            Era::Legacy => ClientLifecycleMode::Initialize,
            Era::Modern => ClientLifecycleMode::Auto {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
                legacy_version: Some(ProtocolVersion::V_2025_11_25),
            },
        };
        let transport = StreamableHttpClientTransport::from_uri(walk.url.clone());
        let client = person.serve_with_lifecycle(transport, lifecycle).await?;
        Ok(Self { walk, client, told })
    }

    async fn walk(mut self) {
        for step in STEPS {
            let fault = match timeout(STEP, self.take(step)).await {
                Ok(outcome) => outcome.err().map(|fault| fault.to_string()),
                Err(late) => Some(late.to_string()),
            };
            report(self.walk, step, fault.as_deref());
        }
        // The steps have said what they had to say, whatever the end is like.
        drop(self.client.cancel().await);
    }

    async fn take(&mut self, step: &str) -> Outcome {
        match step {
            "connect" => self.connect(),
            "list" => self.list().await,
            "call" => self.call().await,
            "read" => self.read().await,
            "prompt" => self.prompt().await,
            "progress" => self.progress().await,
            "cancel" => self.cancel().await,
            "form" => self.form().await,
            "url" => self.url().await,
            "sampling" => self.sampling().await,
            "roots" => self.roots().await,
            "logging" => self.logging().await,
            "subscribe" => self.subscribe().await,
            unknown => Err(unknown.into()),
        }
    }

    fn connect(&self) -> Outcome {
        let revision = match self.walk.era {
            Era::Legacy => ProtocolVersion::V_2025_11_25,
            Era::Modern => ProtocolVersion::V_2026_07_28,
        };
        let spoken = self
            .client
            .peer_info()
            .map(|info| info.protocol_version.clone());
        same(&spoken, &Some(revision))
    }

    async fn list(&self) -> Outcome {
        let tools = self.client.list_all_tools().await?;
        contains(tools.iter().map(|tool| &*tool.name), "test_simple_text")?;
        let resources = self.client.list_all_resources().await?;
        contains(
            resources.iter().map(|resource| &*resource.name),
            "static-text",
        )?;
        let templates = self.client.list_all_resource_templates().await?;
        contains(templates.iter().map(|template| &*template.name), "template")?;
        let prompts = self.client.list_all_prompts().await?;
        contains(
            prompts.iter().map(|prompt| &*prompt.name),
            "test_simple_prompt",
        )
    }

    async fn call(&self) -> Outcome {
        let said = self.tool("test_simple_text", json!({})).await?;
        same(&*said, "This is a simple text response for testing.")
    }

    async fn read(&self) -> Outcome {
        let request = ReadResourceRequestParams::new("test://static-text");
        let read = self.client.read_resource(request).await?;
        let wanted = "This is the content of the static text resource.";
        match &*read.contents {
            [ResourceContents::TextResourceContents { text, .. }] => same(&**text, wanted),
            other => Err(format!("{other:?}").into()),
        }
    }

    async fn prompt(&self) -> Outcome {
        let mut request = GetPromptRequestParams::new("test_prompt_with_arguments");
        request.arguments = Some(object(json!({"arg1": "one", "arg2": "two"})));
        let got = self.client.get_prompt(request).await?;
        let written = serde_json::to_string(&got.messages)?;
        let wanted = "Prompt with arguments: arg1='one', arg2='two'";
        match written.contains(wanted) {
            true => Ok(()),
            false => Err(written.into()),
        }
    }

    async fn progress(&mut self) -> Outcome {
        self.tool("test_tool_with_progress", json!({})).await?;
        for progress in [0.0, 50.0, 100.0] {
            same(&self.told.progress.recv().await, &Some(progress))?;
        }
        Ok(())
    }

    async fn cancel(&self) -> Outcome {
        let key = &self.walk.key;
        let params =
            CallToolRequestParams::new("test_hold").with_arguments(object(json!({"key": key})));
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let options = PeerRequestOptions::no_options();
        let held = self
            .client
            .send_cancellable_request(request, options)
            .await?;
        same(&*self.becomes("held").await?, "held")?;
        held.cancel(Some("no longer wanted".to_owned())).await?;
        same(&*self.becomes("cancelled").await?, "cancelled")
    }

    async fn becomes(&self, state: &str) -> Result<String, Fault> {
        let arguments = json!({"key": self.walk.key, "state": state});
        self.tool("test_held", arguments).await
    }

    async fn form(&self) -> Outcome {
        let said = self
            .tool("test_elicitation", json!({"message": "Who are you?"}))
            .await?;
        match said.contains("action=accept") && said.contains(FORM_NAME) {
            true => Ok(()),
            false => Err(said.into()),
        }
    }

    async fn url(&mut self) -> Outcome {
        let url = format!("https://example.org/{}", self.walk.key);
        let said = self
            .tool("test_url_elicitation", json!({"url": url}))
            .await?;
        same(&*said, "Consent: accept")?;
        same(&self.told.pages.recv().await, &Some(url))
    }

    async fn sampling(&self) -> Outcome {
        let said = self
            .tool("test_sampling", json!({"prompt": "Which city?"}))
            .await?;
        same(&*said, "LLM response: Bern")
    }

    async fn roots(&self) -> Outcome {
        let said = self
            .tool("test_input_required_result_list_roots", json!({}))
            .await?;
        same(&said, &format!("Roots: {ROOT}"))
    }

    async fn logging(&mut self) -> Outcome {
        self.log_at(LoggingLevel::Error).await?;
        self.log_at(LoggingLevel::Info).await?;
        for line in [
            "Tool execution started",
            "Tool processing data",
            "Tool execution completed",
        ] {
            same(&self.told.logged.recv().await, &Some(json!(line)))?;
        }
        same(&self.told.logged.try_recv().ok(), &None)
    }

    async fn log_at(&self, level: LoggingLevel) -> Outcome {
        let mut params = CallToolRequestParams::new("test_tool_with_logging");
        if self.walk.era == Era::Legacy {
            let request = SetLevelRequestParams::new(level);
            self.client.set_level(request).await?;
        } else {
            let mut meta = RequestMetaObject::new();
            meta.set_log_level(level);
            params.meta = Some(meta);
        }
        self.client.call_tool(params).await?;
        Ok(())
    }

    async fn subscribe(&mut self) -> Outcome {
        let uri = format!("test://template/{}/data", self.walk.key);
        if self.walk.era == Era::Legacy {
            let request = SubscribeRequestParams::new(uri.clone());
            self.client.subscribe(request).await?;
            self.tool("test_touch", json!({"uri": uri})).await?;
            return same(&self.told.updates.recv().await, &Some(uri));
        }
        let mut filter = SubscriptionFilter::new();
        filter.resource_subscriptions = Some(vec![uri.clone()]);
        let mut subscription = self.client.listen(filter).await?;
        self.tool("test_touch", json!({"uri": uri})).await?;
        match subscription.next().await? {
            Some(ServerNotification::ResourceUpdatedNotification(updated)) => {
                same(&updated.params.uri, &uri)
            }
            other => Err(format!("{other:?}").into()),
        }
    }

    async fn tool(&self, name: &'static str, arguments: Value) -> Result<String, Fault> {
        let request = CallToolRequestParams::new(name).with_arguments(object(arguments));
        let result = self.client.call_tool(request).await?;
        let texts = result.content.iter().filter_map(|block| block.as_text());
        let said: String = texts.map(|block| block.text.as_str()).collect();
        match result.is_error {
            Some(true) => Err(format!("an error: {said}").into()),
            _ => Ok(said),
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn contains<'a>(found: impl IntoIterator<Item = &'a str>, wanted: &str) -> Outcome {
    let found: Vec<&str> = found.into_iter().collect();
    match found.contains(&wanted) {
        true => Ok(()),
        false => Err(format!("{wanted:?} is not among {found:?}").into()),
    }
}

fn same<T: PartialEq + Debug + ?Sized>(found: &T, wanted: &T) -> Outcome {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{found:?} instead of {wanted:?}").into()),
    }
}
