//! The engine as a WebAssembly component: `wit/` on one side, [`Engine`] on the other.

mod generated {
    wit_bindgen::generate!({ path: "../../wit", world: "engine" });
}

use crate::allocator::Allocator;
use crate::engine::Engine;
use crate::error::{Error, ErrorFields, Result};
use crate::host;
use crate::statement;
use generated::exports::isobar::engine::statement as exported;
use generated::isobar::engine::types as wire;
use generated::isobar::engine::{authorization, environment, output, routine, transaction};
use std::cell::RefCell;
use std::sync::Once;

// SAFETY: a component instance is one thread.
#[global_allocator]
static ALLOCATOR: Allocator = unsafe { Allocator::new() };

thread_local! {
    /// A component instance is one thread, and runs one statement at a time.
    static ENGINE: RefCell<Engine> = RefCell::new(Engine::new());
}

static PANIC_HOOK: Once = Once::new();

struct Component;

generated::export!(Component with_types_in generated);

impl exported::Guest for Component {
    fn execute(request: exported::Request) -> Result<exported::Outcome, wire::Error> {
        let outcome = with_engine(|engine| engine.execute(&ComponentHost, &request_from_wire(request)))?;
        Ok(match outcome {
            statement::Outcome::Complete { tag, follow_up } => {
                exported::Outcome::Complete(exported::Completion { tag, follow_up })
            }
            statement::Outcome::Control(control) => exported::Outcome::Control(control_to_wire(control)),
        })
    }

    fn describe(request: exported::Request) -> Result<exported::Description, wire::Error> {
        let description = with_engine(|engine| engine.describe(&ComponentHost, &request_from_wire(request)))?;
        Ok(exported::Description {
            parameter_types: description.parameter_types,
            columns: description.columns.map(|columns| columns.iter().map(column_to_wire).collect()),
        })
    }

    fn split(sql: String) -> Result<Vec<exported::Span>, wire::Error> {
        let spans = with_engine(|engine| engine.split(&sql))?;
        Ok(spans.into_iter().map(|(start, end)| exported::Span { start: start as u32, end: end as u32 }).collect())
    }
}

fn with_engine<T>(run: impl FnOnce(&mut Engine) -> Result<T>) -> Result<T, wire::Error> {
    PANIC_HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| environment::log(environment::Level::Error, &panic.to_string())));
    });
    ENGINE.with(|engine| match engine.try_borrow_mut() {
        Ok(mut engine) => run(&mut engine).map_err(error_to_wire),
        Err(_) => Err(error_to_wire(Error::internal("the engine was called while it was running"))),
    })
}

/// The host behind the component's imports.
struct ComponentHost;

impl host::Transaction for ComponentHost {
    fn catalog_version(&self) -> u64 {
        transaction::catalog_version()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        transaction::get(key).map_err(error_from_wire)
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>> {
        let mut packed = Vec::with_capacity(keys.iter().map(|key| key.len() + 4).sum());
        for key in keys {
            packed.extend_from_slice(&(key.len() as u32).to_le_bytes());
            packed.extend_from_slice(key);
        }
        let answer = transaction::get_many(&packed).map_err(error_from_wire)?;
        unpack_values(&answer, keys.len()).ok_or_else(|| Error::internal("the host answered get-many wrongly"))
    }

    fn scan(&self, range: &host::KeyRange) -> Result<u32> {
        let range = transaction::KeyRange {
            start: range.start.clone(),
            end: range.end.clone(),
            reverse: range.reverse,
            expected_rows: range.expected_rows,
        };
        transaction::scan(&range).map_err(error_from_wire)
    }

    fn next_batch(&self, cursor: u32, max_bytes: u32) -> Result<Vec<u8>> {
        transaction::next_batch(cursor, max_bytes).map_err(error_from_wire)
    }

    fn close_cursor(&self, cursor: u32) {
        transaction::close_cursor(cursor);
    }

    fn write(&self, writes: &[u8]) -> Result<()> {
        transaction::write(writes).map_err(error_from_wire)
    }

    fn guard(&self, key: &[u8]) -> Result<()> {
        transaction::guard(key).map_err(error_from_wire)
    }

    fn estimate_count(&self, index_prefix: &[u8]) -> u64 {
        transaction::estimate_count(index_prefix)
    }
}

/// (1u8, length, value) or (0u8), as many times as there were keys.
fn unpack_values(mut rest: &[u8], count: usize) -> Option<Vec<Option<Vec<u8>>>> {
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let (present, after) = rest.split_first()?;
        rest = after;
        values.push(match present {
            0 => None,
            _ => {
                let (length, after) = rest.split_first_chunk::<4>()?;
                let (value, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                rest = after;
                Some(value.to_vec())
            }
        });
    }
    rest.is_empty().then_some(values)
}

impl host::Environment for ComponentHost {
    fn transaction_time(&self) -> i64 {
        environment::transaction_time()
    }

