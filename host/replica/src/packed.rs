//! The packed bytes of `wit/transaction.wit`: lengths are u32 little-endian. Whatever comes from a guest is read
//! with care.

use crate::error::{Error, Result};

/// A key with its new value, or none for a delete.
pub type Write<'a> = (&'a [u8], Option<&'a [u8]>);

fn split_u32(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*length) as usize, rest))
}

/// Takes one length-prefixed piece off the front.
fn split_piece(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = split_u32(bytes)?;
    rest.split_at_checked(length)
}

pub fn push_piece(out: &mut Vec<u8>, piece: &[u8]) {
    out.extend_from_slice(&(piece.len() as u32).to_le_bytes());
    out.extend_from_slice(piece);
}

pub fn push_pair(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    push_piece(out, key);
    push_piece(out, value);
}

pub fn push_write(out: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>) {
    out.push(value.is_some() as u8);
    push_piece(out, key);
    if let Some(value) = value {
        push_piece(out, value);
    }
}

/// (length, piece)*
pub struct Pieces<'a>(pub &'a [u8]);

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((piece, rest)) = split_piece(self.0) else {
            self.0 = &[];
            return Some(Err(Error::malformed("packed keys")));
        };
        self.0 = rest;
        Some(Ok(piece))
    }
}

/// (1, key, value)* and (0, key)*
pub struct Writes<'a>(pub &'a [u8]);

impl<'a> Writes<'a> {
    fn split(bytes: &'a [u8]) -> Option<(Write<'a>, &'a [u8])> {
        let (tag, rest) = bytes.split_first()?;
        let (key, rest) = split_piece(rest)?;
        match tag {
            0 => Some(((key, None), rest)),
            1 => split_piece(rest).map(|(value, rest)| ((key, Some(value)), rest)),
            _ => None,
        }
    }
}

impl<'a> Iterator for Writes<'a> {
    type Item = Result<Write<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((write, rest)) = Writes::split(self.0) else {
            self.0 = &[];
            return Some(Err(Error::malformed("packed writes")));
        };
        self.0 = rest;
        Some(Ok(write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn writes_come_back(writes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
            let mut packed = Vec::new();
            for (key, value) in &writes {
                push_write(&mut packed, key, value.as_deref());
            }
            let owned = |(key, value): (&[u8], Option<&[u8]>)| (key.to_vec(), value.map(<[u8]>::to_vec));
            let back: Vec<_> = Writes(&packed).map(|write| write.map(owned)).collect::<Result<_>>().unwrap();
            prop_assert_eq!(back, writes);
        }

        #[test]
        fn any_bytes_end(bytes: Vec<u8>) {
            prop_assert!(Writes(&bytes).count() <= bytes.len() + 1);
            prop_assert!(Pieces(&bytes).count() <= bytes.len() + 1);
        }
    }

    #[test]
    fn cut_bytes_are_refused() {
        let mut packed = Vec::new();
        push_write(&mut packed, b"key", Some(b"value"));
        for length in 1..packed.len() {
            assert_eq!(Writes(&packed[..length]).last().unwrap().unwrap_err().sqlstate, "22023");
        }
    }
}
