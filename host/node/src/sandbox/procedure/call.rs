//! A statement calls a routine: the caller's transaction moves into the procedure's instance for the time of the call,
//! and comes back whatever happens there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use isobar_replica::Transaction;
use wasmtime::component::Val;

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::procedure::component::ComponentSource;
use crate::sandbox::procedure::description::{Returns, Routine};
use crate::sandbox::procedure::instance::{Instance, Parts};
use crate::sandbox::procedure::usage::Batch;
use crate::sandbox::procedure::value::{self, Packed};
use crate::sandbox::procedure::{Limits, Procedures, Target, failure};
use crate::sandbox::{Call, Role, Sandbox};
use crate::threads;

/// The rows that a batch of calls answers, packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub rows: Vec<u8>,
    pub count: u32,
    /// What would undo the writes of the call's statements, as the calling statement goes on seeing what was before.
    pub replaced: Vec<u8>,
}

impl Procedures {
    /// Calls a routine once per packed row of arguments, in order (`wit/routine.wit`). The call always comes back;
    /// dropping the future stops the procedure. `sandbox` runs the procedure's statements.
    pub async fn call(
        &self,
        mut call: Box<Call>,
        target: &Target,
        arguments: &[u8],
        count: u32,
        sandbox: Option<Sandbox>,
    ) -> (Box<Call>, Result<Answer>) {
        call.procedures.routine_called = true;
        let limits = target.limits.over(self.limits());
        if call.procedures.depth >= limits.depth {
            let error = Error::new(
                sqlstate::STATEMENT_TOO_COMPLEX,
                format!("procedures call each other more than {} deep", limits.depth),
            )
            .hint("Raise procedures.depth in the node's configuration.");
            return (call, Err(error.context(target.context())));
        }
        let role = if target.definer { Role::Procedure(target.procedure.clone()) } else { call.role.clone() };
        let outer_role = std::mem::replace(&mut call.role, role);
        let outer_frozen = call.freeze_catalog(!target.may_define);
        let outer_deadline = call.deadline;
        let mark = call.transaction.as_mut().map(Transaction::mark_writes);
        call.procedures.depth += 1;

        if self.shared().uses.is_long(&target.procedure, &target.routine) {
            threads::go_on_patiently().await;
        }
        let started = Instant::now();
        let inside = self.call_inside(call, target, &limits, arguments, count, sandbox);
        let ((mut call, answer, used), processor) = threads::measured(inside).await;

        call.procedures.depth -= 1;
        call.deadline = outer_deadline;
        call.role = outer_role;
        let mut answer = answer;
        if let Some(transaction) = &mut call.transaction {
            transaction.freeze_catalog(outer_frozen);
            // A statement that reads no relations sees nothing of them.
            if let (Some(mark), false, Ok(answered)) = (mark, target.may_define, &mut answer) {
                match transaction.replaced_since(mark) {
                    Ok(replaced) => answered.replaced = replaced,
                    Err(error) => answer = Err(error.into()),
                }
            }
        }
        let answer = answer.map_err(|error| error.context(target.context()));
        let batch = Batch {
            calls: count.into(),
            time: started.elapsed(),
            processor,
            memory: used.memory,
            statements: used.statements.into(),
            sqlstate: answer.as_ref().err().map(Error::sqlstate),
        };
        self.shared().uses.add(&target.procedure, &target.routine, &batch);
        (call, answer)
    }

    async fn call_inside(
        &self,
        mut call: Box<Call>,
        target: &Target,
        limits: &Limits,
        arguments: &[u8],
        count: u32,
        sandbox: Option<Sandbox>,
    ) -> (Box<Call>, Result<Answer>, Used) {
        let kept = &mut call.procedures.instances;
        let found = kept.iter().position(|instance| instance.digest == target.digest && instance.is_of(target));
        let (mut instance, own_deadline) = match found.map(|index| kept.swap_remove(index)) {
            Some(mut instance) => {
                let own_deadline = call.shorten_deadline(limits, instance.time);
                let state = instance.store.data_mut();
                state.target = target.clone();
                state.last_words.clear();
                state.call = Some(call);
                (instance, own_deadline)
            }
            None => match self.new_instance(call, target, limits, sandbox).await {
                Ok(made) => made,
                Err((call, error)) => return (call, Err(error), Used::default()),
            },
        };
        let before = instance.store.data().statements;
        instance.store.set_epoch_deadline(1);
        let started = Instant::now();
        let answer = instance.run(target, limits, arguments, count).await;
        instance.time += started.elapsed();
        let state = instance.store.data_mut();
        let used = Used { memory: state.memory.bytes as u64, statements: state.statements - before };
        let ended = state.end_lines();
        let answer = match answer {
            Ok(Ok(answer)) => ended.map(|()| answer),
            Ok(Err(error)) => Err(error),
            Err(failure) => {
                let error = failure::explain(&failure, state, own_deadline);
                tracing::debug!(%error, trap = format!("{failure:#}"), "a procedure's instance is discarded");
                let Some(call) = state.call.take() else { unreachable!("a call stays until it is taken here") };
                return (call, Err(error), used);
            }
        };
        let Some(mut call) = state.call.take() else { unreachable!("a call stays until it is taken here") };
        call.procedures.instances.push(instance);
        (call, answer, used)
    }

