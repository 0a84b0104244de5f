//! What a person writes in a file: YAML with variables in it, read into each floor's own settings.
//! A reading finds everything that is wrong at once, each with its line, and never quotes a secret.

mod capability_file;
mod demo;
mod env_file;
mod environment;
mod expand;
mod finding;
mod load;
mod locate;
mod overlay;
mod reading;
mod section;
mod sections;
mod suggest;
mod tree;
mod values;
mod written_capability;
mod yaml_text;

pub use capability_file::{Directory, Found, LeftOut, digest, pinned};
pub use environment::Environment;
pub use finding::{Finding, Place, Problems};
pub use load::{Config, Sources, files, load};
pub use values::host;
pub use written_capability::written_capability;
