//! The `requestState` of a parked call: sealed, so that a client can neither read nor change it, and only the one who got it
//! can use it (MCP 2026-07-28, basic/patterns/mrtr, security).

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    rand::{SecureRandom, SystemRandom},
};
use uuid::Uuid;

/// By which our states are told from those of backends.
const MARK: &str = "mcp-gateway.";

/// Seals and opens, with a key that lives as long as the process: so long do the calls that are parked.
pub(in crate::gateway) struct Seal {
    key: Option<LessSafeKey>,
    random: SystemRandom,
}

impl Seal {
    /// A new key. Without randomness of the system nothing can be sealed, and so nothing is parked.
    pub(in crate::gateway) fn new() -> Self {
        let random = SystemRandom::new();
        let mut key = [0; 32];
        let key = random
            .fill(&mut key)
            .and_then(|()| UnboundKey::new(&CHACHA20_POLY1305, &key))
            .map(LessSafeKey::new);
        Self {
            key: key.ok(),
            random,
        }
    }

    /// Whether a state claims to be one of ours.
    pub(in crate::gateway) fn is_ours(state: &str) -> bool {
        state.starts_with(MARK)
    }

    /// The state of the call that is parked under `id`, for whoever repeats `call`.
    pub(in crate::gateway) fn close(&self, id: Uuid, call: &str) -> Option<String> {
        self.sealed(id, call).ok()
    }

    fn sealed(&self, id: Uuid, call: &str) -> Result<String, Unspecified> {
        let key = self.key.as_ref().ok_or(Unspecified)?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce)?;
        let mut text = id.into_bytes().to_vec();
        let aad = Aad::from(call.as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)?;
        let whole = [&nonce[..], &text].concat();
        Ok([MARK, &URL_SAFE_NO_PAD.encode(whole)].concat())
    }

    /// The id of the call that was parked with this state, if it is whole and `call` is the one that it was made for.
    pub(in crate::gateway) fn open(&self, state: &str, call: &str) -> Option<Uuid> {
        let whole = URL_SAFE_NO_PAD.decode(state.strip_prefix(MARK)?).ok()?;
        let (nonce, text) = whole.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let aad = Aad::from(call.as_bytes());
        let id = self
            .key
            .as_ref()?
            .open_in_place(nonce, aad, &mut text)
            .ok()?;
        Uuid::from_slice(id).ok()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_opens_for_its_own_call_and_only_whole() {
        let seal = Seal::new();
        let id = Uuid::new_v4();
        let state = seal.close(id, "anna tools/call x").unwrap();
        assert!(Seal::is_ours(&state) && !Seal::is_ours("v1.x"));
        assert_eq!(seal.open(&state, "anna tools/call x"), Some(id));
        assert_eq!(seal.open(&state, "bert tools/call x"), None);
        assert_eq!(
            seal.open(&format!("{state}-TAMPERED"), "anna tools/call x"),
            None
        );
        assert_eq!(Seal::new().open(&state, "anna tools/call x"), None);
        assert_ne!(seal.close(id, "anna tools/call x"), Some(state));
    }
}
