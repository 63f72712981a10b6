//! Parameters on their way in: from packed bytes to values.

use crate::encode::data_row::{self, Cut, Fields};
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use crate::statement::{Format, Request};
use crate::types::{DataType, Value, binary, text};

/// Reads as many of a request's parameters as there are types.
pub fn parse(request: &Request, types: &[DataType], context: &FunctionContext) -> Result<Vec<Value>> {
    let fields = unpack(&request.parameters)?;
    if fields.len() != types.len() {
        let message = format!("the statement needs {} parameters, but {} were given", types.len(), fields.len());
        return Err(Error::new(sqlstate::PROTOCOL_VIOLATION, message));
    }
    let parse = |(field, data_type): (Option<&[u8]>, &DataType)| match (field, request.format) {
        (None, _) => Ok(Value::Null),
        (Some(field), Format::Binary) => binary::read(field, *data_type),
        (Some(field), Format::Text) => {
            let message = "invalid byte sequence for encoding \"UTF8\" in a parameter";
            let field =
                std::str::from_utf8(field).map_err(|_| Error::new(sqlstate::CHARACTER_NOT_IN_REPERTOIRE, message))?;
            text::parse(field, *data_type, -1, context)
        }
    };
    fields.into_iter().zip(types).map(parse).collect()
}

fn unpack(packed: &[u8]) -> Result<Vec<Option<&[u8]>>> {
    let mut fields = vec![];
    let mut rest = Fields(packed);
    while !rest.is_empty() {
        let cut = |_: Cut| Error::new(sqlstate::PROTOCOL_VIOLATION, "the parameters end early");
        fields.push(rest.take().map_err(cut)?);
    }
    Ok(fields)
}

/// Packs parameters in text form as a request carries them.
pub fn pack<'a>(fields: impl IntoIterator<Item = Option<&'a str>>) -> Vec<u8> {
    let mut packed = vec![];
    fields.into_iter().for_each(|field| data_row::push(&mut packed, field.map(str::as_bytes)));
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::functions::Settings;
    use crate::memory::MemoryStore;

    fn parsed(parameters: Vec<u8>, format: Format, types: &[DataType]) -> Result<Vec<Value>> {
        let host = MemoryStore::new().begin();
        let (settings, catalog) = (Settings::default(), Catalog::default());
        let context =
            FunctionContext { environment: &host, authorization: &host, settings: &settings, catalog: &catalog };
        parse(&Request { parameters, format, ..Default::default() }, types, &context)
    }

    #[test]
    fn what_is_packed_unpacks() {
        let packed = pack([Some("1"), None, Some(""), Some("é")]);
        let values = parsed(packed, Format::Text, &[DataType::Integer, DataType::Text, DataType::Text, DataType::Text]);
        let [Value::Integer(1), Value::Null, Value::Text(empty), Value::Text(letter)] = &values.unwrap()[..] else {
            panic!("an integer, nothing, and two texts");
        };
        assert_eq!((&**empty, &**letter), ("", "é"));
    }

    #[test]
    fn broken_parameters_are_refused() {
        for (packed, format, sqlstate) in [
            (&[0, 0][..], Format::Text, "08P01"),
            (&[0, 0, 0, 2, b'x'], Format::Text, "08P01"),
            (&[0, 0, 0, 1, 255], Format::Text, "22021"),
            (&[0, 0, 0, 1, 255], Format::Binary, "22021"),
        ] {
            let error = parsed(packed.into(), format, &[DataType::Text]).unwrap_err();
            assert_eq!(error.sqlstate(), sqlstate);
        }
        let error = parsed(vec![0, 0, 0, 5, 0, 0, 0, 1, 0], Format::Binary, &[DataType::Integer]).unwrap_err();
        assert_eq!(error.sqlstate(), "22P03");
    }
}
