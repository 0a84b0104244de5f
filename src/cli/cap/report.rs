//! What an import says of itself: how many operations came, and for each reason which did not.

use std::{collections::BTreeMap, path::Path};

use super::import::Written;
use crate::capability::openapi::{Imported, Trouble};

/// How many of the operations that were left out for one reason are named.
const NAMED: usize = 5;

/// The report, in lines.
pub(super) fn report(imported: &Imported, written: &Written, out: &Path) -> String {
    let (came, left) = (imported.operations.len(), imported.skipped.len());
    let title = if imported.title.is_empty() {
        "The API"
    } else {
        &imported.title
    };
    let mut text = format!(
        "{title}: {came} of {} operations imported, {} files in {}\n",
        came + left,
        written.files,
        out.display()
    );
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for skipped in &imported.skipped {
        reasons
            .entry(skipped.trouble.to_string())
            .or_default()
            .push(&skipped.operation);
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, operations)| std::cmp::Reverse(operations.len()));
    for (reason, operations) in reasons {
        text.push_str(&format!("left out, {reason}: {}\n", operations.len()));
        if reason == Trouble::NotChosen.to_string() {
            continue;
        }
        operations
            .iter()
            .take(NAMED)
            .for_each(|operation| text.push_str(&format!("  {operation}\n")));
        if operations.len() > NAMED {
            text.push_str(&format!("  and {} more\n", operations.len() - NAMED));
        }
    }
    for kept in &written.kept {
        text.push_str(&format!("{kept} holds something else and is left as it is: move it away, or write over it with --force\n"));
    }
    for key in &written.keys {
        text.push_str(&format!("the credential comes from {key}\n"));
    }
    text
}
