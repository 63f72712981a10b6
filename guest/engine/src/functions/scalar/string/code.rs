//! Codes of characters and textual forms of bytes.

use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Value, text::bytea};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("ascii", &[TEXT], INTEGER, ascii),
    function("chr", &[INTEGER], TEXT, chr),
    function("to_hex", &[INTEGER], TEXT, to_hex),
    function("to_hex", &[BIGINT], TEXT, to_hex),
    function("encode", &[BYTEA, TEXT], TEXT, encode),
    function("decode", &[TEXT, TEXT], BYTEA, decode),
    function("convert_from", &[BYTEA, NAME], TEXT, convert_from),
    function("convert_to", &[TEXT, NAME], BYTEA, convert_to),
];

fn invalid(message: impl Into<String>) -> Error {
    Error::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

fn ascii(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Integer(arguments.text(0)?.chars().next().map_or(0, |character| character as i32)))
}

fn chr(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let code = arguments.integer(0)?;
    let limit = |message: String| Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, message);
    match code {
        ..0 => Err(invalid("character number must be positive")),
        0 => Err(limit("null character not permitted".into())),
        0x11_0000.. => Err(limit(format!("requested character too large for encoding: {code}"))),
        _ => char::from_u32(code as u32)
            .map(|character| Value::text(character.encode_utf8(&mut [0; 4])))
            .ok_or_else(|| limit(format!("requested character not valid for encoding: {code}"))),
    }
}

/// Negative numbers in two's complement.
fn to_hex(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::text(&match arguments.first() {
        Some(Value::Integer(number)) => format!("{number:x}"),
        _ => format!("{:x}", arguments.bigint(0)?),
    }))
}

fn encode(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let bytes = arguments.bytea(0)?;
    let mut encoded = String::new();
    match &arguments.text(1)?.to_ascii_lowercase()[..] {
        "hex" => bytes.iter().for_each(|byte| encoded.push_str(&format!("{byte:02x}"))),
        "escape" => bytes.iter().for_each(|&byte| match byte {
            b'\\' => encoded.push_str("\\\\"),
            0 | 0x80.. => encoded.push_str(&format!("\\{byte:03o}")),
            _ => encoded.push(char::from(byte)),
        }),
        "base64" => encode_base64(bytes, &mut encoded),
        _ => return Err(unrecognized(arguments.text(1)?)),
    }
    Ok(Value::text(&encoded))
}

fn decode(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let text = arguments.text(0)?;
    let bytes = match &arguments.text(1)?.to_ascii_lowercase()[..] {
        "hex" => bytea::parse_hex(text)?,
        "escape" => bytea::parse_escape(text.as_bytes())?,
        "base64" => decode_base64(text)?,
        _ => return Err(unrecognized(arguments.text(1)?)),
    };
    Ok(Value::Bytea(bytes.into()))
}

fn unrecognized(encoding: &str) -> Error {
    invalid(format!("unrecognized encoding: \"{encoding}\""))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 2045: lines of 76 characters.
fn encode_base64(bytes: &[u8], encoded: &mut String) {
    for (index, chunk) in bytes.chunks(3).enumerate() {
        if index > 0 && index % 19 == 0 {
            encoded.push('\n');
        }
        let group = chunk.iter().fold(0u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            if position <= chunk.len() {
                encoded.push(char::from(BASE64[(group >> (18 - 6 * position)) as usize & 63]));
            } else {
                encoded.push('=');
            }
        }
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    let (mut group, mut digits, mut padding) = (0u32, 0, 0);
    for character in text.chars() {
        let digit = match character {
            ' ' | '\t' | '\n' | '\r' => continue,
            '=' => {
                if padding == 0 && digits < 2 {
                    return Err(invalid("unexpected \"=\" while decoding base64 sequence"));
                }
                padding += 1;
                0
            }
            _ => match BASE64.iter().position(|&digit| char::from(digit) == character) {
                Some(digit) if padding == 0 => digit as u32,
                _ => {
                    return Err(invalid(format!(
                        "invalid symbol \"{character}\" found while decoding base64 sequence"
                    )));
                }
            },
        };
        group = group << 6 | digit;
        digits += 1;
        if digits == 4 {
            bytes.extend_from_slice(&group.to_be_bytes()[1..4 - padding.min(2)]);
            (group, digits, padding) = (0, 0, 0);
        }
    }
    if digits != 0 {
        return Err(invalid("invalid base64 end sequence")
            .hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(bytes)
}

fn is_utf8(encoding: &str) -> bool {
    matches!(&encoding.to_ascii_lowercase().replace(['-', '_'], "")[..], "utf8" | "unicode")
}

fn convert_from(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if !is_utf8(arguments.text(1)?) {
        return Err(Error::not_supported(format!("conversion from encoding {}", arguments.text(1)?)));
    }
    let bytes = arguments.bytea(0)?;
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(Value::text(text)),
        Ok(_) => Err(invalid_sequence("0x00".into())),
        Err(error) => {
            let rest = &bytes[error.valid_up_to()..];
            let length = error.error_len().unwrap_or(rest.len()).min(rest.len());
            let spelled: Vec<String> = rest[..length].iter().map(|byte| format!("0x{byte:02x}")).collect();
            Err(invalid_sequence(spelled.join(" ")))
        }
    }
}

fn invalid_sequence(bytes: String) -> Error {
    Error::new(sqlstate::CHARACTER_NOT_IN_REPERTOIRE, format!("invalid byte sequence for encoding \"UTF8\": {bytes}"))
}

fn convert_to(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if !is_utf8(arguments.text(1)?) {
        return Err(Error::not_supported(format!("conversion to encoding {}", arguments.text(1)?)));
    }
    Ok(Value::Bytea(arguments.text(0)?.as_bytes().into()))
}
