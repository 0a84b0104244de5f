//! What is a client told and asked, and what does its user answer?

use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::{
        ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult,
        ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability,
        FormElicitationCapability, Implementation, ListRootsResult,
        LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion,
        ResourceUpdatedNotificationParam, Root, RootsCapabilities, SamplingCapability,
        SamplingMessage, UrlElicitationCapability,
    },
    service::{NotificationContext, RequestContext},
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) const ROOT: &str = "file:///work";
pub(crate) const FORM_NAME: &str = "ada@example.org";

/// Answers every question, and passes on what it hears.
pub(crate) struct Person {
    logged: UnboundedSender<Value>,
    pages: UnboundedSender<String>,
    progress: UnboundedSender<f64>,
    updates: UnboundedSender<String>,
}

/// What a person has heard: log lines, pages to visit, progress, and the resources that changed.
pub(crate) struct Told {
    pub(crate) logged: UnboundedReceiver<Value>,
    pub(crate) pages: UnboundedReceiver<String>,
    pub(crate) progress: UnboundedReceiver<f64>,
    pub(crate) updates: UnboundedReceiver<String>,
}

impl Person {
    pub(crate) fn new() -> (Self, Told) {
        let (to_logged, logged) = unbounded_channel();
        let (to_pages, pages) = unbounded_channel();
        let (to_progress, progress) = unbounded_channel();
        let (to_updates, updates) = unbounded_channel();
        let person = Self {
            logged: to_logged,
            pages: to_pages,
            progress: to_progress,
            updates: to_updates,
        };
        let told = Told {
            logged,
            pages,
            progress,
            updates,
        };
        (person, told)
    }
}

/// Whoever no longer listens has heard enough.
fn tell<T>(to: &UnboundedSender<T>, what: T) {
    drop(to.send(what));
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let elicitation = ElicitationCapability::new()
            .with_form(FormElicitationCapability::default())
            .with_url(UrlElicitationCapability::default());
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(elicitation);
        capabilities.sampling = Some(SamplingCapability::default());
        capabilities.roots = Some(RootsCapabilities::default());
        ClientConfig::new(capabilities, Implementation::new("real-client", "1.0.0"))
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let accepted = ElicitResult::new(ElicitationAction::Accept);
        if let ElicitRequestParams::UrlElicitationParams { url, .. } = request {
            tell(&self.pages, url);
            return Ok(accepted);
        }
        Ok(accepted.with_content(json!({"username": "ada", "email": FORM_NAME})))
    }

    async fn create_message(
        &self,
        _params: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let reply = SamplingMessage::assistant_text("Bern");
        Ok(CreateMessageResult::new(reply, "none".to_owned()))
    }

    async fn list_roots(
        &self,
        _context: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![Root::new(ROOT)]))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        tell(&self.progress, params.progress);
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        tell(&self.logged, params.data);
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        tell(&self.updates, params.uri);
    }
}
