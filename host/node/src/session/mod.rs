//! One client's session: transaction block, settings, prepared statements. It holds no engine instance between
//! statements, so an idle one costs next to nothing.

pub mod batch;
mod block;
mod control;
mod deploy;
mod execute;
mod identity;
mod limits;
pub mod once;
mod retry;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use isobar_replica::{Commit, Isolation, Ulid};

use crate::error::{Error, Result, sqlstate};
use crate::node::Node;
use crate::policy::Principal;
use crate::sandbox::{Event, Interrupt, Notice, Results, Severity, TransactionModes};
use crate::session::block::Block;

pub use limits::Limits;
pub use settings::Settings;

/// One statement as a client sends it.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    pub sql: String,
    /// Text forms of $1, $2, …, packed as in `wit/statement.wit`.
    pub parameters: Vec<u8>,
    /// Type OIDs; 0 or missing: inferred.
    pub parameter_types: Vec<u32>,
    /// What follows COPY … FROM STDIN.
    pub input: Option<Vec<u8>>,
}

impl Statement {
    /// Packs parameters in text form; none is NULL. 54000 for one that is longer than 2 GiB.
    pub fn with_parameters<'a>(
        sql: impl Into<String>,
        parameters: impl IntoIterator<Item = Option<&'a [u8]>>,
    ) -> Result<Statement> {
        let mut packed = Vec::new();
        for parameter in parameters {
            let length = match parameter {
                None => -1,
                Some(bytes) => i32::try_from(bytes.len())
                    .map_err(|_| Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "parameter is too long"))?,
            };
            packed.extend_from_slice(&length.to_be_bytes());
            packed.extend_from_slice(parameter.unwrap_or_default());
        }
        Ok(Statement { sql: sql.into(), parameters: packed, ..Statement::default() })
    }
}

/// A statement has succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// PostgreSQL's command tag.
    pub tag: String,
    /// What this statement committed, where it ended a transaction that wrote.
    pub commit: Option<Commit>,
    /// The answer is an earlier one to the same idempotency key.
    pub repeated: bool,
}

impl Completion {
    fn tag(tag: impl Into<String>) -> Completion {
        Completion { tag: tag.into(), commit: None, repeated: false }
    }
}

/// Where a session stands, as PostgreSQL's ReadyForQuery tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Idle,
    InBlock,
    Failed,
}

/// A statement that PREPARE has named.
#[derive(Clone, Debug)]
struct Prepared {
    sql: String,
    parameter_types: Vec<u32>,
}

pub struct Session {
    node: Arc<Node>,
    /// Who opened it. No setting changes that.
    login: Principal,
    settings: Settings,
    prepared: BTreeMap<String, Prepared>,
    block: Option<Box<Block>>,
    interrupt: Arc<Interrupt>,
}

impl Session {
    /// A user's session under these settings, outside any block. Whether the user may connect is asked when it first
    /// sees the policies: at its first statement.
    pub fn new(node: Arc<Node>, user: &str, settings: Settings) -> Session {
        Session::of(node, Principal::User(user.into()), settings)
    }

    /// The node's own, which may do everything.
    pub fn of_node(node: Arc<Node>, settings: Settings) -> Session {
        Session::of(node, Principal::Node, settings)
    }

    fn of(node: Arc<Node>, login: Principal, settings: Settings) -> Session {
        Session { node, login, settings, prepared: BTreeMap::new(), block: None, interrupt: Arc::default() }
    }

    /// Whether this user opened it.
    pub fn belongs_to(&self, user: &str) -> bool {
        matches!(&self.login, Principal::User(login) if **login == *user)
    }

