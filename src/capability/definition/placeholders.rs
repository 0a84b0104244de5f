//! Does every placeholder of a capability have something to stand for?

use super::{Body, Fault, Parts, QueryParam, Service};

/// The first placeholder that is no property of the schema and no static parameter of its provider.
pub(super) fn check(parts: &Parts) -> Result<(), Fault> {
    let properties = parts.input.properties();
    let providers = std::iter::once(&parts.primary).chain(&parts.fallbacks);
    for (index, provider) in providers.enumerate() {
        let known = |name: &str| {
            properties.iter().any(|property| property == name)
                || provider.static_params.iter().any(|(key, _)| &**key == name)
        };
        let at = match index {
            0 => "providers.primary.config".to_owned(),
            index => format!("providers.fallback[{}].config", index - 1),
        };
        let mut fault = None;
        each(&provider.service, &mut |below, name| {
            if fault.is_none() && !known(name) {
                fault = Some(Fault::new(
                    format!("{at}.{below}"),
                    sentence(name, &properties),
                ));
            }
        });
        fault.map_or(Ok(()), Err)?;
    }
    Ok(())
}

fn sentence(name: &str, properties: &[String]) -> String {
    let known = match properties {
        [] => "which has none".to_owned(),
        properties => format!("which has {}", properties.join(", ")),
    };
    format!(
        "has the placeholder `{{{name}}}`, but that is no property of schema.input, {known}: add it there, mend its name, or write `{{{{{name}}}}}` for the text itself"
    )
}

impl Service {
    /// The names of all its placeholders, each as often as it stands there.
    #[must_use]
    pub fn parameters(&self) -> Vec<String> {
        let mut names = Vec::new();
        each(self, &mut |_, name| names.push(name.to_owned()));
        names
    }
}

/// Calls `see` for each placeholder of what is sent, with the key below `config` at which it stands.
fn each(service: &Service, see: &mut impl FnMut(&str, &str)) {
    let path = &service.endpoint().path;
    path.parameters().for_each(|name| see("path", name));
    for (header, value) in service.headers() {
        let at = format!("headers.{header}");
        value.parameters().for_each(|name| see(&at, name));
    }
    match service {
        Service::Rest(call) => {
            in_query("params", &call.query, see);
            match &call.body {
                Some(Body::Json(value)) => value.parameters("body", see),
                Some(Body::Form(fields)) => in_query("body", fields, see),
                Some(Body::Text { text, .. }) => {
                    text.parameters().for_each(|name| see("body", name));
                }
                None => {}
            }
        }
        Service::Graphql(call) => call.variables.parameters("body.variables", see),
        Service::JsonRpc(call) => call.params.parameters("params", see),
    }
}

fn in_query(at: &str, params: &[QueryParam], see: &mut impl FnMut(&str, &str)) {
    for param in params {
        let at = format!("{at}.{}", param.name);
        param.value.parameters().for_each(|name| see(&at, name));
    }
}
