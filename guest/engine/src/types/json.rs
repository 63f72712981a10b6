//! json and jsonb (PostgreSQL 15, section 8.14).

use super::numeric::Numeric;
use std::rc::Rc;

/// A jsonb value in its normal form: object keys are unique and ordered by length, then bytes.
#[derive(Clone, Debug)]
pub enum Jsonb {
    Null,
    Boolean(bool),
    Number(Numeric),
    String(Rc<str>),
    Array(Vec<Jsonb>),
    Object(Vec<(Rc<str>, Jsonb)>),
}
