//! pg_type, and what else is the same in every database: access methods, collations, operator classes, languages.

use super::classes::{BTREE, HEAP};
use super::columns::{collation, layout};
use super::{OWNER, Row, text};
use crate::catalog::PG_CATALOG;
use crate::error::Result;
use crate::functions::FunctionContext;
use crate::types::data_type::SCALAR_TYPES;
use crate::types::{DataType, Value};

pub fn types(_: &FunctionContext) -> Result<Vec<Row>> {
    let arrays = SCALAR_TYPES.iter().map(|scalar| scalar.array_of()).filter(|array| array.oid() != 0);
    Ok(SCALAR_TYPES.iter().copied().chain(arrays).map(type_row).collect())
}

fn type_row(data_type: DataType) -> Row {
    let element = data_type.element();
    let (by_value, align, storage) = layout(data_type);
    let is_pseudo = matches!(data_type, DataType::Unknown | DataType::Void | DataType::Record);
    let array = if element.is_some() { 0 } else { data_type.array_of().oid() };
    let mut row = vec![
        ("oid", Value::Oid(data_type.oid())),
        ("typname", text(data_type.internal_name())),
        ("typnamespace", Value::Oid(PG_CATALOG)),
        ("typowner", Value::Oid(OWNER)),
        ("typlen", Value::SmallInt(data_type.size())),
        ("typbyval", Value::Boolean(by_value)),
        ("typtype", text(if is_pseudo { "p" } else { "b" })),
        ("typcategory", text(category(data_type))),
        ("typispreferred", Value::Boolean(is_preferred(data_type))),
        ("typisdefined", Value::Boolean(true)),
        ("typdelim", text(",")),
        ("typrelid", Value::Oid(0)),
        ("typelem", Value::Oid(element.map_or(0, DataType::oid))),
        ("typarray", Value::Oid(array)),
        ("typalign", text(align)),
        ("typstorage", text(storage)),
        ("typnotnull", Value::Boolean(false)),
        ("typbasetype", Value::Oid(0)),
        ("typtypmod", Value::Integer(-1)),
        ("typndims", Value::Integer(0)),
        ("typcollation", Value::Oid(collation(data_type))),
    ];
    let functions = ["typsubscript", "typinput", "typoutput", "typreceive", "typsend", "typmodin", "typmodout"];
    row.extend(functions.map(|name| (name, Value::Oid(0))));
    row.push(("typanalyze", Value::Oid(0)));
    row
}

/// pg_type.typcategory
fn category(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "B",
        DataType::InternalChar => "Z",
        DataType::Text | DataType::Varchar | DataType::Char | DataType::Name => "S",
        DataType::Date | DataType::Time | DataType::TimeTz | DataType::Timestamp | DataType::Timestamptz => "D",
        DataType::Interval => "T",
        DataType::Unknown => "X",
        DataType::Void | DataType::Record => "P",
        DataType::Array(_) => "A",
        DataType::Bytea | DataType::Uuid | DataType::Json | DataType::Jsonb => "U",
        _ => "N",
    }
}

fn is_preferred(data_type: DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Text
            | DataType::Double
            | DataType::Oid
            | DataType::Timestamptz
            | DataType::Interval
    )
}

/// The default btree operator class of each type (pg_opclass.oid).
const OPERATOR_CLASSES: &[(u32, &str, DataType)] = &[
    (10003, "bool_ops", DataType::Boolean),
    (10004, "bpchar_ops", DataType::Char),
    (10006, "bytea_ops", DataType::Bytea),
    (10007, "char_ops", DataType::InternalChar),
    (3122, "date_ops", DataType::Date),
    (10012, "float4_ops", DataType::Real),
    (3123, "float8_ops", DataType::Double),
    (1979, "int2_ops", DataType::SmallInt),
    (1978, "int4_ops", DataType::Integer),
    (3124, "int8_ops", DataType::BigInt),
    (10022, "interval_ops", DataType::Interval),
    (10028, "name_ops", DataType::Name),
    (3125, "numeric_ops", DataType::Numeric),
    (1981, "oid_ops", DataType::Oid),
    (3126, "text_ops", DataType::Text),
    (10038, "time_ops", DataType::Time),
    (3127, "timestamptz_ops", DataType::Timestamptz),
    (10041, "timetz_ops", DataType::TimeTz),
    (3128, "timestamp_ops", DataType::Timestamp),
    (10065, "uuid_ops", DataType::Uuid),
];

pub fn operator_class(data_type: DataType) -> u32 {
    let data_type = if data_type == DataType::Varchar { DataType::Text } else { data_type };
    OPERATOR_CLASSES.iter().find(|(_, _, known)| *known == data_type).map_or(0, |(oid, ..)| *oid)
}

pub fn operator_classes(_: &FunctionContext) -> Result<Vec<Row>> {
    let row = |(oid, name, data_type): &(u32, &'static str, DataType)| {
        vec![
            ("oid", Value::Oid(*oid)),
            ("opcmethod", Value::Oid(BTREE)),
            ("opcname", text(name)),
            ("opcnamespace", Value::Oid(PG_CATALOG)),
            ("opcowner", Value::Oid(OWNER)),
            ("opcfamily", Value::Oid(0)),
            ("opcintype", Value::Oid(data_type.oid())),
            ("opcdefault", Value::Boolean(true)),
            ("opckeytype", Value::Oid(0)),
        ]
    };
    Ok(OPERATOR_CLASSES.iter().map(row).collect())
}

pub fn access_methods(_: &FunctionContext) -> Result<Vec<Row>> {
    let row = |(oid, name, kind): (u32, &str, &str)| {
        vec![("oid", Value::Oid(oid)), ("amname", text(name)), ("amhandler", Value::Oid(0)), ("amtype", text(kind))]
    };
    Ok([(HEAP, "heap", "t"), (BTREE, "btree", "i")].map(row).into())
}

pub fn collations(_: &FunctionContext) -> Result<Vec<Row>> {
    let row = |(oid, name, provider, locale): (u32, &str, &str, &str)| {
        let locale = if locale.is_empty() { Value::Null } else { text(locale) };
        vec![
            ("oid", Value::Oid(oid)),
            ("collname", text(name)),
            ("collnamespace", Value::Oid(PG_CATALOG)),
            ("collowner", Value::Oid(OWNER)),
            ("collprovider", text(provider)),
            ("collisdeterministic", Value::Boolean(true)),
            ("collencoding", Value::Integer(-1)),
            ("collcollate", locale.clone()),
            ("collctype", locale),
        ]
    };
    Ok([(100, "default", "d", ""), (950, "C", "c", "C"), (951, "POSIX", "c", "POSIX")].map(row).into())
}

pub fn languages(_: &FunctionContext) -> Result<Vec<Row>> {
    let row = |(oid, name, trusted): (u32, &str, bool)| {
        vec![
            ("oid", Value::Oid(oid)),
            ("lanname", text(name)),
            ("lanowner", Value::Oid(OWNER)),
            ("lanispl", Value::Boolean(false)),
            ("lanpltrusted", Value::Boolean(trusted)),
            ("lanplcallfoid", Value::Oid(0)),
            ("laninline", Value::Oid(0)),
            ("lanvalidator", Value::Oid(0)),
        ]
    };
    Ok([(12, "internal", false), (14, "sql", true), (super::routines::WASM, "wasm", true)].map(row).into())
}
