//! Relations as the catalog describes them. They are stored with postcard, so fields are only ever added at the end
//! of a new version of the record (see `catalog::store`).

use crate::types::DataType;
use serde::{Deserialize, Serialize};

/// A namespace for relations. `public`, `pg_catalog` and `information_schema` always exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    pub id: u32,
    pub name: String,
    /// The user who made it; empty where nobody did.
    pub owner: String,
}

/// A table or a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// pg_class.oid, and the table id in keys
    pub id: u32,
    pub schema_id: u32,
    pub name: String,
    pub kind: RelationKind,
    /// In the order of their numbers; dropped columns stay, marked.
    pub columns: Vec<TableColumn>,
    /// The primary key, where there is one, is `indexes[..]` with `primary` set; its entries are the rows themselves.
    pub indexes: Vec<Index>,
    pub checks: Vec<Check>,
    pub next_index_id: u32,
    /// The user who made it, or was given it; empty where nobody did.
    pub owner: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelationKind {
    Table,
    View(View),
    /// Rows come from `catalog::system` (pg_catalog, information_schema, isobar).
    System,
}

/// A query's text, and what its names meant when the view was made: they mean the same after renaming.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    pub sql: String,
    pub relations: Vec<ViewRelation>,
}

/// A relation that a view's text names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewRelation {
    pub schema: Option<String>,
    pub name: String,
    pub id: u32,
    /// By position; none for those that were dropped by then. Later ones are unknown to the view.
    pub columns: Vec<Option<String>>,
}

impl ViewRelation {
    /// The relation with the columns that the view knows, under the names by which it knows them.
    pub fn seen(&self, relation: &Relation) -> Relation {
        let mut seen = relation.clone();
        for (position, column) in seen.columns.iter_mut().enumerate() {
            match self.columns.get(position).cloned().flatten() {
                Some(name) => column.name = name,
                None => column.dropped = true,
            }
        }
        seen
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableColumn {
    pub name: String,
    #[serde(with = "data_type_by_oid")]
    pub data_type: DataType,
    /// atttypmod, -1 for none
    pub modifier: i32,
    pub not_null: bool,
    /// The expression's SQL text.
    pub default: Option<String>,
    pub dropped: bool,
    /// What rows have that were written before ADD COLUMN … DEFAULT, as `encode::value` writes it; none is NULL.
    pub missing: Option<Vec<u8>>,
}

/// A secondary index, or the primary key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Within its table: 0 is the table's own rows (primary key, or hidden row ids).
    pub id: u32,
    /// pg_class.oid
    pub oid: u32,
    pub name: String,
    pub columns: Vec<IndexColumn>,
    pub unique: bool,
    pub primary: bool,
    /// Made by a UNIQUE or PRIMARY KEY constraint rather than CREATE INDEX.
    pub constraint: bool,
    pub nulls_not_distinct: bool,
    /// Table column positions that the index carries beside its key.
    pub include: Vec<usize>,
    pub state: IndexState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexColumn {
    /// Position in `Relation::columns`.
    pub column: usize,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IndexState {
    /// Writers maintain it, readers must not use it yet.
    Building,
    Public,
    /// Its build failed; it must be dropped.
    Invalid,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// pg_constraint.oid
    pub oid: u32,
    pub name: String,
    /// The expression's SQL text over the table's columns.
    pub expression: String,
}

impl Relation {
    /// A relation that no name of a column means anything in.
    pub fn without_columns() -> Relation {
        Relation {
            id: 0,
            schema_id: 0,
            name: String::new(),
            kind: RelationKind::Table,
            columns: vec![],
            indexes: vec![],
            checks: vec![],
            next_index_id: 1,
            owner: String::new(),
        }
    }

    /// Columns that are not dropped, with their positions.
    pub fn live_columns(&self) -> impl Iterator<Item = (usize, &TableColumn)> {
        self.columns.iter().enumerate().filter(|(_, column)| !column.dropped)
    }

    pub fn primary_key(&self) -> Option<&Index> {
        self.indexes.iter().find(|index| index.primary)
    }
}

/// Types are stored as their numbers, which are PostgreSQL's.
pub(super) mod data_type_by_oid {
    use super::DataType;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(data_type: &DataType, serializer: S) -> Result<S::Ok, S::Error> {
        data_type.oid().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DataType, D::Error> {
        let oid = u32::deserialize(deserializer)?;
        DataType::from_oid(oid).ok_or_else(|| D::Error::custom(format!("no type has the oid {oid}")))
    }
}
