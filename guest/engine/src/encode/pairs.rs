//! The packed bytes in which the host hands over what it read.

use super::corrupted;
use crate::error::Result;

/// Iterates over a cursor's batch: (key length u32 LE, key, value length u32 LE, value)*.
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    pub fn new(batch: &'a [u8]) -> Pairs<'a> {
        Pairs { rest: batch }
    }
}

/// Takes a length and as many bytes from the front; none when there are fewer.
#[inline]
pub fn read_field<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (field, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *bytes = rest;
    Some(field)
}

/// Appends a length and the bytes.
pub fn push_field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a [u8], &'a [u8])>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let pair = read_field(&mut self.rest).and_then(|key| Some((key, read_field(&mut self.rest)?)));
        if pair.is_none() {
            self.rest = &[];
        }
        Some(pair.ok_or_else(|| corrupted("a batch ends inside a pair")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_in_order() {
        let batch =
            [&1u32.to_le_bytes()[..], b"k", &2u32.to_le_bytes(), b"vv", &0u32.to_le_bytes(), &0u32.to_le_bytes()];
        let pairs: Result<Vec<_>> =
            Pairs::new(&batch.concat()).map(|pair| pair.map(|(k, v)| (k.len(), v.len()))).collect();
        assert_eq!(pairs.unwrap(), [(1, 2), (0, 0)]);
    }

    #[test]
    fn a_cut_batch_is_an_error_once() {
        let batch = [&1u32.to_le_bytes()[..], b"k", &2u32.to_le_bytes(), b"v"].concat();
        let results: Vec<_> = Pairs::new(&batch).collect();
        assert_eq!(results.len(), 1);
        assert_eq!(results[0].as_ref().unwrap_err().sqlstate(), "XX001");
    }
}
