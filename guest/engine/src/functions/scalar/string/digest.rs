//! `md5` and the SHA-2 family.

use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use md5::Md5;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("md5", &[TEXT], TEXT, md5),
    function("md5", &[BYTEA], TEXT, md5),
    function("sha224", &[BYTEA], BYTEA, sha::<Sha224>),
    function("sha256", &[BYTEA], BYTEA, sha::<Sha256>),
    function("sha384", &[BYTEA], BYTEA, sha::<Sha384>),
    function("sha512", &[BYTEA], BYTEA, sha::<Sha512>),
];

fn md5(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let digest = match arguments.first() {
        Some(Value::Bytea(bytes)) => Md5::digest(bytes),
        _ => Md5::digest(arguments.text(0)?),
    };
    Ok(Value::text(&digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

fn sha<D: Digest>(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(Value::Bytea(D::digest(arguments.bytea(0)?).to_vec().into()))
}
