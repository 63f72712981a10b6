//! `wit/procedure/sql.wit`: statements in the caller's transaction.

use wasmtime::component::Resource;

use crate::sandbox::procedure::bindings::isobar::procedure::sql::{Column, Host, HostRows, Row};
use crate::sandbox::procedure::bindings::isobar::procedure::types::{Error, Value};
use crate::sandbox::procedure::failure::stop;
use crate::sandbox::procedure::imports::Rows;
use crate::sandbox::procedure::imports::nested::Rows as Wanted;
use crate::sandbox::procedure::imports::types::type_name;
use crate::sandbox::procedure::instance::State;

impl Host for State {
    async fn query(&mut self, sql: String, parameters: Vec<Value>) -> wasmtime::Result<Result<Resource<Rows>, Error>> {
        match self.run(&sql, &parameters, Wanted::Held).await? {
            Ok(answer) => {
                let rows = Rows::new(answer.events);
                self.result_bytes += rows.bytes;
                Ok(Ok(self.resources.push(rows)?))
            }
            Err(error) => Ok(Err(error.into())),
        }
    }

    async fn execute(&mut self, sql: String, parameters: Vec<Value>) -> wasmtime::Result<Result<u64, Error>> {
        Ok(self.run(&sql, &parameters, Wanted::Counted).await?.map(|answer| answer.count).map_err(Error::from))
    }
}

impl HostRows for State {
    fn columns(&mut self, rows: Resource<Rows>) -> wasmtime::Result<Vec<Column>> {
        let columns = self.resources.get(&rows)?.columns();
        Ok(columns
            .iter()
            .map(|column| Column { name: column.name.clone(), type_name: type_name(column.type_oid) })
            .collect())
    }

    fn next(&mut self, rows: Resource<Rows>, most: u32) -> wasmtime::Result<Vec<Row>> {
        self.resources.get_mut(&rows)?.next(most).map_err(stop)
    }

    fn drop(&mut self, rows: Resource<Rows>) -> wasmtime::Result<()> {
        let rows = self.resources.delete(rows)?;
        self.result_bytes = self.result_bytes.saturating_sub(rows.bytes);
        Ok(())
    }
}
