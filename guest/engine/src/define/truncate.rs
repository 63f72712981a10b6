//! TRUNCATE.

use super::{DefineContext, rows};
use crate::error::{Error, Result};
use crate::host::Action;
use crate::statement::Outcome;
use sqlparser::ast::{Truncate, TruncateIdentityOption};

pub fn execute(context: &DefineContext, truncate: &Truncate) -> Result<Outcome> {
    if truncate.partitions.is_some() || truncate.if_exists {
        return Err(Error::not_supported("this form of TRUNCATE"));
    }
    // There are no sequences yet that RESTART could mean, nor foreign keys for CASCADE.
    let _: &Option<TruncateIdentityOption> = &truncate.identity;
    let tables = truncate.table_names.iter().map(|target| context.table(&target.name)).collect::<Result<Vec<_>>>()?;
    for table in &tables {
        context.may(Action::Delete, table)?;
    }
    for table in tables {
        context.host.guard(&crate::catalog::keys::relation(table.id))?;
        rows::delete_all(context.host, &table)?;
    }
    Ok(super::complete("TRUNCATE TABLE"))
}
