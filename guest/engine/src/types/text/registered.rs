//! oid, and its aliases for objects by name: regclass, regtype, regproc, regnamespace (PostgreSQL 15, section 8.19).
//!
//! Types are the same in every database, so their names are known here. The other names are in the catalog.

use super::integer;
use crate::error::{Error, Result, sqlstate};
use crate::types::DataType;
use crate::types::data_type::SCALAR_TYPES;

/// Reads an object's number, or the name of a type. Other names fail with 0A000.
pub fn parse(text: &str, data_type: DataType) -> Result<u32> {
    if data_type == DataType::Oid {
        return integer::parse_oid(text);
    }
    if text == "-" {
        return Ok(0);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return integer::parse_oid(text);
    }
    match data_type {
        DataType::Regtype => type_named(text)
            .map(DataType::oid)
            .ok_or_else(|| Error::new(sqlstate::UNDEFINED_OBJECT, format!("type \"{}\" does not exist", text.trim()))),
        _ => Err(Error::not_supported(format!("finding a {} by its name", data_type.name()))),
    }
}

/// The type that SQL or pg_type calls by this name, perhaps an array.
pub fn type_named(name: &str) -> Option<DataType> {
    let name = name.trim().to_ascii_lowercase();
    let name = name.strip_prefix("pg_catalog.").unwrap_or(&name);
    if let Some(element) = name.strip_suffix("[]") {
        return type_named(element).map(DataType::array_of);
    }
    let spelled_otherwise = match name {
        "int" => Some(DataType::Integer),
        "float" => Some(DataType::Double),
        "decimal" | "dec" => Some(DataType::Numeric),
        "\"char\"" => Some(DataType::InternalChar),
        "char" => Some(DataType::Char),
        "timestamp" => Some(DataType::Timestamp),
        "time" => Some(DataType::Time),
        _ => None,
    };
    spelled_otherwise.or_else(|| {
        SCALAR_TYPES.iter().copied().find_map(|scalar| {
            let (standard, internal) = scalar.scalar_names();
            if internal == name || standard == name {
                Some(scalar)
            } else if name.strip_prefix('_') == Some(internal) {
                Some(scalar.array_of())
            } else {
                None
            }
        })
    })
}

/// Prints a type by its name, anything else by its number.
pub fn print(oid: u32, data_type: DataType, out: &mut String) {
    match data_type {
        DataType::Oid => integer::print(i64::from(oid), out),
        _ if oid == 0 => out.push('-'),
        DataType::Regtype => match DataType::from_oid(oid) {
            Some(named) => out.push_str(&named.name()),
            None => integer::print(i64::from(oid), out),
        },
        _ => integer::print(i64::from(oid), out),
    }
}
