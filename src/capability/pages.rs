//! Where the next page of an answer is, if the provider says so.

use http::{HeaderMap, Uri, header::LINK};
use serde::Deserialize;

use super::web::target;

/// The URL of the `Link` header that is the next page (RFC 8288, 3), without the parameter of the query that `hidden` names.
pub(super) fn linked(headers: &HeaderMap, base: &Uri, hidden: Option<&str>) -> Option<String> {
    let links = headers.get_all(LINK).iter();
    let links = links.filter_map(|value| value.to_str().ok());
    let reference = links
        .flat_map(each)
        .find_map(|(url, params)| is_next(params).then_some(url))?;
    let url = target(base, reference)?.to_string();
    Some(match hidden {
        Some(name) => without(&url, name),
        None => url,
    })
}

/// The links of one header line, each with its parameters.
fn each(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let links = line.split('<').skip(1);
    links.filter_map(|link| link.split_once('>'))
}

fn is_next(params: &str) -> bool {
    params.split([';', ',']).any(|param| {
        param.split_once('=').is_some_and(|(name, value)| {
            let mut kinds = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel")
                && kinds.any(|kind| kind.eq_ignore_ascii_case("next"))
        })
    })
}

fn without(url: &str, name: &str) -> String {
    let Some((path, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let begins = format!("{name}=");
    let left: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.starts_with(&begins))
        .collect();
    format!("{path}?{}", left.join("&"))
}

/// What a body says of its next page, in the words that APIs have for it: a URL, a cursor, or a number.
pub(super) fn named(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Text(String),
        Number(u64),
        Other(serde::de::IgnoredAny),
    }
    #[derive(Deserialize)]
    struct Page {
        #[serde(
            alias = "next_page",
            alias = "nextPage",
            alias = "nextPageToken",
            alias = "next_page_token",
            alias = "next_cursor",
            alias = "nextCursor",
            alias = "@odata.nextLink"
        )]
        next: Option<Said>,
    }
    match serde_json::from_slice::<Page>(body).ok()?.next? {
        Said::Text(text) if !text.is_empty() => Some(text),
        Said::Number(number) => Some(number.to_string()),
        Said::Text(_) | Said::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_the_links_and_shows_no_key() {
        let base = "https://api.example.org/items?page=1&key=hunter2"
            .parse()
            .unwrap();
        for (link, next) in [
            (
                r#"<https://api.example.org/items?page=2&key=hunter2>; rel="next", </last>; rel="last""#,
                Some("https://api.example.org/items?page=2"),
            ),
            (
                r#"</a>; rel=first, </b>; title="x"; rel="last next""#,
                Some("https://api.example.org/b"),
            ),
            (r#"</a>; rel="prev""#, None),
            ("nonsense", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, link.parse().unwrap());
            assert_eq!(
                linked(&headers, &base, Some("key")).as_deref(),
                next,
                "{link}"
            );
        }
    }

    #[test]
    fn the_next_page_is_found_in_a_body() {
        for (body, next) in [
            (r#"{"items":[],"next":"https://x/2"}"#, Some("https://x/2")),
            (r#"{"nextPageToken":"abc"}"#, Some("abc")),
            (r#"{"next_page":2}"#, Some("2")),
            (r#"{"next":null}"#, None),
            (r#"{"next":{"a":1}}"#, None),
            ("[]", None),
        ] {
            assert_eq!(named(body.as_bytes()).as_deref(), next, "{body}");
        }
    }
}
