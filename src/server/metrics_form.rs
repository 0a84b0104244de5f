//! Which form of the metrics a client takes: `Accept` with its qualities, as Prometheus and its kin send it.

use http::{HeaderMap, HeaderValue, header};

use super::answer::JSON;
use crate::gateway::MetricsFormat;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const PROTOBUF: HeaderValue = HeaderValue::from_static(
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
);

/// What is sent to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricsForm {
    /// The page of the backends, for people with scripts.
    Json,
    /// All numbers.
    Prometheus(MetricsFormat),
}

impl MetricsForm {
    /// The form with the highest quality (RFC 9110, section 12.5.1), of equal ones the first that is named. Who names none
    /// that there is gets text: a page that somebody can read is better than none.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(header::ACCEPT).iter();
        let ranges = ranges
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','));
        let mut best = (0.0, Self::Prometheus(MetricsFormat::Text));
        for range in ranges.map(Range::of) {
            match range.form() {
                Some(form) if range.quality > best.0 => best = (range.quality, form),
                _ => {}
            }
        }
        best.1
    }

    pub(super) const fn content_type(self) -> HeaderValue {
        match self {
            Self::Json => JSON,
            Self::Prometheus(MetricsFormat::Text) => TEXT,
            Self::Prometheus(MetricsFormat::OpenMetrics) => OPEN_METRICS,
            Self::Prometheus(MetricsFormat::Protobuf) => PROTOBUF,
        }
    }
}

/// One media range of an `Accept` header.
struct Range<'a> {
    kind: &'a str,
    parameters: &'a str,
    quality: f32,
}

impl<'a> Range<'a> {
    fn of(text: &'a str) -> Self {
        let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
        let range = Self {
            kind: kind.trim(),
            parameters,
            quality: 1.0,
        };
        let quality = range.parameter("q");
        Self {
            quality: quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)),
            ..range
        }
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        let parameters = self.parameters.split(';');
        parameters
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(given, _)| given.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().trim_matches('"'))
    }

    /// The form that it names, if there is one: a wildcard never means one that must be asked for by name.
    fn form(&self) -> Option<MetricsForm> {
        use MetricsForm::{Json, Prometheus};
        let is = |kind: &str| self.kind.eq_ignore_ascii_case(kind);
        let in_version = |ours| self.parameter("version").is_none_or(|given| given == ours);
        if is("application/vnd.google.protobuf") {
            let fits = self.parameter("proto") == Some("io.prometheus.client.MetricFamily")
                && self.parameter("encoding") == Some("delimited");
            return fits.then_some(Prometheus(MetricsFormat::Protobuf));
        }
        if is("application/openmetrics-text") {
            return in_version("1.0.0").then_some(Prometheus(MetricsFormat::OpenMetrics));
        }
        if is("text/plain") {
            return in_version("0.0.4").then_some(Prometheus(MetricsFormat::Text));
        }
        if is("application/json") || is("application/*") {
            return Some(Json);
        }
        (is("text/*") || is("*/*")).then_some(Prometheus(MetricsFormat::Text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &[&'static str]) -> MetricsForm {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(header::ACCEPT, HeaderValue::from_static(line));
        }
        MetricsForm::of(&headers)
    }

    const AS_TEXT: MetricsForm = MetricsForm::Prometheus(MetricsFormat::Text);
    const AS_OPEN_METRICS: MetricsForm = MetricsForm::Prometheus(MetricsFormat::OpenMetrics);
    const AS_PROTOBUF: MetricsForm = MetricsForm::Prometheus(MetricsFormat::Protobuf);

    #[test]
    fn what_prometheus_sends_gets_what_it_likes_best() {
        let without_native = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                              text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(chosen(&[without_native]), AS_OPEN_METRICS);
        let with_native = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
                           application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(chosen(&[with_native]), AS_PROTOBUF);
        let lately = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                      application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                      text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(chosen(&[lately]), AS_OPEN_METRICS);
    }

    #[test]
    fn people_and_their_scripts_get_text_or_json() {
        for accept in [
            "*/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/*",
            "image/png",
            "nonsense;;;",
        ] {
            assert_eq!(chosen(&[accept]), AS_TEXT, "{accept}");
        }
        assert_eq!(chosen(&[]), AS_TEXT);
        for accept in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json, text/plain, */*",
            "application/*",
        ] {
            assert_eq!(chosen(&[accept]), MetricsForm::Json, "{accept}");
        }
    }

    #[test]
    fn the_highest_quality_wins_wherever_it_stands_and_zero_never() {
        assert_eq!(
            chosen(&["text/plain;q=0.2", "application/openmetrics-text; Q = 0.3"]),
            AS_OPEN_METRICS
        );
        assert_eq!(
            chosen(&["application/openmetrics-text;q=0,*/*;q=0.1"]),
            AS_TEXT
        );
        assert_eq!(
            chosen(&["application/openmetrics-text;q=none,application/json;q=0.001"]),
            MetricsForm::Json
        );
    }

    #[test]
    fn a_version_or_an_encoding_that_is_not_ours_is_not_taken_for_ours() {
        for accept in [
            "application/openmetrics-text;version=2.0.0",
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
            "text/plain;version=1.0.0",
        ] {
            assert_eq!(chosen(&[accept]), AS_TEXT, "{accept}");
        }
        assert_eq!(
            chosen(&["application/openmetrics-text;version=\"1.0.0\""]),
            AS_OPEN_METRICS
        );
    }
}
