//! One pass over a message: the whole JSON grammar is checked, and only the parts that routing needs are remembered.
//! No value is built, nothing recurses with the input, and a number or string it does not need is never decoded.

mod cursor;
mod envelope;
mod names;
mod part;
mod plain;
mod skip;

pub(super) use cursor::{Cursor, Stop};
pub(super) use envelope::{envelope, params};
pub(super) use names::text_of;
pub(super) use part::{Part, Parts, Span};
