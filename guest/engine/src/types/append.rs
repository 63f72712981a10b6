//! Short byte strings, end to end.

use super::stride::VALUES;

/// Longer ones are worth the call of a function that copies.
const SHORT: usize = 128;

/// As `extend_from_slice`, for what is mostly short: in the sandbox, a copy of a length that only the run knows goes
/// through the host, which takes longer than copying a few words.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len();
    if length > SHORT {
        out.extend_from_slice(bytes);
        return;
    }
    out.reserve(length);
    // SAFETY: there is room for `length` bytes behind those of `out`, which nothing else refers to.
    unsafe {
        copy(bytes.as_ptr(), out.as_mut_ptr().add(out.len()), length);
        out.set_len(out.len() + length);
    }
}

/// Whether no byte has its highest bit. See `types::stride` for the shape of its loop.
#[inline(never)]
pub fn is_ascii(bytes: &[u8]) -> bool {
    let join = |stride: &[u8]| stride.iter().fold(0, |all, byte| all | byte);
    let (strides, last) = bytes.as_chunks::<{ 2 * VALUES }>();
    strides.iter().fold(join(last), |all, stride| all | join(stride)) < 0x80
}

/// Copies words; the last one may overlap the one before.
///
/// # Safety
/// As `std::ptr::copy_nonoverlapping`.
#[inline]
unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    /// Copies a value of this type at this offset.
    macro_rules! word {
        ($type:ty, $offset:expr) => {
            to.add($offset).cast::<$type>().write_unaligned(from.add($offset).cast::<$type>().read_unaligned())
        };
    }
    // SAFETY: every word is within the first `length` bytes.
    unsafe {
        if length >= 8 {
            let mut offset = 0;
            while offset + 8 < length {
                word!(u64, offset);
                offset += 8;
            }
            word!(u64, length - 8);
        } else if length >= 4 {
            word!(u32, 0);
            word!(u32, length - 4);
        } else if length >= 2 {
            word!(u16, 0);
            word!(u16, length - 2);
        } else if length == 1 {
            word!(u8, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_is_no_ascii_is_found_wherever_it_is() {
        for length in [1, 63, 64, 65, 200] {
            assert!(is_ascii(&vec![0x7f; length]));
            for place in 0..length {
                let mut bytes = vec![b'a'; length];
                bytes[place] = 0x80;
                assert!(!is_ascii(&bytes), "at {place} of {length}");
            }
        }
    }

    #[test]
    fn every_length_is_appended_whole() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut out = vec![];
        let mut expected = vec![];
        for length in 0..bytes.len() {
            append(&mut out, &bytes[..length]);
            expected.extend_from_slice(&bytes[..length]);
            assert_eq!(out, expected, "after {length} bytes");
        }
    }
}
