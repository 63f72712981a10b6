//! The HTTP client of the commands: asks a node, and reads what it says as text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::json;

/// Where a node listens unless it is told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// SQLSTATE of a node that cannot serve now, such as one that reaches no majority: nothing was done.
const CANNOT_SERVE: &str = "57P03";

/// Addresses of nodes of one cluster, and the connections to them. Clones share the connections.
///
/// Requests go to one node for as long as it serves. When it is not there, or says that it cannot serve, the next one
/// is asked, for whatever was certainly not done; a request whose connection broke may have been done, and is not
/// repeated.
#[derive(Clone)]
pub struct Client {
    http: HttpClient<HttpConnector, Full<Bytes>>,
    bases: Arc<[String]>,
    /// Which of them is asked.
    at: Arc<AtomicUsize>,
    /// The connection string that says who asks; none: the node's first user.
    connection_string: Option<String>,
}

/// One statement as `POST /sql` takes it.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    pub sql: &'a str,
    pub parameters: &'a [Option<&'a str>],
    /// What follows COPY … FROM STDIN.
    pub input: Option<&'a str>,
    pub settings: Option<&'a BTreeMap<String, String>>,
    /// A ULID: the node applies the statement once, however often it is sent.
    pub idempotency_key: Option<&'a str>,
}

/// What a statement answered, every value as PostgreSQL's text.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Answer {
    #[serde(default)]
    pub command: String,
    #[serde(default, rename = "rowCount")]
    pub row_count: Option<u64>,
    #[serde(default)]
    pub fields: Vec<Field>,
    #[serde(default)]
    pub rows: Vec<Vec<Option<String>>>,
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// The session's settings after a statement that changed them.
    pub settings: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Field {
    pub name: String,
    #[serde(rename = "dataTypeID")]
    pub type_oid: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Notice {
    pub severity: String,
    pub message: String,
}

/// PostgreSQL's error fields, as a node sends them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct DatabaseError {
    pub message: String,
    pub code: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// In characters of the statement; the first is 1.
    #[serde(default, deserialize_with = "position_of")]
    pub position: Option<usize>,
    #[serde(rename = "where")]
    pub context: Option<String>,
    pub column: Option<String>,
}

/// Why a request brought no answer.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The node understood the request and refused it; nothing was changed.
    Database(Box<DatabaseError>),
    /// No connection was made, so nothing was sent.
    Unreachable(String),
    /// The connection broke, or what came back was no answer: whether the statement ran is not known.
    Lost(String),
}

impl Failure {
    /// SQLSTATE, where the node gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Failure::Database(error) => Some(&error.code),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Database(error) => write!(formatter, "{}: {}", error.code, error.message),
            Failure::Unreachable(message) | Failure::Lost(message) => formatter.write_str(message),
        }
    }
}

