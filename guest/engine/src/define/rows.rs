//! A table's stored rows, for statements that check, index, rewrite or remove all of them.

use crate::catalog::Relation;
use crate::encode::key::{index_prefix, prefix_end};
use crate::encode::pairs::Pairs;
use crate::encode::row::RowDecoder;
use crate::encode::writes::WriteBuffer;
use crate::error::Result;
use crate::host::{Host, KeyRange, Transaction};
use crate::limits::READ_BATCH_BYTES;
use crate::modify::writer::{Row, TableWriter};
use crate::types::{Batch, Column, Value};
use std::rc::Rc;

/// Hands on a table's rows in the order of their keys, some at a time, beginning after a key. Stops when told `false`.
pub fn each_chunk(
    host: &dyn Host,
    relation: &Relation,
    after: Option<&[u8]>,
    receive: &mut dyn FnMut(Vec<Row>) -> Result<bool>,
) -> Result<()> {
    let positions: Vec<usize> = (0..relation.columns.len()).collect();
    let decoder = RowDecoder::new(relation, &positions)?;
    let prefix = index_prefix(relation.id, 0);
    let start = match after {
        Some(key) => [key, &[0]].concat(),
        None => prefix.to_vec(),
    };
    let range = KeyRange { start, end: prefix_end(&prefix), reverse: false, expected_rows: 0 };
    let cursor = host.scan(&range)?;
    loop {
        let batch = host.next_batch(cursor, READ_BATCH_BYTES)?;
        if batch.is_empty() {
            break;
        }
        let mut rows = vec![];
        for pair in Pairs::new(&batch) {
            let (key, value) = pair?;
            rows.push(Row { key: key.to_vec(), values: decoder.values(value)? });
        }
        if !receive(rows)? {
            break;
        }
    }
    host.close_cursor(cursor);
    Ok(())
}

/// Makes the commit fail with 40001 if another transaction writes to the table after our snapshot: for definitions
/// that hold only if no row has escaped them.
pub fn guard(host: &dyn Host, relation: &Relation) -> Result<()> {
    host.guard(&index_prefix(relation.id, 0))
}

/// Whether a table has more rows than this.
pub fn has_more_than(host: &dyn Host, relation: &Relation, count: usize) -> Result<bool> {
    prefix_has_more_than(host, &index_prefix(relation.id, 0), count)
}

/// Whether more keys than this start with a prefix.
pub fn prefix_has_more_than(host: &dyn Host, prefix: &[u8], count: usize) -> Result<bool> {
    let mut found = 0;
    let expected_rows = u32::try_from(count + 1).unwrap_or(0);
    let range = KeyRange { start: prefix.to_vec(), end: prefix_end(prefix), reverse: false, expected_rows };
    let cursor = host.scan(&range)?;
    while found <= count {
        let batch = host.next_batch(cursor, READ_BATCH_BYTES)?;
        if batch.is_empty() {
            break;
        }
        found += Pairs::new(&batch).count();
    }
    host.close_cursor(cursor);
    Ok(found > count)
}

/// The columns of rows, at the positions that they have in their table.
pub fn columns(relation: &Relation, rows: &[Row]) -> Batch {
    let column = |(position, column): (usize, &crate::catalog::TableColumn)| {
        Rc::new(Column::from_values(column.data_type, rows.iter().map(|row| &row.values[position])))
    };
    Batch { columns: relation.columns.iter().enumerate().map(column).collect(), rows: rows.len() }
}

/// Deletes keys that start with a prefix, about `most` of them. Answers how many.
pub fn delete_prefix(transaction: &dyn Transaction, prefix: &[u8], most: usize) -> Result<usize> {
    let range = KeyRange {
        start: prefix.to_vec(),
        end: prefix_end(prefix),
        reverse: false,
        expected_rows: u32::try_from(most).unwrap_or(0),
    };
    let cursor = transaction.scan(&range)?;
    let mut deleted = 0;
    let mut writes = WriteBuffer::new();
    while deleted < most {
        let batch = transaction.next_batch(cursor, READ_BATCH_BYTES)?;
        if batch.is_empty() {
            break;
        }
        for pair in Pairs::new(&batch) {
            writes.delete(pair?.0);
            deleted += 1;
        }
    }
    transaction.close_cursor(cursor);
    writes.flush(transaction)?;
    Ok(deleted)
}

/// Deletes a table's rows and index entries.
pub fn delete_all(transaction: &dyn Transaction, relation: &Relation) -> Result<()> {
    let indexes = relation.indexes.iter().filter(|index| !index.primary).map(|index| index.id);
    for index in std::iter::once(0).chain(indexes) {
        delete_prefix(transaction, &index_prefix(relation.id, index), usize::MAX)?;
    }
    Ok(())
}

/// New values for rows.
pub type Change<'a> = dyn FnMut(&[Row]) -> Result<Vec<Vec<Value>>> + 'a;

/// Writes every row of a table anew, in the form that `new` says, after `change`. Reports keys that are no longer
/// unique. For definitions that change keys or stored forms; the whole table is held in memory.
pub fn rewrite(writer: &mut TableWriter, old: &Relation, change: &mut Change) -> Result<()> {
    guard(writer.host, old)?;
    let keeps_ids = old.primary_key().is_none() && writer.relation.primary_key().is_none();
    let mut rewritten = vec![];
    each_chunk(writer.host, old, None, &mut |rows| {
        for (old_row, values) in rows.iter().zip(change(&rows)?) {
            let row = match keeps_ids {
                true => Row { key: old_row.key.clone(), values },
                false => writer.new_row(values)?,
            };
            rewritten.push(row);
        }
        Ok(true)
    })?;
    delete_all(writer.host, old)?;
    let mut holders = hashbrown::HashSet::new();
    for row in &rewritten {
        for unique in writer.unique_keys(row)? {
            if holders.contains(&unique.key) {
                return Err(super::index::build::duplicate(writer, unique.index, &row.values));
            }
            holders.insert(unique.key);
        }
        writer.insert(row)?;
    }
    writer.flush()
}
