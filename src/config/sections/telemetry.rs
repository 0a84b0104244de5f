//! `telemetry`: where traces go, and of which requests they are kept. The standard's variables say what the file leaves open.

use std::str::FromStr;

use http::{Uri, uri::PathAndQuery};

use super::{otel_variables::Variables, timing, transport};
use crate::{
    config::{section::Section, values},
    gateway::GatewaySettings,
    telemetry::{
        TelemetrySettings, WebhookSettings,
        trace::{OtlpProtocol, TraceSettings},
    },
};

/// Where a collector takes traces over HTTP (OpenTelemetry, OTLP, endpoint URLs).
const PATH: &str = "/v1/traces";

pub(in crate::config) fn read(
    root: &mut Section<'_>,
    settings: &mut TelemetrySettings,
    gateway: &mut GatewaySettings,
) {
    let mut section = root.section("telemetry");
    timing::read(&mut section, &mut gateway.timing);
    settings.traces = traces(&mut section);
    settings.webhook = webhook(&mut section);
    section.finish();
}

/// Its URL may carry a key, so it is never shown.
fn webhook(section: &mut Section<'_>) -> Option<WebhookSettings> {
    section.accept("webhook");
    section.place_of("webhook")?;
    let mut section = section.section("webhook");
    if section.place_of("url").is_none() {
        section.refuse("url", "is missing: write where alarms are posted to");
    }
    let url = section.unquoted("url", values::url);
    let headers = transport::headers(&mut section);
    section.finish();
    Some(WebhookSettings { url: url?, headers })
}

fn traces(section: &mut Section<'_>) -> Option<TraceSettings> {
    let variables = Variables::of(section.reading());
    let mut section = section.section("traces");
    let mut enabled = !variables.is_disabled();
    section.flag("enabled", &mut enabled);
    let protocol = section
        .optional("protocol", protocol)
        .or_else(|| variables.protocol())
        .unwrap_or_default();
    let endpoint = section.unquoted("endpoint", values::url);
    let endpoint = match endpoint {
        Some(base) => Some(whole(base, protocol)),
        None => variables
            .own_endpoint()
            .or_else(|| variables.base_endpoint().map(|base| whole(base, protocol)))
            .or_else(|| variables.is_asked_for().then(|| usual(protocol))),
    };
    let mut settings = TraceSettings::new(endpoint.clone().unwrap_or_default());
    settings.protocol = protocol;
    settings.headers = variables.headers();
    settings.headers.extend(transport::headers(&mut section));
    variables.read(&mut settings);
    section.time("timeout", &mut settings.timeout);
    section.read("sample", &mut settings.sampling.ratio, share);
    section.flag("parent_based", &mut settings.sampling.parent_based);
    settings.service_name = section
        .text("service_name")
        .unwrap_or(settings.service_name);
    section.finish();
    (enabled && endpoint.is_some()).then_some(settings)
}

pub(super) fn protocol(text: &str) -> Result<OtlpProtocol, String> {
    match text {
        "http/protobuf" => Ok(OtlpProtocol::HttpProtobuf),
        "grpc" => Ok(OtlpProtocol::Grpc),
        _ => Err("is no form of OTLP that can be sent: write http/protobuf or grpc".to_owned()),
    }
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    values::decimal(text)
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| {
            "is no share of all traces: write a number from 0 to 1, such as 0.01".to_owned()
        })
}

/// Over HTTP the address of a collector alone means its path for traces.
fn whole(base: Uri, protocol: OtlpProtocol) -> Uri {
    let is_bare = matches!(base.path(), "" | "/");
    if protocol == OtlpProtocol::Grpc || !is_bare {
        return base;
    }
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static(PATH));
    Uri::from_parts(parts).unwrap_or(base)
}