    fn statement_time(&self) -> i64 {
        environment::statement_time()
    }

    fn clock_time(&self) -> i64 {
        environment::clock_time()
    }

    fn random(&self, buffer: &mut [u8]) {
        /// As many as the host gives at a time.
        const MOST: usize = 4096;
        for chunk in buffer.chunks_mut(MOST) {
            let bytes = environment::random(chunk.len() as u32);
            let length = bytes.len().min(chunk.len());
            chunk[..length].copy_from_slice(&bytes[..length]);
        }
    }
}

impl host::Output for ComponentHost {
    fn describe(&self, columns: &[host::OutputColumn]) -> Result<()> {
        let columns: Vec<_> = columns.iter().map(column_to_wire).collect();
        output::describe(&columns).map_err(error_from_wire)
    }

    fn rows(&self, batch: &[u8], count: u32) -> Result<()> {
        output::rows(batch, count).map_err(error_from_wire)
    }

    fn notice(&self, severity: host::Severity, sqlstate: &str, message: &str) {
        let severity = match severity {
            host::Severity::Debug => output::Severity::Debug,
            host::Severity::Info => output::Severity::Info,
            host::Severity::Notice => output::Severity::Notice,
            host::Severity::Warning => output::Severity::Warning,
        };
        output::notice(severity, sqlstate, message);
    }
}

impl host::Routines for ComponentHost {
    fn call(&self, target: &host::Target, arguments: &[u8], count: u32) -> Result<host::RoutineAnswer> {
        let limits = &target.limits;
        let target = routine::Target {
            procedure: target.procedure.clone(),
            procedure_id: target.procedure_id,
            version: target.version,
            digest: target.digest.to_vec(),
            export: target.export.clone(),
            routine: target.routine.clone(),
            definer: target.definer,
            limits: routine::Limits {
                memory_kib: limits.memory_kib,
                wall_ms: limits.wall_ms,
                stack_kib: limits.stack_kib,
                statements: limits.statements,
                rows_in: limits.rows_in,
                rows_out: limits.rows_out,
                log_bytes: limits.log_bytes,
                concurrent_calls: limits.concurrent_calls,
            },
            may_define: target.may_define,
        };
        let answer = routine::call(&target, arguments, count).map_err(error_from_wire)?;
        Ok(host::RoutineAnswer { rows: answer.rows, count: answer.count, replaced: answer.replaced })
    }

    fn usage(&self) -> Vec<host::Usage> {
        let usage = routine::list_usage().into_iter().map(|usage| host::Usage {
            procedure: usage.procedure,
            routine: usage.routine,
            calls: usage.calls,
            errors: usage.errors,
            median_time: usage.median_time,
            p99_time: usage.p99_time,
            longest_time: usage.longest_time,
            total_time: usage.total_time,
            memory_peak: usage.memory_peak,
            statements: usage.statements,
        });
        usage.collect()
    }

