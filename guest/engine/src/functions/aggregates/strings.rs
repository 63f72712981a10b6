//! `string_agg`.

use super::aggregate;
use super::rows::{argument, try_each_valid};
use crate::error::{Error, Result};
use crate::functions::signature::*;
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::{Column, Value};

pub static FUNCTIONS: &[AggregateFunction] = &[
    aggregate("string_agg", &[TEXT, TEXT], TEXT, |_| join(false)),
    aggregate("string_agg", &[BYTEA, BYTEA], BYTEA, |_| join(true)),
];

struct Join {
    /// Joined so far; text is UTF-8.
    states: Vec<Option<Vec<u8>>>,
    bytes: bool,
}

fn join(bytes: bool) -> Box<dyn Accumulator> {
    Box::new(Join { states: vec![], bytes })
}

fn push(value: &Value, state: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Text(text) => state.extend_from_slice(text.as_bytes()),
        Value::Bytea(bytes) => state.extend_from_slice(bytes),
        Value::Null => {}
        _ => return Err(Error::internal("string_agg takes strings")),
    }
    Ok(())
}

impl Accumulator for Join {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, None);
    }

    /// The delimiter of a row goes before its value; the first one's is not used.
    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let (values, delimiters) = (argument(arguments, 0)?, argument(arguments, 1)?);
        try_each_valid(values, groups, rows, |group, row| match &mut self.states[group] {
            Some(state) => {
                push(&delimiters.value(row), state)?;
                push(&values.value(row), state)
            }
            state => push(&values.value(row), state.insert(vec![])),
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(match self.states[group].as_deref() {
            None => Value::Null,
            Some(state) if self.bytes => Value::Bytea(state.into()),
            Some(state) => {
                let text = std::str::from_utf8(state).map_err(|_| Error::internal("string_agg broke a character"))?;
                Value::text(text)
            }
        })
    }
}
