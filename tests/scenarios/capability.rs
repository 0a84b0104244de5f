//! The situations of capabilities, a line each.

use crate::{capability_calls, capability_failures, capability_serving, imported};

pub(crate) const CONTENTS: &[(&str, fn())] = &[
    (
        "capabilities: a backend like any other",
        capability_serving::like_any_backend,
    ),
    (
        "capabilities: bad files are named, good ones are served",
        capability_serving::bad_files_are_named,
    ),
    (
        "capabilities: files that change are read",
        capability_serving::changed_files_are_read,
    ),
    (
        "capabilities: listed and tried out without a gateway",
        capability_serving::tried_out,
    ),
    (
        "cap import: one file for each operation",
        imported::one_file_for_each_operation,
    ),
    (
        "cap import: what a person changed is left alone",
        imported::what_was_changed_is_left_alone,
    ),
    ("cap import: from a URL", imported::from_a_url),
    (
        "cap import: what is no OpenAPI is refused",
        imported::what_is_none_is_refused,
    ),
    (
        "capabilities: OpenAPI documents are served without files",
        imported::served_without_files,
    ),
    (
        "capability: arguments in paths, queries, headers and nested bodies",
        capability_calls::placeholders,
    ),
    (
        "capability: each credential where it belongs",
        capability_calls::credentials,
    ),
    (
        "capability: a token is asked for once and renewed when it is refused",
        capability_calls::tokens,
    ),
    (
        "capability: GraphQL variables and errors",
        capability_calls::graphql,
    ),
    (
        "capability: no secret in errors and logs, what is redacted nowhere",
        capability_calls::secrets_and_redaction,
    ),
    (
        "capability: an answer that is too long",
        capability_calls::too_long,
    ),
    (
        "capability: where the next page is",
        capability_calls::pages,
    ),
    (
        "capability: a provider that fails opens its own circuit, a 404 opens none",
        capability_failures::fails_alone,
    ),
    (
        "capability: the next provider is asked when one is slow, fails or is open",
        capability_failures::the_next_is_asked,
    ),
    (
        "capability: a pause that a provider asks for",
        capability_failures::a_pause,
    ),
    (
        "capability: addresses that are not public are not called",
        capability_failures::addresses,
    ),
    (
        "capability: answers are kept, and with a credential for one caller",
        capability_failures::kept_for_one_caller,
    ),
    (
        "capability: traced to the provider",
        capability_failures::traced,
    ),
];
