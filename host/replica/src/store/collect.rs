//! Garbage collection: what no snapshot can ask for any more, a bounded step at a time, in commit order.

use super::encoding::{HEADER, history_key, leading_timestamp, split_version};
use super::{HISTORY, LATEST, OUTCOME_ORDER, OUTCOMES, SUPERSEDED, Store, failed};
use crate::error::{Error, Result};
use crate::packed::Pieces;
use redb::{Durability, ReadableTable, WriteTransaction};

/// What one step has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    pub versions: u64,
    pub outcomes: u64,
    /// The step was full: there may be more.
    pub more: bool,
}

impl Store {
    /// Collects up to about `step` versions superseded at or before `horizon`, and as many outcomes from before
    /// `outcome_horizon`. Every open snapshot is at `horizon` or after it.
    pub fn collect(&self, horizon: u64, outcome_horizon: u64, step: usize) -> Result<Collected> {
        if !self.has_garbage(horizon, outcome_horizon)? {
            return Ok(Collected::default());
        }
        let mut transaction = self.database()?.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::None).map_err(failed)?;
        let (versions, more_versions) = collect_versions(&transaction, horizon, step)?;
        let (outcomes, more_outcomes) = collect_outcomes(&transaction, outcome_horizon, step)?;
        transaction.commit().map_err(failed)?;
        self.forget_view();
        Ok(Collected { versions, outcomes, more: more_versions || more_outcomes })
    }

    fn has_garbage(&self, horizon: u64, outcome_horizon: u64) -> Result<bool> {
        use redb::ReadableDatabase;
        let transaction = self.database()?.begin_read().map_err(failed)?;
        for (table, horizon) in [(SUPERSEDED, horizon), (OUTCOME_ORDER, outcome_horizon)] {
            let table = transaction.open_table(table).map_err(failed)?;
            if let Some((key, _)) = table.first().map_err(failed)?
                && leading_timestamp(key.value())? <= horizon
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn collect_versions(transaction: &WriteTransaction, horizon: u64, step: usize) -> Result<(u64, bool)> {
    let mut superseded = transaction.open_table(SUPERSEDED).map_err(failed)?;
    let mut history = transaction.open_table(HISTORY).map_err(failed)?;
    let mut latest = transaction.open_table(LATEST).map_err(failed)?;
    let mut count = 0;
    while count < step as u64 {
        let Some((chunk_key, chunk)) = first(&superseded)? else {
            return Ok((count, false));
        };
        let timestamp = leading_timestamp(&chunk_key)?;
        if timestamp > horizon {
            return Ok((count, false));
        }
        let mut rest = chunk.as_slice();
        while let Some((deleted, after)) = rest.split_first() {
            let Some((old, after)) = after.split_first_chunk::<8>() else {
                return Err(Error::corrupted("a list of superseded versions is cut short"));
            };
            let mut pieces = Pieces(after);
            let Some(Ok(key)) = pieces.next() else {
                return Err(Error::corrupted("a list of superseded versions is cut short"));
            };
            rest = pieces.0;
            history.remove(history_key(key, u64::from_be_bytes(*old)).as_slice()).map_err(failed)?;
            if *deleted == 1 {
                remove_tombstone(&mut latest, key, timestamp)?;
            }
            count += 1;
        }
        superseded.remove(chunk_key.as_slice()).map_err(failed)?;
    }
    Ok((count, true))
}

type Table<'a> = redb::Table<'a, &'static [u8], &'static [u8]>;

fn first(table: &Table<'_>) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let entry = table.first().map_err(failed)?;
    Ok(entry.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
}

/// Removes a key whose newest version is still the tombstone of `timestamp`.
fn remove_tombstone(latest: &mut Table<'_>, key: &[u8], timestamp: u64) -> Result<()> {
    let stale = match latest.get(key).map_err(failed)? {
        Some(version) => {
            let version = version.value();
            let (header, _) = split_version(version)?;
            version.len() == HEADER && header.tombstone && header.timestamp == timestamp
        }
        None => false,
    };
    if stale {
        latest.remove(key).map_err(failed)?;
    }
    Ok(())
}

fn collect_outcomes(transaction: &WriteTransaction, horizon: u64, step: usize) -> Result<(u64, bool)> {
    let mut order = transaction.open_table(OUTCOME_ORDER).map_err(failed)?;
    let mut outcomes = transaction.open_table(OUTCOMES).map_err(failed)?;
    for count in 0..step as u64 {
        let Some((timestamp, id)) = first(&order)? else {
            return Ok((count, false));
        };
        if leading_timestamp(&timestamp)? > horizon {
            return Ok((count, false));
        }
        order.remove(timestamp.as_slice()).map_err(failed)?;
        outcomes.remove(id.as_slice()).map_err(failed)?;
    }
    Ok((step as u64, true))
}