impl Client {
    /// `urls` is `http://HOST:PORT`, or just `HOST:PORT`; several with commas between them.
    pub fn new(urls: &str) -> Result<Client, String> {
        let bases = urls.split(',').map(|url| base_of(url.trim())).collect::<Result<Arc<[String]>, String>>()?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let http =
            HttpClient::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(30)).build(connector);
        Ok(Client { http, bases, at: Arc::default(), connection_string: None })
    }

    /// The same connections, for another user.
    pub fn with_user(mut self, user: &str) -> Client {
        self.connection_string = Some(format!("postgresql://{}@isobar/isobar", percent_encoded(user)));
        self
    }

    /// The node that is asked now.
    pub fn url(&self) -> &str {
        self.base(self.at.load(Ordering::Relaxed))
    }

    fn base(&self, at: usize) -> &str {
        &self.bases[at % self.bases.len()]
    }

    /// Runs one statement at `path`: `/sql`, or a transaction's.
    pub async fn query(&self, path: &str, query: &Query<'_>) -> Result<Answer, Failure> {
        let mut body = json!({"query": query.sql, "params": query.parameters});
        if let Some(input) = query.input {
            body["input"] = json!(input);
        }
        if let Some(settings) = query.settings.filter(|settings| !settings.is_empty()) {
            body["settings"] = json!(settings);
        }
        understood(&self.send(Method::POST, path, JSON, body.to_string().into(), query.idempotency_key).await?)
    }

    /// Sends JSON and gives back JSON.
    pub async fn post(&self, path: &str, body: &serde_json::Value) -> Result<serde_json::Value, Failure> {
        understood(&self.send(Method::POST, path, JSON, body.to_string().into(), None).await?)
    }

    /// Puts JSON and gives back JSON.
    pub async fn put(&self, path: &str, body: &serde_json::Value) -> Result<serde_json::Value, Failure> {
        understood(&self.send(Method::PUT, path, JSON, body.to_string().into(), None).await?)
    }

    /// Sends bytes as they are and gives back JSON.
    pub async fn upload(&self, path: &str, body: Bytes) -> Result<serde_json::Value, Failure> {
        understood(&self.send(Method::POST, path, "application/wasm", body, None).await?)
    }

    /// Asks for what is at `path`, or with another method for it to change.
    pub async fn request(&self, method: Method, path: &str) -> Result<serde_json::Value, Failure> {
        understood(&self.send(method, path, JSON, Bytes::new(), None).await?)
    }

    /// Asks the nodes one after the other until one serves. A transaction is at one node, and ends with it.
    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<Bytes, Failure> {
        let in_transaction = path.starts_with("/v1/transactions/");
        let mut left = self.bases.len();
        loop {
            let at = self.at.load(Ordering::Relaxed);
            let mut request = Request::builder()
                .method(method.clone())
                .uri(format!("{}{path}", self.base(at)))
                .header("content-type", content_type)
                .header("neon-raw-text-output", "true")
                .header("neon-array-mode", "true");
            if let Some(connection_string) = &self.connection_string {
                request = request.header("neon-connection-string", connection_string);
            }
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            let request =
                request.body(Full::new(body.clone())).map_err(|error| Failure::Unreachable(error.to_string()))?;
            let failure = match self.exchange(self.base(at), request).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let not_done = match &failure {
                Failure::Unreachable(_) => true,
                Failure::Database(error) => error.code == CANNOT_SERVE,
                Failure::Lost(_) => false,
            };
            if not_done || matches!(failure, Failure::Lost(_)) {
                // Of several requests that fail at the same node, one moves on.
                let _ = self.at.compare_exchange(at, at + 1, Ordering::Relaxed, Ordering::Relaxed);
            }
            left -= 1;
            if !not_done || in_transaction || left == 0 {
                return Err(failure);
            }
        }
    }

    async fn exchange(&self, base: &str, request: Request<Full<Bytes>>) -> Result<Bytes, Failure> {
        let response = self.http.request(request).await.map_err(|error| {
            if error.is_connect() {
                Failure::Unreachable(format!("cannot reach a node at {base}: {}", cause_of(&error)))
            } else {
                Failure::Lost(format!("lost the node at {base}: {}", cause_of(&error)))
            }
        })?;
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| Failure::Lost(format!("lost the node at {base}: {error}")))?.to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        Err(refused(status, &body))
    }
}

/// A node's address as requests begin with it.
fn base_of(url: &str) -> Result<String, String> {
    let url = if url.contains("://") { url.to_string() } else { format!("http://{url}") };
    let base = url.trim_end_matches('/').to_string();
    let parsed: hyper::Uri = base.parse().map_err(|error| format!("\"{url}\" is not a URL: {error}"))?;
    if parsed.scheme_str() != Some("http") || parsed.authority().is_none() {
        return Err(format!("\"{url}\" is not an address of a node: it looks like {DEFAULT_URL}"));
    }
    Ok(base)
}

const JSON: &str = "application/json";

