//! Reads that do not wait for writes on their way. A read at a lease holder must see every entry that it has received;
//! what those entries do not write is the same before them, so it can be read at once. What they do write has to be
//! waited for: the transaction is told, and begins anew behind them.

use crate::error::Result;
use crate::journal::{BatchReader, RaftJournal};
use crate::packed::Writes;
use crate::transaction::is_catalog;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// More entries than this on their way are waited for.
const ENTRIES: u64 = 256;
/// More bytes of entries than this on their way are waited for; twice as many are remembered.
const BYTES: usize = 32 << 20;

/// The keys that one journal entry writes.
struct Keys {
    batch: Arc<Vec<u8>>,
    /// Where each key lies in the batch, in their order.
    places: Vec<Range<u32>>,
    writes_catalog: bool,
}

impl Keys {
    fn new(batch: Arc<Vec<u8>>) -> Result<Keys> {
        let (mut places, mut writes_catalog) = (Vec::new(), false);
        let base = batch.as_ptr() as usize;
        for commit in BatchReader(&batch) {
            for write in Writes(commit?.writes) {
                let (key, _) = write?;
                writes_catalog |= is_catalog(key);
                let start = (key.as_ptr() as usize - base) as u32;
                places.push(start..start + key.len() as u32);
            }
        }
        places.sort_unstable_by(|a, b| slice(&batch, a).cmp(slice(&batch, b)));
        Ok(Keys { batch, places, writes_catalog })
    }

    /// Place of the first key that is not before this one.
    fn first_from(&self, key: &[u8]) -> Option<&[u8]> {
        let place = self.places.partition_point(|place| slice(&self.batch, place) < key);
        self.places.get(place).map(|place| slice(&self.batch, place))
    }
}

fn slice<'a>(batch: &'a [u8], place: &Range<u32>) -> &'a [u8] {
    &batch[place.start as usize..place.end as usize]
}

/// What entries on their way write.
#[derive(Clone, Default)]
pub struct OnTheirWay(Vec<Arc<Keys>>);

impl OnTheirWay {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them writes this key.
    pub fn writes(&self, key: &[u8]) -> bool {
        self.0.iter().any(|keys| keys.first_from(key) == Some(key))
    }

    /// Whether one of them writes a key from `start` on and before `end`.
    pub fn writes_within(&self, start: &[u8], end: &[u8]) -> bool {
        self.0.iter().any(|keys| keys.first_from(start).is_some_and(|key| key < end))
    }
}

/// Keys of the newest entries, by index; with the batch they are of.
#[derive(Default)]
pub struct Remembered(Mutex<BTreeMap<u64, Arc<Keys>>>);

impl Remembered {
    fn keys(&self, index: u64, batch: Arc<Vec<u8>>) -> Result<Arc<Keys>> {
        if let Some(keys) = self.0.lock().get(&index)
            && Arc::ptr_eq(&keys.batch, &batch)
        {
            return Ok(keys.clone());
        }
        let keys = Arc::new(Keys::new(batch)?);
        let mut remembered = self.0.lock();
        remembered.insert(index, keys.clone());
        let mut bytes: usize = remembered.values().map(|keys| keys.batch.len()).sum();
        while bytes > 2 * BYTES
            && let Some((_, oldest)) = remembered.pop_first()
        {
            bytes -= oldest.batch.len();
        }
        Ok(keys)
    }

    /// What the entries after `visible`, up to `received`, write; none when it is simpler to wait for them.
    pub fn between(&self, journal: &RaftJournal, visible: u64, received: u64) -> Result<Option<OnTheirWay>> {
        if received - visible > ENTRIES {
            return Ok(None);
        }
        let batches = journal.batches(visible + 1, received + 1)?;
        let Some(batches) = batches else { return Ok(None) };
        if batches.iter().map(|(_, batch)| batch.len()).sum::<usize>() > BYTES {
            return Ok(None);
        }
        self.0.lock().retain(|index, _| *index > visible);
        let mut all = Vec::with_capacity(batches.len());
        for (index, batch) in batches {
            let keys = self.keys(index, batch)?;
            if keys.writes_catalog {
                return Ok(None);
            }
            all.push(keys);
        }
        Ok(Some(OnTheirWay(all)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::BatchBuilder;
    use crate::packed::push_write;
    use ulid::Ulid;

    fn on_their_way(commits: &[&[&[u8]]]) -> OnTheirWay {
        let mut builder = BatchBuilder::default();
        for (number, keys) in commits.iter().enumerate() {
            let mut writes = Vec::new();
            keys.iter().for_each(|key| push_write(&mut writes, key, Some(b"row")));
            builder.push(Ulid::from_parts(number as u64, 0), number as u64, &writes);
        }
        OnTheirWay(vec![Arc::new(Keys::new(Arc::new(builder.finish())).unwrap())])
    }

    #[test]
    fn keys_are_found_whichever_commit_writes_them() {
        let writes = on_their_way(&[&[b"\x01b", b"\x01m"], &[b"\x01a", b"\x01z"]]);
        for key in [b"\x01a", b"\x01b", b"\x01m", b"\x01z"] {
            assert!(writes.writes(key));
        }
        assert!(!writes.writes(b"\x01c") && !writes.writes(b"\x01") && !writes.writes(b"\x02"));
        assert!(writes.writes_within(b"\x01c", b"\x01n"));
        assert!(!writes.writes_within(b"\x01c", b"\x01m"), "the end is excluded");
        assert!(!writes.writes_within(b"\x02", b"\x03"));
    }

    #[test]
    fn a_changed_catalog_is_noticed() {
        assert!(on_their_way(&[&[b"\x00table"]]).0[0].writes_catalog);
        assert!(!on_their_way(&[&[b"\x01row"]]).0[0].writes_catalog);
    }
}
