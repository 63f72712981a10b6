//! Filling an index with the entries of rows that are there already.
//!
//! Beside writers it goes by steps, each a transaction: the index is first committed as Building, so that whoever
//! writes from then on maintains it or does not commit; then the rows that were there get their entries, some per
//! step; then it becomes public. How far it has come is kept in the store, beside the entries.

use super::super::follow_up::FollowUp;
use super::super::{DefineContext, rows};
use crate::catalog::{Catalog, Index, IndexState, Relation, store};
use crate::encode::key::index_prefix;
use crate::encode::{index as entry, writes::WriteBuffer};
use crate::error::{Error, Result, sqlstate};
use crate::functions::{FunctionContext, Settings};
use crate::host::Host;
use crate::limits::BACKFILL_ROWS;
use crate::modify::unique::key_description;
use crate::modify::writer::{Row, TableWriter};
use crate::types::Value;
use hashbrown::HashMap;

/// Fills an index within the running transaction.
pub fn in_place(context: &DefineContext, relation: &Relation, position: usize) -> Result<()> {
    rows::guard(context.host, relation)?;
    let functions = context.functions();
    let writer = TableWriter::new(context.host, &functions, relation)?;
    let mut seen = HashMap::new();
    rows::each_chunk(context.host, relation, None, &mut |rows| {
        add_entries(&writer, &relation.indexes[position], &rows, &mut seen)?;
        Ok(true)
    })
}

/// The next step of a build that goes on beside writers. Answers the steps after it.
pub fn step(host: &dyn Host, catalog: &Catalog, settings: &Settings, table: u32, index: u32) -> Result<Vec<String>> {
    let Some(relation) = catalog.relation_by_id(table) else { return Ok(vec![]) };
    let Some(position) = relation.indexes.iter().position(|known| known.id == index) else { return Ok(vec![]) };
    if relation.indexes[position].state != IndexState::Building {
        return Ok(vec![]);
    }
    let functions = FunctionContext { environment: host, authorization: host, settings, catalog };
    let writer = TableWriter::new(host, &functions, &relation)?;
    let progress = progress_key(table, index);
    let after = host.get(&progress)?;
    let mut seen = HashMap::new();
    let mut last: Option<Vec<u8>> = None;
    let mut count = 0;
    let filled = rows::each_chunk(host, &relation, after.as_deref(), &mut |rows| {
        add_entries(&writer, &relation.indexes[position], &rows, &mut seen)?;
        count += rows.len();
        last = rows.last().map(|row| row.key.clone()).or_else(|| last.take());
        Ok(count < BACKFILL_ROWS)
    });
    match filled {
        Ok(()) => {}
        // Nothing of this step is kept but the index's end.
        Err(error) if error.sqlstate() == sqlstate::UNIQUE_VIOLATION => {
            let mut changed = (*relation).clone();
            changed.indexes.remove(position);
            store::put_relation(host, Some(&relation), &changed)?;
            let detail = error.0.detail.clone().unwrap_or_default();
            let message = error.0.message.clone();
            return Ok(vec![FollowUp::FailIndex { table, index, message, detail }.to_string()]);
        }
        Err(error) => return Err(error),
    }
    let mut writes = WriteBuffer::new();
    if count >= BACKFILL_ROWS
        && let Some(last) = last
    {
        writes.put(&progress, &last);
        writes.flush(host)?;
        return Ok(vec![FollowUp::BuildIndex { table, index }.to_string()]);
    }
    writes.delete(&progress);
    writes.flush(host)?;
    let mut changed = (*relation).clone();
    changed.indexes[position].state = IndexState::Public;
    store::put_relation(host, Some(&relation), &changed)?;
    Ok(vec![])
}

/// Where a build keeps the key of the last row it has been at: an index id that no index gets.
pub fn progress_key(table: u32, index: u32) -> Vec<u8> {
    [&index_prefix(table, u32::MAX)[..], &index.to_be_bytes()].concat()
}

/// Writes the entries of rows. `seen` has the unique keys of this transaction's rows with their holders.
fn add_entries(writer: &TableWriter, index: &Index, rows: &[Row], seen: &mut HashMap<Vec<u8>, Vec<u8>>) -> Result<()> {
    let relation = writer.relation;
    let mut writes = WriteBuffer::new();
    let mut unique = vec![];
    for row in rows {
        writes.put(
            &entry::entry_key(relation, index, &row.values, &row.key)?,
            &entry::entry_value(relation, index, &row.values, &row.key)?,
        );
        if let Some(key) = entry::unique_key(relation, index, &row.values)? {
            unique.push((key, row));
        }
    }
    let held = writer.host.get_many(&unique.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>())?;
    for ((key, row), held) in unique.into_iter().zip(held) {
        let stored = held.map(|value| entry::row_key_of_entry(relation.id, &value)).transpose()?;
        let is_other = |holder: &Vec<u8>| *holder != row.key;
        if stored.as_ref().is_some_and(is_other) || seen.get(&key).is_some_and(is_other) {
            return Err(duplicate(writer, index, &row.values));
        }
        seen.insert(key, row.key.clone());
    }
    writes.flush(writer.host)
}

/// 23505 for rows that a unique index cannot hold both.
pub fn duplicate(writer: &TableWriter, index: &Index, values: &[Value]) -> Error {
    let mut error = Error::new(sqlstate::UNIQUE_VIOLATION, format!("could not create unique index \"{}\"", index.name))
        .detail(format!("Key {} is duplicated.", key_description(writer, index, values)));
    error.0.table_name = Some(writer.relation.name.clone());
    error.0.constraint_name = Some(index.name.clone());
    error
}
