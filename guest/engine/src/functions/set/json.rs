//! The members and elements of json documents.

use super::set;
use crate::error::{Error, Result, sqlstate};
use crate::functions::json::navigate::{Kind, Part};
use crate::functions::signature::*;
use crate::functions::{Rows, SetFunction};
use crate::types::Value;

pub static FUNCTIONS: &[SetFunction] = &[
    set("json_each", &[JSON], &[("key", TEXT), ("value", JSON)], |_, arguments| each(arguments, "json_each", false)),
    set("jsonb_each", &[JSONB], &[("key", TEXT), ("value", JSONB)], |_, arguments| {
        each(arguments, "jsonb_each", false)
    }),
    set("json_each_text", &[JSON], &[("key", TEXT), ("value", TEXT)], |_, arguments| {
        each(arguments, "json_each_text", true)
    }),
    set("jsonb_each_text", &[JSONB], &[("key", TEXT), ("value", TEXT)], |_, arguments| {
        each(arguments, "jsonb_each_text", true)
    }),
    set("json_array_elements", &[JSON], &[("value", JSON)], |_, arguments| {
        elements(arguments, "json_array_elements", false)
    }),
    set("jsonb_array_elements", &[JSONB], &[("value", JSONB)], |_, arguments| {
        elements(arguments, "jsonb_array_elements", false)
    }),
    set("json_array_elements_text", &[JSON], &[("value", TEXT)], |_, arguments| {
        elements(arguments, "json_array_elements_text", true)
    }),
    set("jsonb_array_elements_text", &[JSONB], &[("value", TEXT)], |_, a| {
        elements(a, "jsonb_array_elements_text", true)
    }),
    set("json_object_keys", &[JSON], &[("json_object_keys", TEXT)], |_, arguments| keys(arguments, "json_object_keys")),
    set("jsonb_object_keys", &[JSONB], &[("jsonb_object_keys", TEXT)], |_, arguments| {
        keys(arguments, "jsonb_object_keys")
    }),
];

fn invalid(message: String) -> Error {
    Error::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

fn rows(rows: Vec<Vec<Value>>) -> Rows {
    Box::new(rows.into_iter().map(Ok))
}

fn part_value(part: Part, as_text: bool) -> Result<Value> {
    if as_text { part.to_text() } else { Ok(part.to_value()) }
}

fn each(arguments: &[Value], function: &str, as_text: bool) -> Result<Rows> {
    let document = Part::of(&arguments[0])?;
    match (document.kind(), document) {
        (Kind::Object, _) => {}
        (Kind::Array, Part::Json(_)) => return Err(invalid("cannot deconstruct an array as an object".into())),
        (_, Part::Json(_)) => return Err(invalid("cannot deconstruct a scalar".into())),
        (_, Part::Jsonb(_)) => return Err(invalid(format!("cannot call {function} on a non-object"))),
    }
    let members = document.members()?.into_iter();
    let found = members.map(|(key, value)| Ok(vec![Value::Text(key), part_value(value, as_text)?]));
    Ok(rows(found.collect::<Result<_>>()?))
}

fn elements(arguments: &[Value], function: &str, as_text: bool) -> Result<Rows> {
    let document = Part::of(&arguments[0])?;
    match (document.kind(), document) {
        (Kind::Array, _) => {}
        (Kind::Object, Part::Json(_)) => return Err(invalid(format!("cannot call {function} on a non-array"))),
        (_, Part::Json(_)) => return Err(invalid(format!("cannot call {function} on a scalar"))),
        (Kind::Object, Part::Jsonb(_)) => return Err(invalid("cannot extract elements from an object".into())),
        (_, Part::Jsonb(_)) => return Err(invalid("cannot extract elements from a scalar".into())),
    }
    let found = document.elements().into_iter().map(|element| Ok(vec![part_value(element, as_text)?]));
    Ok(rows(found.collect::<Result<_>>()?))
}

fn keys(arguments: &[Value], function: &str) -> Result<Rows> {
    let document = Part::of(&arguments[0])?;
    match document.kind() {
        Kind::Object => {}
        Kind::Array => return Err(invalid(format!("cannot call {function} on an array"))),
        _ => return Err(invalid(format!("cannot call {function} on a scalar"))),
    }
    Ok(rows(document.members()?.into_iter().map(|(key, _)| vec![Value::Text(key)]).collect()))
}
