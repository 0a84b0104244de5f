//! What must hold for any bytes, one function for each target: readers agree with a slower second opinion, and with
//! themselves however the bytes are cut. The fuzzer calls them with what it finds, `tests/corpus.rs` with what it kept.

mod cuts;
mod edits;
mod envelope;
mod framing;
mod headers;
mod known;
mod parts;
mod response;

pub(crate) use envelope::envelope;
pub(crate) use framing::framing;
pub(crate) use headers::headers;
