//! The whole store as a stream of chunks, for a replica that has fallen too far behind, and back.
//!
//! A chunk is a table's number and packed pairs of it, in order.

use super::{APPLIED, Applied, COUNTS, META, Store, TABLES, decode_applied, failed};
use crate::error::{Error, Result};
use crate::packed::{Pieces, push_pair};
use redb::{Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable};
use std::sync::Arc;

/// Bytes of a chunk, about.
const CHUNK: usize = 1 << 20;

type Bytes = &'static [u8];

/// A whole store on its way from one node to another.
pub type Chunks = Box<dyn Iterator<Item = Result<Vec<u8>>> + Send>;

/// One state of the store, read chunk after chunk. It pins the state's pages while it lives.
pub struct SnapshotReader {
    transaction: Arc<ReadTransaction>,
    pub applied: Applied,
    table: usize,
    range: Option<redb::Range<'static, Bytes, Bytes>>,
}

impl Store {
    /// The newest applied state.
    pub fn snapshot(&self) -> Result<SnapshotReader> {
        let transaction = Arc::new(self.database()?.begin_read().map_err(failed)?);
        let meta: ReadOnlyTable<Bytes, Bytes> = transaction.open_table(META).map_err(failed)?;
        let applied = match meta.get(APPLIED).map_err(failed)? {
            Some(applied) => decode_applied(applied.value())?,
            None => Applied::default(),
        };
        Ok(SnapshotReader { transaction, applied, table: 0, range: None })
    }

    /// Replaces everything by a snapshot's chunks, durably or not at all, and answers what is applied now.
    pub fn install(&self, chunks: Chunks, journal: &[u8]) -> Result<Applied> {
        let mut transaction = self.database()?.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        for table in TABLES {
            transaction.delete_table(table).map_err(failed)?;
            transaction.open_table(table).map_err(failed)?;
        }
        let mut counts = self.counts.lock();
        let mut new_counts = std::collections::HashMap::new();
        for chunk in chunks {
            let chunk = chunk?;
            let Some((number, pairs)) = chunk.split_first() else {
                return Err(Error::corrupted("an empty snapshot chunk"));
            };
            let Some(definition) = TABLES.get(*number as usize) else {
                return Err(Error::corrupted(format!("table {number} in a snapshot")));
            };
            let mut table = transaction.open_table(*definition).map_err(failed)?;
            let mut pieces = Pieces(pairs);
            while let Some(key) = pieces.next() {
                let (key, value) = (key?, pieces.next().unwrap_or(Err(Error::malformed("snapshot")))?);
                table.insert(key, value).map_err(failed)?;
                if *number as usize == COUNTS_NUMBER
                    && let (Ok(prefix), Ok(count)) = (key.try_into(), value.try_into())
                {
                    new_counts.insert(prefix, u64::from_le_bytes(count));
                }
            }
        }
        let mut applied = {
            let meta = transaction.open_table(META).map_err(failed)?;
            let applied = meta.get(APPLIED).map_err(failed)?;
            applied.map(|applied| decode_applied(applied.value())).transpose()?.unwrap_or_default()
        };
        applied.journal = journal.to_vec();
        {
            let mut meta = transaction.open_table(META).map_err(failed)?;
            let bytes = postcard::to_allocvec(&applied).map_err(|error| Error::unavailable(error.to_string()))?;
            meta.insert(APPLIED, bytes.as_slice()).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        *counts = new_counts;
        drop(counts);
        self.advance_view(applied.timestamp);
        self.segments.clear(applied.timestamp);
        Ok(applied)
    }
}

/// Place of `COUNTS` among `TABLES`.
pub(super) const COUNTS_NUMBER: usize = 5;

impl Iterator for SnapshotReader {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_chunk().transpose()
    }
}

impl SnapshotReader {
    /// The same state again, from its first chunk.
    pub fn again(&self) -> SnapshotReader {
        SnapshotReader { transaction: self.transaction.clone(), applied: self.applied.clone(), table: 0, range: None }
    }

    fn next_chunk(&mut self) -> Result<Option<Vec<u8>>> {
        debug_assert_eq!(redb::TableHandle::name(&TABLES[COUNTS_NUMBER]), redb::TableHandle::name(&COUNTS));
        while let Some(definition) = TABLES.get(self.table) {
            let mut chunk = vec![self.table as u8];
            let range = match &mut self.range {
                Some(range) => range,
                none => {
                    let table: ReadOnlyTable<Bytes, Bytes> =
                        self.transaction.open_table(*definition).map_err(failed)?;
                    none.insert(table.range::<&[u8]>(..).map_err(failed)?)
                }
            };
            while chunk.len() < CHUNK {
                let Some(entry) = range.next() else { break };
                let (key, value) = entry.map_err(failed)?;
                push_pair(&mut chunk, key.value(), value.value());
            }
            if chunk.len() > 1 {
                return Ok(Some(chunk));
            }
            self.table += 1;
            self.range = None;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Limits;
    use crate::store::Place;
    use redb::backends::InMemoryBackend;
    use ulid::Ulid;

    fn store() -> Store {
        Store::open(Place::Backend(Box::new(InMemoryBackend::new())), &Limits::default()).unwrap().0
    }

    fn commit(store: &Store, timestamp: u64, writes: &[(&[u8], Option<&[u8]>)]) {
        let mut write = store.begin_write().unwrap();
        write
            .tables()
            .unwrap()
            .commit(Ulid::from_parts(timestamp, 0), timestamp, writes.iter().map(|write| Ok(*write)))
            .unwrap();
        write.finish(&Applied { index: timestamp, timestamp, ..Applied::default() }).unwrap();
    }

    fn read(store: &Store, key: &[u8], snapshot: u64) -> Option<Vec<u8>> {
        let mut value = None;
        store.view().unwrap().get(key, snapshot, &mut |found| value = Some(found.to_vec())).unwrap();
        value
    }

    #[test]
    fn a_store_comes_back_from_its_chunks() {
        let (key, prefix) = (b"\x01table-idkey", b"\x01table-id");
        let long = vec![7; 3 << 20];
        let (from, to) = (store(), store());
        commit(&from, 1, &[(key, Some(b"first")), (b"\x01table-idlong", Some(&long))]);
        commit(&from, 2, &[(key, Some(b"second"))]);
        commit(&to, 9, &[(b"\x01table-idother", Some(b"goes"))]);

        let chunks: Chunks = Box::new(from.snapshot().unwrap());
        let applied = to.install(chunks, b"state").unwrap();
        assert_eq!((applied.index, applied.timestamp, applied.journal.as_slice()), (2, 2, &b"state"[..]));
        for snapshot in [1, 2] {
            assert_eq!(read(&to, key, snapshot), read(&from, key, snapshot));
        }
        assert_eq!(read(&to, b"\x01table-idlong", 2), Some(long));
        assert_eq!(read(&to, b"\x01table-idother", 9), None);
        assert_eq!(to.view().unwrap().outcome(Ulid::from_parts(2, 0)).unwrap(), Some(2));
        assert_eq!(to.estimate_count(prefix), 2);
    }

    #[test]
    fn a_broken_chunk_changes_nothing() {
        let store = store();
        commit(&store, 1, &[(b"key", Some(b"value"))]);
        for chunk in [vec![], vec![99], vec![0, 5, 0, 0, 0, 1]] {
            assert!(store.install(Box::new([Ok(chunk)].into_iter()), b"").is_err());
            assert_eq!(read(&store, b"key", 1).as_deref(), Some(&b"value"[..]));
        }
    }
}
