//! Where the operations of a document are reached.

use serde_json::value::RawValue;

use super::{
    document::{Document, list_of, object, object_of},
    trouble::Trouble,
};
use crate::{capability::Origin, protocol::RawObject};

/// A host, and the path below which its operations stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) origin: Origin,
    pub(super) path: String,
}

/// Says where an operation is reached: at the URL that somebody named for all of them, or at what is said nearest to it.
pub(super) struct Servers<'w, 'a> {
    pub(super) document: &'w Document<'a>,
    /// Named by whoever imports; the document's word does not count then.
    pub(super) base_url: Option<&'w str>,
    /// Where the document came from, if that is a URL.
    pub(super) document_url: Option<&'w str>,
}

impl Servers<'_, '_> {
    /// The server of an operation.
    ///
    /// # Errors
    /// If what is said is no URL that can be called.
    pub(super) fn of(
        &self,
        operation: &RawObject<'_>,
        path: &RawObject<'_>,
    ) -> Result<Server, Trouble> {
        if let Some(base) = self.base_url {
            return server(base);
        }
        let said = [operation, path, &self.document.root]
            .into_iter()
            .find_map(first);
        let url = said.map_or_else(|| Ok("/".to_owned()), url)?;
        server(&self.absolute(&url)?)
    }

    fn absolute(&self, url: &str) -> Result<String, Trouble> {
        if url.contains("://") {
            return Ok(url.to_owned());
        }
        let base = self.document_url.ok_or_else(|| {
            Trouble::Server(format!("is `{url}`, which is below where the document came from, and that is a file: name its URL as base_url"))
        })?;
        let scheme_end = base.find("://").map_or(0, |at| at + 3);
        let host_end = base[scheme_end..]
            .find('/')
            .map_or(base.len(), |at| scheme_end + at);
        Ok(match url.strip_prefix("//") {
            Some(host) => format!("{}{host}", &base[..scheme_end]),
            None if url.starts_with('/') => format!("{}{url}", &base[..host_end]),
            None => {
                let folder = base[host_end..]
                    .rfind('/')
                    .map_or("/", |at| &base[host_end..=host_end + at]);
                format!(
                    "{}{folder}{}",
                    &base[..host_end],
                    url.trim_start_matches("./")
                )
            }
        })
    }
}

fn first<'a>(object: &RawObject<'a>) -> Option<&'a RawValue> {
    list_of(object, "servers").first().copied()
}

/// The URL of a server with the default of each of its variables.
fn url(raw: &RawValue) -> Result<String, Trouble> {
    let said = object(raw)?;
    let mut url: String = said
        .read("url")
        .ok_or_else(|| Trouble::Malformed("a server".to_owned()))?;
    for (name, variable) in object_of(&said, "variables").0 {
        let default: Option<String> = object(variable)?.read("default");
        url = url.replace(&format!("{{{name}}}"), &default.unwrap_or_default());
    }
    Ok(url)
}

fn server(url: &str) -> Result<Server, Trouble> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let authority = url.find("://").map_or(0, |at| at + 3);
    let path = url[authority..]
        .find('/')
        .map_or(url.len(), |at| authority + at);
    let origin =
        Origin::parse(&url[..path]).map_err(|why| Trouble::Server(format!("`{url}` {why}")))?;
    Ok(Server {
        origin,
        path: url[path..].trim_end_matches('/').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::openapi::document::DocumentText;

    fn reached(servers: &str, base: Option<&str>, from: Option<&str>) -> Result<String, String> {
        let text =
            DocumentText::new(format!(r#"{{"openapi":"3.0.0"{servers}}}"#).as_bytes()).unwrap();
        let document = Document::new(&text).unwrap();
        let servers = Servers {
            document: &document,
            base_url: base,
            document_url: from,
        };
        let none = RawObject::default();
        let server = servers
            .of(&none, &none)
            .map_err(|trouble| trouble.to_string())?;
        Ok(format!("{}{}", server.origin, server.path))
    }

    #[test]
    fn a_server_is_what_was_named_or_what_the_document_says() {
        let from = Some("https://docs.example:8443/api/openapi.json");
        let variables = r#","servers":[{"url":"https://{region}.example/{v}/","variables":{"region":{"default":"eu"},"v":{"default":"v2"}}},{"url":"x"}]"#;
        assert_eq!(
            reached(variables, None, None).unwrap(),
            "https://eu.example/v2"
        );
        assert_eq!(
            reached(variables, Some("http://127.0.0.1:80/x/"), None).unwrap(),
            "http://127.0.0.1/x"
        );
        for (url, expected) in [
            ("/v1", "https://docs.example:8443/v1"),
            ("v1", "https://docs.example:8443/api/v1"),
            ("./", "https://docs.example:8443/api"),
            ("//b.example/c", "https://b.example/c"),
        ] {
            let servers = format!(r#","servers":[{{"url":"{url}"}}]"#);
            assert_eq!(reached(&servers, None, from).unwrap(), expected, "{url}");
        }
        assert_eq!(
            reached("", None, from).unwrap(),
            "https://docs.example:8443"
        );
    }

    #[test]
    fn a_server_that_cannot_be_called_is_told() {
        assert!(reached("", None, None).unwrap_err().contains("base_url"));
        let open = r#","servers":[{"url":"https://{tenant}.example"}]"#;
        assert!(
            reached(open, None, None)
                .unwrap_err()
                .contains("placeholder")
        );
        assert!(
            reached(r#","servers":[{}]"#, None, None)
                .unwrap_err()
                .contains("a server")
        );
    }
}
