//! The variables that OpenTelemetry has for where traces go
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).

use std::time::Duration;

use http::{HeaderName, Uri};
use percent_encoding::percent_decode_str;

use super::telemetry::{protocol, share};
use crate::{
    config::{Place, reading::Reading, values},
    telemetry::{
        Secret,
        trace::{OtlpProtocol, TraceSettings},
    },
};

/// The variables as one reading sees them. An empty one counts as not set.
#[derive(Clone, Copy)]
pub(super) struct Variables<'a>(Reading<'a>);

impl<'a> Variables<'a> {
    pub(super) const fn of(reading: Reading<'a>) -> Self {
        Self(reading)
    }

    /// Whether they turn everything off.
    pub(super) fn is_disabled(self) -> bool {
        let disabled = self
            .value("OTEL_SDK_DISABLED")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        disabled || self.value("OTEL_TRACES_EXPORTER") == Some("none")
    }

    /// Whether they ask for an export without saying where to.
    pub(super) fn is_asked_for(self) -> bool {
        self.value("OTEL_TRACES_EXPORTER") == Some("otlp")
    }

    pub(super) fn protocol(self) -> Option<OtlpProtocol> {
        self.first(
            [
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
                "OTEL_EXPORTER_OTLP_PROTOCOL",
            ],
            protocol,
        )
    }

    /// The URL for traces, to be used as it is.
    pub(super) fn own_endpoint(self) -> Option<Uri> {
        self.first(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"], values::url)
    }

    /// The URL for everything.
    pub(super) fn base_endpoint(self) -> Option<Uri> {
        self.first(["OTEL_EXPORTER_OTLP_ENDPOINT"], values::url)
    }

    pub(super) fn headers(self) -> Vec<(HeaderName, Secret)> {
        let names = [
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ];
        self.first(names, headers).unwrap_or_default()
    }

    /// Everything else.
    pub(super) fn read(self, settings: &mut TraceSettings) {
        let timeouts = [
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ];
        set(&mut settings.timeout, self.first(timeouts, milliseconds));
        set(
            &mut settings.delay,
            self.first(["OTEL_BSP_SCHEDULE_DELAY"], milliseconds),
        );
        let count = values::whole(1..=1_000_000_usize);
        set(
            &mut settings.max_queue,
            self.first(["OTEL_BSP_MAX_QUEUE_SIZE"], &count),
        );
        set(
            &mut settings.max_batch,
            self.first(["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], &count),
        );
        settings.resource = self
            .first(["OTEL_RESOURCE_ATTRIBUTES"], pairs)
            .unwrap_or_default();
        settings.resource.retain(|(key, value)| {
            let is_name = key == "service.name";
            if is_name {
                settings.service_name.clone_from(value);
            }
            !is_name
        });
        set(
            &mut settings.service_name,
            self.value("OTEL_SERVICE_NAME").map(str::to_owned),
        );
        let argument = self
            .first(["OTEL_TRACES_SAMPLER_ARG"], share)
            .unwrap_or(1.0);
        if let Some((always, parent_based)) = self.first(["OTEL_TRACES_SAMPLER"], sampler) {
            settings.sampling.ratio = always.unwrap_or(argument);
            settings.sampling.parent_based = parent_based;
        }
    }

    fn value(self, name: &str) -> Option<&'a str> {
        self.0
            .environment
            .value(name)
            .filter(|value| !value.is_empty())
    }

    /// The first of these variables that is set. What cannot be read is reported, without the value.
    fn first<T, const N: usize>(
        self,
        names: [&str; N],
        reader: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (name, value) = names
            .into_iter()
            .find_map(|name| Some((name, self.value(name)?)))?;
        reader(value)
            .map_err(|reason| {
                let place = Place::Variable(name.into());
                self.0
                    .findings
                    .problem(&place, format!("its value {reason}"));
            })
            .ok()
    }
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let bounds = values::whole(1..=86_400_000_u64);
    bounds(text).map(Duration::from_millis)
}

/// A share that is always the same, or none where the argument says it; and whether a client's decision is kept.
fn sampler(text: &str) -> Result<(Option<f64>, bool), String> {
    Ok(match text {
        "always_on" => (Some(1.0), false),
        "always_off" => (Some(0.0), false),
        "traceidratio" => (None, false),
        "parentbased_always_on" => (Some(1.0), true),
        "parentbased_always_off" => (Some(0.0), true),
        "parentbased_traceidratio" => (None, true),
        _ => {
            return Err("is no sampler that there is here: write always_on, always_off or traceidratio, or one of them with parentbased_ before it".to_owned());
        }
    })
}

/// Keys and values as in W3C Baggage: `a=1,b=2`, values percent-encoded.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').ok_or_else(not_pairs)?;
            let value = percent_decode_str(value.trim()).decode_utf8();
            let value = value.map_err(|_| not_pairs())?;
            Ok((key.trim().to_owned(), value.into_owned()))
        })
        .collect()
}

fn not_pairs() -> String {
    "is no list of keys and values: write them as key=value,key=value".to_owned()
}

fn headers(text: &str) -> Result<Vec<(HeaderName, Secret)>, String> {
    let named = pairs(text)?.into_iter().map(|(name, value)| {
        let name = name.parse().map_err(|_| not_pairs())?;
        http::HeaderValue::from_str(&value).map_err(|_| not_pairs())?;
        Ok((name, Secret::new(value)))
    });
    named.collect()
}
