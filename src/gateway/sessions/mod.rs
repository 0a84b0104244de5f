//! Client sessions: opened by `initialize`, bound to their caller and route, ended by DELETE or by idleness.
//! A session also knows its calls in flight and what is said on its streams.

mod asks;
mod kept;
mod lists;
mod log_level;
mod outbox;
mod own_line;
mod page_name;
mod session;
mod table;

pub(super) use asks::CANCELLED;
pub(super) use lists::Lists;
pub(super) use log_level::LogLevel;
pub(super) use outbox::CallStream;
pub(super) use own_line::{Ending, OwnLine};
pub(super) use session::{MOST_SUBSCRIPTIONS, Session, Way};
pub(super) use table::Sessions;
