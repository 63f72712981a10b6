//! Errors as JSON: PostgreSQL's fields under the names that its JavaScript drivers use.

use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::error::{Error, sqlstate};
use crate::protocol::http::respond::{Body, json_response};

/// A refused request: HTTP's status, and what PostgreSQL would say.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub error: Error,
}

impl From<Error> for Refusal {
    /// Whatever concerns the statement is a 400: drivers read the fields then.
    fn from(error: Error) -> Refusal {
        Refusal { status: StatusCode::BAD_REQUEST, error }
    }
}

impl Refusal {
    pub fn new(status: StatusCode, sqlstate: &str, message: impl Into<String>) -> Refusal {
        Refusal { status, error: Error::new(sqlstate, message) }
    }

    /// 400: the request does not follow the protocol.
    pub fn malformed(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, sqlstate::PROTOCOL_VIOLATION, message)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.error = self.error.hint(hint);
        self
    }

    pub fn response(&self) -> Response<Body> {
        json_response(self.status, &error_json(&self.error))
    }
}

pub fn error_json(error: &Error) -> Value {
    let fields = error.fields();
    json!({
        "message": fields.message,
        "severity": "ERROR",
        "code": fields.sqlstate,
        "detail": fields.detail,
        "hint": fields.hint,
        "position": fields.position.map(|position| position.to_string()),
        "internalPosition": null,
        "internalQuery": null,
        "where": fields.context,
        "schema": fields.schema_name,
        "table": fields.table_name,
        "column": fields.column_name,
        "dataType": null,
        "constraint": fields.constraint_name,
        "file": null,
        "line": null,
        "routine": null,
    })
}
