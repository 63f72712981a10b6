//! Secondary index entries.
//!
//! The key is the encoded columns, and the row's own key without its prefix (the suffix) unless the index is unique
//! and the entry takes part in uniqueness. The value is the suffix with its length (u16), and the indexed and included
//! columns in the row format: index-only scans answer exactly what the row holds.

use super::row::{self, RowDecoder};
use super::{corrupted, key};
use crate::catalog::{Index, Relation};
use crate::error::Result;
use crate::types::{ColumnBuilder, DataType, Value};

/// The key of a row in its table, `None` for tables without primary key: their rows get hidden ids.
pub fn row_key(relation: &Relation, values: &[Value]) -> Result<Option<Vec<u8>>> {
    let Some(index) = relation.primary_key() else { return Ok(None) };
    let mut row_key = key::index_prefix(relation.id, 0).to_vec();
    append_columns(&mut row_key, relation, index, values)?;
    key::check_length(&row_key)?;
    Ok(Some(row_key))
}

/// The part of an entry's key that two rows must not share, when the index is unique: its columns without suffix.
/// `None` when the row may stand beside any other (a NULL that is distinct from all others, or no unique index).
pub fn unique_key(relation: &Relation, index: &Index, values: &[Value]) -> Result<Option<Vec<u8>>> {
    let has_null = index.columns.iter().any(|column| values[column.column].is_null());
    if !index.unique || (has_null && !index.nulls_not_distinct) {
        return Ok(None);
    }
    let mut entry_key = key::index_prefix(relation.id, index.id).to_vec();
    append_columns(&mut entry_key, relation, index, values)?;
    key::check_length(&entry_key)?;
    Ok(Some(entry_key))
}

/// The key of a row's entry; `row_key` is the row's own key.
pub fn entry_key(relation: &Relation, index: &Index, values: &[Value], row_key: &[u8]) -> Result<Vec<u8>> {
    if let Some(key) = unique_key(relation, index, values)? {
        return Ok(key);
    }
    let mut entry_key = key::index_prefix(relation.id, index.id).to_vec();
    append_columns(&mut entry_key, relation, index, values)?;
    key::check_length(&entry_key)?;
    entry_key.extend_from_slice(&row_key[key::PREFIX_LENGTH..]);
    Ok(entry_key)
}

/// The value of a row's entry.
pub fn entry_value(relation: &Relation, index: &Index, values: &[Value], row_key: &[u8]) -> Result<Vec<u8>> {
    let suffix = &row_key[key::PREFIX_LENGTH..];
    let mut value = (suffix.len() as u16).to_le_bytes().to_vec();
    value.extend_from_slice(suffix);
    let carried = carried(index);
    let types: Vec<DataType> = carried.iter().map(|&position| relation.columns[position].data_type).collect();
    row::encode_columns(&types, carried.iter().map(|&position| &values[position]), &mut value)?;
    Ok(value)
}

/// Positions of the table's columns that entries carry, in the order they carry them.
pub fn carried(index: &Index) -> Vec<usize> {
    index.columns.iter().map(|column| column.column).chain(index.include.iter().copied()).collect()
}

/// The key of the row that an entry's value points to.
pub fn row_key_of_entry(table: u32, value: &[u8]) -> Result<Vec<u8>> {
    let (suffix, _) = split(value)?;
    let mut row_key = Vec::with_capacity(key::PREFIX_LENGTH + suffix.len());
    row_key.extend_from_slice(&key::index_prefix(table, 0));
    row_key.extend_from_slice(suffix);
    Ok(row_key)
}

/// Reads chosen columns from entries alone.
pub struct IndexDecoder {
    decoder: RowDecoder,
}

impl IndexDecoder {
    /// A decoder of the table columns at these positions, or none when entries do not carry all of them.
    pub fn new(relation: &Relation, index: &Index, positions: &[usize]) -> Option<IndexDecoder> {
        let carried = carried(index);
        let types: Vec<DataType> = carried.iter().map(|&position| relation.columns[position].data_type).collect();
        let place = |wanted: &usize| carried.iter().position(|position| position == wanted);
        let places = positions.iter().map(place).collect::<Option<Vec<_>>>()?;
        Some(IndexDecoder { decoder: RowDecoder::of_types(&types, &places) })
    }

    /// Appends an entry's wanted columns, one to each builder.
    pub fn decode(&self, value: &[u8], builders: &mut [ColumnBuilder]) -> Result<()> {
        self.decoder.decode(split(value)?.1, builders, |_| true)
    }
}

fn append_columns(out: &mut Vec<u8>, relation: &Relation, index: &Index, values: &[Value]) -> Result<()> {
    for column in &index.columns {
        let data_type = relation.columns[column.column].data_type;
        key::append(out, &values[column.column], data_type, column.descending, column.nulls_first)?;
    }
    Ok(())
}

/// The row key's suffix, and the carried columns.
fn split(value: &[u8]) -> Result<(&[u8], &[u8])> {
    let split = value.split_first_chunk::<2>();
    split
        .and_then(|(length, rest)| rest.split_at_checked(usize::from(u16::from_le_bytes(*length))))
        .ok_or_else(|| corrupted("an index entry ends early"))
}
