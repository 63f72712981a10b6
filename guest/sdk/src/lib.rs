//! Stored procedures for Isobar in Rust. A crate of type `cdylib` describes its functions in a world, implements them,
//! and is deployed as `cargo build --release --target wasm32-unknown-unknown` leaves it:
//!
//! ```ignore
//! isobar_procedure::generate!(inline: "package example:greeter;
//!     world greeter {
//!         include isobar:procedure/procedure@0.1.0;
//!         use isobar:procedure/types@0.1.0.{error};
//!         export greet: func(id: s64) -> result<string, error>;
//!     }");
//!
//! struct Greeter;
//!
//! impl Guest for Greeter {
//!     fn greet(id: i64) -> Result<String, Error> {
//!         let name: String = sql::query("SELECT name FROM people WHERE id = $1", &params![id])?.only()?.get("name")?;
//!         Ok(format!("good morning, {name}"))
//!     }
//! }
//!
//! export!(Greeter);
//! ```
//!
//! `docs/procedures.md` says which WIT type is which SQL type, and what a procedure may use.

// Elsewhere there is no host to import from.
#![cfg(target_family = "wasm")]

#[cfg(feature = "allocator")]
mod allocator;
pub mod bindings;
mod error;
pub mod log;
mod numeric;
pub mod sql;
mod value;

#[doc(hidden)]
pub use wit_bindgen;

pub use bindings::context;
pub use bindings::types::{Date, Error, Interval, Json, Numeric, Other, Time, Timestamp, Timestamptz, Uuid, Value};
pub use value::FromValue;

include!(concat!(env!("OUT_DIR"), "/generate.rs"));

/// Parameters of a statement: `params![id, "text", None::<i32>]` is an array of [`Value`].
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

/// A panic's message becomes an entry of the procedure's log, which the host also puts into the caller's error: the
/// trap that follows has no message.
#[doc(hidden)]
pub extern "C" fn report_panics() {
    std::panic::set_hook(Box::new(|panic| log::error(&panic.to_string())));
}
