//! A capability with everything read that its calls need, on its first call: many are never called.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::{
    Definition, Fault, Guards,
    answer::{Pick, Shape},
    check::Checker,
    guards::Guard,
    render::secrets,
};
use crate::{failsafe::HealthTracker, telemetry::Secret};

/// A capability that can be called.
#[derive(Debug)]
pub(super) struct Capability {
    pub(super) definition: Arc<Definition>,
    /// The guards of its providers, in their order.
    pub(super) guards: Box<[Arc<Guard>]>,
    /// How its calls end; none before the first.
    pub(super) tracker: OnceLock<Arc<HealthTracker>>,
    ready: OnceLock<Result<Ready, Fault>>,
}

/// What is read of a definition.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) checker: Checker,
    pub(super) defaults: Vec<(String, Value)>,
    /// Arguments that must be there, and may be there as static parameters.
    pub(super) required: Vec<String>,
    /// For each provider, where the result stands.
    pub(super) picks: Vec<Pick>,
    pub(super) shape: Shape,
    /// What of the templates nobody may read.
    pub(super) secrets: Vec<Secret>,
}

impl Capability {
    pub(super) fn new(definition: Arc<Definition>, guards: &Guards) -> Self {
        let each = definition.providers();
        Self {
            guards: each.map(|provider| guards.of(&provider.service)).collect(),
            definition,
            tracker: OnceLock::new(),
            ready: OnceLock::new(),
        }
    }

    /// The same with everything read.
    pub(super) fn ready(&self) -> Result<&Ready, &Fault> {
        self.ready
            .get_or_init(|| Ready::new(&self.definition))
            .as_ref()
    }
}

impl Ready {
    /// Reads what a definition says in the words of others: schemas, paths and filters.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub(super) fn new(definition: &Definition) -> Result<Self, Fault> {
        let checker = Checker::new(&definition.input);
        let picks = definition.providers().enumerate().map(|(index, provider)| {
            let path = provider.response.path.as_deref().unwrap_or_default();
            Pick::parse(path).map_err(|sentence| {
                let at = match index {
                    0 => "providers.primary".to_owned(),
                    index => format!("providers.fallback[{}]", index - 1),
                };
                Fault::new(format!("{at}.config.response_path"), sentence)
            })
        });
        let shape = Shape::parse(&definition.transform);
        Ok(Self {
            checker: checker.map_err(|sentence| Fault::new("schema.input", sentence))?,
            defaults: definition.input.defaults(),
            required: definition.input.required(),
            picks: picks.collect::<Result<_, _>>()?,
            shape: shape
                .map_err(|(key, sentence)| Fault::new(format!("transform.{key}"), sentence))?,
            secrets: definition
                .providers()
                .flat_map(|provider| secrets(&provider.service))
                .collect(),
        })
    }
}
