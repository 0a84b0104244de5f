//! Which sessions are open.

use std::{collections::HashSet, process};

/// Sessions are numbered; those of another process are not known here.
pub(crate) struct Sessions {
    prefix: String,
    opened: u64,
    ended: HashSet<u64>,
}

/// What a request says of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Open(u64),
    Unknown,
    None,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self {
            prefix: format!("{:08x}-", process::id()),
            opened: 0,
            ended: HashSet::new(),
        }
    }

    /// Opens a session and gives its id.
    pub(crate) fn open(&mut self) -> String {
        self.opened += 1;
        format!("{}{:08}", self.prefix, self.opened)
    }

    /// The session of that id.
    pub(crate) fn named(&self, id: Option<&str>) -> Named {
        let Some(id) = id else { return Named::None };
        let number = id
            .strip_prefix(&self.prefix)
            .and_then(|number| number.parse().ok());
        match number {
            Some(number)
                if (1..=self.opened).contains(&number) && !self.ended.contains(&number) =>
            {
                Named::Open(number)
            }
            _ => Named::Unknown,
        }
    }

    /// Ends a session.
    pub(crate) fn end(&mut self, number: u64) {
        self.ended.insert(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_from_its_opening_to_its_end() {
        let mut sessions = Sessions::new();
        assert_eq!(sessions.named(None), Named::None);
        assert_eq!(sessions.named(Some("another")), Named::Unknown);
        let id = sessions.open();
        assert_eq!(sessions.named(Some(&id)), Named::Open(1));
        sessions.end(1);
        assert_eq!(sessions.named(Some(&id)), Named::Unknown);
    }
}
