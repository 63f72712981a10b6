//! What a trap means to the client. Whatever the guest did, only its statement fails.

use std::fmt;

use wasmtime::Trap;

use crate::error::{Error, sqlstate};

/// Why the host itself stopped a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    Timeout,
    Request,
}

impl Stopped {
    pub fn error(self) -> Error {
        let why = match self {
            Stopped::Timeout => "statement timeout",
            Stopped::Request => "user request",
        };
        Error::new(sqlstate::QUERY_CANCELED, format!("canceling statement due to {why}"))
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.error().message())
    }
}

impl std::error::Error for Stopped {}

/// Names the failure of a call; `exhausted`: growth of memory was refused during it.
pub fn explain(failure: &wasmtime::Error, exhausted: bool) -> Error {
    if let Some(stopped) = failure.downcast_ref::<Stopped>() {
        return stopped.error();
    }
    let trap = failure.downcast_ref::<Trap>();
    match trap {
        // The guest's own stack lies at the bottom of its memory: running over it is an access out of bounds.
        Some(Trap::StackOverflow | Trap::MemoryOutOfBounds) => {
            Error::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
                .hint("Nest the statement's expressions and queries less deeply.")
        }
        // The guest's allocator gives up with a trap.
        _ if exhausted => out_of_memory(),
        Some(trap) => Error::internal("the SQL engine failed").detail(trap.to_string()),
        None => Error::internal("the SQL engine failed").detail(format!("{failure:#}")),
    }
}

/// 53200
pub fn out_of_memory() -> Error {
    Error::new(sqlstate::OUT_OF_MEMORY, "out of memory")
        .detail("The statement needs more memory than one engine instance may use, or than is left for all of them.")
}
