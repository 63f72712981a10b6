//! HMAC-SHA-256 (RFC 2104), by which a node knows what it has written itself.

use sha2::{Digest, Sha256};

pub const KEY_BYTES: usize = 32;
pub const SEAL_BYTES: usize = 32;

/// The bytes that SHA-256 works on at once.
const BLOCK_BYTES: usize = 64;

#[derive(Clone, Copy)]
pub struct Seal(pub [u8; SEAL_BYTES]);

impl Seal {
    /// Of the parts as one text.
    pub fn of(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> Seal {
        let padded = |pad: u8| {
            let mut block = [pad; BLOCK_BYTES];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let mut inner = Sha256::new_with_prefix(padded(0x36));
        parts.iter().for_each(|part| inner.update(part));
        let outer = Sha256::new_with_prefix(padded(0x5c)).chain_update(inner.finalize());
        Seal(outer.finalize().into())
    }

    /// Whether these bytes are the seal. How long it takes says nothing about where they differ.
    pub fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() == SEAL_BYTES && self.0.iter().zip(bytes).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 1, whose key of 20 bytes is the same as one with zeros after it.
    #[test]
    fn seals_are_those_of_the_standard() {
        let mut key = [0; KEY_BYTES];
        key[..20].fill(0x0b);
        let seal = Seal::of(&key, &[b"Hi ", b"There"]);
        let shown: String = seal.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(shown, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        assert!(seal.is(&seal.0) && !seal.is(&[0; SEAL_BYTES]) && !seal.is(&seal.0[1..]));
    }
}
