//! One instance of a procedure: its store's state, and the instances that a statement keeps while it runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{self, ResourceTable};
use wasmtime::{Store, UpdateDeadline};

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::instance::MemoryLimit;
use crate::sandbox::procedure::code::Ready;
use crate::sandbox::procedure::component::Digest;
use crate::sandbox::procedure::log::{Entry, Level};
use crate::sandbox::procedure::usage::Turn;
use crate::sandbox::procedure::{Limits, Procedures, Target};
use crate::sandbox::{Call, Sandbox};
use crate::threads;

/// Open `rows` and other resources of one instance.
const RESOURCES_MAX: usize = 1000;

/// What a procedure has said last, for the detail of its failure.
const LAST_WORDS_BYTES_MAX: usize = 2048;

/// What a statement's call keeps of the procedures that it calls.
#[derive(Default)]
pub struct Nesting {
    /// How many procedures call each other above this statement.
    pub depth: u32,
    /// A routine has run: nothing is known to be good before the statement's end.
    pub routine_called: bool,
    /// The instances of this statement, by procedure and version. They are dropped with it.
    pub(super) instances: Vec<Instance>,
}

impl Nesting {
    /// Drops the instances of a statement that has ended.
    pub fn end_statement(&mut self) {
        self.instances.clear();
    }
}

/// What the store of an instance holds.
pub struct State {
    /// The caller's call, while it is neither with the engine that called nor with one that is called.
    pub call: Option<Box<Call>>,
    pub memory: MemoryLimit,
    pub resources: ResourceTable,
    pub target: Target,
    pub limits: Limits,
    pub procedures: Procedures,
    /// Runs the procedure's statements.
    pub sandbox: Option<Sandbox>,
    /// What it has used so far.
    pub statements: u32,
    pub rows_in: u64,
    pub log_bytes: usize,
    /// Bytes of results that it holds open.
    pub result_bytes: usize,
    pub random: Random,
    /// Nanoseconds that it has slept, as its clocks tell.
    pub slept: u64,
    /// The end of what it has written to standard error in this call, or the last error that it has logged: why it
    /// fails, if it does.
    pub last_words: String,
    /// Lines of standard output and error that have not ended yet.
    pub lines: [Vec<u8>; 2],
}

/// A line of standard output or error that goes on is cut here.
const LINE_BYTES_MAX: usize = 8 << 10;

impl State {
    /// The call in progress.
    pub fn call(&mut self) -> Result<&mut Call> {
        self.call.as_deref_mut().ok_or_else(|| Error::internal("no statement is running"))
    }

    /// Counts the bytes of a message; 39P14 beyond the limit.
    pub fn count_message(&mut self, bytes: usize) -> Result<()> {
        self.log_bytes = self.log_bytes.saturating_add(bytes);
        if self.log_bytes > self.limits.log_bytes as usize {
            return Err(self.target.exceeded(
                sqlstate::LOG_LIMIT_EXCEEDED,
                "logs too much",
                "log_bytes",
                self.limits.log_bytes,
                "bytes",
            ));
        }
        Ok(())
    }

    /// Adds to the procedure's log.
    pub fn log(&mut self, level: Level, message: String) -> Result<()> {
        self.count_message(message.len())?;
        if level == Level::Error {
            self.last_words.clear();
            self.say(&message);
        }
        let call = self.call()?;
        let time = i64::try_from(call.clock.now_micros()).unwrap_or(i64::MAX);
        let caller = call.caller.clone();
        let (procedure, routine) = (self.target.procedure.clone(), self.target.routine.clone());
        self.procedures.shared().log.add(Entry { time, procedure, routine, caller, level, message });
        Ok(())
    }

    fn say(&mut self, text: &str) {
        self.last_words.push_str(text);
        if self.last_words.len() > LAST_WORDS_BYTES_MAX {
            let start = self.last_words.ceil_char_boundary(self.last_words.len() - LAST_WORDS_BYTES_MAX);
            self.last_words.drain(..start);
        }
    }

