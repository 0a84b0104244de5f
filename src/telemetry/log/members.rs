//! Fields as members of a JSON object, straight into the bytes of the line.

use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};

use crate::protocol::escape;

/// Writes each field that it sees as `"name":value,`: numbers and booleans as such, all else as text.
pub(super) struct Members<'a>(pub(super) &'a mut Vec<u8>);

impl Members<'_> {
    /// A member whose value is text that need not be escaped.
    pub(super) fn plain(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push(b'"');
        self.0.extend_from_slice(value.as_bytes());
        self.0.extend_from_slice(b"\",");
    }

    fn name(&mut self, name: &str) {
        let name = name.strip_prefix("r#").unwrap_or(name);
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn number(&mut self, field: &Field, value: impl itoa::Integer) {
        self.name(field.name());
        let mut digits = itoa::Buffer::new();
        self.0.extend_from_slice(digits.format(value).as_bytes());
        self.0.push(b',');
    }
}

impl Visit for Members<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field.name());
        self.0.push(b'"');
        escape(value, self.0);
        self.0.extend_from_slice(b"\",");
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field.name());
        let value: &[u8] = if value { b"true," } else { b"false," };
        self.0.extend_from_slice(value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.name(field.name());
        // Writing to memory cannot fail; what is no number is null.
        let _ = serde_json::to_writer(&mut *self.0, &value);
        self.0.push(b',');
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.name(field.name());
        self.0.push(b'"');
        // Nor can this.
        let _ = write!(Escaped(self.0), "{value:?}");
        self.0.extend_from_slice(b"\",");
    }
}

/// Writes text as it stands inside a JSON string.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.0);
        Ok(())
    }
}
