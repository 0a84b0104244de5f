//! One way of having a capability's call answered.

use std::time::Duration;

use http::{HeaderName, Method};

use super::{Endpoint, ResponseSpec, Template, ValueTemplate};

/// A provider: who is called, how, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// What is sent.
    pub service: Service,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Values for names that the caller may say something else for.
    pub static_params: Vec<(Box<str>, serde_json::Value)>,
    /// What of the answer becomes the result.
    pub response: ResponseSpec,
}

/// What is sent to a provider.
#[derive(Clone, Debug, PartialEq)]
pub enum Service {
    /// A request to a resource.
    Rest(RestCall),
    /// A GraphQL operation.
    Graphql(GraphqlCall),
    /// A JSON-RPC 2.0 request.
    JsonRpc(JsonRpcCall),
}

/// A request to a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct RestCall {
    /// The method.
    pub method: Method,
    /// Where.
    pub endpoint: Endpoint,
    /// Headers; one whose parameter is absent is left out.
    pub headers: Vec<(HeaderName, Template)>,
    /// Parameters of the query; one whose parameter is absent is left out.
    pub query: Vec<QueryParam>,
    /// The body, if there is one.
    pub body: Option<Body>,
}

/// One parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryParam {
    /// Its name, as it is before it is encoded.
    pub name: Box<str>,
    /// Its value.
    pub value: Template,
    /// How an array or an object is written.
    pub spread: Spread,
}

/// How an array or an object is written into a query (OpenAPI 3.1, parameter object, style).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// `a=1&a=2`, and `x=1&y=2` for an object.
    #[default]
    Repeated,
    /// `a=1,2`.
    Commas,
    /// `a=1 2`.
    Spaces,
    /// `a=1|2`.
    Pipes,
    /// `a[x]=1&a[y]=2`.
    Brackets,
}

/// What is sent as the body.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// JSON.
    Json(ValueTemplate),
    /// Names and values as an HTML form writes them.
    Form(Vec<QueryParam>),
    /// Text of this media type.
    Text {
        /// The value of `Content-Type`.
        content_type: http::HeaderValue,
        /// The text.
        text: Template,
    },
}

/// A GraphQL operation.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphqlCall {
    /// Where.
    pub endpoint: Endpoint,
    /// Headers; one whose parameter is absent is left out.
    pub headers: Vec<(HeaderName, Template)>,
    /// The document. It has no placeholders: arguments are variables.
    pub query: Box<str>,
    /// Which operation of the document is meant, if there are several.
    pub operation: Option<Box<str>>,
    /// The variables.
    pub variables: ValueTemplate,
}

/// A JSON-RPC 2.0 request.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonRpcCall {
    /// Where.
    pub endpoint: Endpoint,
    /// Headers; one whose parameter is absent is left out.
    pub headers: Vec<(HeaderName, Template)>,
    /// The method that is called.
    pub method: Box<str>,
    /// Its `params`.
    pub params: ValueTemplate,
}

impl QueryParam {
    /// A parameter of which an array becomes several.
    #[must_use]
    pub fn new(name: &str, value: Template) -> Self {
        Self {
            name: name.into(),
            value,
            spread: Spread::default(),
        }
    }
}

impl Service {
    /// Its name in a file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rest(_) => "rest",
            Self::Graphql(_) => "graphql",
            Self::JsonRpc(_) => "jsonrpc",
        }
    }

    /// Where it is reached.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Rest(call) => &call.endpoint,
            Self::Graphql(call) => &call.endpoint,
            Self::JsonRpc(call) => &call.endpoint,
        }
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, Template)] {
        match self {
            Self::Rest(call) => &call.headers,
            Self::Graphql(call) => &call.headers,
            Self::JsonRpc(call) => &call.headers,
        }
    }

    /// Whether the method alone says that nothing is changed (RFC 9110, 9.2.1).
    #[must_use]
    pub fn is_safe(&self) -> bool {
        matches!(self, Self::Rest(call) if call.method.is_safe())
    }

    /// Whether the method alone says that twice is as good as once (RFC 9110, 9.2.2).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self, Self::Rest(call) if call.method.is_idempotent())
    }
}