    /// Standard output and error, line by line to the log; the last of standard error is kept for a failure.
    pub fn print(&mut self, is_error: bool, bytes: &[u8]) -> Result<()> {
        if is_error {
            self.say(&String::from_utf8_lossy(bytes));
        }
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.lines[usize::from(is_error)].extend_from_slice(&rest[..end]);
            self.end_line(is_error)?;
            rest = &rest[end + 1..];
        }
        self.lines[usize::from(is_error)].extend_from_slice(rest);
        // The host's memory is not the procedure's.
        if self.lines[usize::from(is_error)].len() > LINE_BYTES_MAX {
            self.end_line(is_error)?;
        }
        Ok(())
    }

    fn end_line(&mut self, is_error: bool) -> Result<()> {
        let line = std::mem::take(&mut self.lines[usize::from(is_error)]);
        if line.is_empty() {
            return Ok(());
        }
        let level = if is_error { Level::Warning } else { Level::Info };
        self.log(level, String::from_utf8_lossy(&line).into_owned())
    }

    /// Logs lines that have no end.
    pub fn end_lines(&mut self) -> Result<()> {
        self.end_line(false)?;
        self.end_line(true)
    }
}

/// Bytes that follow from the transaction's name, the procedure and the statement's number: a transaction that does the
/// same again, under the same name, gets the same.
pub struct Random {
    seed: [u8; 32],
    block: u64,
    rest: Vec<u8>,
}

impl Random {
    fn new(call: &Call, target: &Target) -> Random {
        let mut seed = Sha256::new();
        seed.update(call.transaction_id.to_bytes());
        seed.update(call.transaction.as_ref().map_or(0, |transaction| transaction.statements_begun()).to_be_bytes());
        seed.update(target.procedure_id.to_be_bytes());
        Random { seed: seed.finalize().into(), block: 0, rest: Vec::new() }
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.rest.is_empty() {
                let block = Sha256::new().chain_update(self.seed).chain_update(self.block.to_be_bytes()).finalize();
                self.rest = block.to_vec();
                self.block += 1;
            }
            *byte = self.rest.pop().unwrap_or_default();
        }
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes);
        bytes
    }

    pub fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}

/// A procedure that a statement calls, ready for its next call.
pub struct Instance {
    pub store: Store<State>,
    pub instance: component::Instance,
    pub ready: Arc<Ready>,
    pub digest: Digest,
    /// How long its calls have taken so far.
    pub time: Duration,
    _turn: Turn,
    _permit: OwnedSemaphorePermit,
}

/// What a new instance is made of.
pub struct Parts {
    pub ready: Arc<Ready>,
    pub limits: Limits,
    pub turn: Turn,
    pub permit: OwnedSemaphorePermit,
}

impl Procedures {
    /// Makes an instance, which runs what the component does at its start. The call is inside it then, or comes back.
    pub(super) async fn instantiate(
        &self,
        call: Box<Call>,
        target: &Target,
        sandbox: Option<Sandbox>,
        parts: Parts,
    ) -> (Store<State>, wasmtime::Result<component::Instance>, Parts) {
        let limits = parts.limits.clone();
        let memory = MemoryLimit {
            bytes: 0,
            bytes_max: (limits.memory_kib as usize) << 10,
            exhausted: false,
            total: self.shared().memory.clone(),
        };
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(RESOURCES_MAX);
        let value_bytes = limits.value_bytes();
        let state = State {
            random: Random::new(&call, target),
            call: Some(call),
            memory,
            resources,
            target: target.clone(),
            limits,
            procedures: self.clone(),
            sandbox,
            statements: 0,
            rows_in: 0,
            log_bytes: 0,
            result_bytes: 0,
            slept: 0,
            last_words: String::new(),
            lines: [Vec::new(), Vec::new()],
        };
        let mut store = Store::new(&parts.ready.engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(value_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            if let Some(call) = &context.data().call {
                call.check(Instant::now())?;
            }
            threads::slice_is_over();
            Ok(UpdateDeadline::Yield(1))
        });
        let instance = parts.ready.component.instantiate_async(&mut store).await;
        (store, instance, parts)
    }
}

impl Instance {
    pub fn new(store: Store<State>, instance: component::Instance, digest: Digest, parts: Parts) -> Instance {
        let Parts { ready, turn, permit, .. } = parts;
        Instance { store, instance, ready, digest, time: Duration::ZERO, _turn: turn, _permit: permit }
    }
}