    pub fn status(&self) -> Status {
        match &self.block {
            None => Status::Idle,
            Some(block) if block.failed => Status::Failed,
            Some(_) => Status::InBlock,
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How another task stops the statement that this session runs.
    pub fn interrupt(&self) -> Arc<Interrupt> {
        self.interrupt.clone()
    }

    /// Runs one statement. A statement outside a block is a transaction of its own: it is run again after conflicts,
    /// as long as its client has seen nothing of it. With a `key` such a transaction writes once however often it is
    /// sent, and each time answers the same; `results` must be held ones then.
    pub async fn execute(
        &mut self,
        statement: &Statement,
        results: &mut Results,
        key: Option<Ulid>,
    ) -> Result<Completion> {
        // No text of PostgreSQL's has it, and a statement that begins with it is the engine speaking to itself.
        if statement.sql.contains('\0') {
            return Err(Error::new(
                sqlstate::CHARACTER_NOT_IN_REPERTOIRE,
                "invalid byte sequence for encoding \"UTF8\": 0x00",
            ));
        }
        self.interrupt.clear();
        let started = Instant::now();
        let answer = match self.block {
            None => self.execute_alone(statement, results, key).await,
            Some(_) => self.execute_in_block(statement, results).await,
        };
        let metrics = &self.node.metrics;
        metrics.statements.add(1);
        metrics.statement_seconds.observe(started.elapsed());
        if answer.is_err() {
            metrics.statement_errors.add(1);
        }
        answer
    }

    /// Opens a block on the node's own account, as for an interactive transaction.
    /// `commit_id` will name its commit; none: it gets a name of its own.
    pub fn begin(&mut self, modes: TransactionModes, commit_id: Option<Ulid>) -> Result<()> {
        match self.block {
            Some(_) => Err(Error::internal("the session is in a block already")),
            None => {
                let began = self.now();
                let block = self.open_block(modes, began);
                block.commit_id = commit_id.unwrap_or(block.commit_id);
                Ok(())
            }
        }
    }

    /// Ends the block: COMMIT, or ROLLBACK when it has failed, as the tag says.
    pub async fn commit(&mut self) -> Result<Completion> {
        let Some(block) = self.block.take() else { return Ok(Completion::tag("COMMIT")) };
        if block.failed {
            self.settings = block.settings;
            self.settings.end_block();
            return Ok(Completion::tag("ROLLBACK"));
        }
        let Some(transaction) = block.transaction else {
            self.settings.end_block();
            return Ok(Completion::tag("COMMIT"));
        };
        let wrote = transaction.has_writes();
        match self.node.replica.commit(transaction, block.commit_id).await {
            Ok(commit) => {
                self.settings.end_block();
                Ok(Completion { tag: "COMMIT".into(), commit: wrote.then_some(commit), repeated: false })
            }
            Err(error) => {
                self.settings = block.settings;
                self.settings.end_block();
                Err(error.into())
            }
        }
    }

    /// Ends the block and undoes everything since it began.
    pub fn rollback(&mut self) -> Completion {
        if let Some(block) = self.block.take() {
            self.settings = block.settings;
            self.settings.end_block();
        }
        Completion::tag("ROLLBACK")
    }

    fn open_block(&mut self, modes: TransactionModes, began: i64) -> &mut Block {
        let defaults = self.default_modes();
        self.block.insert(Box::new(Block {
            isolation: modes.isolation.or(defaults.isolation).unwrap_or_default(),
            read_only: modes.read_only.or(defaults.read_only).unwrap_or_default(),
            transaction: None,
            failed: false,
            queried: false,
            atomic: false,
            began,
            commit_id: Ulid::generate(),
            settings: self.settings.clone(),
            savepoints: Vec::new(),
        }))
    }

    /// Modes of transactions that do not name their own.
    fn default_modes(&self) -> TransactionModes {
        TransactionModes {
            isolation: self.settings.get("default_transaction_isolation").map(isolation_named),
            read_only: Some(self.settings.is_on("default_transaction_read_only")),
        }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.node.clock.now_micros()).unwrap_or(i64::MAX)
    }
}

/// The level that PostgreSQL's name asks for; weaker ones get the weakest that there is, snapshot isolation.
pub fn isolation_named(name: &str) -> Isolation {
    if name.eq_ignore_ascii_case("serializable") { Isolation::Serializable } else { Isolation::Snapshot }
}

fn warn(results: &mut Results, sqlstate: &str, message: &str) -> Result<()> {
    results.add(Event::Notice(Notice {
        severity: Severity::Warning,
        sqlstate: sqlstate.into(),
        message: message.into(),
    }))
}
