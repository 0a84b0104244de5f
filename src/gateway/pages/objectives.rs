//! What `/metrics` and `/readyz?verbose` show of the objectives.

use bytes::Bytes;
use serde::Serialize;

use super::exposition::{Exposition, Kind as Of};
use crate::gateway::{Gateway, ObjectiveReport};

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    objectives: Vec<ObjectiveReport>,
}

impl Gateway {
    /// The page `/readyz?verbose`. An objective that is missed makes nobody less ready.
    #[must_use]
    pub fn readiness(&self, ready: bool) -> Bytes {
        let page = Readiness {
            status: if ready { "ready" } else { "not ready" },
            objectives: self.objectives(),
        };
        serde_json::to_vec(&page).unwrap_or_default().into()
    }

    pub(super) fn write_objectives(&self, page: &mut Exposition) {
        let objectives = self.objectives();
        page.family(
            "mcp_slo_burn_rate",
            Of::Gauge,
            "How fast the room for errors burns: the share of bad calls in a window, by the share that may be bad. The tool is empty for a whole backend.",
        );
        for objective in &objectives {
            for burn in &objective.burn_rates {
                let labels = [
                    ("backend", &*objective.backend),
                    ("tool", &*objective.tool),
                    ("slo", objective.slo),
                    ("window", burn.window),
                ];
                page.sample(&labels, burn.rate);
            }
        }
        page.family(
            "mcp_slo_error_budget_remaining",
            Of::Gauge,
            "The share of the room for errors that is left of the last three days; below zero if more than all is used.",
        );
        for objective in &objectives {
            let labels = [
                ("backend", &*objective.backend),
                ("tool", &*objective.tool),
                ("slo", objective.slo),
            ];
            page.sample(&labels, objective.error_budget_remaining);
        }
        let Some(alarms) = self.alarms.get() else {
            return;
        };
        page.family(
            "mcp_webhook_posts_total",
            Of::Counter,
            "Alarms by what became of them: sent, failed, or dropped because too many waited.",
        );
        for (result, count) in alarms.counts() {
            page.sample(&[("result", result)], count);
        }
    }
}
