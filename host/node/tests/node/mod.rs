//! A node as a process of its own, and a client that speaks plain HTTP to it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub struct Process {
    pub child: Child,
    pub address: SocketAddr,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that starts a node on a free port.
pub fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isobar"));
    command.arg("start").arg("--data").arg(data).args(["--http", "127.0.0.1:0"]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a node and waits until it is ready.
pub fn start(data: &Path, arguments: &[&str]) -> Process {
    started(command(data, arguments).stderr(Stdio::inherit()).spawn().expect("the binary runs"))
}

/// Waits until a node that has been started is ready.
pub fn started(mut child: Child) -> Process {
    let mut line = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
    let address = address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("not ready: {line:?}"));
    Process { child, address }
}

impl Process {
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Response<hyper::body::Incoming> {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        sender.send_request(request).await.expect("an answer")
    }

    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> (StatusCode, Bytes) {
        let mut request = Request::builder().method(method).uri(path).header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.send(request.body(Full::new(body.into())).expect("a request")).await;
        let status = response.status();
        (status, response.into_body().collect().await.expect("a body").to_bytes())
    }

    /// Posts JSON and reads JSON.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> (StatusCode, Value) {
        let (status, bytes) = self.request("POST", path, headers, body.to_string()).await;
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}")))
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, bytes) = self.request("GET", path, &[], "").await;
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}")))
    }

    /// Runs a statement that must succeed, with rows as arrays of text.
    pub async fn sql(&self, sql: &str) -> Value {
        let headers = [("neon-array-mode", "true"), ("neon-raw-text-output", "true")];
        let (status, answer) = self.post("/sql", &headers, &json!({"query": sql, "params": []})).await;
        assert_eq!(status, 200, "{sql}: {answer}");
        answer
    }
}
