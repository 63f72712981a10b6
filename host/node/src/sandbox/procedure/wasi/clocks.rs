//! `wasi:clocks` and `wasi:io/poll`: time stands still, and whoever waits is there at once.

use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource, ResourceType};

use crate::sandbox::procedure::failure::stop;
use crate::sandbox::procedure::instance::State;

/// Something to wait for: a moment, in nanoseconds of the procedure's own clock. 0: at once.
pub struct Pollable(pub u64);

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

const SECOND: u64 = 1_000_000_000;

impl State {
    /// Nanoseconds since the Unix epoch: the transaction's time, and what the procedure has slept since.
    fn nanoseconds(&mut self) -> wasmtime::Result<u64> {
        let began = u64::try_from(self.call().map_err(stop)?.transaction_time).unwrap_or(0);
        Ok(began.saturating_mul(1000).saturating_add(self.slept))
    }

    /// Sleeps until a moment, which takes no time.
    fn sleep_until(&mut self, moment: u64) -> wasmtime::Result<()> {
        let now = self.nanoseconds()?;
        self.slept = self.slept.saturating_add(moment.saturating_sub(now));
        Ok(())
    }
}

pub fn define_resource(instance: &mut LinkerInstance<'_, State>, name: &str) -> wasmtime::Result<bool> {
    if name != "pollable" {
        return Ok(false);
    }
    instance.resource(name, ResourceType::host::<Pollable>(), |mut store, rep| {
        store.data_mut().resources.delete(Resource::<Pollable>::new_own(rep))?;
        Ok(())
    })?;
    Ok(true)
}

pub fn define(instance: &mut LinkerInstance<'_, State>, path: &str, name: &str) -> wasmtime::Result<bool> {
    match (path, name) {
        ("clocks/monotonic-clock", "now") => {
            instance.func_wrap(name, |mut store, (): ()| Ok((store.data_mut().nanoseconds()?,)))?;
        }
        ("clocks/monotonic-clock", "resolution") => instance.func_wrap(name, |_, (): ()| Ok((1000u64,)))?,
        ("clocks/monotonic-clock", "subscribe-instant") => {
            instance.func_wrap(name, |mut store, (moment,): (u64,)| {
                Ok((store.data_mut().resources.push(Pollable(moment))?,))
            })?;
        }
        ("clocks/monotonic-clock", "subscribe-duration") => {
            instance.func_wrap(name, |mut store, (duration,): (u64,)| {
                let state = store.data_mut();
                let moment = state.nanoseconds()?.saturating_add(duration);
                Ok((state.resources.push(Pollable(moment))?,))
            })?;
        }
        ("clocks/wall-clock", "now") => {
            instance.func_wrap(name, |mut store, (): ()| {
                let now = store.data_mut().nanoseconds()?;
                Ok((Datetime { seconds: now / SECOND, nanoseconds: (now % SECOND) as u32 },))
            })?;
        }
        ("clocks/wall-clock", "resolution") => {
            instance.func_wrap(name, |_, (): ()| Ok((Datetime { seconds: 0, nanoseconds: 1000 },)))?;
        }
        ("io/poll", "[method]pollable.ready") => {
            instance.func_wrap(name, |mut store, (pollable,): (Resource<Pollable>,)| {
                let state = store.data_mut();
                let moment = state.resources.get(&pollable)?.0;
                Ok((moment <= state.nanoseconds()?,))
            })?;
        }
        ("io/poll", "[method]pollable.block") => {
            instance.func_wrap(name, |mut store, (pollable,): (Resource<Pollable>,)| {
                let state = store.data_mut();
                let moment = state.resources.get(&pollable)?.0;
                state.sleep_until(moment)
            })?;
        }
        ("io/poll", "poll") => {
            instance.func_wrap(name, |mut store, (pollables,): (Vec<Resource<Pollable>>,)| {
                let state = store.data_mut();
                let moments = pollables
                    .iter()
                    .map(|pollable| Ok(state.resources.get(pollable)?.0))
                    .collect::<wasmtime::Result<Vec<u64>>>()?;
                state.sleep_until(moments.iter().copied().min().unwrap_or(0))?;
                let now = state.nanoseconds()?;
                let ready = (0u32..).zip(&moments).filter(|(_, moment)| **moment <= now).map(|(index, _)| index);
                Ok((ready.collect::<Vec<u32>>(),))
            })?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
