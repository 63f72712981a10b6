//! Where a replica's own tasks run: on threads of their own, or as tasks of a runtime that somebody simulates time
//! with.

use crate::error::{Error, Result};
use std::future::Future;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Execution {
    /// A thread each, so that nothing that computes keeps a commit waiting.
    #[default]
    Threads,
    /// Tasks of the runtime that opens the replica.
    Tasks,
}

impl Execution {
    /// Runs a task to its end.
    pub fn start(self, name: &str, task: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        match self {
            Execution::Tasks => {
                tokio::spawn(task);
            }
            Execution::Threads => {
                let runtime = runtime(name, false)?;
                let thread = std::thread::Builder::new().name(name.into());
                thread.spawn(move || runtime.block_on(task)).map_err(|error| no_thread(name, error))?;
            }
        }
        Ok(())
    }
}

fn no_thread(name: &str, error: std::io::Error) -> Error {
    Error::unavailable(format!("no thread {name}: {error}"))
}

fn runtime(name: &str, sockets: bool) -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time();
    if sockets {
        builder.enable_io();
    }
    builder.build().map_err(|error| no_thread(name, error))
}

/// A runtime for many tasks, on a thread of its own where threads are wanted.
pub struct Workers {
    pub handle: Handle,
    /// Dropped, it ends the thread.
    _stop: Option<oneshot::Sender<()>>,
}

impl Workers {
    /// `sockets`: whether the tasks may use any.
    pub fn start(execution: Execution, name: &str, sockets: bool) -> Result<Workers> {
        if execution == Execution::Tasks {
            return Ok(Workers { handle: Handle::current(), _stop: None });
        }
        let runtime = runtime(name, sockets)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name(name.into());
        // The sender is only ever dropped, which ends the thread.
        thread.spawn(move || runtime.block_on(stopped).ok()).map_err(|error| no_thread(name, error))?;
        Ok(Workers { handle, _stop: Some(stop) })
    }
}
