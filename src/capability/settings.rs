//! What a backend of capabilities is made from.

use std::{sync::Arc, time::Duration};

use super::{Definition, PrivateNetworks};
use crate::failsafe::FailsafeConfig;

/// All capabilities that are served, and those that are not.
#[derive(Clone, Debug, PartialEq)]
pub struct CapabilitySettings {
    /// The name of the backend that they are the tools of.
    pub name: Box<str>,
    /// The capabilities, which bear different names.
    pub definitions: Vec<Arc<Definition>>,
    /// What was written and is not served, each with the reason, for the people who look after it.
    pub left_out: Vec<Box<str>>,
    /// Which private networks may be called.
    pub networks: PrivateNetworks,
    /// The policy around each call of a capability, and of each provider.
    pub failsafe: FailsafeConfig,
    /// How long a call may take, all providers together.
    pub timeout: Duration,
}
