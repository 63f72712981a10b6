//! What tables, columns, indexes, views and schemas there are.

pub mod definition;
pub mod functions;
pub mod identifier;
pub mod keys;
pub mod privileges;
pub mod procedure;
pub mod statistics;
pub mod store;
pub mod system;
pub mod table;

pub use identifier::quote_identifier;
pub use table::{
    Check, Index, IndexColumn, IndexState, Relation, RelationKind, Schema, TableColumn, View, ViewRelation,
};

use crate::host::ProcedureLimits;
use hashbrown::HashMap;
use procedure::{Callable, Procedure};
use statistics::TableStatistics;
use std::rc::Rc;

/// Who a session without a user is.
pub const DEFAULT_USER: &str = "isobar";
/// The namespace of system relations.
pub const PG_CATALOG: u32 = 11;
/// The SQL standard's views of the catalog.
pub const INFORMATION_SCHEMA: u32 = 12;
/// Views of what PostgreSQL has none of.
pub const ISOBAR: u32 = 13;
/// Where relations are created unless the search path says otherwise.
pub const PUBLIC: u32 = 2200;
/// Objects that users make have this oid or a higher one, as in PostgreSQL.
pub const FIRST_USER_OID: u32 = 16384;

/// The catalog as one transaction sees it: immutable, and shared by every statement that sees the same version.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    version: u64,
    /// Ordered by id.
    schemas: Vec<Schema>,
    schema_by_name: HashMap<String, usize>,
    relations: HashMap<u32, Rc<Relation>>,
    relation_by_name: HashMap<u32, HashMap<String, u32>>,
    /// Relation and position in its `indexes`, by schema and name, then by oid.
    index_by_name: HashMap<u32, HashMap<String, (u32, usize)>>,
    index_by_oid: HashMap<u32, (u32, usize)>,
    comments: HashMap<(u32, u32), String>,
    /// By table.
    statistics: HashMap<u32, Rc<TableStatistics>>,
    /// By id.
    procedures: Vec<Rc<Procedure>>,
    procedure_limits: ProcedureLimits,
    /// Of the procedures' active versions, by name.
    routines: HashMap<String, Rc<Callable>>,
}

impl Catalog {
    /// Puts a catalog together; the fixed schemas are added when they are missing.
    pub fn new(mut schemas: Vec<Schema>, relations: Vec<Relation>) -> Catalog {
        for (id, name) in [
            (PG_CATALOG, "pg_catalog"),
            (INFORMATION_SCHEMA, "information_schema"),
            (ISOBAR, "isobar"),
            (PUBLIC, "public"),
        ] {
            if !schemas.iter().any(|schema| schema.id == id) {
                schemas.push(Schema { id, name: name.into(), owner: String::new() });
            }
        }
        schemas.sort_by_key(|schema| schema.id);
        let schema_by_name = schemas.iter().enumerate().map(|(at, schema)| (schema.name.clone(), at)).collect();
        let mut catalog = Catalog { schemas, schema_by_name, ..Default::default() };
        for relation in relations {
            catalog.add(Rc::new(relation));
        }
        catalog
    }

    fn add(&mut self, relation: Rc<Relation>) {
        let indexes = self.index_by_name.entry(relation.schema_id).or_default();
        for (position, index) in relation.indexes.iter().enumerate() {
            indexes.insert(index.name.clone(), (relation.id, position));
            self.index_by_oid.insert(index.oid, (relation.id, position));
        }
        self.relation_by_name.entry(relation.schema_id).or_default().insert(relation.name.clone(), relation.id);
        self.relations.insert(relation.id, relation);
    }

    fn set_procedures(&mut self, mut procedures: Vec<Procedure>, limits: ProcedureLimits) {
        procedures.sort_by_key(|procedure| procedure.id);
        for procedure in &procedures {
            let Some(version) = procedure.active_version() else { continue };
            for routine in &version.routines {
                let callable = Callable::new(procedure, version, routine, &limits);
                self.routines.insert(routine.name.clone(), Rc::new(callable));
            }
        }
        self.procedures = procedures.into_iter().map(Rc::new).collect();
        self.procedure_limits = limits;
    }

    /// Every procedure, by id.
    pub fn procedures(&self) -> &[Rc<Procedure>] {
        &self.procedures
    }

    pub fn procedure(&self, name: &str) -> Option<&Rc<Procedure>> {
        self.procedures.iter().find(|procedure| procedure.name == name)
    }

    /// The limits of procedures that have none of their own.
    pub fn procedure_limits(&self) -> &ProcedureLimits {
        &self.procedure_limits
    }

