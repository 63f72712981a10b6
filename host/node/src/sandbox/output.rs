//! A statement's results on their way to the client: held while the statement may have to run again, streamed
//! otherwise.

use tokio::sync::mpsc;

use crate::error::{Error, Result, sqlstate};

/// One column of a result, in the terms of PostgreSQL's RowDescription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub type_oid: u32,
    pub type_size: i16,
    pub type_modifier: i32,
    pub table_oid: u32,
    pub column_number: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Debug,
    Info,
    Notice,
    Warning,
}

impl Severity {
    /// As PostgreSQL spells it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Debug => "DEBUG",
            Severity::Info => "INFO",
            Severity::Notice => "NOTICE",
            Severity::Warning => "WARNING",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub severity: Severity,
    pub sqlstate: String,
    pub message: String,
}

/// What a client hears of a statement before its completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Columns(Vec<Column>),
    /// Rows in the form of `wit/output.wit`.
    Rows {
        batch: Vec<u8>,
        count: u32,
    },
    Notice(Notice),
}

impl Event {
    fn bytes(&self) -> usize {
        match self {
            Event::Columns(columns) => columns.iter().map(|column| column.name.len() + 64).sum(),
            Event::Rows { batch, .. } => batch.len() + 32,
            Event::Notice(notice) => notice.message.len() + 64,
        }
    }
}

/// The results of one statement. Nothing has reached the client as long as `is_sent` says so.
#[derive(Debug, Default)]
pub struct Results {
    held: Vec<Event>,
    held_bytes: usize,
    held_bytes_max: usize,
    client: Option<mpsc::Sender<Event>>,
    sent: bool,
    /// The statement's transaction can still be run again.
    hold: bool,
    /// More than can be held is refused rather than sent.
    keeps: bool,
    /// Of a procedure's statement.
    nested: Option<Nested>,
    rows: u64,
}

/// How a procedure takes its statement's rows.
#[derive(Debug)]
struct Nested {
    rows_max: u64,
    /// Rows are only counted.
    counted: bool,
}

impl Results {
    /// Results that are kept until they are taken, 54000 beyond `bytes_max`.
    pub fn held(bytes_max: usize) -> Results {
        Results { held_bytes_max: bytes_max, ..Results::default() }
    }

    /// The results of a procedure's statement: at most so many bytes and rows, which are only counted unless `keep`.
    pub fn nested(bytes_max: usize, rows_max: u64, keep: bool) -> Results {
        let nested = Some(Nested { rows_max, counted: !keep });
        Results { held_bytes_max: bytes_max, nested, ..Results::default() }
    }

    /// Results that flow to a client as they come, but for those that must wait for a commit: of these at most
    /// `bytes_max` are held.
    pub fn streamed(client: mpsc::Sender<Event>, bytes_max: usize) -> Results {
        Results { held_bytes_max: bytes_max, client: Some(client), ..Results::default() }
    }

    /// Whether the client has seen anything, so that the statement cannot be run again behind its back.
    pub fn is_sent(&self) -> bool {
        self.sent
    }

    /// Rows that have come, more than a procedure may read when they have ended the statement.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What is held.
    pub fn events(&self) -> &[Event] {
        &self.held
    }

    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// From here on, results wait for `flush` where that is possible.
    pub fn hold(&mut self, hold: bool) {
        self.hold = hold;
    }

    /// Refuses what cannot be held with 40001, or sends it: the statement may have to be run again, and then not again.
    pub fn keep(&mut self, keeps: bool) {
        self.keeps = keeps;
    }

    pub fn keeps(&self) -> bool {
        self.keeps
    }

    /// Forgets what has not been sent.
    pub fn discard(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
    }

    /// What was held.
    pub fn take(&mut self) -> Vec<Event> {
        self.held_bytes = 0;
        std::mem::take(&mut self.held)
    }

    /// Small events that never wait: descriptions and notices go with the rows that follow, or at the end.
    pub fn add(&mut self, event: Event) -> Result<()> {
        self.held_bytes += event.bytes();
        self.held.push(event);
        if self.held_bytes > self.held_bytes_max && self.client.is_none() {
            if self.nested.is_some() {
                return Err(Error::new(
                    sqlstate::PROGRAM_LIMIT_EXCEEDED,
                    "results are larger than what a procedure may hold at once",
                )
                .hint("Ask for fewer rows, drop those that are done with, or raise procedures.value_mb."));
            }
            return Err(Error::new(
                sqlstate::PROGRAM_LIMIT_EXCEEDED,
                format!("result is larger than the {} bytes that are held for a client", self.held_bytes_max),
            )
            .hint("Ask for the rows as they come (Accept: application/x-ndjson), or for fewer of them."));
        }
        Ok(())
    }

    /// Rows: sent at once, unless they are to be held and there is room to hold them. Waits for the client to make
    /// room.
    pub async fn add_rows(&mut self, batch: Vec<u8>, count: u32) -> Result<()> {
        self.rows += u64::from(count);
        if let Some(nested) = &self.nested {
            if self.rows > nested.rows_max {
                return Err(Error::new(sqlstate::ROWS_IN_LIMIT_EXCEEDED, "the procedure reads too many rows"));
            }
            if nested.counted {
                return Ok(());
            }
        }
        self.add(Event::Rows { batch, count })?;
        if self.client.is_some() && (!self.hold || self.held_bytes > self.held_bytes_max) {
            if self.keeps {
                return Err(Error::new(sqlstate::SERIALIZATION_FAILURE, "more rows than can be held"));
            }
            self.flush().await?;
        }
        Ok(())
    }

    /// Sends everything that was held, as far as there is a client to send it to.
    pub async fn flush(&mut self) -> Result<()> {
        let Some(client) = &self.client else { return Ok(()) };
        self.held_bytes = 0;
        for event in std::mem::take(&mut self.held) {
            self.sent = true;
            if client.send(event).await.is_err() {
                return Err(Error::new(sqlstate::QUERY_CANCELED, "the client has gone"));
            }
        }
        Ok(())
    }
}