/// Where a collector listens that nobody has moved.
fn usual(protocol: OtlpProtocol) -> Uri {
    let text = match protocol {
        OtlpProtocol::HttpProtobuf => "http://localhost:4318/v1/traces",
        OtlpProtocol::Grpc => "http://localhost:4317",
    };
    Uri::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::load::tests::read as load;

    fn traces_of(text: &str, variables: &[(&str, &str)]) -> Option<TraceSettings> {
        load(text, variables).unwrap().telemetry.traces
    }

    #[test]
    fn nothing_is_sent_unless_somebody_asks_for_it() {
        assert_eq!(traces_of("", &[]), None);
        assert_eq!(traces_of("telemetry: {traces: {sample: 0.5}}", &[]), None);
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        assert!(traces_of("", &[endpoint]).is_some());
        assert_eq!(
            traces_of("", &[endpoint, ("OTEL_SDK_DISABLED", "true")]),
            None
        );
        assert_eq!(
            traces_of("", &[endpoint, ("OTEL_TRACES_EXPORTER", "none")]),
            None
        );
        assert_eq!(
            traces_of("telemetry: {traces: {enabled: false}}", &[endpoint]),
            None
        );
        let usual = traces_of("", &[("OTEL_TRACES_EXPORTER", "otlp")]).unwrap();
        assert_eq!(usual.endpoint, "http://localhost:4318/v1/traces");
    }

    #[test]
    fn a_webhook_has_a_url_and_headers_that_nobody_sees() {
        let text = "telemetry: {webhook: {url: \"https://h.example/in?key=hunter2\", headers: {Authorization: \"Bearer ${T}\"}}}";
        let settings = load(text, &[("T", "hunter2")]).unwrap().telemetry;
        let webhook = settings.webhook.as_ref().unwrap();
        assert_eq!(webhook.headers[0].1.expose(), "Bearer hunter2");
        assert!(!format!("{settings:?}").contains("hunter2"));
        for (text, expected) in [
            ("{headers: {A: b}}", "`telemetry.webhook.url` is missing"),
            ("{url: hunter2}", "`telemetry.webhook.url` is not a URL"),
        ] {
            let problems = load(&format!("telemetry: {{webhook: {text}}}"), &[]).unwrap_err();
            assert!(problems[0].contains(expected), "{problems:?}");
            assert!(!problems[0].contains("hunter2"), "{problems:?}");
        }
    }

    #[test]
    fn the_file_says_everything() {
        let text = "telemetry: {traces: {endpoint: \"https://c.example:4317\", protocol: grpc, headers: {Authorization: \"Bearer ${T}\"}, timeout: 2s, sample: 0.01, parent_based: false, service_name: edge}}";
        let traces = traces_of(text, &[("T", "hunter2")]).unwrap();
        assert_eq!(traces.endpoint, "https://c.example:4317");
        assert_eq!(traces.protocol, OtlpProtocol::Grpc);
        assert_eq!(traces.headers[0].1.expose(), "Bearer hunter2");
        assert_eq!(traces.timeout, Duration::from_secs(2));
        assert!((traces.sampling.ratio - 0.01).abs() < 1e-9);
        assert!(!traces.sampling.parent_based);
        assert_eq!(traces.service_name, "edge");
    }

    #[test]
    fn variables_say_what_the_file_leaves_open() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://base:4318/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x=1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_SERVICE_NAME", "gate"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment.name=prod,service.name=other",
            ),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        let traces = traces_of("", &variables).unwrap();
        assert_eq!(traces.endpoint, "http://base:4318/v1/traces");
        let headers: Vec<_> = traces
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        assert_eq!(headers, [("api-key", "a b"), ("x", "1")]);
        assert_eq!(traces.timeout, Duration::from_millis(2_500));
        assert_eq!(traces.service_name, "gate");
        assert_eq!(
            traces.resource,
            [("deployment.environment.name".to_owned(), "prod".to_owned())]
        );
        assert!((traces.sampling.ratio - 0.25).abs() < 1e-9);
        assert!(!traces.sampling.parent_based);
        assert_eq!((traces.max_queue, traces.max_batch), (100, 10));
        assert_eq!(traces.delay, Duration::from_millis(50));
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://own:1/in");
        let text = "telemetry: {traces: {sample: 0.5}}";
        let traces = traces_of(text, &[&variables[..], &[own]].concat()).unwrap();
        assert_eq!(traces.endpoint, "http://own:1/in");
        assert!((traces.sampling.ratio - 0.5).abs() < 1e-9);
        let text = "telemetry: {traces: {endpoint: \"http://file:1\"}}";
        assert_eq!(
            traces_of(text, &[own]).unwrap().endpoint,
            "http://file:1/v1/traces"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        for (text, variable, expected) in [
            (
                "telemetry: {traces: {endpoint: c:4318}}",
                ("A", ""),
                "`telemetry.traces.endpoint` is not a URL",
            ),
            (
                "telemetry: {traces: {protocol: http/json}}",
                ("A", ""),
                "`http/json` is no form of OTLP",
            ),
            (
                "telemetry: {traces: {sample: 2}}",
                ("A", ""),
                "`2` is no share",
            ),
            ("telemetry: {trace: {}}", ("A", ""), "did you mean `traces`"),
            (
                "",
                ("OTEL_TRACES_SAMPLER", "often"),
                "environment variable OTEL_TRACES_SAMPLER",
            ),
            (
                "",
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
                "environment variable OTEL_EXPORTER_OTLP_PROTOCOL",
            ),
            (
                "",
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "c"),
                "environment variable OTEL_EXPORTER_OTLP_ENDPOINT",
            ),
            (
                "",
                ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
                "environment variable OTEL_BSP_SCHEDULE_DELAY",
            ),
        ] {
            let problems = load(text, &[variable]).unwrap_err();
            assert_eq!(problems.len(), 1, "{text} {variable:?}: {problems:?}");
            assert!(
                problems[0].contains(expected),
                "{text} {variable:?}: {problems:?}"
            );
        }
    }
}
