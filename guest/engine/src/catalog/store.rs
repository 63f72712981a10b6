//! The catalog's records: reading them all, and writing single ones.
//!
//! A record is one byte of format version and its postcard form. Schemas and relations of version 1 have no owner: what
//! was made then belongs to the user whom everybody was.

use super::keys::{self, Record};
use super::procedure::Procedure;
use super::statistics::TableStatistics;
use super::{Catalog, DEFAULT_USER, FIRST_USER_OID, Relation, Schema};
use crate::encode::pairs::Pairs;
use crate::encode::writes::WriteBuffer;
use crate::error::{Error, Result, sqlstate};
use crate::host::{KeyRange, ProcedureLimits, Transaction};
use serde::{Serialize, de::DeserializeOwned};
use std::rc::Rc;

const FORMAT_VERSION: u8 = 1;
/// Of records that end with their owner.
const OWNED_VERSION: u8 = 2;

/// Bytes asked of a cursor at a time.
const READ_BYTES: u32 = 1 << 20;

impl Catalog {
    /// Reads the whole catalog, as the transaction sees it.
    pub fn load(transaction: &dyn Transaction) -> Result<Catalog> {
        let version = transaction.catalog_version();
        let mut schemas: Vec<Schema> = vec![];
        let mut relations: Vec<Relation> = vec![];
        let mut comments = vec![];
        let mut statistics: Vec<(u32, TableStatistics)> = vec![];
        let mut procedures: Vec<Procedure> = vec![];
        let mut procedure_limits = ProcedureLimits::default();
        let range = KeyRange {
            start: vec![keys::CATALOG_SPACE],
            end: vec![keys::CATALOG_SPACE + 1],
            reverse: false,
            expected_rows: 0,
        };
        let cursor = transaction.scan(&range)?;
        loop {
            let batch = transaction.next_batch(cursor, READ_BYTES)?;
            if batch.is_empty() {
                break;
            }
            for pair in Pairs::new(&batch) {
                let (key, value) = pair?;
                match keys::parse(key) {
                    Some(Record::Schema(_)) => schemas.push(decode_owned(value)?),
                    Some(Record::Relation(_)) => relations.push(decode_owned(value)?),
                    Some(Record::Comment { oid, column }) => comments.push(((oid, column), decode(value)?)),
                    Some(Record::Statistics(id)) => statistics.push((id, decode(value)?)),
                    Some(Record::Procedure(_)) => procedures.push(decode(value)?),
                    Some(Record::ProcedureLimits) => procedure_limits = decode(value)?,
                    Some(Record::Name | Record::NextOid) | None => {}
                }
            }
        }
        transaction.close_cursor(cursor);
        let mut catalog = Catalog::new(schemas, relations);
        catalog.version = version;
        catalog.set_procedures(procedures, procedure_limits);
        catalog.comments.extend(comments);
        catalog.statistics.extend(statistics.into_iter().map(|(id, statistics)| (id, Rc::new(statistics))));
        Ok(catalog)
    }
}

/// Takes the next free oids of this transaction's view. Transactions that create objects at the same time conflict.
pub fn allocate_oids(transaction: &dyn Transaction, count: u32) -> Result<u32> {
    let key = keys::next_oid();
    let first = match transaction.get(&key)? {
        Some(value) => decode(&value)?,
        None => FIRST_USER_OID,
    };
    let next = first
        .checked_add(count)
        .ok_or_else(|| Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "there are no object identifiers left"))?;
    let mut writes = WriteBuffer::new();
    writes.put(&key, &encode(&next)?);
    writes.flush(transaction)?;
    Ok(first)
}

/// Writes a relation and its names; `previous` is what the catalog has of it, whose other names are given back.
pub fn put_relation(transaction: &dyn Transaction, previous: Option<&Relation>, relation: &Relation) -> Result<()> {
    let mut writes = WriteBuffer::new();
    let names = names(relation);
    for name in previous.map(self::names).unwrap_or_default() {
        if !names.contains(&name) {
            writes.delete(&name);
        }
    }
    let earlier = previous.map(self::names).unwrap_or_default();
    for name in names {
        if !earlier.contains(&name) {
            writes.put(&name, &encode(&relation.id)?);
        }
    }
    writes.put(&keys::relation(relation.id), &encode_version(relation, OWNED_VERSION)?);
    writes.flush(transaction)
}

/// Removes a relation, its names and its comments from the catalog; its rows stay.
pub fn delete_relation(transaction: &dyn Transaction, catalog: &Catalog, relation: &Relation) -> Result<()> {
    let mut writes = WriteBuffer::new();
    for name in names(relation) {
        writes.delete(&name);
    }
    let is_its = |oid: u32| oid == relation.id || relation.indexes.iter().any(|index| index.oid == oid);
    for &(oid, column) in catalog.comments.keys().filter(|(oid, _)| is_its(*oid)) {
        writes.delete(&keys::comment(oid, column));
    }
    writes.delete(&keys::relation(relation.id));
    if catalog.statistics(relation.id).is_some() {
        writes.delete(&keys::statistics(relation.id));
    }
    writes.flush(transaction)
}

pub fn put_schema(transaction: &dyn Transaction, schema: &Schema) -> Result<()> {
    let mut writes = WriteBuffer::new();
    writes.put(&keys::name(0, &schema.name), &encode(&schema.id)?);
    writes.put(&keys::schema(schema.id), &encode_version(schema, OWNED_VERSION)?);
    writes.flush(transaction)
}

