//! Why an operation is not imported.

use std::fmt;

/// The reason in the words of the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// It is marked as deprecated.
    Deprecated,
    /// It was not asked for.
    NotChosen,
    /// Its method brings no answer that a tool could give.
    Method(String),
    /// Its body must be sent, and no media type of it can be written.
    BodyType(String),
    /// It refers to another document.
    Elsewhere(String),
    /// It refers to something that the document does not have.
    Dangling(String),
    /// A reference leads back to itself.
    Circle(String),
    /// Something is not what OpenAPI says that it is.
    Malformed(String),
    /// Its arguments could never be judged by its schema.
    Schema(String),
    /// A schema holds too many others within each other.
    TooDeep,
    /// It says that it is reached at no URL that can be called.
    Server(String),
    /// A parameter cannot be written the way it asks for.
    Style(String),
    /// It wants to be shown more than one credential, or one of a kind that there is not.
    Credential(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deprecated => f.write_str("deprecated"),
            Self::NotChosen => f.write_str("not chosen"),
            Self::Method(method) => write!(f, "the method {method} gives a tool nothing to say"),
            Self::BodyType(types) => write!(f, "its body can only be sent as {types}"),
            Self::Elsewhere(to) => write!(
                f,
                "it refers to another document ({to}): bundle them into one"
            ),
            Self::Dangling(to) => write!(f, "it refers to {to}, which the document does not have"),
            Self::Circle(to) => write!(f, "the reference {to} leads back to itself"),
            Self::Malformed(what) => write!(f, "{what} is not what OpenAPI says that it is"),
            Self::Schema(why) => write!(f, "its {why}"),
            Self::TooDeep => f.write_str("its schemas stand too deep within each other"),
            Self::Server(why) => write!(f, "its server {why}"),
            Self::Style(name) => write!(
                f,
                "the parameter {name} is written in a style that cannot be sent"
            ),
            Self::Credential(which) => write!(f, "it wants {which}"),
        }
    }
}
