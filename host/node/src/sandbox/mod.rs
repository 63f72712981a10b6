//! The SQL engine as a guest: a component that reaches nothing but what `wit/` names, in pooled instances whose
//! failures cost one statement each.

mod compilation;
mod exports;
mod imports;
mod instance;
mod interrupt;
mod limits;
mod output;
mod pool;
pub mod procedure;
mod runtime;
#[cfg(test)]
mod tests;
mod trap;

pub use exports::{Control, Description, Format, Outcome, Request, Setting, TransactionModes};
pub use instance::{Call, Role};
pub use interrupt::Interrupt;
pub use limits::Limits;
pub use output::{Column, Event, Notice, Results, Severity};
pub use runtime::{Sandbox, SandboxMetrics};
pub use trap::Stopped;

/// The two sides of `wit/`, generated.
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "engine",
        imports: {
            // The imports that wait: for the client to take its rows, for procedures.
            "isobar:engine/output.rows": async,
            "isobar:engine/routine.call": async,
        },
        exports: { default: async },
    });
}
