//! `auth`: who may ask.

use super::names::Names;
use crate::{
    config::{section::Section, values},
    server::{ApiKey, AuthSettings, BearerToken},
    telemetry::Secret,
};

pub(in crate::config) fn read(root: &mut Section<'_>, known: &Names, settings: &mut AuthSettings) {
    let mut section = root.section("auth");
    section.flag("enabled", &mut settings.enabled);
    settings.bearer_token = bearer_token(&mut section);
    let items = section.sections("api_keys");
    let key = (!items.is_empty()).then_some("api_keys");
    let token = section.place_of("bearer_token").map(|_| "bearer_token");
    for item in items {
        let taken = &settings.api_keys;
        let read = api_key(item, known, taken);
        settings.api_keys.extend(read);
    }
    settings.public_paths = public_paths(&mut section);
    contradictions(&section, settings.enabled, token.or(key));
    section.finish();
}

fn bearer_token(section: &mut Section<'_>) -> Option<BearerToken> {
    let token = section.secret("bearer_token")?;
    match token.expose() {
        "auto" => Some(BearerToken::Auto),
        text => {
            check_credential(section, "bearer_token", text);
            Some(BearerToken::Given(token))
        }
    }
}

fn check_credential(section: &Section<'_>, key: &str, text: &str) {
    if text.is_empty() || text.contains(|character: char| !character.is_ascii_graphic()) {
        section.refuse(
            key,
            "is empty, or holds characters that cannot stand in a header, so nobody could send it: use visible ASCII without spaces",
        );
    }
}

fn api_key(mut item: Section<'_>, known: &Names, taken: &[ApiKey]) -> Option<ApiKey> {
    let name = item.required("name", "what the key is called in logs");
    let key = secret_key(&mut item, taken);
    let backends = item.texts("backends");
    if backends.as_ref().is_some_and(Vec::is_empty) {
        item.refuse(
            "backends",
            "names no backend, so the key could reach none: leave it out to allow all, or name some",
        );
    }
    let backends = backends
        .filter(|names| !names.iter().any(|name| name == "*"))
        .map(|mut names| {
            names.retain(|name| known.check(name, &item, "backends"));
            names
        });
    let rate_limit = item.optional("rate_limit", values::whole(0..=u32::MAX));
    let allowed_tools = item.texts("allowed_tools");
    let denied_tools = item.texts("denied_tools").unwrap_or_default();
    let mut admin = false;
    item.flag("admin", &mut admin);
    let name = name.filter(|name| {
        let fresh = taken.iter().all(|other| other.name != *name);
        if !fresh {
            item.refuse(
                "name",
                "is the name of another key too, so logs could not tell them apart: rename one",
            );
        }
        fresh
    });
    item.finish();
    Some(ApiKey {
        key: key?,
        name: name?,
        backends,
        allowed_tools,
        denied_tools,
        rate_limit: rate_limit.filter(|limit| *limit > 0),
        admin,
    })
}

fn secret_key(item: &mut Section<'_>, taken: &[ApiKey]) -> Option<Secret> {
    let key = item.secret("key");
    match &key {
        None if item.place_of("key").is_none() => item.refuse(
            "key",
            "is missing: write the key itself, or env:VAR for one in the environment",
        ),
        None => {}
        Some(key) if taken.iter().any(|other| other.key == *key) => item.refuse(
            "key",
            "is written twice with rights of its own each time, so nobody can say which hold: remove one",
        ),
        Some(key) => check_credential(item, "key", key.expose()),
    }
    key
}

fn public_paths(section: &mut Section<'_>) -> Vec<String> {
    let Some(paths) = section.texts("public_paths") else {
        return ["/health", "/livez", "/readyz"].map(str::to_owned).to_vec();
    };
    if paths.iter().any(|path| !path.starts_with('/')) {
        section.refuse(
            "public_paths",
            "holds a path that does not begin with `/`, so it would match nothing: write it from the root, as in /health",
        );
    }
    paths
}

