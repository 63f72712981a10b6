//! What the host gives a procedure: one module per interface of `wit/procedure`.

mod context;
mod described;
mod log;
mod nested;
mod parameters;
mod rows;
mod sql;
mod types;

pub use described::Described;
pub use rows::Rows;
pub use types::{element_of, oid};

use wasmtime::component::{HasSelf, Linker};

use crate::error::Error;
use crate::sandbox::procedure::bindings::Procedure;
use crate::sandbox::procedure::bindings::isobar::procedure::types as wit;
use crate::sandbox::procedure::instance::State;

impl wit::Host for State {}

/// Defines `isobar:procedure` for a component.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    Procedure::add_to_linker::<_, HasSelf<_>>(linker, |state: &mut State| state)
}

impl From<Error> for wit::Error {
    fn from(error: Error) -> wit::Error {
        let fields = error.fields().clone();
        wit::Error { sqlstate: fields.sqlstate, message: fields.message, detail: fields.detail, hint: fields.hint }
    }
}
