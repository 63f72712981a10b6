//! The machine that runs guests: one wasmtime engine, one compiled component, one pool of instances, one clock that
//! ticks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, UpdateDeadline};

use crate::error::{Error, Result};
use crate::sandbox::bindings::{self, EnginePre};
use crate::sandbox::instance::{Instance, MemoryLimit, State, TotalMemory};
use crate::sandbox::pool::Pool;
use crate::sandbox::procedure::{self, Procedures};
use crate::sandbox::trap::out_of_memory;
use crate::sandbox::{Limits, compilation, imports};
use crate::threads;

/// The engine, compiled by the build script.
static ENGINE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/engine.cwasm"));

/// Memory that a slot of the pool keeps when its instance is gone.
const KEPT_BYTES: usize = 1 << 20;

/// Machine stack beyond the guest's, for the host's own functions.
const HOST_STACK_BYTES: usize = 1 << 20;

/// Statements of procedures that run at the same moment, each within another. Address space is all that the room for
/// one takes.
const NESTED_INSTANCES_MAX: u32 = 1024;

/// Runs statements in instances of the engine. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Shared>);

/// What an instance knows of the sandbox that it belongs to.
#[derive(Clone)]
pub struct WeakSandbox(Weak<Shared>);

impl WeakSandbox {
    /// None: the node is shutting down.
    pub fn upgrade(&self) -> Option<Sandbox> {
        self.0.upgrade().map(Sandbox)
    }
}

struct Shared {
    engine: Engine,
    component: EnginePre<State>,
    pool: Pool,
    memory: Arc<TotalMemory>,
    limits: Limits,
    procedures: Procedures,
    stopped: Arc<AtomicBool>,
}

/// Counters since the start, and gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SandboxMetrics {
    pub created: u64,
    pub discarded: u64,
    pub idle: usize,
    pub running: usize,
    /// Memory of all instances.
    pub memory_bytes: usize,
}

impl Sandbox {
    /// The embedded engine.
    pub fn new(limits: &Limits, procedures: procedure::Options) -> wasmtime::Result<Sandbox> {
        // SAFETY: these bytes were made by this crate's build script from wasmtime's own compiler.
        Sandbox::with(limits, procedures, |engine| unsafe { Component::deserialize(engine, ENGINE) })
    }

    /// An engine that is compiled now, from a component's bytes.
    pub fn from_component(
        limits: &Limits,
        procedures: procedure::Options,
        component: &[u8],
    ) -> wasmtime::Result<Sandbox> {
        Sandbox::with(limits, procedures, |engine| Component::from_binary(engine, component))
    }

    fn with(
        limits: &Limits,
        procedures: procedure::Options,
        load: impl FnOnce(&Engine) -> wasmtime::Result<Component>,
    ) -> wasmtime::Result<Sandbox> {
        let mut configuration = compilation::configuration();
        configuration
            .max_wasm_stack(limits.stack_bytes())
            .async_stack_size(limits.stack_bytes() + HOST_STACK_BYTES)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(limits, procedures.limits.depth)));
        let engine = Engine::new(&configuration)?;
        let component = load(&engine)?;
        let mut linker = Linker::new(&engine);
        bindings::Engine::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)?;
        imports::share_batches(&mut linker)?;
        let component = EnginePre::new(linker.instantiate_pre(&component)?)?;
        let stopped = Arc::new(AtomicBool::new(false));
        let procedures = Procedures::new(procedures)?;
        tick(engine.clone(), procedures.clone(), Duration::from_millis(limits.tick_ms.max(1)), stopped.clone())?;
        let memory = Arc::new(TotalMemory { bytes: AtomicUsize::new(0), bytes_max: limits.total_memory_bytes() });
        let (pool, limits) = (Pool::new(limits, nested_instances(limits, procedures.limits().depth)), limits.clone());
        Ok(Sandbox(Arc::new(Shared { engine, component, pool, memory, limits, procedures, stopped })))
    }

    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What runs stored procedures.
    pub fn procedures(&self) -> &Procedures {
        &self.0.procedures
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// A warm instance, or else a new one.
    pub(super) async fn instance(&self) -> Result<Instance> {
        match self.pool().take() {
            Some(instance) => Ok(instance),
            None => self.create().await,
        }
    }

    async fn create(&self) -> Result<Instance> {
        let (bytes_max, total) = (self.limits().memory_bytes(), self.0.memory.clone());
        let memory = MemoryLimit { bytes: 0, bytes_max, exhausted: false, total };
        let sandbox = WeakSandbox(Arc::downgrade(&self.0));
        let mut store = Store::new(&self.0.engine, State { call: None, memory, sandbox });
        store.limiter(|state| &mut state.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            if let Some(call) = &context.data().call {
                call.check(Instant::now())?;
            }
            threads::slice_is_over();
            Ok(UpdateDeadline::Yield(1))
        });
        let engine = match self.0.component.instantiate_async(&mut store).await {
            Ok(engine) => engine,
            Err(_) if store.data().memory.exhausted => return Err(out_of_memory()),
            Err(error) => {
                return Err(Error::internal("the SQL engine does not start").detail(format!("{error:#}")));
            }
        };
        self.pool().created.fetch_add(1, Ordering::Relaxed);
        Ok(Instance { store, engine })
    }

    pub fn metrics(&self) -> SandboxMetrics {
        let pool = self.pool();
        SandboxMetrics {
            created: pool.created.load(Ordering::Relaxed),
            discarded: pool.discarded.load(Ordering::Relaxed),
            idle: pool.idle(),
            running: pool.running(),
            memory_bytes: self.0.memory.bytes.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// Instances for the statements of procedures, beside those that clients' statements run in.
fn nested_instances(limits: &Limits, depth: u32) -> u32 {
    limits.instances.saturating_mul(depth).min(NESTED_INSTANCES_MAX)
}

fn pooling(limits: &Limits, depth: u32) -> PoolingAllocationConfig {
    // Idle instances keep their slots, and a discarded one may still be on its way out.
    let instances = limits
        .instances
        .saturating_add(limits.idle_instances)
        .saturating_add(nested_instances(limits, depth))
        .saturating_add(16);
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(4))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(4))
        .total_stacks(instances)
        .max_memories_per_component(1)
        .max_core_instances_per_component(8)
        .max_tables_per_component(8)
        .table_elements(20_000)
        .max_memory_size(limits.memory_bytes())
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        .max_unused_warm_slots(limits.idle_instances)
        // What the last instance wrote is copied back instead of unmapped: the next one meets no page faults there.
        .linear_memory_keep_resident(KEPT_BYTES)
        .table_keep_resident(KEPT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pooling
}

/// Advances the engines' epochs until the sandbox is gone, so that running guests look up.
fn tick(engine: Engine, procedures: Procedures, every: Duration, stopped: Arc<AtomicBool>) -> wasmtime::Result<()> {
    std::thread::Builder::new().name("isobar-tick".into()).spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            std::thread::sleep(every);
            engine.increment_epoch();
            procedures.tick();
        }
    })?;
    Ok(())
}
