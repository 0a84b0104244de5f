//! `capabilities.openapi`: documents whose operations are served without files of their own.

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    capability::{
        Auth, AuthKind, Definition, Key, Parts,
        openapi::{
            DocumentText, Imported, Pattern, Security, Selection, Trouble, Wish, import, is_url,
            read_document,
        },
    },
    config::{capability_file, section::Section, values},
};

/// How long a document may take to come from its URL.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the documents come to.
#[derive(Debug, Default)]
pub(super) struct Apis {
    pub(super) definitions: Vec<Arc<Definition>>,
    /// What is not served, and why.
    pub(super) left_out: Vec<Box<str>>,
    /// The names of all capabilities that there are so far.
    taken: HashSet<String>,
}

/// What operations are shown.
enum Credential {
    /// What the document says of it, if it says something.
    None,
    /// This one; the document says what it is and where it stands.
    Key(Key),
    /// This one, whatever the document says.
    Whole(Auth),
}

/// The files that are read, so that a change of one is seen.
pub(in crate::config) fn files(capabilities: &mut Section<'_>) -> Vec<PathBuf> {
    let specs = capabilities.sections("openapi").into_iter();
    let specs: Vec<String> = specs.filter_map(|mut api| api.text("spec")).collect();
    let environment = capabilities.reading().environment;
    let files = specs.iter().filter(|spec| !is_url(spec));
    files.map(|spec| environment.path(spec)).collect()
}

/// Reads all documents. `taken` are the names of capabilities that there are already; a document that cannot be read is told
/// of, and keeps nothing else from being served.
pub(super) fn read(capabilities: &mut Section<'_>, taken: impl Iterator<Item = String>) -> Apis {
    let mut apis = Apis {
        taken: taken.collect(),
        ..Apis::default()
    };
    for mut api in capabilities.sections("openapi") {
        apis.take(&mut api);
        api.finish();
    }
    apis
}

impl Apis {
    fn take(&mut self, api: &mut Section<'_>) {
        let spec = api.required("spec", "the file or the URL of an OpenAPI document");
        let base_url = api.optional("base_url", |text| {
            values::url(text).map(|_| text.to_owned())
        });
        let credential = credential(api);
        let include = api.list("include", Pattern::parse).unwrap_or_default();
        let exclude = api.list("exclude", Pattern::parse).unwrap_or_default();
        let Some(spec) = spec else { return };
        let selection = Selection::new(include, exclude);
        let wish = Wish {
            base_url: base_url.as_deref(),
            document_url: is_url(&spec).then_some(&spec),
            selection: &selection,
        };
        let place = match is_url(&spec) {
            true => spec.clone(),
            false => api.reading().environment.path(&spec).display().to_string(),
        };
        let imported = read_document(&place, PATIENCE)
            .map_err(|error| format!("cannot be read ({error})"))
            .and_then(|bytes| DocumentText::new(&bytes))
            .and_then(|text| import(&text, &wish));
        match imported {
            Ok(imported) => self.serve(api, &spec, imported, &credential),
            Err(why) => self.miss(
                api,
                &format!("{spec} {why}; none of its operations is served"),
            ),
        }
    }

    fn serve(
        &mut self,
        api: &Section<'_>,
        spec: &str,
        imported: Imported,
        credential: &Credential,
    ) {
        let of = imported.operations.len() + imported.skipped.len();
        if imported.operations.is_empty() {
            let why = imported
                .skipped
                .first()
                .map(|skipped| format!(": {}", skipped.trouble));
            let why = why.unwrap_or_default();
            self.miss(
                api,
                &format!("{spec} gives none of its {of} operations{why}"),
            );
        }
        let meant = |trouble: &Trouble| matches!(trouble, Trouble::Deprecated | Trouble::NotChosen);
        for skipped in imported
            .skipped
            .iter()
            .filter(|skipped| !meant(&skipped.trouble))
        {
            self.left_out
                .push(format!("{spec}: {}: {}", skipped.operation, skipped.trouble).into());
        }
        for operation in imported.operations {
            let name = operation.parts.name.as_str().to_owned();
            let auth = credential.shown(&operation.security);
            let parts = Parts {
                auth,
                ..operation.parts
            };
            match Definition::new(parts) {
                Ok(_) if self.taken.contains(&name) => {
                    self.left_out.push(format!("{spec}: another capability is called {name} already, and that one is served").into());
                }
                Ok(definition) => {
                    self.definitions.push(Arc::new(definition));
                    self.taken.insert(name);
                }
                Err(fault) => self
                    .left_out
                    .push(format!("{spec}: {name}: {fault}").into()),
            }
        }
    }

    fn miss(&mut self, api: &Section<'_>, sentence: &str) {
        let place = api.place_of("spec").unwrap_or(api.at());
        api.reading().findings.warn(place, sentence);
        self.left_out.push(sentence.into());
    }
}

