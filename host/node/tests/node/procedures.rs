//! What tests of stored procedures ask of a node.

use hyper::StatusCode;
use serde_json::Value;

use crate::node::Process;

impl Process {
    /// Deploys a component that must be accepted; answers what the node says of the procedure.
    pub async fn deploy(&self, name: &str, component: &[u8]) -> Value {
        let (status, answer) = self.try_deploy(name, component).await;
        assert_eq!(status, 200, "{name}: {answer}");
        answer
    }

    pub async fn try_deploy(&self, name: &str, component: &[u8]) -> (StatusCode, Value) {
        let (status, bytes) = self.request("POST", &format!("/v1/procedures/{name}"), &[], component.to_vec()).await;
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}")))
    }

    /// The rows of a statement, fields with bars between them, lines for rows.
    pub async fn text(&self, sql: &str) -> String {
        shown(&self.sql(sql).await)
    }

    /// The fields of the error that a statement must fail with.
    pub async fn failure(&self, sql: &str) -> Value {
        let (status, error) = self.post("/sql", &[], &serde_json::json!({"query": sql})).await;
        assert_eq!(status, 400, "{sql}: {error}");
        error
    }

    /// SQLSTATE and message of that error.
    pub async fn refusal(&self, sql: &str) -> String {
        brief(&self.failure(sql).await)
    }
}

/// SQLSTATE and message of an error.
pub fn brief(error: &Value) -> String {
    format!("{}: {}", field(error, "code"), field(error, "message"))
}

/// A text of an error; nothing where there is none.
pub fn field<'a>(error: &'a Value, name: &str) -> &'a str {
    error[name].as_str().unwrap_or_default()
}

/// Rows as arrays of text, as lines.
pub fn shown(answer: &Value) -> String {
    let rows = answer["rows"].as_array().expect("rows");
    let line = |row: &Value| {
        let fields = row.as_array().expect("a row is an array").iter();
        fields.map(|field| field.as_str().unwrap_or("NULL")).collect::<Vec<_>>().join("|")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
