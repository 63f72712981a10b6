//! Errors as clients see them: PostgreSQL's fields (PostgreSQL 15, section 55.8).

use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed request. Boxed, so that `Result` stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<ErrorFields>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFields {
    /// Five characters, PostgreSQL's appendix A.
    pub sqlstate: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// In characters of the statement's text; the first is 1.
    pub position: Option<u32>,
    pub context: Option<String>,
    pub schema_name: Option<String>,
    pub table_name: Option<String>,
    pub column_name: Option<String>,
    pub constraint_name: Option<String>,
}

impl Error {
    pub fn new(sqlstate: &str, message: impl Into<String>) -> Error {
        Error(Box::new(ErrorFields { sqlstate: sqlstate.into(), message: message.into(), ..Default::default() }))
    }

    /// XX000: a promise between two parts of the node is broken.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(sqlstate::INTERNAL_ERROR, message)
    }

    /// 25P02: what every statement but the block's end answers after one has failed.
    pub fn aborted_block() -> Error {
        Error::new(
            sqlstate::IN_FAILED_SQL_TRANSACTION,
            "current transaction is aborted, commands ignored until end of transaction block",
        )
    }

    pub fn detail(mut self, detail: impl Into<String>) -> Error {
        self.0.detail = Some(detail.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a line to PostgreSQL's CONTEXT, after those of what happened further inside.
    pub fn context(mut self, line: impl Into<String>) -> Error {
        let line = line.into();
        self.0.context = Some(match self.0.context.take() {
            Some(inner) => format!("{inner}\n{line}"),
            None => line,
        });
        self
    }

    pub fn sqlstate(&self) -> &str {
        &self.0.sqlstate
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn fields(&self) -> &ErrorFields {
        &self.0
    }

    /// Whether the same transaction may succeed when it is run again.
    pub fn is_conflict(&self) -> bool {
        self.0.sqlstate == sqlstate::SERIALIZATION_FAILURE
    }
}

impl From<ErrorFields> for Error {
    fn from(fields: ErrorFields) -> Error {
        Error(Box::new(fields))
    }
}

impl From<isobar_replica::Error> for Error {
    fn from(error: isobar_replica::Error) -> Error {
        Error(Box::new(ErrorFields {
            sqlstate: error.sqlstate.into(),
            message: error.message,
            detail: error.detail,
            hint: error.hint,
            ..Default::default()
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.0.message, self.0.sqlstate)?;
        if let Some(detail) = &self.0.detail {
            write!(formatter, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The SQLSTATEs that the node itself raises (PostgreSQL 15, appendix A).
pub mod sqlstate {
    pub const PROTOCOL_VIOLATION: &str = "08P01";
    pub const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub const ARRAY_SUBSCRIPT_ERROR: &str = "2202E";
    pub const NUMERIC_VALUE_OUT_OF_RANGE: &str = "22003";
    pub const NULL_VALUE_NOT_ALLOWED: &str = "22004";
    pub const DATETIME_FIELD_OVERFLOW: &str = "22008";
    pub const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
    pub const INVALID_PARAMETER_VALUE: &str = "22023";
    pub const INVALID_TEXT_REPRESENTATION: &str = "22P02";
    pub const INVALID_BINARY_REPRESENTATION: &str = "22P03";
    pub const ACTIVE_SQL_TRANSACTION: &str = "25001";
    pub const READ_ONLY_SQL_TRANSACTION: &str = "25006";
    pub const NO_ACTIVE_SQL_TRANSACTION: &str = "25P01";
    pub const IN_FAILED_SQL_TRANSACTION: &str = "25P02";
    pub const IDLE_IN_TRANSACTION_SESSION_TIMEOUT: &str = "25P03";
    pub const INVALID_SQL_STATEMENT_NAME: &str = "26000";
    pub const INVALID_TRANSACTION_TERMINATION: &str = "2D000";
    pub const EXTERNAL_ROUTINE_EXCEPTION: &str = "39000";
    pub const INVALID_SQLSTATE_RETURNED: &str = "39001";
    /// Our own in PostgreSQL's class 39, as are the three that follow.
    pub const STATEMENT_LIMIT_EXCEEDED: &str = "39P11";
    pub const ROWS_IN_LIMIT_EXCEEDED: &str = "39P12";
    pub const ROWS_OUT_LIMIT_EXCEEDED: &str = "39P13";
    pub const LOG_LIMIT_EXCEEDED: &str = "39P14";
    pub const INVALID_SAVEPOINT_SPECIFICATION: &str = "3B001";
    pub const INVALID_AUTHORIZATION_SPECIFICATION: &str = "28000";
    pub const SERIALIZATION_FAILURE: &str = "40001";
    pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
    pub const SYNTAX_ERROR: &str = "42601";
    pub const INVALID_NAME: &str = "42602";
    pub const NAME_TOO_LONG: &str = "42622";
    pub const DUPLICATE_FUNCTION: &str = "42723";
    pub const DATATYPE_MISMATCH: &str = "42804";
    pub const UNDEFINED_FUNCTION: &str = "42883";
    pub const INVALID_FUNCTION_DEFINITION: &str = "42P13";
    pub const INDETERMINATE_DATATYPE: &str = "42P18";
    pub const AMBIGUOUS_FUNCTION: &str = "42725";
    pub const DUPLICATE_PREPARED_STATEMENT: &str = "42P05";
    pub const INSUFFICIENT_RESOURCES: &str = "53000";
    pub const OUT_OF_MEMORY: &str = "53200";
    pub const TOO_MANY_CONNECTIONS: &str = "53300";
    pub const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
    pub const STATEMENT_TOO_COMPLEX: &str = "54001";
    pub const OBJECT_NOT_IN_PREREQUISITE_STATE: &str = "55000";
    pub const OBJECT_IN_USE: &str = "55006";
    pub const QUERY_CANCELED: &str = "57014";
    pub const ADMIN_SHUTDOWN: &str = "57P01";
    pub const RAISE_EXCEPTION: &str = "P0001";
    pub const INTERNAL_ERROR: &str = "XX000";
    pub const DATA_CORRUPTED: &str = "XX001";
}