    /// An instance with the call inside it, and when its time is over.
    async fn new_instance(
        &self,
        mut call: Box<Call>,
        target: &Target,
        limits: &Limits,
        sandbox: Option<Sandbox>,
    ) -> Result<(Instance, Option<Instant>), (Box<Call>, Error)> {
        let parts = match self.parts(&mut call, target, limits).await {
            Ok(parts) => parts,
            Err(error) => return Err((call, error)),
        };
        let own_deadline = call.shorten_deadline(limits, Duration::ZERO);
        let started = Instant::now();
        let (mut store, made, parts) = self.instantiate(call, target, sandbox, parts).await;
        match made {
            Ok(made) => {
                let mut instance = Instance::new(store, made, target.digest, parts);
                instance.time = started.elapsed();
                Ok((instance, own_deadline))
            }
            Err(failure) => {
                let state = store.data_mut();
                let error = failure::explain(&failure, state, own_deadline);
                let Some(call) = state.call.take() else { unreachable!("a call stays until it is taken here") };
                Err((call, error))
            }
        }
    }

    /// All that must be there before a new instance is made.
    async fn parts(&self, call: &mut Call, target: &Target, limits: &Limits) -> Result<Parts> {
        let shared = self.shared();
        let turn = shared.uses.begin(target.procedure_id, limits.concurrent_calls).ok_or_else(|| {
            target.exceeded(
                sqlstate::INSUFFICIENT_RESOURCES,
                "is called by too many statements at once",
                "concurrent_calls",
                limits.concurrent_calls,
                "",
            )
        })?;
        let permit = shared.instances.clone().try_acquire_owned().map_err(|_| {
            Error::new(
                sqlstate::INSUFFICIENT_RESOURCES,
                format!("too many procedures: all {} instances are in use", limits.instances),
            )
            .hint("Try again later, or raise procedures.instances in the node's configuration.")
        })?;
        let (interrupt, deadline) = (call.interrupt.clone(), call.deadline);
        let source: &mut (dyn ComponentSource + Send) = call.transaction()?;
        let ready = crate::sandbox::instance::unless_stopped(
            &interrupt,
            deadline,
            self.ready(target.digest, limits.stack_kib, source),
        )
        .await??;
        Ok(Parts { ready, limits: limits.clone(), turn, permit })
    }
}

/// What a batch of calls has used.
#[derive(Default)]
struct Used {
    memory: u64,
    statements: u32,
}

impl Call {
    /// The procedure's own time may end before the statement's. Returns when it does, if it ends first.
    fn shorten_deadline(&mut self, limits: &Limits, spent: Duration) -> Option<Instant> {
        let left = Duration::from_millis(limits.wall_ms.into()).saturating_sub(spent);
        let own = Instant::now().checked_add(left)?;
        if self.deadline.is_some_and(|deadline| deadline <= own) {
            return None;
        }
        self.deadline = Some(own);
        Some(own)
    }

    /// Refuses definitions from here on where that is asked for; returns what was so before.
    fn freeze_catalog(&mut self, freeze: bool) -> bool {
        let Some(transaction) = &mut self.transaction else { return false };
        let outer = transaction.is_catalog_frozen();
        transaction.freeze_catalog(outer || freeze);
        outer
    }
}

impl Instance {
    /// Whether it may serve this target: rights and limits are the instance's.
    fn is_of(&self, target: &Target) -> bool {
        let own = &self.store.data().target;
        own.procedure_id == target.procedure_id && own.definer == target.definer && own.limits == target.limits
    }

    /// Calls the function once per row. The outer error is a trap, after which the instance is no good.
    async fn run(
        &mut self,
        target: &Target,
        limits: &Limits,
        arguments: &[u8],
        count: u32,
    ) -> wasmtime::Result<Result<Answer>> {
        let ready: Arc<_> = self.ready.clone();
        let Some((routine, index)) = ready.export(&target.export) else {
            return Ok(Err(missing(target)));
        };
        let Some(function) = self.instance.get_func(&mut self.store, index) else {
            return Ok(Err(missing(target)));
        };
        let has_result = routine.fallible || !matches!(routine.returns, Returns::Nothing);
        let value_bytes = limits.value_bytes();
        let mut packed = Packed(arguments);
        let mut values = Vec::with_capacity(routine.parameters.len());
        let mut results = [const { Val::Bool(false) }];
        let results = if has_result { &mut results[..] } else { &mut [] };
        let mut answer = Answer::default();
        for _ in 0..count {
            if let Err(error) =
                value::arguments(&target.routine, &routine.parameters, &mut packed, value_bytes, &mut values)
            {
                return Ok(Err(error));
            }
            function.call_async(&mut self.store, &values, results).await?;
            match value::results(routine, results, &mut answer.rows) {
                Ok(rows) => answer.count += rows,
                Err(error) => return Ok(Err(error)),
            }
            if let Err(error) = check_answer(target, limits, routine, &answer) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(answer))
    }
}

fn missing(target: &Target) -> Error {
    Error::internal(format!(
        "the component of procedure \"{}\" has no function \"{}\"",
        target.procedure, target.export
    ))
}

fn check_answer(target: &Target, limits: &Limits, routine: &Routine, answer: &Answer) -> Result<()> {
    if matches!(routine.returns, Returns::Rows(_)) && answer.count > limits.rows_out {
        let limit = limits.rows_out;
        return Err(target.exceeded(
            sqlstate::ROWS_OUT_LIMIT_EXCEEDED,
            "answers too many rows",
            "rows_out",
            limit,
            "rows",
        ));
    }
    if answer.rows.len() > limits.value_bytes() {
        return Err(Error::new(
            sqlstate::PROGRAM_LIMIT_EXCEEDED,
            format!("procedure \"{}\" answers more than {} MiB at once", target.procedure, limits.value_mb),
        )
        .hint("Raise procedures.value_mb in the node's configuration."));
    }
    Ok(())
}
