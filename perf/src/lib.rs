//! What a user feels.
