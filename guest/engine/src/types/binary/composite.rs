//! Arrays and rows: values with their lengths, and of what type they are.

use super::reader::Reader;
use super::{invalid, natural_type, read_nested, write};
use crate::error::{Error, Result, sqlstate};
use crate::types::array::MAX_DIMENSIONS;
use crate::types::value::Array;
use crate::types::{DataType, Value};
use std::rc::Rc;

/// Most columns of a row, as in PostgreSQL.
const FIELDS_MAX: usize = 1664;

pub fn write_array(array: &Array, out: &mut Vec<u8>) {
    let has_nulls = array.values.iter().any(Value::is_null);
    out.extend_from_slice(&(array.dimensions.len() as i32).to_be_bytes());
    out.extend_from_slice(&i32::from(has_nulls).to_be_bytes());
    out.extend_from_slice(&array.element_type.oid().to_be_bytes());
    for (length, lower) in &array.dimensions {
        out.extend_from_slice(&(*length as i32).to_be_bytes());
        out.extend_from_slice(&lower.to_be_bytes());
    }
    for value in &array.values {
        write_field(value, array.element_type, out);
    }
}

pub fn write_record(values: &[Value], out: &mut Vec<u8>) {
    write_fields(values.iter().map(|value| (value, natural_type(value))), out);
}

pub fn write_fields<'v>(fields: impl ExactSizeIterator<Item = (&'v Value, DataType)>, out: &mut Vec<u8>) {
    out.extend_from_slice(&(fields.len() as i32).to_be_bytes());
    for (value, data_type) in fields {
        out.extend_from_slice(&data_type.oid().to_be_bytes());
        write_field(value, data_type, out);
    }
}

/// A length, which is -1 for NULL, and the value.
fn write_field(value: &Value, data_type: DataType, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&(-1i32).to_be_bytes());
    if !value.is_null() {
        write(value, data_type, out);
        let length = (out.len() - start - 4) as i32;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

pub fn read_array(reader: &mut Reader, element: DataType, depth: usize) -> Result<Value> {
    let count = reader.i32()?;
    let dimension_count =
        usize::try_from(count).map_err(|_| invalid(format!("invalid number of dimensions: {count}")))?;
    if dimension_count > MAX_DIMENSIONS {
        let message =
            format!("number of array dimensions ({dimension_count}) exceeds the maximum allowed ({MAX_DIMENSIONS})");
        return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, message));
    }
    if !matches!(reader.i32()?, 0 | 1) {
        return Err(invalid("invalid array flags"));
    }
    let given = reader.u32()?;
    if given != element.oid() {
        let given_name = DataType::from_oid(given).map_or("???".into(), DataType::name);
        let message = format!(
            "binary data has array element type {given} ({given_name}) instead of expected {} ({})",
            element.oid(),
            element.name()
        );
        return Err(Error::new(sqlstate::DATATYPE_MISMATCH, message));
    }
    let mut dimensions = vec![];
    let mut total = 1usize;
    for _ in 0..dimension_count {
        let (length, lower) = (reader.i32()?, reader.i32()?);
        let too_large = || Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed");
        let size = usize::try_from(length).map_err(|_| too_large())?;
        if lower.checked_add(length).is_none() {
            return Err(Error::new(
                sqlstate::PROGRAM_LIMIT_EXCEEDED,
                format!("array lower bound is too large: {lower}"),
            ));
        }
        total = total.checked_mul(size).ok_or_else(too_large)?;
        dimensions.push((size, lower));
    }
    if dimensions.is_empty() || total == 0 {
        return Ok(Value::Array(Rc::new(Array::from_values(element, vec![]))));
    }
    // Every element has a length of four bytes.
    let mut values = Vec::with_capacity(total.min(reader.len() / 4));
    for _ in 0..total {
        values.push(read_field(reader, element, depth)?);
    }
    Ok(Value::Array(Rc::new(Array { element_type: element, dimensions, values })))
}

pub fn read_record(reader: &mut Reader, depth: usize) -> Result<Value> {
    let given = reader.i32()?;
    let count = usize::try_from(given).ok().filter(|count| *count <= FIELDS_MAX);
    let count = count.ok_or_else(|| invalid(format!("wrong number of columns: {given}")))?;
    let mut values = vec![];
    for _ in 0..count {
        let oid = reader.u32()?;
        let data_type = DataType::from_oid(oid)
            .ok_or_else(|| Error::not_supported(format!("a field of the type with OID {oid}")))?;
        values.push(read_field(reader, data_type, depth)?);
    }
    Ok(Value::Record(values.into()))
}

fn read_field(reader: &mut Reader, data_type: DataType, depth: usize) -> Result<Value> {
    match reader.field()? {
        Some(bytes) => read_nested(bytes, data_type, depth + 1),
        None => Ok(Value::Null),
    }
}
