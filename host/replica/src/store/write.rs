//! One write transaction of the store: what a journal entry changes.

use super::encoding::{Header, history_key, split_version, superseded_key};
use super::{
    APPLIED, Applied, COUNTS, HISTORY, IndexPrefix, LATEST, META, OUTCOME_ORDER, OUTCOMES, SUPERSEDED, Store, failed,
    index_prefix,
};
use crate::error::{Error, Result};
use crate::packed::push_piece;
use redb::{Durability, ReadableTable, Table, WriteTransaction};
use std::collections::HashMap;
use ulid::Ulid;

/// Bytes of `superseded` written under one key.
const CHUNK: usize = 64 << 10;

type Bytes = &'static [u8];

/// Not durable by itself: `Store::flush` is.
pub struct StoreWrite<'a> {
    store: &'a Store,
    transaction: WriteTransaction,
    counts: HashMap<IndexPrefix, i64>,
}

impl Store {
    pub fn begin_write(&self) -> Result<StoreWrite<'_>> {
        let mut transaction = self.database()?.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::None).map_err(failed)?;
        Ok(StoreWrite { store: self, transaction, counts: HashMap::new() })
    }
}

impl StoreWrite<'_> {
    /// Opens the tables that commits are written to, once for all of them: opening one costs as much as several rows.
    pub fn tables(&mut self) -> Result<Tables<'_>> {
        let StoreWrite { transaction, counts, .. } = self;
        let open = |table| transaction.open_table(table).map_err(failed);
        Ok(Tables {
            latest: open(LATEST)?,
            history: open(HISTORY)?,
            superseded: open(SUPERSEDED)?,
            outcomes: open(OUTCOMES)?,
            outcome_order: open(OUTCOME_ORDER)?,
            counts,
        })
    }

    /// Ends the transaction: from here on readers find its commits in new views.
    pub fn finish(self, applied: &Applied) -> Result<()> {
        {
            let mut meta = self.transaction.open_table(META).map_err(failed)?;
            let bytes = postcard::to_allocvec(applied).map_err(|error| Error::unavailable(error.to_string()))?;
            meta.insert(APPLIED, bytes.as_slice()).map_err(failed)?;
        }
        let mut counts = self.store.counts.lock();
        if !self.counts.is_empty() {
            let mut table = self.transaction.open_table(COUNTS).map_err(failed)?;
            for (prefix, change) in &self.counts {
                let count = counts.get(prefix).copied().unwrap_or(0).saturating_add_signed(*change);
                table.insert(prefix.as_slice(), count.to_le_bytes().as_slice()).map_err(failed)?;
            }
        }
        self.transaction.commit().map_err(failed)?;
        for (prefix, change) in self.counts {
            let count = counts.entry(prefix).or_default();
            *count = count.saturating_add_signed(change);
        }
        drop(counts);
        self.store.advance_view(applied.timestamp);
        Ok(())
    }
}

/// The tables of a write transaction, ready for any number of commits.
pub struct Tables<'t> {
    latest: Table<'t, Bytes, Bytes>,
    history: Table<'t, Bytes, Bytes>,
    superseded: Table<'t, Bytes, Bytes>,
    outcomes: Table<'t, Bytes, Bytes>,
    outcome_order: Table<'t, Bytes, Bytes>,
    counts: &'t mut HashMap<IndexPrefix, i64>,
}

impl Tables<'_> {
    /// Writes one commit.
    pub fn commit<'w>(
        &mut self,
        id: Ulid,
        timestamp: u64,
        writes: impl Iterator<Item = Result<crate::packed::Write<'w>>>,
    ) -> Result<()> {
        let Tables { latest, history, superseded, outcomes, outcome_order, counts } = self;
        let mut superseded = Superseded { timestamp, chunk: 0, pending: Vec::new(), history, superseded };
        let mut version = Vec::new();
        for write in writes {
            let (key, value) = write?;
            let header = Header { timestamp, tombstone: value.is_none() };
            version.clear();
            version.extend_from_slice(&header.encode());
            version.extend_from_slice(value.unwrap_or_default());
            let was_live = match value {
                Some(_) => {
                    let old = latest.insert(key, version.as_slice()).map_err(failed)?;
                    old.map(|old| superseded.keep(key, old.value(), false)).transpose()?
                }
                None => {
                    let live = match latest.get(key).map_err(failed)? {
                        Some(old) => !split_version(old.value())?.0.tombstone,
                        None => false,
                    };
                    // Deleting what is not there leaves no trace.
                    if live {
                        let old = latest.insert(key, version.as_slice()).map_err(failed)?;
                        old.map(|old| superseded.keep(key, old.value(), true)).transpose()?
                    } else {
                        None
                    }
                }
            };
            let change = value.is_some() as i64 - was_live.unwrap_or(false) as i64;
            if change != 0
                && let Some(prefix) = index_prefix(key)
            {
                *counts.entry(prefix).or_default() += change;
            }
        }
        superseded.finish()?;
        let (id, timestamp) = (id.to_bytes(), timestamp.to_be_bytes());
        outcomes.insert(id.as_slice(), timestamp.as_slice()).map_err(failed)?;
        outcome_order.insert(timestamp.as_slice(), id.as_slice()).map_err(failed)?;
        Ok(())
    }
}

/// Where one commit's replaced versions go.
struct Superseded<'a, 't> {
    timestamp: u64,
    chunk: u32,
    pending: Vec<u8>,
    history: &'a mut Table<'t, Bytes, Bytes>,
    superseded: &'a mut Table<'t, Bytes, Bytes>,
}

impl Superseded<'_, '_> {
    /// Keeps an old version for older snapshots; answers whether it was a row. `deleted`: a tombstone replaces it.
    fn keep(&mut self, key: &[u8], old: &[u8], deleted: bool) -> Result<bool> {
        let (header, _) = split_version(old)?;
        self.history.insert(history_key(key, header.timestamp).as_slice(), old).map_err(failed)?;
        self.pending.push(deleted as u8);
        self.pending.extend_from_slice(&header.timestamp.to_be_bytes());
        push_piece(&mut self.pending, key);
        if self.pending.len() >= CHUNK {
            self.finish()?;
        }
        Ok(!header.tombstone)
    }

    fn finish(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            let key = superseded_key(self.timestamp, self.chunk);
            self.superseded.insert(key.as_slice(), self.pending.as_slice()).map_err(failed)?;
            self.chunk += 1;
            self.pending.clear();
        }
        Ok(())
    }
}
