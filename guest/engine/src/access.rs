//! What a statement does to what: the accesses that the host decides about by its policies
//! (`wit/authorization.wit`).

use crate::catalog::{Catalog, DEFAULT_USER, Relation, RelationKind, Schema};
use crate::error::{Error, Result, sqlstate};
use crate::host::{Access, Action, Kind};

/// System relations that show values of other users' rows: unlike the rest of the catalog they are read by right.
const SYSTEM_RELATIONS_BY_RIGHT: [&str; 2] = ["pg_stats", "pg_statistic"];

/// Where procedures are.
pub const PROCEDURE_SCHEMA: &str = "public";

/// To a table or view. None: everybody may read the catalog.
pub fn relation(catalog: &Catalog, action: Action, relation: &Relation) -> Option<Access> {
    if relation.kind == RelationKind::System && !SYSTEM_RELATIONS_BY_RIGHT.contains(&relation.name.as_str()) {
        return None;
    }
    let schema = catalog.schema_by_id(relation.schema_id).map_or("", |schema| &schema.name);
    Some(Access {
        action,
        kind: Kind::Table,
        schema: schema.into(),
        name: relation.name.clone(),
        owner: relation.owner.clone(),
        user: String::new(),
    })
}

/// What is defined or deployed in a schema, or is done to the schema itself.
pub fn schema(action: Action, schema: &Schema) -> Access {
    Access {
        action,
        kind: Kind::Schema,
        schema: schema.name.clone(),
        name: String::new(),
        owner: schema.owner.clone(),
        user: String::new(),
    }
}

/// Defining schemas; administration.
pub fn database(action: Action) -> Access {
    Access {
        action,
        kind: Kind::Database,
        schema: String::new(),
        name: String::new(),
        owner: String::new(),
        user: String::new(),
    }
}

/// To a deployed procedure: calling one of its routines, deploying a version, changing or dropping it.
pub fn procedure(action: Action, schema: &str, name: &str, owner: &str) -> Access {
    Access {
        action,
        kind: Kind::Procedure,
        schema: schema.into(),
        name: name.into(),
        owner: owner.into(),
        user: String::new(),
    }
}

/// A call of one of a procedure's routines.
pub fn execute(schema: &str, procedure_name: &str, owner: &str) -> Access {
    procedure(Action::Execute, schema, procedure_name, owner)
}

/// What OWNER TO and AUTHORIZATION need beside the right to change the thing. Whoever owns a view lends it his rights,
/// so that nobody may make others own things but an administrator.
pub fn give(user: &str, new_owner: &str) -> Option<Access> {
    (new_owner != user).then(|| database(Action::Admin))
}

/// The name of a user that a statement speaks of; 42602 when nobody can have it.
pub fn user_name(name: String) -> Result<String> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::new(sqlstate::INVALID_NAME, format!("invalid user name {name:?}")));
    }
    Ok(name)
}

/// pg_authid.oid: PostgreSQL's own for the first user, and one that follows from the name for every other.
pub fn user_oid(name: &str) -> u32 {
    /// PostgreSQL's BOOTSTRAP_SUPERUSERID.
    const FIRST: u32 = 10;
    /// Others have the upper half, where no object that is counted up gets to.
    const OTHERS: u32 = 1 << 31;
    if shown_owner(name) == DEFAULT_USER {
        return FIRST;
    }
    // FNV-1a
    name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) | OTHERS
}

/// An owner as the catalog shows it: what nobody made is the first user's.
pub fn shown_owner(owner: &str) -> &str {
    if owner.is_empty() { DEFAULT_USER } else { owner }
}

/// Every user that the catalog knows of: who asks, and whoever owns something. In the order of their names.
pub fn users(catalog: &Catalog, user: &str) -> Vec<String> {
    let mut users = vec![DEFAULT_USER.to_string(), user.to_string()];
    users.extend(catalog.user_relations().iter().map(|relation| relation.owner.clone()));
    users.extend(catalog.schemas().iter().map(|schema| schema.owner.clone()));
    users.retain(|user| !user.is_empty());
    users.sort_unstable();
    users.dedup();
    users
}
