//! Changed copies of documents.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::json::change::{Change, Target, change};
use crate::functions::json::navigate::{Kind, Part};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use crate::types::json::{Jsonb, print_string};
use std::rc::Rc;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB], JSONB, jsonb_set),
    function("jsonb_set", &[JSONB, TEXT_ARRAY, JSONB, BOOLEAN], JSONB, jsonb_set),
    function("jsonb_set_lax", &[JSONB, TEXT_ARRAY, JSONB], JSONB, jsonb_set_lax).not_strict(),
    function("jsonb_set_lax", &[JSONB, TEXT_ARRAY, JSONB, BOOLEAN], JSONB, jsonb_set_lax).not_strict(),
    function("jsonb_set_lax", &[JSONB, TEXT_ARRAY, JSONB, BOOLEAN, TEXT], JSONB, jsonb_set_lax).not_strict(),
    function("jsonb_insert", &[JSONB, TEXT_ARRAY, JSONB], JSONB, jsonb_insert),
    function("jsonb_insert", &[JSONB, TEXT_ARRAY, JSONB, BOOLEAN], JSONB, jsonb_insert),
    function("jsonb_pretty", &[JSONB], TEXT, jsonb_pretty),
    function("jsonb_strip_nulls", &[JSONB], JSONB, jsonb_strip_nulls),
    function("json_strip_nulls", &[JSON], JSON, json_strip_nulls),
];

fn jsonb(document: Jsonb) -> Value {
    Value::Jsonb(Rc::new(document))
}

fn check_not_scalar(document: &Jsonb) -> Result<()> {
    match document {
        Jsonb::Array(_) | Jsonb::Object(_) => Ok(()),
        _ => Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "cannot set path in scalar")),
    }
}

fn jsonb_set(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let create = arguments.len() < 4 || arguments.boolean(3)?;
    let (document, steps, value) = (arguments.jsonb(0)?, &arguments.array(1)?.values, arguments.jsonb(2)?);
    check_not_scalar(document)?;
    let changed = change(document, steps, 0, &|target| {
        let (Target::Key { exists } | Target::Element { exists }) = target;
        Ok(if exists || create { Change::Replace(value.clone()) } else { Change::Keep })
    })?;
    Ok(jsonb(changed))
}

/// As `jsonb_set`, with a word on what a NULL as the new value means.
fn jsonb_set_lax(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) || arguments.is_null(1) || (arguments.len() > 3 && arguments.is_null(3)) {
        return Ok(Value::Null);
    }
    if !arguments.is_null(2) {
        return jsonb_set(context, &arguments[..arguments.len().min(4)]);
    }
    let invalid = |message: &str| Error::new(sqlstate::INVALID_PARAMETER_VALUE, message);
    let treatment = match arguments.get(4) {
        None => "use_json_null",
        Some(Value::Text(treatment)) => treatment,
        Some(_) => {
            return Err(invalid(
                "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \
                 \"raise_exception\"",
            ));
        }
    };
    match treatment {
        "raise_exception" => Err(Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "JSON value must not be null")
            .detail("Exception was raised because null_value_treatment is \"raise_exception\".")
            .hint(
                "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.",
            )),
        "return_target" => Ok(arguments[0].clone()),
        "use_json_null" => {
            let mut with_null = arguments[..arguments.len().min(4)].to_vec();
            with_null[2] = jsonb(Jsonb::Null);
            jsonb_set(context, &with_null)
        }
        "delete_key" => {
            let document = arguments.jsonb(0)?;
            crate::functions::json::change::delete_path(document, &arguments.array(1)?.values).map(jsonb)
        }
        _ => Err(invalid(
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"",
        )),
    }
}

fn jsonb_insert(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let after = arguments.len() > 3 && arguments.boolean(3)?;
    let (document, steps, value) = (arguments.jsonb(0)?, &arguments.array(1)?.values, arguments.jsonb(2)?);
    check_not_scalar(document)?;
    let changed = change(document, steps, 0, &|target| match target {
        Target::Key { exists: true } => {
            Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, "cannot replace existing key")
                .hint("Try using the function jsonb_set to replace key value."))
        }
        Target::Key { .. } => Ok(Change::Replace(value.clone())),
        Target::Element { .. } if after => Ok(Change::After(value.clone())),
        Target::Element { .. } => Ok(Change::Before(value.clone())),
    })?;
    Ok(jsonb(changed))
}

fn jsonb_pretty(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut printed = String::new();
    arguments.jsonb(0)?.print_pretty(&mut printed);
    Ok(Value::text(&printed))
}

/// Without the object fields that are null; elements of arrays stay.
fn strip_nulls(document: &Jsonb) -> Jsonb {
    match document {
        Jsonb::Object(pairs) => {
            let kept = pairs.iter().filter(|(_, value)| !matches!(value, Jsonb::Null));
            Jsonb::Object(kept.map(|(key, value)| (key.clone(), strip_nulls(value))).collect())
        }
        Jsonb::Array(elements) => Jsonb::Array(elements.iter().map(strip_nulls).collect()),
        other => other.clone(),
    }
}

fn jsonb_strip_nulls(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(jsonb(strip_nulls(arguments.jsonb(0)?)))
}

fn json_strip_nulls(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut out = String::new();
    append_stripped(Part::of(&arguments[0])?, &mut out)?;
    Ok(Value::Json(Rc::from(out)))
}

fn append_stripped(part: Part, out: &mut String) -> Result<()> {
    match (part.kind(), part) {
        (Kind::Object, _) => {
            out.push('{');
            let mut first = true;
            for (key, value) in part.members()? {
                if value.kind() == Kind::Null {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(',');
                }
                print_string(&key, out);
                out.push(':');
                append_stripped(value, out)?;
            }
            out.push('}');
        }
        (Kind::Array, _) => {
            out.push('[');
            for (index, element) in part.elements().into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                append_stripped(element, out)?;
            }
            out.push(']');
        }
        (_, Part::Json(text)) => out.push_str(text.trim()),
        (_, Part::Jsonb(document)) => document.print(out),
    }
    Ok(())
}