pub fn delete_schema(transaction: &dyn Transaction, schema: &Schema) -> Result<()> {
    let mut writes = WriteBuffer::new();
    writes.delete(&keys::name(0, &schema.name));
    writes.delete(&keys::comment(schema.id, 0));
    writes.delete(&keys::schema(schema.id));
    writes.flush(transaction)
}

/// COMMENT ON; none removes it.
pub fn put_comment(transaction: &dyn Transaction, oid: u32, column: u32, comment: Option<&str>) -> Result<()> {
    let mut writes = WriteBuffer::new();
    let key = keys::comment(oid, column);
    match comment {
        Some(comment) => writes.put(&key, &encode(&comment)?),
        None => writes.delete(&key),
    }
    writes.flush(transaction)
}

/// ANALYZE
pub fn put_statistics(transaction: &dyn Transaction, table: u32, statistics: &TableStatistics) -> Result<()> {
    let mut writes = WriteBuffer::new();
    writes.put(&keys::statistics(table), &encode(statistics)?);
    writes.flush(transaction)
}

/// Writes a procedure, and the names that it and its active version's routines have; `previous` is what the catalog has
/// of it, whose other names are given back.
pub fn put_procedure(transaction: &dyn Transaction, previous: Option<&Procedure>, procedure: &Procedure) -> Result<()> {
    let mut writes = WriteBuffer::new();
    let earlier = previous.map(procedure_names).unwrap_or_default();
    let names = procedure_names(procedure);
    for name in &earlier {
        if !names.contains(name) {
            writes.delete(name);
        }
    }
    for name in &names {
        if !earlier.contains(name) {
            writes.put(name, &encode(&procedure.id)?);
        }
    }
    writes.put(&keys::procedure(procedure.id), &encode(procedure)?);
    writes.flush(transaction)
}

/// Removes a procedure, its names and its comments from the catalog.
pub fn delete_procedure(transaction: &dyn Transaction, procedure: &Procedure) -> Result<()> {
    let mut writes = WriteBuffer::new();
    procedure_names(procedure).iter().for_each(|name| writes.delete(name));
    writes.delete(&keys::comment(procedure.id, 0));
    let routines = procedure.versions.iter().flat_map(|version| &version.routines);
    let oids: std::collections::BTreeSet<u32> = routines.map(|routine| routine.oid).collect();
    oids.into_iter().for_each(|oid| writes.delete(&keys::comment(oid, 0)));
    writes.delete(&keys::procedure(procedure.id));
    writes.flush(transaction)
}

fn procedure_names(procedure: &Procedure) -> Vec<Vec<u8>> {
    let routines = procedure.active_version().into_iter().flat_map(|version| &version.routines);
    let names = routines.map(|routine| keys::routine_name(&routine.name));
    std::iter::once(keys::procedure_name(&procedure.name)).chain(names).collect()
}

/// ALTER SYSTEM: the limits of procedures that have none of their own.
pub fn put_procedure_limits(transaction: &dyn Transaction, limits: &ProcedureLimits) -> Result<()> {
    let mut writes = WriteBuffer::new();
    writes.put(&keys::procedure_limits(), &encode(limits)?);
    writes.flush(transaction)
}

/// The name records of a relation and its indexes, which share one namespace.
fn names(relation: &Relation) -> Vec<Vec<u8>> {
    let indexes = relation.indexes.iter().map(|index| keys::name(relation.schema_id, &index.name));
    std::iter::once(keys::name(relation.schema_id, &relation.name)).chain(indexes).collect()
}

fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>> {
    encode_version(record, FORMAT_VERSION)
}

fn encode_version<T: Serialize>(record: &T, version: u8) -> Result<Vec<u8>> {
    postcard::to_extend(record, vec![version])
        .map_err(|error| Error::internal(format!("cannot write a catalog record: {error}")))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&FORMAT_VERSION, record)) => postcard::from_bytes(record).map_err(|error| corrupted(error.to_string())),
        Some((version, _)) => Err(corrupted(format!("its format version is {version}"))),
        None => Err(corrupted("it is empty")),
    }
}

/// A record that ends with its owner, or one of version 1, which ends before.
fn decode_owned<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let record = match bytes.split_first() {
        Some((&OWNED_VERSION, record)) => postcard::from_bytes(record),
        Some((&FORMAT_VERSION, record)) => {
            let owner = postcard::to_stdvec(DEFAULT_USER).map_err(|error| corrupted(error.to_string()))?;
            postcard::from_bytes(&[record, &owner].concat())
        }
        _ => return decode(bytes),
    };
    record.map_err(|error| corrupted(error.to_string()))
}

fn corrupted(reason: impl std::fmt::Display) -> Error {
    Error::new(sqlstate::DATA_CORRUPTED, format!("a catalog record is damaged: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_without_an_owner_are_the_first_users() {
        let schema = Schema { id: 16384, name: "s".into(), owner: "ann".into() };
        let record = encode_version(&schema, OWNED_VERSION).unwrap();
        assert_eq!(decode_owned::<Schema>(&record).unwrap(), schema);
        let mut old = record[..record.len() - "ann".len() - 1].to_vec();
        old[0] = FORMAT_VERSION;
        assert_eq!(decode_owned::<Schema>(&old).unwrap(), Schema { owner: "isobar".into(), ..schema });
        assert!(decode_owned::<Schema>(&record[..3]).is_err() && decode_owned::<Schema>(&[9, 0]).is_err());
    }
}
