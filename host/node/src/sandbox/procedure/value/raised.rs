//! What a function fails with as an SQL error.

use std::fmt::Write;

use wasmtime::component::Val;

use crate::error::{Error, ErrorFields, sqlstate};

/// Bytes of one field of an error; the rest is cut off.
const FIELD_BYTES_MAX: usize = 8192;

/// How deep a value's text goes.
const DEPTH_MAX: u32 = 16;

/// A record with `sqlstate` and `message` gives an error's fields; a string is a message, an enum's case as well, and
/// anything else is shown as it is.
pub fn raised(routine: &str, value: Option<&Val>) -> Error {
    let message = match value {
        None => format!("function \"{routine}\" has failed"),
        Some(Val::String(message) | Val::Enum(message)) => message.clone(),
        Some(Val::Record(fields)) => match fields_of(routine, fields) {
            Some(error) => return error,
            None => shown(value),
        },
        value => shown(value),
    };
    Error::new(sqlstate::RAISE_EXCEPTION, cut(message))
}

fn fields_of(routine: &str, fields: &[(String, Val)]) -> Option<Error> {
    let text = |name: &str| {
        let value = fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
        match value {
            Some(Val::String(text)) => Some(text.clone()),
            Some(Val::Option(Some(inner))) => match &**inner {
                Val::String(text) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        }
    };
    let (code, message) = (text("sqlstate")?, text("message")?);
    // Class 00 is success: nothing fails with it.
    let valid = code.len() == 5
        && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && !code.starts_with("00");
    if !valid {
        let shown = cut(format!("function \"{routine}\" has failed with the invalid SQLSTATE \"{code}\""));
        return Some(Error::new(sqlstate::INVALID_SQLSTATE_RETURNED, shown).detail(cut(message)));
    }
    Some(
        ErrorFields {
            sqlstate: code,
            message: cut(message),
            detail: text("detail").map(cut),
            hint: text("hint").map(cut),
            ..ErrorFields::default()
        }
        .into(),
    )
}

/// Clients end a field at its first NUL.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(FIELD_BYTES_MAX));
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

fn shown(value: Option<&Val>) -> String {
    let mut text = String::new();
    if let Some(value) = value {
        show(value, 0, &mut text);
    }
    text
}

/// As WAVE writes values: https://github.com/bytecodealliance/wasm-tools/tree/main/crates/wasm-wave
fn show(value: &Val, depth: u32, out: &mut String) {
    if depth > DEPTH_MAX || out.len() > FIELD_BYTES_MAX {
        out.push('…');
        return;
    }
    let list = |values: &mut dyn Iterator<Item = &Val>, out: &mut String| {
        for (index, value) in values.enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            show(value, depth + 1, out);
        }
    };
    // Writing to a String cannot fail.
    let _ = match value {
        Val::Bool(value) => write!(out, "{value}"),
        Val::S8(value) => write!(out, "{value}"),
        Val::U8(value) => write!(out, "{value}"),
        Val::S16(value) => write!(out, "{value}"),
        Val::U16(value) => write!(out, "{value}"),
        Val::S32(value) => write!(out, "{value}"),
        Val::U32(value) => write!(out, "{value}"),
        Val::S64(value) => write!(out, "{value}"),
        Val::U64(value) => write!(out, "{value}"),
        Val::Float32(value) => write!(out, "{value}"),
        Val::Float64(value) => write!(out, "{value}"),
        Val::Char(value) => write!(out, "{value:?}"),
        Val::String(value) => write!(out, "{value:?}"),
        Val::Enum(label) => write!(out, "{label}"),
        Val::Flags(labels) => write!(out, "{{{}}}", labels.join(", ")),
        Val::List(values) | Val::FixedLengthList(values) => {
            out.push('[');
            list(&mut values.iter(), out);
            write!(out, "]")
        }
        Val::Tuple(values) => {
            out.push('(');
            list(&mut values.iter(), out);
            write!(out, ")")
        }
        Val::Record(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                let _ = write!(out, "{}{name}: ", if index > 0 { ", " } else { "" });
                show(value, depth + 1, out);
            }
            write!(out, "}}")
        }
        Val::Variant(label, payload) => {
            out.push_str(label);
            payload.as_deref().map_or(Ok(()), |value| {
                out.push('(');
                show(value, depth + 1, out);
                write!(out, ")")
            })
        }
        Val::Option(None) => write!(out, "none"),
        Val::Option(Some(value)) => {
            out.push_str("some(");
            show(value, depth + 1, out);
            write!(out, ")")
        }
        Val::Result(result) => {
            let (name, payload) = match result {
                Ok(value) => ("ok", value),
                Err(value) => ("err", value),
            };
            out.push_str(name);
            payload.as_deref().map_or(Ok(()), |value| {
                out.push('(');
                show(value, depth + 1, out);
                write!(out, ")")
            })
        }
        other => write!(out, "{other:?}"),
    };
}
