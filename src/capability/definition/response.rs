//! What of a provider's answer becomes the result.

/// How the body of an answer is read, and what of it is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseSpec {
    /// Where the result stands in the body, as it is written: a path such as `data.items[0].name`, or a filter of jq.
    pub path: Option<Box<str>>,
    /// What the body is.
    pub format: ResponseFormat,
}

/// What a body is read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseFormat {
    /// What its `Content-Type` says: JSON where it is JSON, text where it is text, and base64 of anything else.
    #[default]
    Auto,
    /// JSON.
    Json,
    /// Text.
    Text,
    /// Bytes, given as base64.
    Binary,
}

/// What is done with a result before it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transform {
    /// The paths that are kept; all if empty.
    pub project: Vec<Box<str>>,
    /// Paths, and the names that they get.
    pub rename: Vec<(Box<str>, Box<str>)>,
    /// The names of members whose values are replaced by stars, wherever they stand.
    pub redact: Vec<Box<str>>,
}
