//! A client of nodes that may be gone, or may go at any moment.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// Every answer comes within this, whatever happens between the nodes: 57P03 after `reach_milliseconds`, 08007 after
/// `commit_milliseconds`, some retries, and the longest pause of a process.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub enum Failure {
    /// Nobody listens: nothing was sent.
    NotSent,
    /// The connection ended, or said nothing, before the answer was whole.
    Lost(String),
    /// No answer within [`ANSWER_LIMIT`].
    Late,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        self.status == 200
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

pub async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<Answer, Failure> {
    let Ok(stream) = TcpStream::connect(address).await else { return Err(Failure::NotSent) };
    let lost = |error: hyper::Error| Failure::Lost(error.to_string());
    let answer = async {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("host", address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).expect("a request");
        let response = sender.send_request(request).await.map_err(lost)?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.map_err(lost)?.to_bytes();
        let body = serde_json::from_slice(&bytes).map_err(|error| Failure::Lost(format!("not JSON: {error}")))?;
        Ok(Answer { status, body })
    };
    tokio::time::timeout(ANSWER_LIMIT, answer).await.unwrap_or(Err(Failure::Late))
}

/// Rows as arrays of texts.
pub const ROWS: [(&str, &str); 2] = [("neon-array-mode", "true"), ("neon-raw-text-output", "true")];

pub async fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Answer, Failure> {
    request(address, "POST", path, &[&ROWS, headers].concat(), body.to_string()).await
}

/// One statement on its own.
pub async fn sql(address: SocketAddr, sql: &str) -> Result<Answer, Failure> {
    post(address, "/sql", &[], &json!({"query": sql, "params": []})).await
}

/// The texts of a result's rows; of NULL nothing.
pub fn rows(result: &Value) -> Vec<Vec<Option<String>>> {
    let rows = result["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
    let cell = |cell: &Value| cell.as_str().map(String::from);
    rows.iter().map(|row| row.as_array().into_iter().flatten().map(cell).collect()).collect()
}
