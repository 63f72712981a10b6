//! `array_agg`.

use super::aggregate;
use super::rows::{argument, each_value};
use crate::error::{Error, Result, sqlstate};
use crate::functions::signature::*;
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::value::Array;
use crate::types::{Column, DataType, Value};
use std::rc::Rc;

pub static FUNCTIONS: &[AggregateFunction] = &[
    aggregate("array_agg", &[ANY_NON_ARRAY], ANY_ARRAY, elements),
    aggregate("array_agg", &[ANY_ARRAY], ANY_ARRAY, arrays),
];

struct Elements {
    states: Vec<Option<Vec<Value>>>,
    element_type: DataType,
}

fn elements(types: &[DataType]) -> Box<dyn Accumulator> {
    Box::new(Elements { states: vec![], element_type: types.first().copied().unwrap_or(DataType::Text) })
}

impl Accumulator for Elements {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, None);
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        each_value(argument(arguments, 0)?, groups, rows, |group, value| {
            self.states[group].get_or_insert_default().push(value);
            Ok(())
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(match self.states[group].clone() {
            None => Value::Null,
            Some(values) => Value::Array(Rc::new(Array::from_values(self.element_type, values))),
        })
    }
}

/// Arrays become the elements of one with a dimension more.
struct Arrays {
    states: Vec<Option<Array>>,
}

fn arrays(_: &[DataType]) -> Box<dyn Accumulator> {
    Box::new(Arrays { states: vec![] })
}

impl Accumulator for Arrays {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, None);
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        each_value(argument(arguments, 0)?, groups, rows, |group, value| {
            let Value::Array(array) = value else {
                return Err(Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays"));
            };
            if array.dimensions.is_empty() {
                return Err(Error::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays"));
            }
            match &mut self.states[group] {
                Some(state) if state.dimensions[1..] == array.dimensions => {
                    state.dimensions[0].0 += 1;
                    state.values.extend_from_slice(&array.values);
                    Ok(())
                }
                Some(_) => Err(Error::new(
                    sqlstate::ARRAY_SUBSCRIPT_ERROR,
                    "cannot accumulate arrays of different dimensionality",
                )),
                state => {
                    let mut first = array.as_ref().clone();
                    first.dimensions.insert(0, (1, 1));
                    *state = Some(first);
                    Ok(())
                }
            }
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.states[group].clone().map_or(Value::Null, |array| Value::Array(Rc::new(array))))
    }
}
