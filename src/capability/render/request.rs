//! The request of one call, put together from its parts.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, USER_AGENT},
};
use serde_json::{Value, json};

use super::{RenderFault, Values, body, query, text};
use crate::capability::{
    Body, GraphqlCall, JsonRpcCall, Origin, QueryParam, RestCall, Service, Template, ValueTemplate,
};

/// A request before anything is shown that only its provider may see.
#[derive(Debug)]
pub(in crate::capability) struct Rendered {
    pub(in crate::capability) method: Method,
    origin: Origin,
    path: String,
    query: String,
    pub(in crate::capability) headers: HeaderMap,
    body: Bytes,
    /// The URL as people may read it: without its query, and with stars for secrets.
    pub(in crate::capability) shown: String,
}

/// Puts the request together.
pub(in crate::capability) fn rendered(
    service: &Service,
    values: &Values<'_>,
) -> Result<Rendered, RenderFault> {
    let endpoint = service.endpoint();
    let (path, shown) = text::path(&endpoint.path, values)?;
    let mut rendered = Rendered {
        method: Method::POST,
        origin: endpoint.origin.clone(),
        shown: format!("{}{shown}", endpoint.origin),
        path,
        query: String::new(),
        headers: usual_headers(),
        body: Bytes::new(),
    };
    match service {
        Service::Rest(call) => rendered.rest(call, values, &used(service, &call.query)),
        Service::Graphql(call) => rendered.json(&graphql(call, values, &used(service, &[]))),
        Service::JsonRpc(call) => rendered.json(&json_rpc(call, values, &used(service, &[]))),
    }
    rendered.put_headers(service.headers(), values)?;
    Ok(rendered)
}

fn usual_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let agent = concat!("mcp-gateway/", env!("CARGO_PKG_VERSION"));
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, */*;q=0.5"),
    );
    headers
}

impl Rendered {
    fn rest(&mut self, call: &RestCall, values: &Values<'_>, used: &[&str]) {
        self.method = call.method.clone();
        query::write(&mut self.query, &call.query, values);
        match &call.body {
            None => {}
            Some(Body::Json(template)) => {
                if let Some(value) = body::value(template, values, used) {
                    self.json(&value);
                }
            }
            Some(Body::Form(fields)) => self.form(fields, values),
            Some(Body::Text { content_type, text }) => {
                if let Some(text) = text::text(text, values) {
                    self.headers.insert(CONTENT_TYPE, content_type.clone());
                    self.body = text.into();
                }
            }
        }
    }

    fn json(&mut self, value: &Value) {
        let json = HeaderValue::from_static("application/json");
        self.headers.insert(CONTENT_TYPE, json);
        self.body = value.to_string().into();
    }

    fn form(&mut self, fields: &[QueryParam], values: &Values<'_>) {
        let mut form = String::new();
        query::write(&mut form, fields, values);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.headers.insert(CONTENT_TYPE, kind);
        self.body = form.into();
    }

    fn put_headers(
        &mut self,
        headers: &[(HeaderName, Template)],
        values: &Values<'_>,
    ) -> Result<(), RenderFault> {
        for (name, template) in headers {
            let value = match *name {
                COOKIE => text::cookies(template, values),
                _ => text::text(template, values),
            };
            if let Some(value) = value {
                self.put_header(name, &value)?;
            }
        }
        Ok(())
    }

    /// Puts a header in the place of one of that name.
    pub(in crate::capability) fn put_header(
        &mut self,
        name: &HeaderName,
        value: &str,
    ) -> Result<(), RenderFault> {
        let value = HeaderValue::from_str(value).map_err(|_| RenderFault::NoHeader {
            header: name.as_str().into(),
        })?;
        self.headers.insert(name.clone(), value);
        Ok(())
    }

    /// Adds a parameter to the query.
    pub(in crate::capability) fn put_query(&mut self, name: &str, value: &str) {
        query::pair(&mut self.query, name, value);
    }

    /// The request itself.
    pub(in crate::capability) fn request(self) -> Result<Request<Bytes>, RenderFault> {
        let mark = if self.query.is_empty() { "" } else { "?" };
        let url = format!("{}{}{mark}{}", self.origin, self.path, self.query);
        let url: Uri = url.parse().map_err(|_| RenderFault::NoUrl)?;
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = url;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

/// The names that the path, the query and the headers use up.
fn used<'a>(service: &'a Service, query: &'a [QueryParam]) -> Vec<&'a str> {
    let in_query = query.iter().map(|param| &param.value);
    let in_headers = service.headers().iter().map(|(_, value)| value);
    let templates = std::iter::once(&service.endpoint().path)
        .chain(in_query)
        .chain(in_headers);
    templates.flat_map(Template::parameters).collect()
}

fn object(template: &ValueTemplate, values: &Values<'_>, used: &[&str]) -> Value {
    body::value(template, values, used).unwrap_or_else(|| json!({}))
}

/// The body of a GraphQL request (GraphQL over HTTP, request parameters).
fn graphql(call: &GraphqlCall, values: &Values<'_>, used: &[&str]) -> Value {
    let variables = object(&call.variables, values, used);
    let mut body = json!({"query": &*call.query, "variables": variables});
    if let Some(operation) = &call.operation {
        body["operationName"] = Value::from(&**operation);
    }
    body
}

fn json_rpc(call: &JsonRpcCall, values: &Values<'_>, used: &[&str]) -> Value {
    let params = object(&call.params, values, used);
    json!({"jsonrpc": "2.0", "id": 1, "method": &*call.method, "params": params})
}
