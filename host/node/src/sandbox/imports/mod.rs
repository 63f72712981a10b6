//! What the host gives a guest: one module per interface of `wit/`.

mod authorization;
mod environment;
mod output;
mod routine;
mod transaction;

pub use transaction::share_batches;

use crate::error::{Error, ErrorFields};
use crate::sandbox::bindings::isobar::engine::types;
use crate::sandbox::instance::State;

impl types::Host for State {}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Error {
        ErrorFields {
            sqlstate: error.sqlstate,
            message: error.message,
            detail: error.detail,
            hint: error.hint,
            position: error.position,
            context: error.context,
            schema_name: error.schema_name,
            table_name: error.table_name,
            column_name: error.column_name,
            constraint_name: error.constraint_name,
        }
        .into()
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> types::Error {
        let fields = error.fields().clone();
        types::Error {
            sqlstate: fields.sqlstate,
            message: fields.message,
            detail: fields.detail,
            hint: fields.hint,
            position: fields.position,
            context: fields.context,
            schema_name: fields.schema_name,
            table_name: fields.table_name,
            column_name: fields.column_name,
            constraint_name: fields.constraint_name,
        }
    }
}

impl From<isobar_replica::Error> for types::Error {
    fn from(error: isobar_replica::Error) -> types::Error {
        Error::from(error).into()
    }
}
