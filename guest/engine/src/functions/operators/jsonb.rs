//! Operators on json and jsonb (PostgreSQL 15, section 9.16).

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::json::change;
use crate::functions::json::navigate::Part;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use crate::types::json::Jsonb;
use std::rc::Rc;

pub static OPERATORS: &[ScalarFunction] = &[
    function("->", &[JSON, TEXT], JSON, field),
    function("->", &[JSON, INTEGER], JSON, field),
    function("->", &[JSONB, TEXT], JSONB, field),
    function("->", &[JSONB, INTEGER], JSONB, field),
    function("->>", &[JSON, TEXT], TEXT, field_text),
    function("->>", &[JSON, INTEGER], TEXT, field_text),
    function("->>", &[JSONB, TEXT], TEXT, field_text),
    function("->>", &[JSONB, INTEGER], TEXT, field_text),
    function("#>", &[JSON, TEXT_ARRAY], JSON, path),
    function("#>", &[JSONB, TEXT_ARRAY], JSONB, path),
    function("#>>", &[JSON, TEXT_ARRAY], TEXT, path_text),
    function("#>>", &[JSONB, TEXT_ARRAY], TEXT, path_text),
    function("@>", &[JSONB, JSONB], BOOLEAN, contains),
    function("<@", &[JSONB, JSONB], BOOLEAN, contained),
    function("?", &[JSONB, TEXT], BOOLEAN, exists),
    function("?|", &[JSONB, TEXT_ARRAY], BOOLEAN, exists_any),
    function("?&", &[JSONB, TEXT_ARRAY], BOOLEAN, exists_all),
    function("-", &[JSONB, TEXT], JSONB, delete),
    function("-", &[JSONB, TEXT_ARRAY], JSONB, delete),
    function("-", &[JSONB, INTEGER], JSONB, delete),
    function("#-", &[JSONB, TEXT_ARRAY], JSONB, delete_path),
    function("||", &[JSONB, JSONB], JSONB, concatenate),
];

fn find_field<'a>(arguments: &'a [Value]) -> Result<Option<Part<'a>>> {
    let document = Part::of(&arguments[0])?;
    match &arguments[1] {
        Value::Integer(index) => Ok(document.element(i64::from(*index))),
        _ => document.field(arguments.text(1)?),
    }
}

fn field(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(find_field(arguments)?.map_or(Value::Null, Part::to_value))
}

fn field_text(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    find_field(arguments)?.map_or(Ok(Value::Null), Part::to_text)
}

fn path(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let found = Part::of(&arguments[0])?.follow(&arguments.array(1)?.values)?;
    Ok(found.map_or(Value::Null, Part::to_value))
}

fn path_text(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let found = Part::of(&arguments[0])?.follow(&arguments.array(1)?.values)?;
    found.map_or(Ok(Value::Null), Part::to_text)
}

fn contains(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Boolean(document_contains(arguments.jsonb(0)?, arguments.jsonb(1)?)))
}

fn contained(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Boolean(document_contains(arguments.jsonb(1)?, arguments.jsonb(0)?)))
}

/// At the top, an array contains a scalar that is one of its elements.
fn document_contains(outer: &Jsonb, inner: &Jsonb) -> bool {
    match (outer, inner) {
        (Jsonb::Array(_), Jsonb::Array(_)) => value_contains(outer, inner),
        (Jsonb::Array(elements), scalar) if !matches!(scalar, Jsonb::Object(_)) => {
            elements.iter().any(|element| element == scalar)
        }
        _ => value_contains(outer, inner),
    }
}

fn value_contains(outer: &Jsonb, inner: &Jsonb) -> bool {
    match (outer, inner) {
        (Jsonb::Object(_), Jsonb::Object(pairs)) => {
            pairs.iter().all(|(key, wanted)| outer.get(key).is_some_and(|value| value_contains(value, wanted)))
        }
        (Jsonb::Array(elements), Jsonb::Array(wanted)) => {
            wanted.iter().all(|wanted| elements.iter().any(|element| value_contains(element, wanted)))
        }
        (outer, inner) => outer == inner,
    }
}

fn has_key(document: &Jsonb, key: &str) -> bool {
    match document {
        Jsonb::Object(_) => document.get(key).is_some(),
        Jsonb::Array(elements) => {
            elements.iter().any(|element| matches!(element, Jsonb::String(text) if text.as_ref() == key))
        }
        Jsonb::String(text) => text.as_ref() == key,
        _ => false,
    }
}

fn exists(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Boolean(has_key(arguments.jsonb(0)?, arguments.text(1)?)))
}

fn exists_any(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let document = arguments.jsonb(0)?;
    let mut keys = arguments.array(1)?.values.iter();
    Ok(Value::Boolean(keys.any(|key| matches!(key, Value::Text(key) if has_key(document, key)))))
}

fn exists_all(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let document = arguments.jsonb(0)?;
    let mut keys = arguments.array(1)?.values.iter().filter(|key| !key.is_null());
    Ok(Value::Boolean(keys.all(|key| matches!(key, Value::Text(key) if has_key(document, key)))))
}

fn delete(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let document = arguments.jsonb(0)?;
    let cannot = |what: &str| Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, what));
    let result = match (&arguments[1], document) {
        (Value::Integer(_), Jsonb::Object(_)) => {
            return cannot("cannot delete from object using integer index");
        }
        (_, Jsonb::Object(_) | Jsonb::Array(_)) => change::delete(document, &arguments[1]),
        _ => return cannot("cannot delete from scalar"),
    };
    Ok(Value::Jsonb(Rc::new(result)))
}

fn delete_path(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let steps = &arguments.array(1)?.values;
    change::delete_path(arguments.jsonb(0)?, steps).map(|document| Value::Jsonb(Rc::new(document)))
}

/// Objects are merged, the right one winning; everything else is joined as arrays.
fn concatenate(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let joined = match (arguments.jsonb(0)?, arguments.jsonb(1)?) {
        (Jsonb::Object(left), Jsonb::Object(right)) => Jsonb::object(left.iter().chain(right).cloned().collect()),
        (left, right) => {
            let elements = |document: &Jsonb| match document {
                Jsonb::Array(elements) => elements.clone(),
                other => vec![other.clone()],
            };
            Jsonb::Array([elements(left), elements(right)].concat())
        }
    };
    Ok(Value::Jsonb(Rc::new(joined)))
}
