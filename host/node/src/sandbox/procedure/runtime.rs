//! The machines that run procedures: wasmtime engines of their own, one for each size of stack, made when first
//! needed. Their code is the same, so that a component is compiled once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::compilation;
use crate::sandbox::instance::TotalMemory;
use crate::sandbox::procedure::code::{Compiled, DiskCache, Ready, ReadyCache};
use crate::sandbox::procedure::component::{ComponentSource, Digest};
use crate::sandbox::procedure::description::Description;
use crate::sandbox::procedure::imports::Described;
use crate::sandbox::procedure::log::{Entry, Log};
use crate::sandbox::procedure::usage::{Usage, Uses};
use crate::sandbox::procedure::{Limits, failure, imports, reflect, wasi};
use crate::threads;

/// Machine stack beyond the guest's, for the host's own functions.
const HOST_STACK_BYTES: usize = 1 << 20;

/// Memory that a slot of the pool keeps when its instance is gone.
const KEPT_BYTES: usize = 256 << 10;

/// Sizes of stacks, in KiB.
const STACK_KIB: std::ops::RangeInclusive<u32> = 64..=8192;

/// Bytes of compiled code that are kept on disk, for each that is kept in memory.
const DISK_FACTOR: u64 = 8;

/// How the sandbox of procedures is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub limits: Limits,
    /// Where compiled code is kept; none: only in memory.
    pub folder: Option<PathBuf>,
}

/// Runs stored procedures. Cheap to clone.
#[derive(Clone)]
pub struct Procedures(Arc<Shared>);

pub(super) struct Shared {
    pub limits: Limits,
    /// By the size of their stacks.
    machines: Mutex<HashMap<u32, Engine>>,
    compiler: Engine,
    disk: Option<DiskCache>,
    ready: ReadyCache,
    compiling: Arc<Semaphore>,
    pub memory: Arc<TotalMemory>,
    pub instances: Arc<Semaphore>,
    pub uses: Uses,
    pub log: Log,
    pub described: Described,
}

/// Counters since the start, and gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProceduresMetrics {
    pub calls: u64,
    pub errors: u64,
    pub instances: usize,
    /// Memory of all instances.
    pub memory_bytes: usize,
    /// Machine code that is ready in memory.
    pub code_bytes: usize,
}

