//! What each backend offers: its tools, resources, templates and prompts as it wrote them, read when somebody needs them.
//! The last good list is kept for a grace time while the backend is down.

mod annotations;
mod entry;
mod header_params;
mod kind;
mod pages;
mod shelf;
mod stale;

pub(super) use entry::Entry;
pub(super) use header_params::{first_wrong, headers_of};
pub(super) use kind::Kind;
pub(super) use pages::{Listing, Reader};
pub(super) use shelf::{Catalogue, Freshness};
pub(super) use stale::Mark;
