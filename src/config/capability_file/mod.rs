//! A capability as a person writes it: YAML files that say `fulcrum: "1.0"`, read strictly, each into one definition or into
//! what is wrong with it.

mod auth;
mod body;
mod directory;
mod file;
mod json;
mod pin;
mod provider;
mod request;
mod surroundings;

pub(super) use auth::{read_key, read_required};
pub(super) use directory::files;
pub use directory::{Directory, LeftOut};
pub use file::Found;
pub use pin::{digest, pinned};
