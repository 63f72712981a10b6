//! What a request says: its headers, its body, and the limits on both.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper::body::Incoming;
use hyper::{HeaderMap, StatusCode};
use isobar_replica::{Isolation, Ulid};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result, sqlstate};
use crate::policy::{DEFAULT_USER, user_name};
use crate::protocol::http::configuration::Configuration;
use crate::protocol::http::error::Refusal;
use crate::protocol::http::parameters;
use crate::sandbox::TransactionModes;
use crate::session::{Settings, Statement};

/// The body of a request. Members that we do not know are left alone, as drivers add their own.
#[derive(Debug, Default, Deserialize)]
pub struct QueryBody {
    pub query: Option<String>,
    #[serde(default)]
    pub params: Option<Vec<Value>>,
    /// The data of COPY … FROM STDIN.
    pub input: Option<String>,
    pub queries: Option<Vec<QueryBody>>,
    /// What an earlier answer said in its member `settings`.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

impl QueryBody {
    pub fn parse(bytes: &[u8]) -> Result<QueryBody, Refusal> {
        serde_json::from_slice(bytes).map_err(|error| {
            Refusal::malformed(format!("the body is not a request: {error}"))
                .hint("Send {\"query\": \"SELECT $1\", \"params\": [\"1\"]} or {\"queries\": [...]}.")
        })
    }

    pub fn statement(self) -> Result<Statement, Refusal> {
        let sql = self.query.ok_or_else(|| Refusal::malformed("the body has no member \"query\""))?;
        let parameters = parameters::texts(self.params.unwrap_or_default())?;
        let packed = parameters.iter().map(|parameter| parameter.as_ref().map(String::as_bytes));
        let mut statement = Statement::with_parameters(sql, packed)?;
        statement.input = self.input.map(String::into_bytes);
        Ok(statement)
    }
}

/// How many settings a request may bring, and how long they may be.
const SETTINGS_MAX: usize = 200;
const SETTING_BYTES_MAX: usize = 8192;

/// The settings that a session begins with.
pub fn settings(settings: BTreeMap<String, String>) -> Result<Settings, Refusal> {
    if settings.len() > SETTINGS_MAX
        || settings.iter().any(|(name, value)| name.len() + value.len() > SETTING_BYTES_MAX)
    {
        return Err(Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "too many settings in one request").into());
    }
    Ok(Settings::new(settings.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()))
}

/// Who asks: the user of the connection string, which is all that says so. Without a connection string, or without a
/// user in it, the node's first user. 28000 for one that is no user's name: nobody becomes somebody else by mistake.
pub fn user(headers: &HeaderMap) -> Result<String, Refusal> {
    let Some(header) = headers.get("neon-connection-string") else { return Ok(DEFAULT_USER.into()) };
    let refused = || {
        Error::new(
            sqlstate::INVALID_AUTHORIZATION_SPECIFICATION,
            "the connection string of the header Neon-Connection-String makes no sense",
        )
        .hint("It looks like postgresql://USER:PASSWORD@HOST/DATABASE.")
    };
    let url = header.to_str().map_err(|_| refused())?;
    let (_, rest) = url.split_once("://").ok_or_else(refused)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((credentials, _)) = authority.rsplit_once('@') else { return Ok(DEFAULT_USER.into()) };
    let user = credentials.split(':').next().unwrap_or_default();
    if user.is_empty() {
        return Ok(DEFAULT_USER.into());
    }
    let user = percent_decoded(user).ok_or_else(refused)?;
    Ok(user_name(&user)?.into())
}

/// RFC 3986, section 2.1. None when it is not UTF-8, or a `%` has no two digits behind it.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let digit = |digit: u8| char::from(digit).to_digit(16);
        bytes.push(u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub fn is_true(headers: &HeaderMap, name: &str) -> bool {
    text(headers, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The client's name for a write that must happen once.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<Ulid>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().and_then(|text| Ulid::from_string(text).ok());
    match key {
        Some(key) => Ok(Some(key)),
        None => Err(Error::new(
            sqlstate::INVALID_PARAMETER_VALUE,
            format!("Idempotency-Key is not a ULID: {}", String::from_utf8_lossy(value.as_bytes())),
        )
        .into()),
    }
}

/// Modes of a batch, as the Neon driver asks for them.
pub fn batch_modes(headers: &HeaderMap) -> Result<TransactionModes, Refusal> {
    let isolation = text(headers, "neon-batch-isolation-level").map(isolation).transpose()?;
    let read_only = headers.contains_key("neon-batch-read-only").then(|| is_true(headers, "neon-batch-read-only"));
    Ok(TransactionModes { isolation, read_only })
}

/// `RepeatableRead`, `repeatable read` and `repeatable-read` are the same. Weaker levels get snapshot isolation.
pub fn isolation(name: &str) -> Result<Isolation, Refusal> {
    let letters: String =
        name.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect();
    match letters.as_str() {
        "serializable" => Ok(Isolation::Serializable),
        "repeatableread" | "readcommitted" | "readuncommitted" => Ok(Isolation::Snapshot),
        _ => Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("unknown isolation level \"{name}\"")).into()),
    }
}

/// Room in memory for bodies and answers, counted in KiB.
#[derive(Clone)]
pub struct Memory {
    room: Arc<Semaphore>,
    kb_max: usize,
    wait: std::time::Duration,
}