    fn logs(&self) -> Vec<host::LogEntry> {
        let logs = routine::list_logs().into_iter().map(|entry| host::LogEntry {
            time: entry.time,
            procedure: entry.procedure,
            routine: entry.routine,
            caller: entry.caller,
            level: entry.level,
            message: entry.message,
        });
        logs.collect()
    }
}

impl host::Authorization for ComponentHost {
    fn check(&self, accesses: &[host::Access]) -> Result<()> {
        let accesses: Vec<_> = accesses.iter().map(access_to_wire).collect();
        authorization::check(&accesses).map_err(error_from_wire)
    }
}

fn access_to_wire(access: &host::Access) -> authorization::Access {
    authorization::Access {
        action: match access.action {
            host::Action::Select => authorization::Action::Select,
            host::Action::Insert => authorization::Action::Insert,
            host::Action::Update => authorization::Action::Update,
            host::Action::Delete => authorization::Action::Delete,
            host::Action::Execute => authorization::Action::Execute,
            host::Action::Deploy => authorization::Action::Deploy,
            host::Action::Ddl => authorization::Action::Ddl,
            host::Action::Admin => authorization::Action::Admin,
        },
        kind: match access.kind {
            host::Kind::Database => authorization::Kind::Database,
            host::Kind::Schema => authorization::Kind::Schema,
            host::Kind::Table => authorization::Kind::Table,
            host::Kind::Procedure => authorization::Kind::Procedure,
        },
        schema: access.schema.clone(),
        name: access.name.clone(),
        owner: access.owner.clone(),
        user: access.user.clone(),
    }
}

fn request_from_wire(request: exported::Request) -> statement::Request {
    statement::Request {
        sql: request.sql,
        parameters: request.parameters,
        format: match request.format {
            exported::Format::Text => statement::Format::Text,
            exported::Format::Binary => statement::Format::Binary,
        },
        parameter_types: request.parameter_types,
        settings: request.settings.into_iter().map(|setting| (setting.name, setting.value)).collect(),
        in_transaction_block: request.in_transaction_block,
        input: request.input,
    }
}

fn column_to_wire(column: &host::OutputColumn) -> output::Column {
    output::Column {
        name: column.name.clone(),
        type_oid: column.type_oid,
        type_size: column.type_size,
        type_modifier: column.type_modifier,
        table_oid: column.table_oid,
        column_number: column.column_number,
    }
}

fn modes_to_wire(modes: statement::TransactionModes) -> exported::TransactionModes {
    exported::TransactionModes {
        isolation: modes.isolation.map(|isolation| match isolation {
            statement::Isolation::RepeatableRead => exported::Isolation::RepeatableRead,
            statement::Isolation::Serializable => exported::Isolation::Serializable,
        }),
        read_only: modes.read_only,
    }
}

fn control_to_wire(control: statement::Control) -> exported::Control {
    use statement::Control;
    match control {
        Control::Begin(modes) => exported::Control::Begin(modes_to_wire(modes)),
        Control::Commit => exported::Control::Commit,
        Control::Rollback => exported::Control::Rollback,
        Control::Savepoint(name) => exported::Control::Savepoint(name),
        Control::ReleaseSavepoint(name) => exported::Control::ReleaseSavepoint(name),
        Control::RollbackToSavepoint(name) => exported::Control::RollbackToSavepoint(name),
        Control::SetTransaction(modes) => exported::Control::SetTransaction(modes_to_wire(modes)),
        Control::Set { name, value, local } => exported::Control::Set(exported::SettingChange { name, value, local }),
        Control::ResetAll => exported::Control::ResetAll,
        Control::Prepare { name, sql, parameter_types } => {
            exported::Control::Prepare(exported::Prepared { name, sql, parameter_types })
        }
        Control::ExecutePrepared { name, parameters } => {
            exported::Control::ExecutePrepared(exported::Execution { name, parameters })
        }
        Control::Deallocate(name) => exported::Control::Deallocate(name),
    }
}

fn error_to_wire(error: Error) -> wire::Error {
    let fields = *error.0;
    wire::Error {
        sqlstate: fields.sqlstate,
        message: fields.message,
        detail: fields.detail,
        hint: fields.hint,
        position: fields.position,
        context: fields.context,
        schema_name: fields.schema_name,
        table_name: fields.table_name,
        column_name: fields.column_name,
        constraint_name: fields.constraint_name,
    }
}

fn error_from_wire(error: wire::Error) -> Error {
    Error(Box::new(ErrorFields {
        sqlstate: error.sqlstate,
        message: error.message,
        detail: error.detail,
        hint: error.hint,
        position: error.position,
        context: error.context,
        schema_name: error.schema_name,
        table_name: error.table_name,
        column_name: error.column_name,
        constraint_name: error.constraint_name,
    }))
}
