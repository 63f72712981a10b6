//! Documents from SQL values.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::json::convert::{append_array, append_json, append_key, key_text, to_jsonb};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use crate::types::json::{Jsonb, print_string};
use std::rc::Rc;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("to_json", &[ANY_ELEMENT], JSON, to_json).stable(),
    function("to_jsonb", &[ANY_ELEMENT], JSONB, to_jsonb_value).stable(),
    function("array_to_json", &[ANY_ARRAY], JSON, to_json).stable(),
    function("array_to_json", &[ANY_ARRAY, BOOLEAN], JSON, array_to_json).stable(),
    function("row_to_json", &[RECORD], JSON, to_json).stable(),
    function("row_to_json", &[RECORD, BOOLEAN], JSON, row_to_json).stable(),
    // Keys and values, printed as a row's: what row_to_json makes of a table's row, whose column names a record lacks.
    function("json_row", &[ANY], JSON, json_row).variadic().not_strict().stable(),
    function("json_build_array", &[], JSON, json_build_array).not_strict().stable(),
    function("json_build_array", &[ANY], JSON, json_build_array).variadic().not_strict().stable(),
    function("json_build_object", &[], JSON, json_build_object).not_strict().stable(),
    function("json_build_object", &[ANY], JSON, json_build_object).variadic().not_strict().stable(),
    function("jsonb_build_array", &[], JSONB, jsonb_build_array).not_strict().stable(),
    function("jsonb_build_array", &[ANY], JSONB, jsonb_build_array).variadic().not_strict().stable(),
    function("jsonb_build_object", &[], JSONB, jsonb_build_object).not_strict().stable(),
    function("jsonb_build_object", &[ANY], JSONB, jsonb_build_object).variadic().not_strict().stable(),
    function("json_object", &[TEXT_ARRAY], JSON, json_object),
    function("json_object", &[TEXT_ARRAY, TEXT_ARRAY], JSON, json_object),
    function("jsonb_object", &[TEXT_ARRAY], JSONB, jsonb_object),
    function("jsonb_object", &[TEXT_ARRAY, TEXT_ARRAY], JSONB, jsonb_object),
];

fn invalid(message: impl Into<String>) -> Error {
    Error::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

fn json(text: String) -> Value {
    Value::Json(Rc::from(text))
}

fn jsonb(document: Jsonb) -> Value {
    Value::Jsonb(Rc::new(document))
}

fn to_json(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut text = String::new();
    append_json(&arguments[0], context.settings, &mut text)?;
    Ok(json(text))
}

fn to_jsonb_value(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(jsonb(to_jsonb(&arguments[0], context.settings)?))
}

/// With true, each element of the outermost dimension begins on a line of its own.
fn array_to_json(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let array = arguments.array(0)?;
    let mut text = String::new();
    append_array(array, if arguments.boolean(1)? { ",\n " } else { "," }, context.settings, &mut text)?;
    Ok(json(text))
}

fn row_to_json(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let Value::Record(fields) = &arguments[0] else { return Err(Error::internal("row_to_json takes a row")) };
    let separator = if arguments.boolean(1)? { ",\n " } else { "," };
    let mut text = String::from("{");
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(&format!("\"f{}\":", index + 1));
        append_json(field, context.settings, &mut text)?;
    }
    text.push('}');
    Ok(json(text))
}

fn json_row(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut text = String::from("{");
    for (index, key, value) in pairs(arguments)? {
        if index > 0 {
            text.push(',');
        }
        append_key(key, context.settings, &mut text)?;
        text.push(':');
        append_json(value, context.settings, &mut text)?;
    }
    text.push('}');
    Ok(json(text))
}

fn json_build_array(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut text = String::from("[");
    for (index, value) in arguments.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        append_json(value, context.settings, &mut text)?;
    }
    text.push(']');
    Ok(json(text))
}

/// Keys and values in turn.
fn pairs(arguments: &[Value]) -> Result<impl Iterator<Item = (usize, &Value, &Value)>> {
    if !arguments.len().is_multiple_of(2) {
        return Err(invalid("argument list must have even number of elements")
            .hint("The arguments of json_build_object() must consist of alternating keys and values."));
    }
    Ok(arguments.chunks_exact(2).enumerate().map(|(index, pair)| (index, &pair[0], &pair[1])))
}

fn json_build_object(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut text = String::from("{");
    for (index, key, value) in pairs(arguments)? {
        if index > 0 {
            text.push_str(", ");
        }
        if key.is_null() {
            return Err(
                invalid(format!("argument {} cannot be null", 2 * index + 1)).hint("Object keys should be text.")
            );
        }
        append_key(key, context.settings, &mut text)?;
        text.push_str(" : ");
        append_json(value, context.settings, &mut text)?;
    }
    text.push('}');
    Ok(json(text))
}

fn jsonb_build_array(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let elements = arguments.iter().map(|value| to_jsonb(value, context.settings));
    Ok(jsonb(Jsonb::Array(elements.collect::<Result<_>>()?)))
}

fn jsonb_build_object(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let members = pairs(arguments).map_err(|error| {
        Error::new(sqlstate::INVALID_PARAMETER_VALUE, error.message())
            .hint("The arguments of jsonb_build_object() must consist of alternating keys and values.")
    })?;
    let members = members.map(|(index, key, value)| {
        if key.is_null() {
            return Err(invalid(format!("argument {}: key must not be null", 2 * index + 1)));
        }
        Ok((Rc::from(key_text(key, context.settings)?), to_jsonb(value, context.settings)?))
    });
    Ok(jsonb(Jsonb::object(members.collect::<Result<_>>()?)))
}

type TextPair = (Rc<str>, Option<Rc<str>>);

/// Keys and values from one array (in turn, or in pairs as its second dimension) or from two.
fn text_pairs(arguments: &[Value]) -> Result<Vec<TextPair>> {
    let subscripts = |message: &str| Error::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, message);
    let keys = arguments.array(0)?;
    let pairs: Vec<(&Value, &Value)> = if arguments.len() > 1 {
        let values = arguments.array(1)?;
        if keys.dimensions.len() > 1 || values.dimensions.len() > 1 {
            return Err(subscripts("wrong number of array subscripts"));
        }
        if keys.values.len() != values.values.len() {
            return Err(subscripts("mismatched array dimensions"));
        }
        keys.values.iter().zip(&values.values).collect()
    } else {
        match keys.dimensions[..] {
            [] => vec![],
            [(length, _)] if length % 2 != 0 => {
                return Err(subscripts("array must have even number of elements"));
            }
            [_] | [_, (2, _)] => keys.values.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
            [_, _] => return Err(subscripts("array must have two columns")),
            _ => return Err(subscripts("wrong number of array subscripts")),
        }
    };
    let pairs = pairs.into_iter().map(|(key, value)| match (key, value) {
        (Value::Text(key), Value::Text(value)) => Ok((key.clone(), Some(value.clone()))),
        (Value::Text(key), _) => Ok((key.clone(), None)),
        _ => Err(Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")),
    });
    pairs.collect()
}

fn json_object(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let mut text = String::from("{");
    for (index, (key, value)) in text_pairs(arguments)?.into_iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        print_string(&key, &mut text);
        text.push_str(" : ");
        match value {
            Some(value) => print_string(&value, &mut text),
            None => text.push_str("null"),
        }
    }
    text.push('}');
    Ok(json(text))
}

fn jsonb_object(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let pairs = text_pairs(arguments)?.into_iter();
    Ok(jsonb(Jsonb::object(pairs.map(|(key, value)| (key, value.map_or(Jsonb::Null, Jsonb::String))).collect())))
}
