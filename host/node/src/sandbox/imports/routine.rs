//! `wit/routine.wit`: functions of stored procedures.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::sandbox::bindings::isobar::engine::routine as wit;
use crate::sandbox::bindings::isobar::engine::types;
use crate::sandbox::instance::State;
use crate::sandbox::procedure::{Digest, Entry, Target, TargetLimits, Usage};

impl wit::Host for State {
    /// The call moves into the procedure's instance and comes back.
    async fn call(&mut self, target: wit::Target, arguments: Vec<u8>, count: u32) -> Result<wit::Answer, types::Error> {
        let target = Target::try_from(target)?;
        let sandbox = self.sandbox.upgrade().ok_or_else(|| Error::internal("the node is shutting down"))?;
        let Some(call) = self.call.take() else { return Err(Error::internal("no statement is running").into()) };
        let procedures = sandbox.procedures().clone();
        let (call, answer) = procedures.call(call, &target, &arguments, count, Some(sandbox)).await;
        self.call = Some(call);
        let answer = answer?;
        Ok(wit::Answer { rows: answer.rows, count: answer.count, replaced: answer.replaced })
    }

    fn list_usage(&mut self) -> Vec<wit::Usage> {
        let sandbox = self.sandbox.upgrade();
        let usage = sandbox.map(|sandbox| sandbox.procedures().usage()).unwrap_or_default();
        usage.into_iter().map(wit::Usage::from).collect()
    }

    fn list_logs(&mut self) -> Vec<wit::LogEntry> {
        let sandbox = self.sandbox.upgrade();
        let entries = sandbox.map(|sandbox| sandbox.procedures().logs()).unwrap_or_default();
        entries.into_iter().map(wit::LogEntry::from).collect()
    }
}

impl TryFrom<wit::Target> for Target {
    type Error = Error;

    fn try_from(target: wit::Target) -> Result<Target> {
        let digest =
            target.digest.try_into().map_err(|_| Error::internal("a component's digest has another length"))?;
        let wit::Limits { memory_kib, wall_ms, stack_kib, statements, rows_in, rows_out, log_bytes, concurrent_calls } =
            target.limits;
        Ok(Target {
            procedure: target.procedure.into(),
            procedure_id: target.procedure_id,
            version: target.version,
            digest: Digest(digest),
            export: target.export.into(),
            routine: target.routine.into(),
            definer: target.definer,
            limits: TargetLimits {
                memory_kib,
                wall_ms,
                stack_kib,
                statements,
                rows_in,
                rows_out,
                log_bytes,
                concurrent_calls,
            },
            may_define: target.may_define,
        })
    }
}

impl From<Usage> for wit::Usage {
    fn from(usage: Usage) -> wit::Usage {
        let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        wit::Usage {
            procedure: usage.procedure.to_string(),
            routine: usage.routine.to_string(),
            calls: usage.calls,
            errors: usage.errors,
            median_time: microseconds(usage.median_time),
            p99_time: microseconds(usage.p99_time),
            longest_time: microseconds(usage.longest_time),
            total_time: microseconds(usage.total_time),
            memory_peak: usage.memory_peak,
            statements: usage.statements,
        }
    }
}

impl From<Entry> for wit::LogEntry {
    fn from(entry: Entry) -> wit::LogEntry {
        wit::LogEntry {
            time: entry.time,
            procedure: entry.procedure.to_string(),
            routine: entry.routine.to_string(),
            caller: entry.caller.to_string(),
            level: entry.level.name().into(),
            message: entry.message,
        }
    }
}
