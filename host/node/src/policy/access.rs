//! Who does what to what.

use std::fmt;
use std::sync::Arc;

use crate::policy::DATABASE;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Connect,
    Select,
    Insert,
    Update,
    Delete,
    Execute,
    Deploy,
    Ddl,
    Admin,
}

impl Action {
    const ALL: [Action; 9] = [
        Action::Connect,
        Action::Select,
        Action::Insert,
        Action::Update,
        Action::Delete,
        Action::Execute,
        Action::Deploy,
        Action::Ddl,
        Action::Admin,
    ];

    /// As the schema of policies names it.
    pub fn name(self) -> &'static str {
        match self {
            Action::Connect => "connect",
            Action::Select => "select",
            Action::Insert => "insert",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::Execute => "execute",
            Action::Deploy => "deploy",
            Action::Ddl => "ddl",
            Action::Admin => "admin",
        }
    }

    pub fn named(name: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    Database,
    Schema { name: String },
    Table { schema: String, name: String },
    Procedure { schema: String, name: String },
}

impl Resource {
    /// The entity type of the schema of policies, without its namespace.
    pub fn kind(&self) -> &'static str {
        match self {
            Resource::Database => "Database",
            Resource::Schema { .. } => "Schema",
            Resource::Table { .. } => "Table",
            Resource::Procedure { .. } => "Procedure",
        }
    }

    /// The entity's id.
    pub fn id(&self) -> String {
        match self {
            Resource::Database => DATABASE.into(),
            Resource::Schema { name } => name.clone(),
            Resource::Table { schema, name } | Resource::Procedure { schema, name } => format!("{schema}.{name}"),
        }
    }

    /// As PostgreSQL's messages name it.
    pub fn spoken(&self) -> String {
        match self {
            Resource::Database => format!("database {DATABASE}"),
            Resource::Schema { name } => format!("schema {name}"),
            Resource::Table { name, .. } => format!("table {name}"),
            Resource::Procedure { name, .. } => format!("procedure {name}"),
        }
    }

    /// The name of the schema that it is in.
    pub fn schema(&self) -> Option<&str> {
        match self {
            Resource::Database | Resource::Schema { .. } => None,
            Resource::Table { schema, .. } | Resource::Procedure { schema, .. } => Some(schema),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}", self.kind(), self.id())
    }
}

/// What is done to what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    pub action: Action,
    pub resource: Resource,
    /// The user who made it, where somebody did.
    pub owner: Option<String>,
}

impl Access {
    pub fn to_database(action: Action) -> Access {
        Access { action, resource: Resource::Database, owner: None }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} on {}", self.action.name(), self.resource)
    }
}

/// Whose rights count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The node itself, which needs no policy's leave.
    Node,
    User(Arc<str>),
    /// A procedure that was deployed as definer, by its schema's name and its own: `public.ledger`.
    Procedure(Arc<str>),
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::Node => formatter.write_str("the node"),
            Principal::User(name) => write!(formatter, "User {name:?}"),
            Principal::Procedure(name) => write!(formatter, "Procedure {name:?}"),
        }
    }
}
