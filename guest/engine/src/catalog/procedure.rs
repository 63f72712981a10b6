//! Stored procedures as the catalog describes them: a deployed component with its versions, and the functions that it
//! exports. Stored with postcard, as relations are.

use super::table::data_type_by_oid;
use crate::host::{ProcedureLimits, Target};
use crate::types::DataType;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::rc::Rc;

/// A deployed component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Procedure {
    pub id: u32,
    pub name: String,
    /// The user who deployed it first, or whom ALTER PROCEDURE has named.
    pub owner: String,
    pub limits: ProcedureLimits,
    /// `number` of the version that calls run.
    pub active: u32,
    /// Oldest first.
    pub versions: Vec<ProcedureVersion>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureVersion {
    /// 1 for the first.
    pub number: u32,
    /// SHA-256 of the component.
    pub digest: [u8; 32],
    /// Of the component, in bytes.
    pub size: u64,
    /// Its statements run with the procedure's own rights.
    pub definer: bool,
    /// Microseconds since the Unix epoch.
    pub deployed_at: i64,
    /// Interfaces, such as `isobar:procedure/sql@0.1.0`.
    pub imports: Vec<String>,
    pub routines: Vec<Routine>,
}

/// An exported function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// pg_proc.oid, which routines of one name keep over all versions.
    pub oid: u32,
    /// Its name inside the component.
    pub export: String,
    /// Its name in SQL.
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub returns: Returns,
    /// Of the rows that it answers; none when it returns nothing.
    pub columns: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub field: Field,
    /// Its type in the component's interface.
    pub wit: String,
    /// Where it takes a row.
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    #[serde(with = "data_type_by_oid")]
    pub data_type: DataType,
    pub nullable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Returns {
    Nothing,
    /// One column of one row.
    Value,
    /// One row.
    Row,
    Rows,
}

impl Procedure {
    pub fn version(&self, number: u32) -> Option<&ProcedureVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The version that calls run.
    pub fn active_version(&self) -> Option<&ProcedureVersion> {
        self.version(self.active)
    }
}

impl Routine {
    /// What a call in an expression gives.
    pub fn data_type(&self) -> DataType {
        match (self.returns, &self.columns[..]) {
            (Returns::Nothing, _) => DataType::Void,
            (Returns::Row | Returns::Rows, [_, _, ..]) | (Returns::Row, _) => DataType::Record,
            (_, [column, ..]) => column.data_type,
            (_, []) => DataType::Void,
        }
    }

    /// Whether callers of the other could as well call this one.
    pub fn has_signature_of(&self, other: &Routine) -> bool {
        let types = |routine: &Routine| -> Vec<(DataType, Vec<DataType>)> {
            let of = |parameter: &Parameter| {
                (parameter.field.data_type, parameter.fields.iter().map(|field| field.data_type).collect())
            };
            routine.parameters.iter().map(of).collect()
        };
        let columns = |routine: &Routine| -> Vec<(String, DataType)> {
            routine.columns.iter().map(|column| (column.name.clone(), column.data_type)).collect()
        };
        self.returns == other.returns && types(self) == types(other) && columns(self) == columns(other)
    }

    /// `transfer(text, integer)`, as messages name it.
    pub fn signature(&self) -> String {
        let types: Vec<String> = self.parameters.iter().map(|parameter| parameter.field.data_type.name()).collect();
        format!("{}({})", self.name, types.join(", "))
    }
}

/// A routine of a procedure's active version, ready to be called.
#[derive(Clone, PartialEq, Eq)]
pub struct Callable {
    pub routine: Rc<Routine>,
    /// The procedure's owner.
    pub owner: String,
    /// For the host; `may_define` is the calling statement's affair.
    pub target: Target,
}

impl Callable {
    /// `defaults` holds where the procedure has no limit of its own.
    pub fn new(
        procedure: &Procedure,
        version: &ProcedureVersion,
        routine: &Routine,
        defaults: &ProcedureLimits,
    ) -> Callable {
        Callable {
            routine: Rc::new(routine.clone()),
            owner: procedure.owner.clone(),
            target: Target {
                procedure: procedure.name.clone(),
                procedure_id: procedure.id,
                version: version.number,
                digest: version.digest,
                export: routine.export.clone(),
                routine: routine.name.clone(),
                definer: version.definer,
                limits: limited(&procedure.limits, defaults),
                may_define: false,
            },
        }
    }

    pub fn name(&self) -> &str {
        &self.routine.name
    }
}

impl fmt::Debug for Callable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A procedure's limits, and the defaults where it has none of its own.
fn limited(own: &ProcedureLimits, defaults: &ProcedureLimits) -> ProcedureLimits {
    let mut limits = own.clone();
    for name in LIMITS {
        if let (Some(limit @ None), Some(default)) = (limit_mut(&mut limits, name), limit(defaults, name)) {
            *limit = default;
        }
    }
    limits
}

/// The limits that a procedure may have, by name.
pub const LIMITS: [&str; 8] =
    ["memory_kib", "wall_ms", "stack_kib", "statements", "rows_in", "rows_out", "log_bytes", "concurrent_calls"];

/// A limit by its name; none when no limit has that name.
pub fn limit_mut<'l>(limits: &'l mut ProcedureLimits, name: &str) -> Option<&'l mut Option<u32>> {
    Some(match name {
        "memory_kib" => &mut limits.memory_kib,
        "wall_ms" => &mut limits.wall_ms,
        "stack_kib" => &mut limits.stack_kib,
        "statements" => &mut limits.statements,
        "rows_in" => &mut limits.rows_in,
        "rows_out" => &mut limits.rows_out,
        "log_bytes" => &mut limits.log_bytes,
        "concurrent_calls" => &mut limits.concurrent_calls,
        _ => return None,
    })
}

pub fn limit(limits: &ProcedureLimits, name: &str) -> Option<Option<u32>> {
    limit_mut(&mut limits.clone(), name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_name() {
        let mut limits = ProcedureLimits::default();
        for (number, name) in (1..).zip(LIMITS) {
            *limit_mut(&mut limits, name).unwrap() = Some(number);
        }
        for (number, name) in (1..).zip(LIMITS) {
            assert_eq!(limit(&limits, name), Some(Some(number)), "{name}");
        }
        assert_eq!(limit(&limits, "patience"), None);
    }

    #[test]
    fn defaults_hold_where_nothing_else_does() {
        let own = ProcedureLimits { wall_ms: Some(5), ..Default::default() };
        let defaults = ProcedureLimits { wall_ms: Some(7), statements: Some(9), ..Default::default() };
        let limits = limited(&own, &defaults);
        assert_eq!((limits.wall_ms, limits.statements, limits.rows_in), (Some(5), Some(9), None));
    }
}
