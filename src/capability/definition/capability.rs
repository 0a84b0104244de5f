//! A capability as a whole: one tool, who answers it, and what is made of the answer.

use std::{ops::Deref, time::Duration};

use super::{
    Auth, CachePolicy, Fault, Hints, Metadata, Name, Provider, Schema, Transform, placeholders,
};

/// All that a capability is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// The tool's name.
    pub name: Name,
    /// What it does, for the model that reads it.
    pub description: Box<str>,
    /// What it takes.
    pub input: Schema,
    /// What it gives, if that is said.
    pub output: Option<Schema>,
    /// Who is asked first.
    pub primary: Provider,
    /// Who is asked, one after another, when that one fails.
    pub fallbacks: Vec<Provider>,
    /// What providers are shown, if anything.
    pub auth: Option<Auth>,
    /// For how long an answer may be given again.
    pub cache: CachePolicy,
    /// What else is said of it.
    pub metadata: Metadata,
    /// What is done with a result before it is given.
    pub transform: Transform,
}

/// A capability whose parts go together: each placeholder has a property or a static parameter. Its parts are read through it.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition(Parts);

impl Definition {
    /// The capability, if its parts go together.
    ///
    /// # Errors
    /// The first part that does not.
    pub fn new(parts: Parts) -> Result<Self, Fault> {
        placeholders::check(&parts)?;
        Ok(Self(parts))
    }

    /// All providers, in the order in which they are asked.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        std::iter::once(&self.0.primary).chain(&self.0.fallbacks)
    }

    /// The annotations of its tool: what is written, and for the rest what the methods of all providers say.
    #[must_use]
    pub fn hints(&self) -> Hints {
        let safe = self.providers().all(|provider| provider.service.is_safe());
        let repeatable = self
            .providers()
            .all(|provider| provider.service.is_idempotent());
        self.0.metadata.hints(safe, repeatable)
    }

    /// For how long an answer may be given again: never for what changes something.
    #[must_use]
    pub fn cached_for(&self) -> Option<Duration> {
        match self.0.cache {
            CachePolicy::Exact { ttl } if !ttl.is_zero() && self.hints().read_only => Some(ttl),
            CachePolicy::Exact { .. } | CachePolicy::Off => None,
        }
    }
}

impl Deref for Definition {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::capability::definition::{
        Body, Endpoint, QueryParam, ResponseSpec, RestCall, Service, Template, ValueTemplate,
        key::tests::Pretended,
    };

    fn call(method: Method, url: &str) -> Provider {
        let (endpoint, query) = Endpoint::parse(url, &Pretended).unwrap();
        Provider {
            service: Service::Rest(RestCall {
                method,
                endpoint,
                headers: Vec::new(),
                query,
                body: None,
            }),
            timeout: Duration::from_secs(30),
            static_params: Vec::new(),
            response: ResponseSpec::default(),
        }
    }

    fn parts(primary: Provider) -> Parts {
        let input = r#"{"type":"object","properties":{"id":{},"q":{}}}"#;
        Parts {
            name: Name::new("look").unwrap(),
            description: "Looks.".into(),
            input: Schema::new(input.to_owned()).unwrap(),
            output: None,
            primary,
            fallbacks: Vec::new(),
            auth: None,
            cache: CachePolicy::Exact {
                ttl: Duration::from_secs(60),
            },
            metadata: Metadata::default(),
            transform: Transform::default(),
        }
    }

    fn get() -> Provider {
        call(Method::GET, "https://a.example/x/{id}?q={q}")
    }

    #[test]
    fn methods_speak_for_a_capability_that_says_nothing_of_itself() {
        let hints = |method| {
            let definition = Definition::new(parts(call(method, "https://a.example"))).unwrap();
            let hints = definition.hints();
            (hints.read_only, hints.destructive, hints.idempotent)
        };
        assert_eq!(hints(Method::GET), (true, false, true));
        assert_eq!(hints(Method::PUT), (false, true, true));
        assert_eq!(hints(Method::POST), (false, true, false));
        let mut said = parts(get());
        said.fallbacks = vec![call(Method::POST, "https://b.example")];
        assert!(!Definition::new(said.clone()).unwrap().hints().read_only);
        said.metadata.read_only = Some(true);
        assert!(Definition::new(said).unwrap().hints().idempotent);
    }

    #[test]
    fn only_what_is_read_only_is_kept() {
        let reads = Definition::new(parts(get())).unwrap();
        assert_eq!(reads.cached_for(), Some(Duration::from_secs(60)));
        let mut parts = parts(get());
        parts.metadata.read_only = Some(false);
        assert_eq!(Definition::new(parts).unwrap().cached_for(), None);
    }

    #[test]
    fn a_placeholder_without_a_property_is_refused_where_it_stands() {
        assert!(Definition::new(parts(get())).is_ok());
        let fault = |provider: Provider, fallback: bool| {
            let mut parts = parts(get());
            match fallback {
                true => parts.fallbacks = vec![provider],
                false => parts.primary = provider,
            }
            Definition::new(parts).unwrap_err()
        };
        let path = fault(call(Method::GET, "https://a.example/{no}"), false);
        assert_eq!(path.at, "providers.primary.config.path");
        assert!(path.sentence.contains("`{no}`"), "{path}");
        assert!(path.sentence.contains("which has id, q"), "{path}");
        let query = fault(call(Method::GET, "https://a.example?x={no}"), true);
        assert_eq!(query.at, "providers.fallback[0].config.params.x");
        let mut body = call(Method::POST, "https://a.example");
        if let Service::Rest(call) = &mut body.service {
            let member = ("m".into(), ValueTemplate::Text(Template::parameter("no")));
            call.body = Some(Body::Json(ValueTemplate::Map(Box::new([member]))));
        }
        assert_eq!(
            fault(body.clone(), false).at,
            "providers.primary.config.body.m"
        );
        body.static_params = vec![("no".into(), 1.into())];
        let mut known = parts(body);
        known.fallbacks = vec![get()];
        assert!(Definition::new(known).is_ok());
        let form = vec![QueryParam::new("f", Template::parameter("no"))];
        let mut provider = call(Method::POST, "https://a.example");
        if let Service::Rest(call) = &mut provider.service {
            call.body = Some(Body::Form(form));
        }
        assert_eq!(fault(provider, false).at, "providers.primary.config.body.f");
    }
}
