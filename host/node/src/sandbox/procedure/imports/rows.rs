//! The rows of a procedure's statement: held as the engine packed them, and unpacked batch by batch.

use std::collections::VecDeque;

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::procedure::bindings::isobar::procedure::types::{
    Date, Interval, Json, Numeric, Other, Time, Timestamp, Timestamptz, Uuid, Value,
};
use crate::sandbox::procedure::imports::types::{oid, type_name};
use crate::sandbox::procedure::value::{
    Misfit, Packed, days_from_postgres, fixed, interval_parts, microseconds_from_postgres, numeric_text, text,
};
use crate::sandbox::{Column, Event};

/// Bytes that one batch may be packed in, but for its first row: a guest that asks for all rows gets some.
const BATCH_BYTES: usize = 1 << 20;

/// What a procedure holds as the resource `rows`.
#[derive(Debug, Default)]
pub struct Rows {
    columns: Vec<Column>,
    batches: VecDeque<(Vec<u8>, u32)>,
    /// How far the first batch is read.
    position: usize,
    /// Bytes of all batches when they were taken.
    pub bytes: usize,
}

impl Rows {
    /// The rows among a statement's results.
    pub fn new(events: Vec<Event>) -> Rows {
        let mut rows = Rows::default();
        for event in events {
            match event {
                Event::Columns(columns) => rows.columns = columns,
                Event::Rows { batch, count } => {
                    rows.bytes += batch.len();
                    rows.batches.push_back((batch, count));
                }
                Event::Notice(_) => {}
            }
        }
        rows
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The next rows, at most so many; empty at the end.
    pub fn next(&mut self, most: u32) -> Result<Vec<Vec<Value>>> {
        let mut rows = Vec::new();
        let mut bytes = 0;
        while rows.len() < most as usize && bytes < BATCH_BYTES {
            let Some((batch, count)) = self.batches.front_mut() else { break };
            if *count == 0 {
                self.batches.pop_front();
                self.position = 0;
                continue;
            }
            let mut packed = Packed(&batch[self.position..]);
            let before = packed.0.len();
            let mut row = Vec::with_capacity(self.columns.len());
            for column in &self.columns {
                let value = packed.value().and_then(|bytes| value(column.type_oid, bytes));
                row.push(value.map_err(|misfit| {
                    Error::new(misfit.sqlstate, format!("column \"{}\": {}", column.name, misfit.why))
                })?);
            }
            let taken = before - packed.0.len();
            self.position += taken;
            bytes += taken;
            *count -= 1;
            rows.push(row);
        }
        Ok(rows)
    }
}

/// A value in binary form.
fn value(type_oid: u32, bytes: Option<&[u8]>) -> Result<Value, Misfit> {
    let Some(bytes) = bytes else { return Ok(Value::Null) };
    Ok(match type_oid {
        oid::BOOL => Value::Boolean(fixed::<1>(bytes)? != [0]),
        oid::INT2 => Value::Smallint(i16::from_be_bytes(fixed(bytes)?)),
        oid::INT4 => Value::Integer(i32::from_be_bytes(fixed(bytes)?)),
        oid::INT8 => Value::Bigint(i64::from_be_bytes(fixed(bytes)?)),
        oid::OID => Value::Bigint(u32::from_be_bytes(fixed(bytes)?).into()),
        oid::FLOAT4 => Value::Real(f32::from_be_bytes(fixed(bytes)?)),
        oid::FLOAT8 => Value::Double(f64::from_be_bytes(fixed(bytes)?)),
        oid::NUMERIC => Value::Numeric(Numeric { text: numeric_text(bytes)? }),
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::UNKNOWN | oid::VOID => {
            Value::Text(owned_text(bytes)?)
        }
        oid::BYTEA => Value::Bytea(bytes.to_vec()),
        oid::JSON => Value::Json(Json { text: owned_text(bytes)? }),
        oid::JSONB => match bytes {
            [1, json @ ..] => Value::Json(Json { text: owned_text(json)? }),
            _ => return Err(Misfit::malformed("jsonb")),
        },
        oid::DATE => Value::Date(Date { days: days_from_postgres(fixed(bytes)?)? }),
        oid::TIME => Value::Time(Time { microseconds: i64::from_be_bytes(fixed(bytes)?) }),
        oid::TIMESTAMP => Value::Timestamp(Timestamp { microseconds: microseconds_from_postgres(fixed(bytes)?)? }),
        oid::TIMESTAMPTZ => {
            Value::Timestamptz(Timestamptz { microseconds: microseconds_from_postgres(fixed(bytes)?)? })
        }
        oid::INTERVAL => {
            let (microseconds, days, months) = interval_parts(bytes)?;
            Value::Interval(Interval { months, days, microseconds })
        }
        oid::UUID => {
            let bits = u128::from_be_bytes(fixed(bytes)?);
            Value::Uuid(Uuid { high: (bits >> 64) as u64, low: bits as u64 })
        }
        other => match text::shown(other, bytes)? {
            Some(text) => Value::Other(Other { type_name: type_name(other), text }),
            None => {
                return Err(Misfit::new(
                    sqlstate::FEATURE_NOT_SUPPORTED,
                    format!("values of {} cannot be handed to a procedure; cast them to text", type_name(other)),
                ));
            }
        },
    })
}

fn owned_text(bytes: &[u8]) -> Result<String, Misfit> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Misfit::malformed("text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_oid: u32) -> Column {
        let (type_size, type_modifier, table_oid, column_number) = (-1, -1, 0, 0);
        Column { name: name.into(), type_oid, type_size, type_modifier, table_oid, column_number }
    }

    #[test]
    fn rows_come_in_batches_of_the_size_that_is_asked_for() {
        let row = |id: i32| [&4i32.to_be_bytes()[..], &id.to_be_bytes(), &(-1i32).to_be_bytes()].concat();
        let batch = |ids: &[i32]| Event::Rows {
            batch: ids.iter().flat_map(|id| row(*id)).collect(),
            count: u32::try_from(ids.len()).expect("few"),
        };
        let columns = Event::Columns(vec![column("id", oid::INT4), column("name", oid::TEXT)]);
        let mut rows = Rows::new(vec![columns, batch(&[1, 2, 3]), batch(&[4])]);
        let mut shown = Vec::new();
        loop {
            let batch = rows.next(2).expect("rows");
            if batch.is_empty() {
                break;
            }
            shown.push(batch.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>());
        }
        let row = |id| format!("[Value::Integer({id}), Value::Null]");
        assert_eq!(shown, [vec![row(1), row(2)], vec![row(3), row(4)]]);
    }

    #[test]
    fn types_without_a_case_are_other_or_refused() {
        let array = [1i32, 0, 23, 1, 1, 4, 7].iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        let Ok(Value::Other(other)) = value(1007, Some(&array)) else { panic!("an array") };
        assert_eq!((other.type_name.as_str(), other.text.as_str()), ("integer[]", "{7}"));
        let misfit = value(600, Some(&[0; 16])).expect_err("a point");
        assert_eq!(misfit.sqlstate, "0A000");
    }
}
