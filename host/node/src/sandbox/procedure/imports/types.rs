//! PostgreSQL's types as a procedure sees them in results: which case of `value` each has, and its name.

/// pg_type.oid of types that statements answer.
pub mod oid {
    pub const BOOL: u32 = 16;
    pub const BYTEA: u32 = 17;
    pub const CHAR: u32 = 18;
    pub const NAME: u32 = 19;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const OID: u32 = 26;
    pub const JSON: u32 = 114;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const UNKNOWN: u32 = 705;
    pub const BPCHAR: u32 = 1042;
    pub const VARCHAR: u32 = 1043;
    pub const DATE: u32 = 1082;
    pub const TIME: u32 = 1083;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const INTERVAL: u32 = 1186;
    pub const NUMERIC: u32 = 1700;
    pub const REGCLASS: u32 = 2205;
    pub const VOID: u32 = 2278;
    pub const UUID: u32 = 2950;
    pub const JSONB: u32 = 3802;
}

/// Types and their arrays' OIDs, with their names.
const TYPES: [(u32, u32, &str); 26] = [
    (oid::BOOL, 1000, "boolean"),
    (oid::BYTEA, 1001, "bytea"),
    (oid::CHAR, 1002, "\"char\""),
    (oid::NAME, 1003, "name"),
    (oid::INT8, 1016, "bigint"),
    (oid::INT2, 1005, "smallint"),
    (oid::INT4, 1007, "integer"),
    (oid::TEXT, 1009, "text"),
    (oid::OID, 1028, "oid"),
    (oid::JSON, 199, "json"),
    (oid::FLOAT4, 1021, "real"),
    (oid::FLOAT8, 1022, "double precision"),
    (oid::UNKNOWN, 0, "unknown"),
    (oid::BPCHAR, 1014, "character"),
    (oid::VARCHAR, 1015, "character varying"),
    (oid::DATE, 1182, "date"),
    (oid::TIME, 1183, "time without time zone"),
    (oid::TIMESTAMP, 1115, "timestamp without time zone"),
    (oid::TIMESTAMPTZ, 1185, "timestamp with time zone"),
    (oid::INTERVAL, 1187, "interval"),
    (oid::NUMERIC, 1231, "numeric"),
    (oid::VOID, 0, "void"),
    (oid::UUID, 2951, "uuid"),
    (oid::JSONB, 3807, "jsonb"),
    (2249, 2287, "record"),
    (oid::REGCLASS, 2210, "regclass"),
];

/// As PostgreSQL's format_type says it.
pub fn type_name(type_oid: u32) -> String {
    TYPES
        .iter()
        .find_map(|(own, array, name)| match type_oid {
            0 => None,
            found if found == *own => Some((*name).to_owned()),
            found if found == *array => Some(format!("{name}[]")),
            _ => None,
        })
        .unwrap_or_else(|| format!("type {type_oid}"))
}

/// The type of an array's elements.
pub fn element_of(array_oid: u32) -> Option<u32> {
    TYPES.iter().find(|(_, array, _)| *array == array_oid && array_oid != 0).map(|(own, ..)| *own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_of_postgresql() {
        for (type_oid, name) in [(23, "integer"), (1007, "integer[]"), (701, "double precision"), (0, "type 0")] {
            assert_eq!(type_name(type_oid), name);
        }
        assert_eq!((element_of(1016), element_of(20), element_of(0)), (Some(20), None, None));
    }
}