fn understood<T: serde::de::DeserializeOwned>(answer: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(answer).map_err(|error| Failure::Lost(format!("the node's answer makes no sense: {error}")))
}

/// RFC 3986: what may not stand in a URL as it is.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// An answer that is not 2xx: PostgreSQL's fields, or whatever else listens at that address.
fn refused(status: StatusCode, body: &[u8]) -> Failure {
    match serde_json::from_slice::<DatabaseError>(body) {
        Ok(error) => Failure::Database(Box::new(error)),
        Err(_) => {
            let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
            Failure::Lost(format!("the answer is no node's: HTTP {status} {}", text.trim()))
        }
    }
}

/// The innermost reason, which is the one that helps.
fn cause_of(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// `position` travels as text or number.
fn position_of<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    Ok(match Option::<serde_json::Value>::deserialize(deserializer)? {
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        Some(serde_json::Value::Number(number)) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, base) in [
            ("127.0.0.1:9000", Some("http://127.0.0.1:9000")),
            ("http://node.example:8080/", Some("http://node.example:8080")),
            ("https://node.example", None),
            ("http://", None),
            ("not a url", None),
            ("127.0.0.1:9000, node.example:8080", Some("http://127.0.0.1:9000")),
            ("127.0.0.1:9000,", None),
        ] {
            assert_eq!(Client::new(url).ok().map(|client| client.url().to_string()).as_deref(), base, "{url}");
        }
    }

    /// Answers every connection's request with this, as often as it is asked; its address.
    fn node(status: &'static str, body: &'static str) -> String {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.expect("a connection");
                let mut received = [0; 4096];
                if connection.read(&mut received).expect("a request") > 0 && !status.is_empty() {
                    let length = body.len();
                    write!(
                        connection,
                        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                    )
                    .expect("an answer");
                }
            }
        });
        address
    }

    /// A port where nothing listens.
    fn nobody() -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").to_string()
    }

    #[tokio::test]
    async fn the_next_node_is_asked_for_what_was_not_done() {
        let serves = || node("200 OK", r#"{"command":"SELECT"}"#);
        let refuses = || node("400 Bad Request", r#"{"message":"no majority","code":"57P03"}"#);
        let client = Client::new(&format!("{},{},{}", nobody(), refuses(), serves())).expect("a client");
        let query = Query { sql: "SELECT", ..Query::default() };
        assert_eq!(client.query("/sql", &query).await.expect("an answer").command, "SELECT");
        assert_eq!(client.url(), client.bases[2], "the one that serves is asked from now on");

        let client = Client::new(&format!("{},{}", refuses(), nobody())).expect("a client");
        assert!(matches!(client.query("/sql", &query).await, Err(Failure::Unreachable(_))), "each is asked once");

        let breaks = node("", "");
        let client = Client::new(&format!("{breaks},{}", serves())).expect("a client");
        assert!(matches!(client.query("/sql", &query).await, Err(Failure::Lost(_))), "it may have been done");
        assert_eq!(client.query("/sql", &query).await.expect("an answer").command, "SELECT");

        let client = Client::new(&format!("{},{}", nobody(), serves())).expect("a client");
        let inside = client.query("/v1/transactions/01M85ADVDYHTQ8VX37BX7D30TA/sql", &query).await;
        assert!(matches!(inside, Err(Failure::Unreachable(_))), "a transaction is at one node");
    }

    #[test]
    fn errors_are_read_from_the_body() {
        let body = br#"{"message":"relation \"x\" does not exist","code":"42P01","position":"15","hint":null}"#;
        let Failure::Database(error) = refused(StatusCode::BAD_REQUEST, body) else { panic!("not a database error") };
        assert_eq!((error.code.as_str(), error.position, error.hint), ("42P01", Some(15), None));
        assert!(matches!(refused(StatusCode::BAD_GATEWAY, b"<html>"), Failure::Lost(_)));
    }
}
