//! What is at the other end of a pump, in the words of the errors that name it.

use crate::backend::CallError;

/// A pump drives the pipes of a process, or an event stream as if it were one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend::transport) enum OtherEnd {
    Process,
    Stream,
}

impl OtherEnd {
    /// It takes no more messages.
    pub(super) fn deaf(self) -> CallError {
        CallError::unreachable(match self {
            Self::Process => "the child process has closed its stdin",
            Self::Stream => "its event stream has ended, and a message is not posted without one",
        })
    }

    /// It is there no longer, and has read nothing.
    pub(super) fn just_ended(self) -> CallError {
        CallError::unreachable(match self {
            Self::Process => "the child process has just ended",
            Self::Stream => "its event stream has just ended",
        })
    }

    /// The pump has ended without a word.
    pub(super) fn left(self) -> CallError {
        CallError::lost(match self {
            Self::Process => "the task that talks to the child process has ended",
            Self::Stream => "the task that reads its event stream has ended",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_of_a_stream_is_about_a_process() {
        let end = OtherEnd::Stream;
        for error in [end.deaf(), end.just_ended(), end.left()] {
            let sentence = error.to_string();
            assert!(sentence.contains("event stream"), "{sentence}");
            for word in ["child", "process", "stdin", "stdout"] {
                assert!(!sentence.contains(word), "{sentence}");
            }
        }
    }
}
