//! The part of WASI 0.2 that toolchains bring into every component, with nothing granted: no files, no sockets, no
//! environment. What a procedure prints goes to its log, its clocks stand at the transaction's time and move only when
//! it sleeps, and its randomness follows from the transaction. Everything else is there to be imported, and traps.
//!
//! Functions and types are those of https://github.com/WebAssembly/WASI/tree/main/proposals at 0.2.

mod clocks;
mod streams;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, Resource, ResourceType, Val};

use crate::error::{Error, sqlstate};
use crate::sandbox::procedure::failure::{stop, unavailable};
use crate::sandbox::procedure::instance::State;

/// Random bytes at once.
const RANDOM_BYTES_MAX: u64 = 64 << 10;

/// Resources that nobody can get hold of: files, sockets, terminals.
enum Missing {}

/// Defines what a component imports of WASI, under the very versions that it names.
pub fn add_to_linker(linker: &mut Linker<State>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine().clone();
    for (name, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else { continue };
        let Some(path) = name.strip_prefix("wasi:") else { continue };
        let path = path.split_once('@').map_or(path, |(path, _)| path);
        let mut instance = linker.instance(name)?;
        for (member, item) in interface.exports(&engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) if define(&mut instance, path, member)? => {}
                ComponentItem::ComponentFunc(_) => {
                    let full = format!("wasi:{path}#{member}");
                    instance.func_new(member, move |_, _, _, _| Err(unavailable(&full)))?;
                }
                ComponentItem::Resource(_) => define_resource(&mut instance, member)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Interfaces hand on each other's resources under the names that these have where they come from.
fn define_resource(instance: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<()> {
    if streams::define_resource(instance, name)? || clocks::define_resource(instance, name)? {
        return Ok(());
    }
    instance.resource(name, ResourceType::host::<Missing>(), |_, _| Ok(()))
}

/// Whether there is a definition.
fn define(instance: &mut LinkerInstance<'_, State>, path: &str, name: &str) -> wasmtime::Result<bool> {
    if streams::define(instance, path, name)? || clocks::define(instance, path, name)? {
        return Ok(true);
    }
    match (path, name) {
        ("cli/environment", "get-environment") => {
            instance.func_wrap(name, |_, (): ()| Ok((Vec::<(String, String)>::new(),)))?;
        }
        ("cli/environment", "get-arguments") => instance.func_wrap(name, |_, (): ()| Ok((Vec::<String>::new(),)))?,
        ("cli/environment", "initial-cwd") => instance.func_wrap(name, |_, (): ()| Ok((None::<String>,)))?,
        ("cli/exit", "exit") => {
            instance.func_wrap(name, |_, (status,): (Result<(), ()>,)| -> wasmtime::Result<()> {
                Err(exited(u8::from(status.is_err())))
            })?;
        }
        ("cli/exit", "exit-with-code") => {
            instance.func_wrap(name, |_, (code,): (u8,)| -> wasmtime::Result<()> { Err(exited(code)) })?;
        }
        ("cli/terminal-stdin" | "cli/terminal-stdout" | "cli/terminal-stderr", _) => {
            instance.func_wrap(name, |_, (): ()| Ok((None::<Resource<Missing>>,)))?;
        }
        ("random/random", "get-random-bytes") | ("random/insecure", "get-insecure-random-bytes") => {
            instance.func_wrap(name, |mut store, (count,): (u64,)| {
                if count > RANDOM_BYTES_MAX {
                    return Err(unavailable(&format!("more than {RANDOM_BYTES_MAX} random bytes at once")));
                }
                Ok((store.data_mut().random.bytes(count as usize),))
            })?;
        }
        ("random/random", "get-random-u64") | ("random/insecure", "get-insecure-random-u64") => {
            instance.func_wrap(name, |mut store, (): ()| Ok((store.data_mut().random.number(),)))?;
        }
        ("random/insecure-seed", "insecure-seed") => {
            instance.func_wrap(name, |mut store, (): ()| {
                let random = &mut store.data_mut().random;
                Ok(((random.number(), random.number()),))
            })?;
        }
        ("filesystem/preopens", "get-directories") => {
            instance.func_wrap(name, |_, (): ()| Ok((Vec::<(Resource<Missing>, String)>::new(),)))?;
        }
        // No error of a stream is a file's.
        ("filesystem/types", "filesystem-error-code") => instance.func_new(name, |_, _, _, results| {
            results.fill(Val::Option(None));
            Ok(())
        })?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn exited(code: u8) -> wasmtime::Error {
    stop(Error::new(sqlstate::EXTERNAL_ROUTINE_EXCEPTION, format!("the procedure has exited with status {code}")))
}
