//! `wasi:io/streams` and the standard streams: nothing comes in, and what goes out goes to the procedure's log.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource, ResourceType};

use crate::sandbox::procedure::failure::stop;
use crate::sandbox::procedure::instance::State;
use crate::sandbox::procedure::wasi::clocks::Pollable;

/// Standard input: at its end.
pub struct InputStream;

pub struct OutputStream {
    is_error: bool,
}

/// No stream fails, so that nobody ever gets one.
pub struct StreamFailure;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<StreamFailure>),
    #[component(name = "closed")]
    Closed,
}

/// Bytes that a stream takes at once.
const WRITE_BYTES_MAX: u64 = 64 << 10;

pub fn define_resource(instance: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<bool> {
    match name {
        "input-stream" => owned::<InputStream>(instance, name)?,
        "output-stream" => owned::<OutputStream>(instance, name)?,
        "error" => owned::<StreamFailure>(instance, name)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn owned<T: Send + 'static>(instance: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |mut store, rep| {
        store.data_mut().resources.delete(Resource::<T>::new_own(rep))?;
        Ok(())
    })
}

/// What a write answers: an error is the guest's to handle, and there is none.
type Written<T> = (Result<T, StreamError>,);

fn write(
    store: &mut StoreContextMut<'_, State>,
    stream: &Resource<OutputStream>,
    bytes: &[u8],
) -> wasmtime::Result<()> {
    let state = store.data_mut();
    let is_error = state.resources.get(stream)?.is_error;
    state.print(is_error, bytes).map_err(stop)
}

pub fn define(instance: &mut LinkerInstance<'_, State>, path: &str, name: &str) -> wasmtime::Result<bool> {
    match (path, name) {
        ("cli/stdin", "get-stdin") => {
            instance.func_wrap(name, |mut store, (): ()| Ok((store.data_mut().resources.push(InputStream)?,)))?;
        }
        ("cli/stdout", "get-stdout") => {
            instance.func_wrap(name, |mut store, (): ()| {
                Ok((store.data_mut().resources.push(OutputStream { is_error: false })?,))
            })?;
        }
        ("cli/stderr", "get-stderr") => {
            instance.func_wrap(name, |mut store, (): ()| {
                Ok((store.data_mut().resources.push(OutputStream { is_error: true })?,))
            })?;
        }
        ("io/error", "[method]error.to-debug-string") => {
            instance.func_wrap(name, |_, (_,): (Resource<StreamFailure>,)| Ok((String::from("stream failure"),)))?;
        }
        ("io/streams", "[method]input-stream.read" | "[method]input-stream.blocking-read") => {
            instance.func_wrap(
                name,
                |_, (_, _): (Resource<InputStream>, u64)| -> wasmtime::Result<Written<Vec<u8>>> {
                    Ok((Err(StreamError::Closed),))
                },
            )?;
        }
        ("io/streams", "[method]input-stream.skip" | "[method]input-stream.blocking-skip") => {
            instance.func_wrap(name, |_, (_, _): (Resource<InputStream>, u64)| -> wasmtime::Result<Written<u64>> {
                Ok((Err(StreamError::Closed),))
            })?;
        }
        ("io/streams", "[method]input-stream.subscribe") => {
            instance.func_wrap(name, |mut store, (_,): (Resource<InputStream>,)| {
                Ok((store.data_mut().resources.push(Pollable(0))?,))
            })?;
        }
        ("io/streams", "[method]output-stream.subscribe") => {
            instance.func_wrap(name, |mut store, (_,): (Resource<OutputStream>,)| {
                Ok((store.data_mut().resources.push(Pollable(0))?,))
            })?;
        }
        ("io/streams", "[method]output-stream.check-write") => {
            instance.func_wrap(name, |_, (_,): (Resource<OutputStream>,)| -> wasmtime::Result<Written<u64>> {
                Ok((Ok(WRITE_BYTES_MAX),))
            })?;
        }
        ("io/streams", "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush") => {
            instance.func_wrap(
                name,
                |mut store, (stream, bytes): (Resource<OutputStream>, Vec<u8>)| -> wasmtime::Result<Written<()>> {
                    write(&mut store, &stream, &bytes)?;
                    Ok((Ok(()),))
                },
            )?;
        }
        ("io/streams", "[method]output-stream.flush" | "[method]output-stream.blocking-flush") => {
            instance.func_wrap(name, |_, (_,): (Resource<OutputStream>,)| -> wasmtime::Result<Written<()>> {
                Ok((Ok(()),))
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
