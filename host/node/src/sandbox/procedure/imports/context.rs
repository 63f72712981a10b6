//! `wit/procedure/context.wit`: who calls, where and when.

use crate::sandbox::Role;
use crate::sandbox::procedure::bindings::isobar::procedure::context::{Host, Timestamptz};
use crate::sandbox::procedure::failure::stop;
use crate::sandbox::procedure::instance::State;

/// What `wit/procedure/context.wit` promises at most.
const RANDOM_BYTES_MAX: u32 = 4096;

impl Host for State {
    fn caller(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().map_err(stop)?.caller.to_string())
    }

    fn role(&mut self) -> wasmtime::Result<String> {
        let call = self.call().map_err(stop)?;
        Ok(match &call.role {
            Role::Caller => call.caller.to_string(),
            Role::Procedure(name) => name.to_string(),
        })
    }

    fn region(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().map_err(stop)?.region.to_string())
    }

    fn transaction_id(&mut self) -> wasmtime::Result<String> {
        Ok(self.call().map_err(stop)?.transaction_id.to_string())
    }

    fn now(&mut self) -> wasmtime::Result<Timestamptz> {
        Ok(Timestamptz { microseconds: self.call().map_err(stop)?.transaction_time })
    }

    fn random(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(self.random.bytes(count.min(RANDOM_BYTES_MAX) as usize))
    }
}
