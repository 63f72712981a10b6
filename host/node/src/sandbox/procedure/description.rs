//! What a component offers SQL: its routines with the types of their parameters and results.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A reflected component. It is kept beside the component's machine code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Interfaces that it asks the host for, such as `isobar:procedure/sql@0.1.0`.
    pub imports: Vec<String>,
    pub routines: Vec<Routine>,
}

/// An exported function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// Its path inside the component: `transfer`, or `my:ledger/accounts#transfer`.
    pub export: String,
    /// Its name in SQL.
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub returns: Returns,
    /// Its type in WIT is a `result`: it may answer an error.
    pub fallible: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// In SQL.
    pub name: String,
    /// Its type as WIT writes it.
    pub wit: String,
    pub shape: Shape,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    Column(Column),
    /// SQL's ROW(…).
    Row {
        row: Row,
        nullable: bool,
    },
}

/// What a function's result is in SQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Returns {
    Nothing,
    Value(Column),
    Row(Row),
    Rows(Row),
}

/// A record, or a tuple when its fields have no names in WIT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub is_tuple: bool,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// In SQL.
    pub name: String,
    /// In WIT; empty in a tuple.
    pub label: String,
    pub column: Column,
}

/// A value that fills one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub scalar: Scalar,
    pub nullable: bool,
    /// An array of the scalar; whether its elements may be NULL.
    pub array: Option<NullableElements>,
}

/// Whether an array's elements may be NULL.
pub type NullableElements = bool;

/// WIT's types that are one SQL value, and those of `isobar:procedure/types`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scalar {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    Bytes,
    Numeric,
    Date,
    Time,
    Timestamp,
    Timestamptz,
    Interval,
    Uuid,
    Json,
    /// Its labels.
    Enum(Vec<String>),
}

/// pg_type.oid of `record`.
pub const RECORD_OID: u32 = 2249;

impl Scalar {
    /// PostgreSQL's pg_type.oid, and that of the array type.
    pub fn oids(&self) -> (u32, u32) {
        match self {
            Scalar::Bool => (16, 1000),
            Scalar::S8 | Scalar::U8 | Scalar::S16 => (21, 1005),
            Scalar::U16 | Scalar::S32 => (23, 1007),
            Scalar::U32 | Scalar::S64 => (20, 1016),
            Scalar::U64 | Scalar::Numeric => (1700, 1231),
            Scalar::F32 => (700, 1021),
            Scalar::F64 => (701, 1022),
            Scalar::Char | Scalar::String | Scalar::Enum(_) => (25, 1009),
            Scalar::Bytes => (17, 1001),
            Scalar::Date => (1082, 1182),
            Scalar::Time => (1083, 1183),
            Scalar::Timestamp => (1114, 1115),
            Scalar::Timestamptz => (1184, 1185),
            Scalar::Interval => (1186, 1187),
            Scalar::Uuid => (2950, 2951),
            Scalar::Json => (3802, 3807),
        }
    }
}

impl Column {
    /// PostgreSQL's pg_type.oid.
    pub fn type_oid(&self) -> u32 {
        let (scalar, array) = self.scalar.oids();
        if self.array.is_some() { array } else { scalar }
    }
}

impl Description {
    /// The routines as the engine's `\0isobar deploy` takes them.
    pub fn routines_json(&self) -> Value {
        self.routines.iter().map(Routine::json).collect()
    }

    pub fn routine(&self, export: &str) -> Option<&Routine> {
        self.routines.iter().find(|routine| routine.export == export)
    }
}

impl Routine {
    fn json(&self) -> Value {
        let (returns, columns) = match &self.returns {
            Returns::Nothing => ("nothing", json!([])),
            Returns::Value(column) => ("value", json!([column_json(&self.name, column)])),
            Returns::Row(row) => ("row", row.json()),
            Returns::Rows(row) => ("rows", row.json()),
        };
        json!({
            "export": self.export,
            "name": self.name,
            "parameters": self.parameters.iter().map(Parameter::json).collect::<Value>(),
            "returns": returns,
            "columns": columns,
        })
    }
}

impl Parameter {
    fn json(&self) -> Value {
        let (type_oid, nullable, fields) = match &self.shape {
            Shape::Column(column) => (column.type_oid(), column.nullable, json!([])),
            Shape::Row { row, nullable } => (RECORD_OID, *nullable, row.json()),
        };
        json!({"name": self.name, "type_oid": type_oid, "wit": self.wit, "nullable": nullable, "fields": fields})
    }
}

impl Row {
    fn json(&self) -> Value {
        self.fields.iter().map(|field| column_json(&field.name, &field.column)).collect()
    }
}

fn column_json(name: &str, column: &Column) -> Value {
    json!({"name": name, "type_oid": column.type_oid(), "nullable": column.nullable})
}
