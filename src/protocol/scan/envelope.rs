//! Reads the parts of a message and of what lies in them; everything else is walked over.

use super::{
    cursor::{Cursor, Stop},
    names::meaning,
    part::{MESSAGE, PARAMS, Part, Parts, Span},
};

/// Reads a whole message into `parts`, which keep what was read before a stop.
pub(in crate::protocol) fn envelope(text: &[u8], parts: &mut Parts) -> Result<(), Stop> {
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    if cursor.peek() == Some(b'{') {
        level(&mut cursor, parts, MESSAGE, 1)?;
    } else {
        cursor.value(0)?;
    }
    cursor.end()
}

/// Reads the members of a `params` object that stands alone.
pub(in crate::protocol) fn params(text: &[u8], parts: &mut Parts) -> Result<(), Stop> {
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    level(&mut cursor, parts, PARAMS, 2)?;
    cursor.end()
}

/// One object at `depth`. It calls itself at most twice: the tables of members end there.
fn level(
    cursor: &mut Cursor<'_>,
    parts: &mut Parts,
    members: &[(&str, Part)],
    depth: u32,
) -> Result<(), Stop> {
    cursor.members(|cursor, name| match meaning(cursor.slice(name), members) {
        None => cursor.value(depth).map(drop),
        Some((part, exact)) => {
            parts.meet(part, exact);
            if !exact {
                return cursor.value(depth).map(drop);
            }
            let span = part_value(cursor, parts, part, depth)?;
            parts.set(part, span);
            Ok(())
        }
    })
}

fn part_value(
    cursor: &mut Cursor<'_>,
    parts: &mut Parts,
    part: Part,
    depth: u32,
) -> Result<Span, Stop> {
    let start = cursor.at();
    match part.members() {
        Some(inner) if cursor.peek() == Some(b'{') => {
            level(cursor, parts, inner, depth + 1)?;
            Ok(Span::new(start, cursor.at()))
        }
        _ => cursor.value(depth),
    }
}
