//! Errors: what a statement fails with and what a procedure raises are one type, so that `?` hands them on.

use crate::Error;

/// PostgreSQL's `raise_exception`: an error of the procedure's own.
const RAISED: &str = "P0001";

impl Error {
    /// An error with a SQLSTATE: five digits or capital letters (PostgreSQL, appendix A).
    pub fn new(sqlstate: &str, message: impl Into<String>) -> Error {
        Error { sqlstate: sqlstate.to_owned(), message: message.into(), detail: None, hint: None }
    }

    pub fn with_detail(self, detail: impl Into<String>) -> Error {
        Error { detail: Some(detail.into()), ..self }
    }

    pub fn with_hint(self, hint: impl Into<String>) -> Error {
        Error { hint: Some(hint.into()), ..self }
    }
}

impl From<String> for Error {
    /// SQLSTATE P0001.
    fn from(message: String) -> Error {
        Error::new(RAISED, message)
    }
}

impl From<&str> for Error {
    /// SQLSTATE P0001.
    fn from(message: &str) -> Error {
        Error::new(RAISED, message)
    }
}

impl From<std::num::ParseIntError> for Error {
    fn from(error: std::num::ParseIntError) -> Error {
        Error::new("22P02", error.to_string())
    }
}

impl From<std::num::ParseFloatError> for Error {
    fn from(error: std::num::ParseFloatError) -> Error {
        Error::new("22P02", error.to_string())
    }
}

impl From<std::num::TryFromIntError> for Error {
    fn from(error: std::num::TryFromIntError) -> Error {
        Error::new("22003", error.to_string())
    }
}
