//! Bytes that are not quite a component. A deploy must refuse each with an error, or accept what happens to be valid;
//! it must never panic, hang, or take much memory.

/// Broken by hand, each with a name.
pub fn named(valid: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let with = |tail: &[u8]| [&valid[..8], tail].concat();
    vec![
        ("empty", vec![]),
        ("only the magic", valid[..4].to_vec()),
        ("only the header", valid[..8].to_vec()),
        ("a version of the future", [b"\0asm".as_slice(), &[0xff, 0xff, 0xff, 0x7f]].concat()),
        ("text", b"(module (func (export \"run\")))".to_vec()),
        ("an ELF file", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec()),
        ("a section longer than the file", with(&[0x01, 0xff, 0xff, 0xff, 0xff, 0x0f])),
        ("a section length without an end", with(&[0x01, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80])),
        ("four thousand million types", with(&[0x01, 0x05, 0xff, 0xff, 0xff, 0xff, 0x0f])),
        ("an unknown section", with(&[0x7f, 0x00])),
        ("a custom section with a name longer than itself", with(&[0x00, 0x02, 0xff, 0x01])),
        ("half of it", valid[..valid.len() / 2].to_vec()),
        ("all but the last byte", valid[..valid.len() - 1].to_vec()),
        ("twice", [valid, valid].concat()),
        ("with a tail", [valid, &[0; 64]].concat()),
    ]
}

/// `count` mutations of a valid component or module, which follow from `seed`.
pub fn mutations(valid: &[u8], seed: u64, count: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut chance = Chance(seed);
    (0..count).map(move |_| mutation(valid, &mut chance))
}

/// One to four changes, as fuzzers make them.
fn mutation(valid: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for _ in 0..=chance.below(3) {
        let length = bytes.len();
        if length < 16 {
            break;
        }
        let start = chance.below(length);
        let end = (start + 1 + chance.below(64)).min(length);
        match chance.below(8) {
            0 => bytes[start] ^= 1 << chance.below(8),
            1 => bytes[start] = chance.below(256) as u8,
            2 => bytes.truncate(start),
            3 => drop(bytes.drain(start..end)),
            4 => {
                let copied = bytes[start..end].to_vec();
                let place = chance.below(length);
                bytes.splice(place..place, copied);
            }
            // The largest number in LEB128, where a size or an index may be.
            5 => bytes.splice(start..(start + 1), [0xff, 0xff, 0xff, 0xff, 0x0f]).for_each(drop),
            6 => bytes[start..end].fill(0xff),
            // The header and what follows it: most sections begin near there.
            _ => bytes[8 + chance.below(length.min(256) - 8)] = chance.below(256) as u8,
        }
    }
    bytes
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_follow_from_the_seed_and_change_something() {
        let valid = crate::handmade::no_operation();
        let first: Vec<_> = mutations(&valid, 7, 500).collect();
        assert_eq!(first, mutations(&valid, 7, 500).collect::<Vec<_>>());
        assert_ne!(first, mutations(&valid, 8, 500).collect::<Vec<_>>());
        let same = first.iter().filter(|mutation| **mutation == valid).count();
        assert!(same < 50, "{same} of 500 mutations change nothing");
    }
}
