//! What tables, columns, indexes, views and schemas there are.

pub mod table;

pub use table::{Check, Index, IndexColumn, IndexState, Relation, RelationKind, Schema, TableColumn};

use std::rc::Rc;

/// Every schema and relation that one transaction sees.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    schemas: Vec<Schema>,
    relations: Vec<Rc<Relation>>,
}

impl Catalog {
    pub fn new(schemas: Vec<Schema>, relations: Vec<Relation>) -> Catalog {
        Catalog { schemas, relations: relations.into_iter().map(Rc::new).collect() }
    }

    pub fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    /// The relation that a name means: in `schema`, or else in the first schema of the search path that has it
    /// (`pg_catalog` comes first, as in PostgreSQL).
    pub fn relation(&self, schema: Option<&str>, name: &str, search_path: &[String]) -> Option<Rc<Relation>> {
        let in_schema = |schema: &str| {
            let schema = self.schemas.iter().find(|candidate| candidate.name == schema)?;
            self.relations.iter().find(|relation| relation.schema_id == schema.id && relation.name == name).cloned()
        };
        match schema {
            Some(schema) => in_schema(schema),
            None => in_schema("pg_catalog").or_else(|| search_path.iter().find_map(|schema| in_schema(schema))),
        }
    }

    pub fn relation_by_id(&self, id: u32) -> Option<Rc<Relation>> {
        self.relations.iter().find(|relation| relation.id == id).cloned()
    }
}