/// `auth`: whole, or a key alone.
fn credential(api: &mut Section<'_>) -> Credential {
    let mut auth = api.section("auth");
    if auth.place_of("type").is_some() {
        return capability_file::read_required(api).map_or(Credential::None, Credential::Whole);
    }
    let key = capability_file::read_key(&mut auth);
    auth.finish();
    key.map_or(Credential::None, Credential::Key)
}

impl Credential {
    fn shown(&self, security: &Security) -> Option<Auth> {
        match (self, security) {
            (Self::None, _) | (_, Security::Nothing) => None,
            (Self::Whole(auth), _) => Some(auth.clone()),
            (Self::Key(key), Security::Unsaid) => Some(Auth::new(key.clone(), AuthKind::Bearer)),
            (Self::Key(key), Security::Shown(scheme)) => Some(Auth {
                key: key.clone(),
                kind: scheme.kind.clone(),
                place: scheme.place.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        capability::{AuthKind, CapabilitySettings, KeyPlace, Service},
        config::load::tests::{read, warnings},
    };

    const PETS: &str = r#"{"openapi":"3.1.0","servers":[{"url":"https://pets.example"}],"security":[{"key":[]}],
        "components":{"securitySchemes":{"key":{"type":"apiKey","in":"query","name":"k"}}},
        "paths":{"/a":{"get":{"operationId":"a"}},"/b":{"get":{"operationId":"b","security":[]},"head":{}}}}"#;

    fn served(entry: &str) -> (CapabilitySettings, Vec<String>) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("pets.json");
        std::fs::write(&file, PETS).unwrap();
        let entry = entry.replace("PETS", &file.display().to_string());
        let config = read(
            &format!("capabilities: {{openapi: {entry}}}"),
            &[("T", "hunter2")],
        )
        .unwrap();
        let warnings = warnings(&config);
        (config.capabilities.unwrap(), warnings)
    }

    #[test]
    fn the_operations_of_a_document_are_capabilities_with_the_credential_that_is_named() {
        let (settings, warnings) =
            served("[{spec: PETS, auth: {key: env:T}, base_url: https://b.example/v1}]");
        assert_eq!(warnings, [""; 0]);
        let [a, b] = settings.definitions.as_slice() else {
            panic!("{settings:?}")
        };
        let auth = a.auth.as_ref().unwrap();
        assert_eq!(
            (&auth.kind, &auth.place),
            (&AuthKind::ApiKey, &KeyPlace::Query("k".into()))
        );
        assert_eq!(b.auth, None);
        let Service::Rest(call) = &a.primary.service else {
            panic!("{a:?}")
        };
        assert_eq!(call.endpoint.origin.to_string(), "https://b.example");
        assert!(
            settings.left_out[0].contains("HEAD /b"),
            "{:?}",
            settings.left_out
        );
        let (whole, _) = served("[{spec: PETS, auth: {type: basic, key: env:T}, include: [a]}]");
        assert_eq!(whole.definitions.len(), 1);
        assert_eq!(
            whole.definitions[0].auth.as_ref().unwrap().kind,
            AuthKind::Basic
        );
    }

    #[test]
    fn what_cannot_be_served_is_told_and_keeps_nothing_else_from_it() {
        let (settings, warnings) = served(
            "[{spec: /no/such.yaml}, {spec: PETS}, {spec: PETS}, {spec: PETS, include: [none]}]",
        );
        assert_eq!(settings.definitions.len(), 2);
        assert!(
            warnings[0].contains("/no/such.yaml cannot be read"),
            "{warnings:?}"
        );
        assert!(
            warnings[1].contains("gives none of its 3 operations: not chosen"),
            "{warnings:?}"
        );
        let left_out = settings.left_out.join("\n");
        assert!(
            left_out.contains("another capability is called a already"),
            "{left_out}"
        );
    }

    #[test]
    fn a_slip_in_the_section_is_refused() {
        for (entry, reason) in [
            ("[{}]", "capabilities.openapi[0].spec` is missing"),
            ("[{spec: a, bas_url: x}]", "did you mean `base_url`?"),
            ("[{spec: a, base_url: example.org}]", "is not a URL"),
            ("[{spec: a, include: ['tags:x']}]", "is no pattern"),
            (
                "[{spec: a, auth: {key: env:NONE}}]",
                "NONE, which is not set",
            ),
            (
                "[{spec: a, auth: {key: hunter2}}]",
                "no place of a credential",
            ),
            (
                "[{spec: a, auth: {type: bearer}}]",
                "`capabilities.openapi[0].auth.key` is missing",
            ),
        ] {
            let problems = read(&format!("capabilities: {{openapi: {entry}}}"), &[])
                .unwrap_err()
                .join("\n");
            assert!(problems.contains(reason), "{entry}: {problems}");
            assert!(!problems.contains("hunter2"), "{problems}");
        }
    }
}