impl Procedures {
    pub fn new(options: Options) -> wasmtime::Result<Procedures> {
        let Options { limits, folder } = options;
        let mut configuration = compilation::configuration();
        // One thread: a deployment must not take all processors from those who run statements.
        configuration.parallel_compilation(false);
        let compiler = Engine::new(&configuration)?;
        let disk_bytes = limits.compiled_cache_bytes() as u64 * DISK_FACTOR;
        let disk = folder.and_then(|folder| {
            DiskCache::open(&folder, &compiler, disk_bytes)
                .inspect_err(|error| {
                    tracing::warn!(%error, folder = %folder.display(), "compiled procedures are not kept on disk");
                })
                .ok()
        });
        Ok(Procedures(Arc::new(Shared {
            machines: Mutex::default(),
            compiler,
            disk,
            ready: ReadyCache::new(limits.compiled_cache_bytes()),
            compiling: Arc::new(Semaphore::new(1)),
            memory: Arc::new(TotalMemory { bytes: AtomicUsize::new(0), bytes_max: limits.total_memory_bytes() }),
            instances: Arc::new(Semaphore::new(limits.instances as usize)),
            uses: Uses::default(),
            log: Log::new(limits.log_entries as usize, limits.log_kept_bytes()),
            described: Described::default(),
            limits,
        })))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// What each routine has used.
    pub fn usage(&self) -> Vec<Usage> {
        self.0.uses.usage()
    }

    /// The newest messages of each procedure.
    pub fn logs(&self) -> Vec<Entry> {
        self.0.log.entries()
    }

    pub fn metrics(&self) -> ProceduresMetrics {
        let shared = &self.0;
        ProceduresMetrics {
            calls: shared.uses.calls.load(Ordering::Relaxed),
            errors: shared.uses.errors.load(Ordering::Relaxed),
            instances: (shared.limits.instances as usize).saturating_sub(shared.instances.available_permits()),
            memory_bytes: shared.memory.bytes.load(Ordering::Relaxed),
            code_bytes: shared.ready.bytes(),
        }
    }

    /// Lets running procedures look up.
    pub fn tick(&self) {
        self.0.machines.lock().values().for_each(Engine::increment_epoch);
    }

    /// The component that is in `bytes`, and what it offers.
    pub(super) async fn reflect(&self, bytes: Vec<u8>) -> Result<(Vec<u8>, Description)> {
        self.check_size(bytes.len())?;
        let procedures = self.clone();
        blocking(move || {
            let component = reflect::wrap(bytes)?;
            procedures.check_size(component.len())?;
            let description = reflect::reflect(&component)?;
            Ok((component, description))
        })
        .await
    }

    fn check_size(&self, bytes: usize) -> Result<()> {
        let most = self.0.limits.component_bytes();
        if bytes > most {
            return Err(Error::new(
                sqlstate::PROGRAM_LIMIT_EXCEEDED,
                format!("the component has {bytes} bytes, more than the {most} that this node allows"),
            )
            .hint("Build it in release mode and strip its debug information, or raise procedures.component_mb."));
        }
        Ok(())
    }

    /// Compiles a component and makes it ready for the default stack, unless it is.
    pub(super) async fn compile(&self, digest: Digest, component: Vec<u8>, description: Description) -> Result<()> {
        let stack_kib = stack_class(self.0.limits.stack_kib);
        if self.0.ready.get((digest, stack_kib)).is_some() {
            return Ok(());
        }
        self.make_ready(digest, stack_kib, Some((component, Some(description)))).await.map(drop)
    }

    /// A component that is ready to run on a stack of so many KiB: from memory, from disk, or compiled from what the
    /// source has.
    pub(super) async fn ready(
        &self,
        digest: Digest,
        stack_kib: u32,
        source: &mut (dyn ComponentSource + Send),
    ) -> Result<Arc<Ready>> {
        let stack_kib = stack_class(stack_kib);
        if let Some(ready) = self.0.ready.get((digest, stack_kib)) {
            return Ok(ready);
        }
        if let Some(ready) = self.make_ready(digest, stack_kib, None).await? {
            return Ok(ready);
        }
        let component = source.component(digest, self.0.limits.component_bytes())?;
        let ready = self.make_ready(digest, stack_kib, Some((component, None))).await?;
        ready.ok_or_else(|| Error::internal("a component was compiled to nothing"))
    }

    /// Loads the compiled code, or compiles the component where that is given. One at a time; what takes too long goes
    /// on and is kept for whoever asks next.
    async fn make_ready(
        &self,
        digest: Digest,
        stack_kib: u32,
        component: Option<(Vec<u8>, Option<Description>)>,
    ) -> Result<Option<Arc<Ready>>> {
        let permit = self.0.compiling.clone().acquire_owned();
        let procedures = self.clone();
        let work = async move {
            let permit = permit.await.map_err(|_| Error::new(sqlstate::ADMIN_SHUTDOWN, "the node is shutting down"))?;
            blocking(move || {
                let _permit = permit;
                procedures.make_ready_now(digest, stack_kib, component)
            })
            .await
        };
        match tokio::time::timeout(self.0.limits.compile_time(), work).await {
            Ok(ready) => ready,
            Err(_) => Err(Error::new(
                sqlstate::PROGRAM_LIMIT_EXCEEDED,
                format!("compiling the component took longer than {} ms", self.0.limits.compile_ms),
            )
            .hint("Try again when others have been compiled, or raise procedures.compile_ms.")),
        }
    }

    fn make_ready_now(
        &self,
        digest: Digest,
        stack_kib: u32,
        component: Option<(Vec<u8>, Option<Description>)>,
    ) -> Result<Option<Arc<Ready>>> {
        let shared = &self.0;
        if let Some(ready) = shared.ready.get((digest, stack_kib)) {
            return Ok(Some(ready));
        }
        let compiled = match (shared.disk.as_ref().and_then(|disk| disk.read(digest)), component) {
            (Some(compiled), _) => compiled,
            (None, Some((component, description))) => {
                let description = description.map_or_else(|| reflect::reflect(&component), Ok)?;
                let code = shared.compiler.precompile_component(&component).map_err(|error| {
                    Error::new(sqlstate::INVALID_BINARY_REPRESENTATION, "the component cannot be compiled")
                        .detail(format!("{error:#}"))
                })?;
                let compiled = Compiled { description, code };
                if let Some(disk) = &shared.disk
                    && let Err(error) = disk.write(digest, &compiled)
                {
                    tracing::warn!(%error, %digest, "compiled code is not kept on disk");
                }
                compiled
            }
            (None, None) => return Ok(None),
        };
        let ready = Arc::new(self.load(stack_kib, compiled).map_err(|error| {
            Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "the component does not fit into the sandbox")
                .detail(format!("{error:#}"))
        })?);
        shared.ready.insert((digest, stack_kib), ready.clone());
        Ok(Some(ready))
    }