impl Memory {
    pub fn new(configuration: &Configuration) -> Memory {
        let kb_max = (configuration.memory_mb << 10).min(Semaphore::MAX_PERMITS);
        Memory { room: Arc::new(Semaphore::new(kb_max)), kb_max, wait: configuration.body_time() }
    }

    /// Waits for room; 503 when there is none for too long.
    pub async fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let kb = u32::try_from(bytes.div_ceil(1024).clamp(1, self.kb_max)).unwrap_or(u32::MAX);
        match tokio::time::timeout(self.wait, self.room.clone().acquire_many_owned(kb)).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                sqlstate::INSUFFICIENT_RESOURCES,
                "too many requests are in memory",
            )
            .hint("Try again later.")),
        }
    }
}

/// The whole body, within the limits, and the room that it takes.
pub async fn read(
    configuration: &Configuration,
    memory: &Memory,
    body: Incoming,
) -> Result<(Bytes, OwnedSemaphorePermit), Refusal> {
    let limit = configuration.body_bytes();
    let too_large = || {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            sqlstate::PROGRAM_LIMIT_EXCEEDED,
            format!("the body is longer than {limit} bytes"),
        )
        .hint("Send less at once, or raise http.body_mb.")
    };
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        discard(configuration, body).await;
        return Err(too_large());
    }
    // A body of unknown length takes the room of the longest.
    let bytes = announced.upper().and_then(|upper| usize::try_from(upper).ok()).unwrap_or(limit).min(limit);
    let permit = memory.reserve(bytes).await?;
    let mut body = body;
    match tokio::time::timeout(configuration.body_time(), Limited::new(&mut body, limit).collect()).await {
        Ok(Ok(collected)) => Ok((collected.to_bytes(), permit)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            discard(configuration, body).await;
            Err(too_large())
        }
        Ok(Err(error)) => Err(Refusal::malformed(format!("the body could not be read: {error}"))),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            sqlstate::PROTOCOL_VIOLATION,
            "the body did not arrive in time",
        )),
    }
}

/// Reads on for a while what will not be used. Clients look for an answer when they have sent their request; one whose
/// connection is closed before sees a broken pipe, and not why.
async fn discard(configuration: &Configuration, mut body: Incoming) {
    const BYTES_MAX: usize = 256 << 20;
    let reading = async {
        let mut left = BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else { return };
            left = rest;
        }
    };
    // Too late is as good as done: the answer is the same.
    let _ = tokio::time::timeout(configuration.body_time(), reading).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolation_levels_have_many_spellings() {
        for (name, expected) in [
            ("Serializable", Some(Isolation::Serializable)),
            ("RepeatableRead", Some(Isolation::Snapshot)),
            ("repeatable-read", Some(Isolation::Snapshot)),
            ("READ COMMITTED", Some(Isolation::Snapshot)),
            ("chaos", None),
        ] {
            assert_eq!(isolation(name).ok(), expected, "{name}");
        }
    }

    #[test]
    fn users_are_those_of_the_connection_string() {
        let asked = |url: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(url) = url {
                headers.insert("neon-connection-string", url.parse().expect("a header"));
            }
            user(&headers).map_err(|refusal| refusal.error.sqlstate().to_string())
        };
        for (url, expected) in [
            (None, "isobar"),
            (Some("postgresql://localhost/isobar"), "isobar"),
            (Some("postgresql://:x@localhost/isobar"), "isobar"),
            (Some("postgres://ann:x@localhost/isobar"), "ann"),
            (Some("postgres://ann@localhost/isobar?a=@b"), "ann"),
            (Some("postgres://ann:p@ss@localhost"), "ann"),
            (Some("postgres://ann-b%40example.org:x@localhost"), "ann-b@example.org"),
        ] {
            assert_eq!(asked(url), Ok(expected.into()), "{url:?}");
        }
        for url in ["ann", "postgres://an%zzn@localhost", "postgres://an%00n@localhost", "postgres://%ff@localhost", ""]
        {
            assert_eq!(asked(Some(url)), Err("28000".into()), "{url}");
        }
    }

    #[test]
    fn bad_keys_are_refused() {
        let mut headers = HeaderMap::new();
        assert!(idempotency_key(&headers).is_ok_and(|key| key.is_none()));
        headers.insert("idempotency-key", "yesterday".parse().expect("a header"));
        assert!(idempotency_key(&headers).is_err_and(|refusal| refusal.error.sqlstate() == "22023"));
        headers.insert("idempotency-key", "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().expect("a header"));
        assert!(idempotency_key(&headers).is_ok_and(|key| key.is_some()));
    }

    #[test]
    fn strange_members_do_not_matter() {
        let body = QueryBody::parse(br#"{"query":"SELECT $1","params":["x",null],"arrayMode":true}"#);
        let statement = body.and_then(QueryBody::statement).expect("a statement");
        assert_eq!(statement.parameters, b"\0\0\0\x01x\xff\xff\xff\xff");
        for bad in ["", "[]", "{}", "{\"query\":1}", "{\"query\":\"x\",\"params\":{}}"] {
            assert!(QueryBody::parse(bad.as_bytes()).and_then(QueryBody::statement).is_err(), "{bad}");
        }
    }
}
