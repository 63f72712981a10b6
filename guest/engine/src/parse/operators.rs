//! Where an operator ends. The tokenizer takes every character of operators that follows; in PostgreSQL an operator
//! ends before a comment, and before a sign unless one of its other characters says that it is a longer operator
//! (section 4.1.3): `1<>-5` is `<>` and `-`, `@-` is one.

use super::split::{Kind, Reader};
use crate::error::Result;

/// A text whose operators are set apart by blanks.
pub struct Separated {
    pub sql: String,
    /// Positions in characters of the blanks that were set in, the first character's is 1.
    blanks: Vec<u64>,
}

impl Separated {
    /// A position in the text as it was before the blanks.
    pub fn original(&self, position: u64) -> u64 {
        position - self.blanks.partition_point(|&blank| blank < position) as u64
    }
}

/// Sets apart what the tokenizer would take for one operator; none when there is nothing of the kind.
pub fn separate(sql: &str) -> Result<Option<Separated>> {
    let places = places(sql)?;
    if places.is_empty() {
        return Ok(None);
    }
    let mut separated = Separated { sql: String::with_capacity(sql.len() + places.len()), blanks: vec![] };
    let (mut from, mut characters) = (0, 0);
    for place in places {
        separated.sql.push_str(&sql[from..place]);
        separated.sql.push(' ');
        characters += sql[from..place].chars().count() as u64 + 1;
        separated.blanks.push(characters);
        from = place;
    }
    separated.sql.push_str(&sql[from..]);
    Ok(Some(separated))
}

/// Offsets in bytes before which a blank belongs.
fn places(sql: &str) -> Result<Vec<usize>> {
    let mut reader = Reader::new(sql);
    let mut places = vec![];
    // Characters of operators, one after the other.
    let mut run = 0..0;
    while let Some(piece) = reader.next_piece()? {
        match piece.kind {
            Kind::Operator if run.end == piece.start && !run.is_empty() => run.end += 1,
            Kind::Operator => {
                signs(sql, run, &mut places);
                run = piece.start..piece.start + 1;
            }
            _ => {
                if run.end == piece.start && !run.is_empty() && sql[piece.start..].starts_with(['-', '/']) {
                    places.push(run.end);
                }
                signs(sql, std::mem::take(&mut run), &mut places);
            }
        }
    }
    signs(sql, run, &mut places);
    places.sort_unstable();
    Ok(places)
}

/// The signs that end a run and do not belong to its operator.
fn signs(sql: &str, run: std::ops::Range<usize>, places: &mut Vec<usize>) {
    let operator = &sql[run.clone()];
    if operator.len() > 1 && !operator.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']) {
        let kept = operator.trim_end_matches(['+', '-']).len().max(1);
        places.extend((kept..operator.len()).map(|at| run.start + at));
    }
}