    fn load(&self, stack_kib: u32, compiled: Compiled) -> wasmtime::Result<Ready> {
        let engine = self.machine(stack_kib)?;
        // SAFETY: the bytes come from this process's own compiler, or from a file that was sealed with a key that only
        // this node has.
        let component = unsafe { Component::deserialize(&engine, &compiled.code) }?;
        let mut linker = Linker::new(&engine);
        imports::add_to_linker(&mut linker)?;
        wasi::add_to_linker(&mut linker, &component)?;
        let component = linker.instantiate_pre(&component)?;
        Ok(Ready { engine, component, description: compiled.description, bytes: compiled.code.len() })
    }

    fn machine(&self, stack_kib: u32) -> wasmtime::Result<Engine> {
        let mut machines = self.0.machines.lock();
        if let Some(engine) = machines.get(&stack_kib) {
            return Ok(engine.clone());
        }
        let stack_bytes = (stack_kib as usize) << 10;
        let mut configuration = compilation::configuration();
        configuration
            .max_wasm_stack(stack_bytes)
            .async_stack_size(stack_bytes + HOST_STACK_BYTES)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(self.0.limits.instances)));
        let engine = Engine::new(&configuration)?;
        machines.insert(stack_kib, engine.clone());
        Ok(engine)
    }
}

/// The size of stack that a limit gets.
fn stack_class(stack_kib: u32) -> u32 {
    stack_kib.clamp(*STACK_KIB.start(), *STACK_KIB.end()).next_power_of_two()
}

/// Slots for instances. Python's and JavaScript's are made of dozens of modules and tables; address space costs
/// nothing, and what an instance may really use is limited when it runs.
fn pooling(instances: u32) -> PoolingAllocationConfig {
    // One that is dropped may still be on its way out.
    let instances = instances.saturating_add(16);
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(32))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(16))
        .total_stacks(instances)
        .max_memories_per_component(8)
        .max_core_instances_per_component(512)
        .max_tables_per_component(512)
        .table_elements(100_000)
        .max_memory_size(4 << 30)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        // What the last instance wrote is copied back instead of unmapped: the next one meets no page faults there.
        .linear_memory_keep_resident(KEPT_BYTES)
        .table_keep_resident(KEPT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pooling
}

/// Runs work on a patient thread that may block. A panic in it, such as by bytes that a parser chokes on, is an error.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match threads::patient().spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(failure) => Err(failure::broken_component(failure.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::stack_class;

    #[test]
    fn stacks_come_in_powers_of_two() {
        for (asked, class) in [(0, 64), (64, 64), (65, 128), (512, 512), (8000, 8192), (1 << 30, 8192)] {
            assert_eq!(stack_class(asked), class, "{asked} KiB");
        }
    }
}
