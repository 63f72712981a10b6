//! Parameters on their way in: from packed text to values.

use crate::error::{Error, Result};
use crate::functions::FunctionContext;
use crate::types::{DataType, Value, text};

/// 08P01, protocol violation: what a host packed wrongly.
const PROTOCOL_VIOLATION: &str = "08P01";

/// Reads as many parameters as there are types.
pub fn parse(packed: &[u8], types: &[DataType], context: &FunctionContext) -> Result<Vec<Value>> {
    let fields = unpack(packed)?;
    if fields.len() != types.len() {
        let message = format!("the statement needs {} parameters, but {} were given", types.len(), fields.len());
        return Err(Error::new(PROTOCOL_VIOLATION, message));
    }
    let parse = |(field, data_type): (Option<&str>, &DataType)| match field {
        Some(field) => text::parse(field, *data_type, -1, context),
        None => Ok(Value::Null),
    };
    fields.into_iter().zip(types).map(parse).collect()
}

fn unpack(packed: &[u8]) -> Result<Vec<Option<&str>>> {
    let broken = || Error::new(PROTOCOL_VIOLATION, "the parameters end early");
    let mut fields = vec![];
    let mut rest = packed;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
        rest = after;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            fields.push(None);
            continue;
        };
        let (field, after) = rest.split_at_checked(length).ok_or_else(broken)?;
        rest = after;
        let field = std::str::from_utf8(field)
            .map_err(|_| Error::new("22021", "invalid byte sequence for encoding \"UTF8\" in a parameter"))?;
        fields.push(Some(field));
    }
    Ok(fields)
}

/// Packs parameters as a request carries them.
pub fn pack<'a>(fields: impl IntoIterator<Item = Option<&'a str>>) -> Vec<u8> {
    let mut packed = vec![];
    for field in fields {
        match field {
            Some(field) => {
                packed.extend_from_slice(&(field.len() as i32).to_be_bytes());
                packed.extend_from_slice(field.as_bytes());
            }
            None => packed.extend_from_slice(&(-1i32).to_be_bytes()),
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks() {
        let fields = [Some("1"), None, Some(""), Some("é")];
        assert_eq!(unpack(&pack(fields)).unwrap(), fields);
    }

    #[test]
    fn broken_parameters_are_refused() {
        for (packed, sqlstate) in
            [(&[0, 0][..], "08P01"), (&[0, 0, 0, 2, b'x'], "08P01"), (&[0, 0, 0, 1, 255], "22021")]
        {
            assert_eq!(unpack(packed).unwrap_err().sqlstate(), sqlstate);
        }
    }
}
