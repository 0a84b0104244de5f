//! The files of the live page. They are read by a browser before it has a key, and name no other host.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::server::{answer, body::Content};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const STYLE: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const PICTURE: HeaderValue = HeaderValue::from_static("image/svg+xml");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Scripts and styles of our own and nothing else: no other host, no code in the page, no frame around it
/// (Content Security Policy Level 3).
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
);
/// Kept by the browser, and asked for again each time: another version of the program has other files.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// One file of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) struct Asset {
    kind: Kind,
    text: &'static str,
    /// Changes with the file.
    tag: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Html,
    Script,
    Style,
    Picture,
    Text,
}

macro_rules! files {
    ($($name:literal $kind:ident,)*) => {
        &[$(($name, Asset::new(Kind::$kind, include_str!(concat!("assets/", $name)))),)*]
    };
}

/// Every file, under its path below `/ui/`.
const FILES: &[(&str, Asset)] = files! {
    "index.html" Html,
    "style.css" Style,
    "favicon.svg" Picture,
    "app.js" Script,
    "act.js" Script,
    "calls.js" Script,
    "charts.js" Script,
    "detail.js" Script,
    "format.js" Script,
    "heatmap.js" Script,
    "key.js" Script,
    "model.js" Script,
    "objectives.js" Script,
    "seen.js" Script,
    "speak.js" Script,
    "stream.js" Script,
    "table.js" Script,
    "theme.js" Script,
    "timeline.js" Script,
    "vendor/uPlot.iife.min.js" Script,
    "vendor/uPlot.min.css" Style,
    "vendor/LICENSE" Text,
};

/// The file at this path: the page itself at `/` and `/ui`, the others below `/ui/`.
pub(in crate::server) fn asset(path: &str) -> Option<Asset> {
    let name = match path {
        "/" | "/ui" | "/ui/" => "index.html",
        _ => path.strip_prefix("/ui/")?,
    };
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, asset)| *asset)
}

impl Asset {
    const fn new(kind: Kind, text: &'static str) -> Self {
        Self {
            kind,
            text,
            tag: fingerprint(text.as_bytes()),
        }
    }

    /// It as an answer; without a body to who has it already.
    pub(in crate::server) fn answer(self, path: &str, asked: &HeaderMap) -> Response<Content> {
        let body = match self.kind {
            // Its files are found from `/ui/` as well as from `/` and `/ui`, also where a proxy has put a path before it.
            Kind::Html if path.ends_with("/ui/") => {
                self.text.replacen("href=\"ui/\"", "href=\"./\"", 1).into()
            }
            _ => Bytes::from_static(self.text.as_bytes()),
        };
        let tag = format!("\"{:016x}\"", self.tag);
        let is_known = asked
            .get(header::IF_NONE_MATCH)
            .is_some_and(|known| known == tag.as_str() && self.kind != Kind::Html);
        let mut response = match is_known {
            true => answer::empty(StatusCode::NOT_MODIFIED),
            false => answer::whole(200, self.kind.header(), body),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(header::CACHE_CONTROL, ASK_AGAIN);
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        );
        headers.extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
        response
    }
}

impl Kind {
    const fn header(self) -> HeaderValue {
        match self {
            Self::Html => HTML,
            Self::Script => SCRIPT,
            Self::Style => STYLE,
            Self::Picture => PICTURE,
            Self::Text => TEXT,
        }
    }
}

/// FNV-1a with 64 bits: it tells versions of a file apart, and protects nothing.
const fn fingerprint(mut bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    while let [first, rest @ ..] = bytes {
        hash = (hash ^ *first as u64).wrapping_mul(0x0100_0000_01b3);
        bytes = rest;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names by which a browser would ask another host; the addresses in comments of what is vendored are no requests.
    const ABROAD: [&str; 5] = ["http://", "https://", "\"//", "'//", "url(//"];

    #[test]
    fn no_file_names_another_host() {
        for (name, asset) in FILES {
            if name.starts_with("vendor/") {
                continue;
            }
            for abroad in ABROAD {
                let namespace = "http://www.w3.org/2000/svg";
                let text = asset.text.replace(namespace, "");
                assert!(!text.contains(abroad), "{name}: {abroad}");
            }
        }
    }

    #[test]
    fn what_is_vendored_asks_nobody() {
        for (name, asset) in FILES
            .iter()
            .filter(|(name, _)| name.starts_with("vendor/uPlot"))
        {
            for asks in [
                "fetch(",
                "XMLHttpRequest",
                "importScripts",
                "@import",
                "url(",
                "WebSocket",
                "eval(",
            ] {
                assert!(!asset.text.contains(asks), "{name}: {asks}");
            }
        }
    }

    #[test]
    fn what_is_vendored_is_what_its_authors_published() {
        let origin = include_str!("assets/vendor/ORIGIN.md");
        let rows = origin.lines().filter_map(|line| {
            let (sum, name) = line
                .strip_prefix("| ")?
                .strip_suffix(" |")?
                .split_once(" | ")?;
            (sum.len() == 64).then_some((sum, name))
        });
        let rows: Vec<_> = rows.collect();
        assert_eq!(rows.len(), 2);
        for (sum, name) in rows {
            let file = asset(&format!("/ui/vendor/{name}")).unwrap();
            let digest = ring::digest::digest(&ring::digest::SHA256, file.text.as_bytes());
            let hex: String = digest
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(hex, sum, "{name}");
        }
    }

    #[test]
    fn the_page_holds_no_script_and_no_style_of_its_own() {
        let page = asset("/ui").unwrap().text;
        assert!(!page.contains("<style") && !page.contains(" style="));
        assert!(!page.contains("onclick") && !page.contains("javascript:"));
        for script in page.split("<script").skip(1) {
            let (opening, rest) = script.split_once('>').unwrap();
            assert!(opening.contains(" src="), "{opening}");
            assert!(rest.starts_with("</script>"));
        }
    }

    #[test]
    fn every_file_that_is_named_is_there() {
        let mut named = Vec::new();
        for (_, asset) in FILES
            .iter()
            .filter(|(name, _)| !name.starts_with("vendor/"))
        {
            let strings = asset.text.split(['"', '\'']);
            let ours = |text: &&str| {
                let file = text.strip_prefix("./").unwrap_or(text);
                file.ends_with(".js") || file.ends_with(".css") || file.ends_with(".svg")
            };
            named.extend(
                strings
                    .filter(ours)
                    .map(|text| text.trim_start_matches("./")),
            );
        }
        assert!(named.len() > 10, "{named:?}");
        for name in named {
            assert!(asset(&format!("/ui/{name}")).is_some(), "{name}");
        }
    }

    #[test]
    fn each_file_has_a_tag_of_its_own_and_paths_lead_nowhere_else() {
        let tags: std::collections::BTreeSet<u64> =
            FILES.iter().map(|(_, file)| file.tag).collect();
        assert_eq!(tags.len(), FILES.len());
        for path in [
            "/ui/../ui/app.js",
            "/ui/nothing.js",
            "/ui//app.js",
            "/uix",
            "/app.js",
        ] {
            assert_eq!(asset(path), None, "{path}");
        }
    }
}