/// `credential` is the key under which one is written, if any is.
fn contradictions(section: &Section<'_>, enabled: bool, credential: Option<&str>) {
    match (enabled, credential.and_then(|key| section.place_of(key))) {
        (true, None) => section.refuse(
            "enabled",
            "is true, but there is no credential that could pass: set auth.bearer_token to auto, or write auth.api_keys",
        ),
        (false, Some(at)) => section.reading().findings.warn(
            at,
            "`auth` has credentials, but auth.enabled is not true, so nobody is asked for them: set auth.enabled to true",
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::tests::{read, warnings};

    #[test]
    fn every_key_of_auth_is_read() {
        let text = "auth:\n  enabled: true\n  bearer_token: env:T\n  public_paths: [/livez]\n  api_keys:\n    - {key: \"${K}\", name: ci, rate_limit: 60, backends: [a], allowed_tools: [x], denied_tools: [y], admin: true}\n    - {key: k2, name: all, rate_limit: 0, backends: [\"*\"]}\nbackends: {a: {command: x}}\n";
        let auth = read(text, &[("T", "t0ken"), ("K", "k1")])
            .unwrap()
            .server
            .auth;
        assert_eq!(
            auth,
            AuthSettings {
                enabled: true,
                bearer_token: Some(BearerToken::Given(Secret::new("t0ken"))),
                api_keys: vec![
                    ApiKey {
                        key: Secret::new("k1"),
                        name: "ci".to_owned(),
                        backends: Some(vec!["a".to_owned()]),
                        allowed_tools: Some(vec!["x".to_owned()]),
                        denied_tools: vec!["y".to_owned()],
                        rate_limit: Some(60),
                        admin: true,
                    },
                    ApiKey {
                        key: Secret::new("k2"),
                        name: "all".to_owned(),
                        backends: None,
                        allowed_tools: None,
                        denied_tools: Vec::new(),
                        rate_limit: None,
                        admin: false,
                    },
                ],
                public_paths: vec!["/livez".to_owned()],
            }
        );
        let auto = read("auth: {enabled: true, bearer_token: auto}", &[]).unwrap();
        assert_eq!(auto.server.auth.bearer_token, Some(BearerToken::Auto));
    }

    #[test]
    fn credentials_that_could_not_work_are_refused_and_never_quoted() {
        for (text, expected) in [
            (
                "{enabled: true}",
                "`auth.enabled` is true, but there is no credential",
            ),
            (
                "{enabled: true, bearer_token: \"s3cret x\"}",
                "`auth.bearer_token` is empty, or holds",
            ),
            (
                "{api_keys: [{name: a}]}",
                "`auth.api_keys[0].key` is missing",
            ),
            (
                "{api_keys: [{key: s3cret}]}",
                "`auth.api_keys[0].name` is missing",
            ),
            (
                "{api_keys: [{key: s3cret, name: a, backends: [gihtub]}]}",
                "`auth.api_keys[0].backends` names the backend `gihtub`, which is not in `backends`: did you mean `github`?",
            ),
            (
                "{api_keys: [{key: s3cret, name: a, backends: []}]}",
                "`auth.api_keys[0].backends` names no backend",
            ),
            (
                "{api_keys: [{key: s3cret, name: a}, {key: s3cret, name: b}]}",
                "`auth.api_keys[1].key` is written twice",
            ),
            (
                "{api_keys: [{key: s3cret, name: a}, {key: k, name: a}]}",
                "`auth.api_keys[1].name` is the name of another key",
            ),
            (
                "{public_paths: [health]}",
                "`auth.public_paths` holds a path",
            ),
        ] {
            let text = format!("auth: {text}\nbackends: {{github: {{command: x}}}}");
            let problems = read(&text, &[]).unwrap_err();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(expected), "{text}: {problems:?}");
            assert!(!problems[0].contains("s3cret"), "{problems:?}");
        }
    }

    #[test]
    fn credentials_that_nobody_is_asked_for_are_warned_of() {
        let config = read("auth: {bearer_token: x}", &[]).unwrap();
        assert!(warnings(&config)[0].contains("nobody is asked for them"));
    }
}
