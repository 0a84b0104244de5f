//! A text as it may come from a socket or a pipe: in pieces of any length.

/// `text` cut into pieces whose lengths follow from `seed`; some are empty.
pub(crate) fn cut(text: &[u8], seed: u8) -> Vec<&[u8]> {
    let (mut rest, mut state, mut pieces) = (text, seed, Vec::new());
    while !rest.is_empty() {
        state = state.wrapping_mul(5).wrapping_add(3);
        let (piece, behind) = rest.split_at(usize::from(state >> 4).min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}
