//! Keys of the catalog's own records: space 0, a number per kind of record in the table id's place, index id 0.

/// The space of the catalog's keys.
pub const CATALOG_SPACE: u8 = 0;

const SCHEMAS: u32 = 1;
const RELATIONS: u32 = 2;
const NAMES: u32 = 3;
const COMMENTS: u32 = 4;
const NEXT_OID: u32 = 5;
const STATISTICS: u32 = 6;
const PROCEDURES: u32 = 7;
const PROCEDURE_LIMITS: u32 = 8;

/// Stand for schemas in names: those of procedures, of their routines and of their components are spaces of their own.
const PROCEDURE_NAMES: u32 = 1;
const ROUTINE_NAMES: u32 = 2;
const COMPONENT_NAMES: u32 = 3;

fn key(kind: u32) -> Vec<u8> {
    let mut key = vec![CATALOG_SPACE];
    key.extend_from_slice(&kind.to_be_bytes());
    key.extend_from_slice(&[0; 4]);
    key
}

fn numbered(kind: u32, id: u32) -> Vec<u8> {
    let mut key = key(kind);
    key.extend_from_slice(&id.to_be_bytes());
    key
}

/// The record of a schema.
pub fn schema(id: u32) -> Vec<u8> {
    numbered(SCHEMAS, id)
}

/// The record of a relation with its indexes. Statements that write to a table guard it.
pub fn relation(id: u32) -> Vec<u8> {
    numbered(RELATIONS, id)
}

/// Who has a name in a schema (0 for the names of schemas): transactions that take the same name conflict here.
pub fn name(schema_id: u32, name: &str) -> Vec<u8> {
    let mut key = numbered(NAMES, schema_id);
    key.extend_from_slice(name.as_bytes());
    key
}

/// A comment on an object (column 0) or on a column of a relation.
pub fn comment(oid: u32, column: u32) -> Vec<u8> {
    let mut key = numbered(COMMENTS, oid);
    key.extend_from_slice(&column.to_be_bytes());
    key
}

/// The next oid to give out.
pub fn next_oid() -> Vec<u8> {
    key(NEXT_OID)
}

/// What is known of a table's values. Nobody guards it: new statistics get in no writer's way.
pub fn statistics(id: u32) -> Vec<u8> {
    numbered(STATISTICS, id)
}

/// The record of a procedure with its versions.
pub fn procedure(id: u32) -> Vec<u8> {
    numbered(PROCEDURES, id)
}

/// The limits of procedures that have none of their own.
pub fn procedure_limits() -> Vec<u8> {
    key(PROCEDURE_LIMITS)
}

/// Who has a procedure's name.
pub fn procedure_name(procedure: &str) -> Vec<u8> {
    name(PROCEDURE_NAMES, procedure)
}

/// Who has a routine's name.
pub fn routine_name(routine: &str) -> Vec<u8> {
    name(ROUTINE_NAMES, routine)
}

/// Whether some procedure uses a component.
pub fn component_name(digest: &[u8; 32]) -> Vec<u8> {
    let mut key = numbered(NAMES, COMPONENT_NAMES);
    key.extend_from_slice(digest);
    key
}

/// What a catalog key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    Schema(u32),
    Relation(u32),
    Name,
    Comment { oid: u32, column: u32 },
    NextOid,
    Statistics(u32),
    Procedure(u32),
    ProcedureLimits,
}

/// Reads a key of the catalog's space; none when it is not one of ours.
pub fn parse(key: &[u8]) -> Option<Record> {
    let number = |at: usize| Some(u32::from_be_bytes(key.get(at..at + 4)?.try_into().ok()?));
    if key.first() != Some(&CATALOG_SPACE) || number(5)? != 0 {
        return None;
    }
    match number(1)? {
        SCHEMAS => Some(Record::Schema(number(9)?)),
        RELATIONS => Some(Record::Relation(number(9)?)),
        NAMES => Some(Record::Name),
        COMMENTS => Some(Record::Comment { oid: number(9)?, column: number(13)? }),
        NEXT_OID => Some(Record::NextOid),
        STATISTICS => Some(Record::Statistics(number(9)?)),
        PROCEDURES => Some(Record::Procedure(number(9)?)),
        PROCEDURE_LIMITS => Some(Record::ProcedureLimits),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_records() {
        assert_eq!(parse(&schema(7)), Some(Record::Schema(7)));
        assert_eq!(parse(&relation(16384)), Some(Record::Relation(16384)));
        assert_eq!(parse(&name(2200, "t")), Some(Record::Name));
        assert_eq!(parse(&comment(16384, 2)), Some(Record::Comment { oid: 16384, column: 2 }));
        assert_eq!(parse(&next_oid()), Some(Record::NextOid));
        assert_eq!(parse(&statistics(16384)), Some(Record::Statistics(16384)));
        assert_eq!(parse(&procedure(16384)), Some(Record::Procedure(16384)));
        assert_eq!(parse(&procedure_limits()), Some(Record::ProcedureLimits));
        assert_eq!(parse(&procedure_name("ledger")), Some(Record::Name));
        assert_eq!(parse(&routine_name("transfer")), Some(Record::Name));
    }

    #[test]
    fn other_bytes_are_nothing() {
        for bytes in [
            &[][..],
            &[0],
            &[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7],
            &relation(7)[..11],
            &[0, 0, 0, 0, 255, 0, 0, 0, 0],
        ] {
            assert_eq!(parse(bytes), None);
        }
    }
}
