//! A list that is shown as it was last read: since when, why, and how each entry says so.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    protocol::RawObject,
    telemetry::{Clock, Stamp},
};

/// The key in `_meta` of an entry. Its prefix is a name turned round, as the specification asks (basic, `_meta`),
/// and its second label is none of the reserved ones.
const KEY: &str = "io.mcp-gateway/stale";

/// What is known of a backend that does not answer for its list.
#[derive(Debug, Clone)]
pub(in crate::gateway) struct Stale {
    /// When that was first noticed, in milliseconds of the clock.
    since_ms: u64,
    reason: Box<str>,
}

impl Stale {
    pub(super) fn new(now: Stamp, reason: &str) -> Self {
        Self {
            since_ms: now.millis(),
            reason: reason.into(),
        }
    }

    /// How long it has been so, in milliseconds.
    pub(super) const fn age_ms(&self, now: Stamp) -> u64 {
        now.millis().saturating_sub(self.since_ms)
    }

    /// What an entry bears in its `_meta`; the time is in milliseconds since the Unix epoch, as everywhere.
    pub(in crate::gateway) fn mark(&self, clock: &Clock) -> Mark {
        #[derive(Serialize)]
        struct Shown<'a> {
            since_ms: u64,
            reason: &'a str,
        }
        Mark(
            to_raw_value(&Shown {
                since_ms: clock.epoch_ms(self.since_ms),
                reason: &self.reason,
            })
            .ok(),
        )
    }
}

/// The mark of a stale list as it is written.
pub(in crate::gateway) struct Mark(Option<Box<RawValue>>);

impl Mark {
    /// The definition with the mark beside whatever its `_meta` holds; every other value as it was.
    pub(in crate::gateway) fn put_on(&self, definition: &RawValue) -> Box<RawValue> {
        self.marked(definition)
            .unwrap_or_else(|| definition.to_owned())
    }

    fn marked(&self, definition: &RawValue) -> Option<Box<RawValue>> {
        let mark = self.0.as_deref()?;
        let mut object = RawObject::parse(definition.get().as_bytes())?;
        let mut meta = object.read::<RawObject<'_>>("_meta").unwrap_or_default();
        meta.0.retain(|(key, _)| key != KEY);
        meta.0.push((KEY.into(), mark));
        let meta = to_raw_value(&meta).ok()?;
        object.0.retain(|(key, _)| key != "_meta");
        object.0.push(("_meta".into(), &meta));
        to_raw_value(&object).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(definition: &str) -> String {
        let (clock, _) = Clock::mocked();
        let stale = Stale::new(Stamp::from_nanos(5_000_000), "gone");
        let raw: &RawValue = serde_json::from_str(definition).unwrap();
        let text = stale.mark(&clock).put_on(raw).get().to_owned();
        let since = clock.epoch_ms(5).to_string();
        text.replace(&since, "T")
    }

    #[test]
    fn the_mark_stands_beside_what_was_there() {
        assert_eq!(
            marked(r#"{"name":"a","n":1e400}"#),
            r#"{"name":"a","n":1e400,"_meta":{"io.mcp-gateway/stale":{"since_ms":T,"reason":"gone"}}}"#
        );
        assert_eq!(
            marked(r#"{"_meta":{"x/y":1.50,"io.mcp-gateway/stale":7},"uri":"u"}"#),
            r#"{"uri":"u","_meta":{"x/y":1.50,"io.mcp-gateway/stale":{"since_ms":T,"reason":"gone"}}}"#
        );
    }
}
