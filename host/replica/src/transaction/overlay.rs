//! A transaction's own writes. Each is numbered, so that a savepoint or a failed statement is a number to go back to,
//! and an open cursor a number beyond which it does not see.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;

/// How many writes there had been.
pub type Mark = u64;

/// A write of one key, and the one it replaced where that may be asked for again.
struct Slot {
    /// None: deleted.
    value: Option<Box<[u8]>>,
    number: u64,
    older: Option<Box<Slot>>,
}

impl Slot {
    fn at(&self, mark: Mark) -> Option<&Slot> {
        let mut slot = self;
        while slot.number > mark {
            slot = slot.older.as_deref()?;
        }
        Some(slot)
    }
}

#[derive(Default)]
pub struct Overlay {
    slots: BTreeMap<Arc<[u8]>, Slot>,
    /// Keys in the order of their writes: the write numbered `n` is at `n - 1`.
    log: Vec<Arc<[u8]>>,
    /// Writes up to here may be gone back to, or are seen by a cursor: they are not overwritten in place.
    kept: Mark,
    bytes: usize,
}

/// What a write costs beside its key and value.
const OVERHEAD: usize = 9;

fn size(key: &[u8], value: Option<&[u8]>) -> usize {
    key.len() + value.map_or(0, <[u8]>::len) + OVERHEAD
}

impl Overlay {
    /// Bytes of every write that is kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keys written.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The present moment, to go back to or to look at later.
    pub fn mark(&mut self) -> Mark {
        self.kept = self.log.len() as Mark;
        self.kept
    }

    pub fn write(&mut self, key: &[u8], value: Option<&[u8]>) {
        let key: Arc<[u8]> = key.into();
        let added = size(&key, value);
        let value = value.map(Into::into);
        let number = self.log.len() as u64 + 1;
        match self.slots.entry(key) {
            Entry::Vacant(entry) => {
                self.log.push(entry.key().clone());
                entry.insert(Slot { value, number, older: None });
            }
            Entry::Occupied(mut entry) => {
                let key = entry.key().clone();
                let slot = entry.get_mut();
                if slot.number > self.kept {
                    self.bytes -= size(&key, slot.value.as_deref());
                    slot.value = value;
                } else {
                    self.log.push(key);
                    let older = std::mem::replace(slot, Slot { value, number, older: None });
                    slot.older = Some(Box::new(older));
                }
            }
        }
        self.bytes += added;
    }

    /// Undoes every write after `mark`; answers whether one of them fulfils `interesting`.
    pub fn undo(&mut self, mark: Mark, interesting: impl Fn(&[u8]) -> bool) -> bool {
        let mut found = false;
        while self.log.len() as u64 > mark {
            let Some(key) = self.log.pop() else { break };
            found |= interesting(&key);
            if let Entry::Occupied(mut entry) = self.slots.entry(key) {
                self.bytes -= size(entry.key(), entry.get().value.as_deref());
                match entry.get_mut().older.take() {
                    Some(older) => {
                        entry.insert(*older);
                    }
                    None => {
                        entry.remove();
                    }
                }
            }
        }
        self.kept = self.kept.min(mark);
        found
    }

    /// This transaction's newest write of a key: none when there is none, `Some(None)` for a delete.
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.slots.get(key).map(|slot| slot.value.as_deref())
    }

    /// Writes up to `mark` in a range of keys, in order.
    pub fn range(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        mark: Mark,
    ) -> impl DoubleEndedIterator<Item = (&Arc<[u8]>, Option<&[u8]>)> {
        // BTreeMap panics on a reversed range.
        let reversed = match range {
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
                start >= end
            }
            _ => false,
        };
        let range = if reversed { (Bound::Unbounded, Bound::Excluded([].as_slice())) } else { range };
        self.slots
            .range::<[u8], _>(range)
            .filter_map(move |(key, slot)| slot.at(mark).map(|slot| (key, slot.value.as_deref())))
    }

    /// The keys written after `mark`, in order, each once, with what this transaction had written to them before: none
    /// when it had not.
    pub fn written_since(&self, mark: Mark) -> BTreeMap<&Arc<[u8]>, Option<Option<&[u8]>>> {
        let before = |key: &Arc<[u8]>| {
            let slot = self.slots.get(key).and_then(|slot| slot.at(mark));
            slot.map(|slot| slot.value.as_deref())
        };
        let written = self.log.get(mark as usize..).unwrap_or_default();
        written.iter().map(|key| (key, before(key))).collect()
    }

    /// Every key with its newest write, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<[u8]>, Option<&[u8]>)> {
        self.slots.iter().map(|(key, slot)| (key, slot.value.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contents(overlay: &Overlay) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        overlay.iter().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect()
    }

    proptest! {
        /// Going back gives what was there, and a mark shows what was there, whatever was written in between.
        #[test]
        fn marks_keep_the_past(
            before in proptest::collection::vec((0u8..6, proptest::option::of(0u8..9)), 0..20),
            after in proptest::collection::vec((0u8..6, proptest::option::of(0u8..9)), 0..20),
        ) {
            let mut overlay = Overlay::default();
            for (key, value) in before {
                overlay.write(&[key], value.map(|value| [value]).as_ref().map(<[u8; 1]>::as_slice));
            }
            let (mark, past, bytes) = (overlay.mark(), contents(&overlay), overlay.bytes());
            for (key, value) in after {
                overlay.write(&[key], value.map(|value| [value]).as_ref().map(<[u8; 1]>::as_slice));
            }
            let seen: Vec<_> = overlay
                .range((Bound::Unbounded, Bound::Unbounded), mark)
                .map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)))
                .collect();
            prop_assert_eq!(&seen, &past);
            overlay.undo(mark, |_| false);
            prop_assert_eq!(contents(&overlay), past);
            prop_assert_eq!(overlay.bytes(), bytes);
        }
    }

    #[test]
    fn a_key_written_again_and_again_takes_room_once() {
        let mut overlay = Overlay::default();
        for _ in 0..1000 {
            overlay.write(b"key", Some(b"value"));
        }
        assert_eq!((overlay.len(), overlay.bytes()), (1, size(b"key", Some(b"value"))));
    }

    #[test]
    fn a_reversed_range_is_empty() {
        let mut overlay = Overlay::default();
        overlay.write(b"b", Some(b""));
        let range = (Bound::Included(b"c".as_slice()), Bound::Excluded(b"a".as_slice()));
        assert_eq!(overlay.range(range, 1).count(), 0);
    }
}
