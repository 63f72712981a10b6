//! Stored procedures: components of users, whose exported functions are routines in SQL. They run in a sandbox of their
//! own, in the caller's transaction, and reach nothing but `wit/procedure`.

mod call;
mod code;
mod component;
mod description;
mod failure;
mod imports;
mod instance;
mod limits;
mod log;
mod prepare;
mod reflect;
mod runtime;
mod target;
#[cfg(test)]
mod tests;
mod usage;
mod value;
mod wasi;

pub use component::{CHUNK_BYTES, ComponentSource, Digest, chunk_key};
pub use description::{Column, Description, Field, Parameter, Returns, Routine, Row, Scalar, Shape};
pub use instance::Nesting;
pub use limits::Limits;
pub use log::{Entry, Level};
pub use prepare::Prepared;
pub use runtime::{Options, Procedures, ProceduresMetrics};
pub use target::{Target, TargetLimits};
pub use usage::Usage;

/// The two sides of `wit/procedure`, generated.
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/procedure",
        world: "procedure",
        imports: {
            default: trappable,
            "isobar:procedure/sql.query": async | trappable,
            "isobar:procedure/sql.execute": async | trappable,
        },
        with: {
            "isobar:procedure/sql.rows": crate::sandbox::procedure::imports::Rows,
        },
    });
}
