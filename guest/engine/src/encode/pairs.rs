//! The packed bytes in which the host hands over what it read.

use super::corrupted;
use crate::error::Result;
use crate::types::stride;

/// Iterates over a cursor's batch: (key length u32 LE, key, value length u32 LE, value)*.
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    pub fn new(batch: &'a [u8]) -> Pairs<'a> {
        Pairs { rest: batch }
    }
}

/// Appends the values of a batch's first pairs, `most` at most; answers the bytes behind them.
///
/// See `types::stride` for the shape of its loop.
#[inline(never)]
pub fn read_values<'a>(batch: &'a [u8], most: usize, values: &mut Vec<&'a [u8]>) -> Result<&'a [u8]> {
    let mut rest = batch;
    let mut count = 0;
    values.reserve(most);
    let (strides, last) = values.spare_capacity_mut()[..most].as_chunks_mut::<{ stride::ROWS }>();
    'read: {
        for stride in strides {
            for slot in stride {
                if rest.is_empty() {
                    break 'read;
                }
                slot.write(read_value(&mut rest)?);
                count += 1;
            }
        }
        for slot in last {
            if rest.is_empty() {
                break 'read;
            }
            slot.write(read_value(&mut rest)?);
            count += 1;
        }
    }
    // SAFETY: so many slots were written, from the first on.
    unsafe { values.set_len(values.len() + count) };
    Ok(rest)
}

#[inline]
fn read_value<'a>(batch: &mut &'a [u8]) -> Result<&'a [u8]> {
    read_field(batch).and_then(|_| read_field(batch)).ok_or_else(|| corrupted("a batch ends inside a pair"))
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
    fn values_come_without_their_keys() {
        let batch: Vec<u8> = [&b"k"[..], b"one", b"kk", b"", b"k", b"three"].iter().fold(vec![], |mut batch, field| {
            push_field(&mut batch, field);
            batch
        });
        let mut values = vec![];
        let rest = read_values(&batch, 2, &mut values).unwrap();
        assert_eq!(values, [&b"one"[..], b""]);
        assert_eq!(read_values(rest, 20, &mut values).unwrap(), b"");
        assert_eq!(values, [&b"one"[..], b"", b"three"]);
        let cut = &batch[..batch.len() - 1];
        assert_eq!(read_values(cut, 20, &mut vec![]).unwrap_err().sqlstate(), "XX001");
    }

    #[test]
    fn a_cut_batch_is_an_error_once() {
        let batch = [&1u32.to_le_bytes()[..], b"k", &2u32.to_le_bytes(), b"v"].concat();
        let results: Vec<_> = Pairs::new(&batch).collect();
        assert_eq!(results.len(), 1);
        assert_eq!(results[0].as_ref().unwrap_err().sqlstate(), "XX001");
    }
}
