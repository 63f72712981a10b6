//! `json_agg`, `json_object_agg` and their jsonb kin.

use super::aggregate;
use super::rows::{argument, each_value};
use crate::error::{Error, Result, sqlstate};
use crate::functions::json::convert;
use crate::functions::signature::*;
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::json::Jsonb;
use crate::types::{Column, Value};
use std::rc::Rc;

pub static FUNCTIONS: &[AggregateFunction] = &[
    aggregate("json_agg", &[ANY_ELEMENT], JSON, |_| Box::new(JsonArray::default())),
    aggregate("json_object_agg", &[ANY, ANY], JSON, |_| Box::new(JsonObject::default())),
    aggregate("jsonb_agg", &[ANY_ELEMENT], JSONB, |_| Box::new(JsonbArray::default())),
    aggregate("jsonb_object_agg", &[ANY, ANY], JSONB, |_| Box::new(JsonbObject::default())),
];

#[derive(Default)]
struct JsonArray {
    states: Vec<Option<String>>,
}

impl Accumulator for JsonArray {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, None);
    }

    fn update(&mut self, context: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        each_value(argument(arguments, 0)?, groups, rows, |group, value| {
            let state = match &mut self.states[group] {
                Some(state) => {
                    state.push_str(", ");
                    // What has a structure begins on a line of its own.
                    if matches!(value, Value::Array(_) | Value::Record(_)) {
                        state.push_str("\n ");
                    }
                    state
                }
                state => state.insert("[".into()),
            };
            convert::append_json(&value, context.settings, state)
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.states[group].clone().map_or(Value::Null, |state| Value::Json(Rc::from(state + "]"))))
    }
}

#[derive(Default)]
struct JsonObject {
    states: Vec<Option<String>>,
}

impl Accumulator for JsonObject {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, None);
    }

    fn update(&mut self, context: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let values = argument(arguments, 1)?;
        let mut positions = rows.iter();
        each_value(argument(arguments, 0)?, groups, rows, |group, key| {
            let row = positions.next().map_or(0, |&row| row as usize);
            let state = match &mut self.states[group] {
                Some(state) => {
                    state.push_str(", ");
                    state
                }
                state => state.insert("{ ".into()),
            };
            convert::append_key(&object_key(key)?, context.settings, state)?;
            state.push_str(" : ");
            convert::append_json(&values.value(row), context.settings, state)
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.states[group].clone().map_or(Value::Null, |state| Value::Json(Rc::from(state + " }"))))
    }
}

#[derive(Default)]
struct JsonbArray {
    states: Vec<Option<Vec<Jsonb>>>,
}

impl Accumulator for JsonbArray {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, None);
    }

    fn update(&mut self, context: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        each_value(argument(arguments, 0)?, groups, rows, |group, value| {
            let element = convert::to_jsonb(&value, context.settings)?;
            self.states[group].get_or_insert_default().push(element);
            Ok(())
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.states[group].clone().map_or(Value::Null, |elements| Value::Jsonb(Rc::new(Jsonb::Array(elements)))))
    }
}

type Members = Vec<(Rc<str>, Jsonb)>;

#[derive(Default)]
struct JsonbObject {
    states: Vec<Option<Members>>,
}

impl Accumulator for JsonbObject {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, None);
    }

    fn update(&mut self, context: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let values = argument(arguments, 1)?;
        let mut positions = rows.iter();
        each_value(argument(arguments, 0)?, groups, rows, |group, key| {
            let row = positions.next().map_or(0, |&row| row as usize);
            let key = convert::key_text(&object_key(key)?, context.settings)?;
            let value = convert::to_jsonb(&values.value(row), context.settings)?;
            self.states[group].get_or_insert_default().push((key.into(), value));
            Ok(())
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.states[group].clone().map_or(Value::Null, |pairs| Value::Jsonb(Rc::new(Jsonb::object(pairs)))))
    }
}

fn object_key(key: Value) -> Result<Value> {
    if key.is_null() {
        return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "field name must not be null"));
    }
    Ok(key)
}
