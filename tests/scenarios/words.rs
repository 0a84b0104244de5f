//! The situations of what people write and read, a line each: the configuration and the log.

use crate::{bad_config, log_lines, logging};

pub(crate) const CONTENTS: &[(&str, fn())] = &[
    (
        "logs: text as the documentation says",
        logging::text_as_documented,
    ),
    (
        "logs: JSON as the documentation says",
        logging::json_as_documented,
    ),
    (
        "logs: nobody reads them, and nobody waits",
        log_lines::nobody_reads,
    ),
    (
        "logs: an end in order writes all of them",
        log_lines::all_at_the_end,
    ),
    (
        "logs: each HTTP request once in the access log",
        logging::each_request_once_in_the_access_log,
    ),
    ("bad config: unknown key", bad_config::unknown_key),
    ("bad config: wrong value", bad_config::wrong_value),
    ("bad config: missing variable", bad_config::missing_variable),
    ("bad config: all mistakes at once", bad_config::all_at_once),
    (
        "bad config: secrets stay out of errors",
        bad_config::secrets_stay_out,
    ),
    ("bad config: no such file or flag", bad_config::no_such_file),
];