    /// A routine of some procedure's active version: in that schema, or else where the search path has `public`.
    pub fn routine(&self, schema: Option<&str>, name: &str, search_path: &[String]) -> Option<&Rc<Callable>> {
        let visible = match schema {
            Some(schema) => schema == "public",
            None => search_path.iter().any(|schema| schema == "public"),
        };
        if visible { self.routines.get(name) } else { None }
    }

    /// Every routine that can be called, by oid.
    pub fn routines(&self) -> Vec<Rc<Callable>> {
        let mut routines: Vec<_> = self.routines.values().cloned().collect();
        routines.sort_by_key(|callable| callable.routine.oid);
        routines
    }

    /// What `Transaction::catalog_version` said when it was read.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A table, view or system relation: in that schema, or else in the first schema of the search path that has it.
    /// `pg_catalog` is searched first unless the path names it.
    pub fn relation(&self, schema: Option<&str>, name: &str, search_path: &[String]) -> Option<Rc<Relation>> {
        self.search(schema, search_path, |schema| {
            match self.relation_by_name.get(&schema.id).and_then(|names| names.get(name)) {
                Some(id) => self.relations.get(id).cloned(),
                None => system::relation_by_name(schema.id, name),
            }
        })
    }

    /// An index, by the same rules: its relation and its position in `Relation::indexes`.
    pub fn index(&self, schema: Option<&str>, name: &str, search_path: &[String]) -> Option<(Rc<Relation>, usize)> {
        self.search(schema, search_path, |schema| {
            let (id, position) = self.index_by_name.get(&schema.id)?.get(name)?;
            Some((self.relations.get(id)?.clone(), *position))
        })
    }

    pub fn relation_by_id(&self, id: u32) -> Option<Rc<Relation>> {
        self.relations.get(&id).cloned().or_else(|| system::relation_by_id(id))
    }

    /// By pg_class.oid: its relation and its position in `Relation::indexes`.
    pub fn index_by_oid(&self, oid: u32) -> Option<(Rc<Relation>, usize)> {
        let (id, position) = self.index_by_oid.get(&oid)?;
        Some((self.relations.get(id)?.clone(), *position))
    }

    /// Every schema, by id.
    pub fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.schema_by_name.get(name).map(|&at| &self.schemas[at])
    }

    pub fn schema_by_id(&self, id: u32) -> Option<&Schema> {
        let at = self.schemas.binary_search_by_key(&id, |schema| schema.id).ok()?;
        Some(&self.schemas[at])
    }

    /// Every relation, by id.
    pub fn relations(&self) -> Vec<Rc<Relation>> {
        let mut relations = system::relations();
        relations.extend(self.user_relations());
        relations.sort_by_key(|relation| relation.id);
        relations
    }

    /// Every table and view, by id.
    pub fn user_relations(&self) -> Vec<Rc<Relation>> {
        let mut relations: Vec<_> = self.relations.values().cloned().collect();
        relations.sort_by_key(|relation| relation.id);
        relations
    }

    /// The schema that unqualified CREATE uses: the first of the search path that exists.
    pub fn creation_schema(&self, search_path: &[String]) -> Option<&Schema> {
        search_path.iter().find_map(|name| self.schema(name))
    }

    /// COMMENT ON: of a relation, index or schema (column 0), or of a relation's column (1 is the first).
    pub fn comment(&self, oid: u32, column: u32) -> Option<&str> {
        self.comments.get(&(oid, column)).map(String::as_str)
    }

    /// What is known of a table's values, if it was ever analysed.
    pub fn statistics(&self, table: u32) -> Option<&Rc<TableStatistics>> {
        self.statistics.get(&table)
    }

    /// Every comment: object, column (0 for the object itself), text.
    pub fn comments(&self) -> impl Iterator<Item = (u32, u32, &str)> {
        self.comments.iter().map(|(&(oid, column), text)| (oid, column, text.as_str()))
    }

    /// The schemas that names are looked up in, in order.
    pub fn search_schemas<'a>(&'a self, search_path: &'a [String]) -> impl Iterator<Item = &'a Schema> {
        let implicit = !search_path.iter().any(|name| name == "pg_catalog");
        let first = if implicit { self.schema_by_id(PG_CATALOG) } else { None };
        first.into_iter().chain(search_path.iter().filter_map(|name| self.schema(name)))
    }

    fn search<T>(
        &self,
        schema: Option<&str>,
        search_path: &[String],
        find: impl FnMut(&Schema) -> Option<T>,
    ) -> Option<T> {
        match schema {
            Some(schema) => self.schema(schema).and_then(find),
            None => self.search_schemas(search_path).find_map(find),
        }
    }
}
