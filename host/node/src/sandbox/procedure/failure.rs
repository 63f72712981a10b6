//! What a procedure's trap means to its caller. Whatever it did, only its statement fails.

use std::fmt;
use std::time::Instant;

use wasmtime::Trap;

use crate::error::{Error, sqlstate};
use crate::sandbox::procedure::instance::State;
use crate::sandbox::trap::Stopped;

/// The host stops a procedure with an error that it cannot catch.
#[derive(Debug)]
pub struct Raised(pub Error);

impl fmt::Display for Raised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl std::error::Error for Raised {}

/// Stops the procedure with this error.
pub fn stop(error: Error) -> wasmtime::Error {
    Raised(error).into()
}

/// Stops the procedure since it asks for what there is not.
pub fn unavailable(what: &str) -> wasmtime::Error {
    stop(Error::new(sqlstate::EXTERNAL_ROUTINE_EXCEPTION, format!("{what} is not available in a procedure")))
}

/// 22P03: bytes that break the tools that read components.
pub fn broken_component(why: String) -> Error {
    Error::new(sqlstate::INVALID_BINARY_REPRESENTATION, "the component cannot be read").detail(why)
}

/// A guest's own stack lies at the bottom of its memory; running over it is an access this close below address 0.
const BELOW_ZERO: u64 = 0xff00_0000;

/// Names the failure of a call. `own_deadline`: when the procedure's own time is over.
pub fn explain(failure: &wasmtime::Error, state: &State, own_deadline: Option<Instant>) -> Error {
    if let Some(Raised(error)) = failure.downcast_ref::<Raised>() {
        return error.clone();
    }
    let (target, limits) = (&state.target, &state.limits);
    if let Some(stopped) = failure.downcast_ref::<Stopped>() {
        return match (stopped, own_deadline) {
            (Stopped::Timeout, Some(deadline)) if Instant::now() >= deadline => target.exceeded(
                sqlstate::QUERY_CANCELED,
                "takes too long",
                "wall_ms",
                limits.wall_ms,
                "milliseconds in one statement",
            ),
            (stopped, _) => stopped.error(),
        };
    }
    let trap = failure.downcast_ref::<Trap>();
    let stack_overflow = match trap {
        Some(Trap::StackOverflow) => true,
        Some(Trap::MemoryOutOfBounds) => fault_address(failure).is_some_and(|address| address >= BELOW_ZERO),
        _ => false,
    };
    if stack_overflow {
        return target.exceeded(
            sqlstate::STATEMENT_TOO_COMPLEX,
            "recurses too deeply",
            "stack_kib",
            limits.stack_kib,
            "KiB",
        );
    }
    // The guest's allocator gives up with a trap.
    if state.memory.exhausted {
        let own = state.memory.bytes_max;
        let error = target.exceeded(sqlstate::OUT_OF_MEMORY, "needs too much memory", "memory_kib", own >> 10, "KiB");
        return if state.memory.total.is_nearly_full() {
            Error::new(sqlstate::OUT_OF_MEMORY, "out of memory")
                .detail(format!(
                    "All procedures together use the {} bytes that they may have.",
                    state.memory.total.bytes_max
                ))
                .hint("Try again later, or raise procedures.total_memory_mb in the node's configuration.")
        } else {
            error
        };
    }
    let text = format!("{failure:#}");
    if text.contains("too much data") {
        return Error::new(
            sqlstate::PROGRAM_LIMIT_EXCEEDED,
            format!("procedure \"{}\" hands over more than {} MiB at once", target.procedure, limits.value_mb),
        )
        .hint("Raise procedures.value_mb in the node's configuration.");
    }
    let detail = match panic_message(&state.last_words) {
        Some(message) => message,
        None => trap.map_or(text, Trap::to_string),
    };
    Error::new(sqlstate::EXTERNAL_ROUTINE_EXCEPTION, format!("procedure \"{}\" failed", target.procedure))
        .detail(detail)
}

/// wasmtime says it in words only.
fn fault_address(failure: &wasmtime::Error) -> Option<u64> {
    let text = format!("{failure:?}");
    let (_, rest) = text.split_once("memory fault at wasm address 0x")?;
    let digits = rest.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(rest.len());
    u64::from_str_radix(&rest[..digits], 16).ok()
}

/// What a guest wrote before it gave up, without the advice that only helps its author's own machine.
fn panic_message(last_words: &str) -> Option<String> {
    let lines: Vec<_> = last_words
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.starts_with("note: run with"))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n").replace('\0', "\u{fffd}"))
}
