//! Policies as they are written: Cedar's text by file, and the entities that say who is in which role.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What every node enforces.
pub const SCHEMA: &str = include_str!("../../../../policies/schema.cedarschema");

/// The names of the files that hold what is no policy.
pub const SCHEMA_FILE: &str = "schema.cedarschema";
pub const ENTITIES_FILE: &str = "entities.json";

/// All files together.
pub const BYTES_MAX: usize = 1 << 20;
pub const FILES_MAX: usize = 1000;

/// A set of policies as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// By name beneath the folder of policies, with `/` between its parts: `default/owners.cedar`.
    pub files: BTreeMap<String, String>,
    /// Cedar's JSON form of entities: users and procedures with their roles.
    #[serde(default = "no_entities")]
    pub entities: String,
}

fn no_entities() -> String {
    "[]".into()
}

impl Source {
    /// What is in force until others are applied: the folder `policies/` of the source code.
    pub fn defaults() -> Source {
        let files = [
            ("default/administrators.cedar", include_str!("../../../../policies/default/administrators.cedar")),
            ("default/everybody.cedar", include_str!("../../../../policies/default/everybody.cedar")),
            ("default/owners.cedar", include_str!("../../../../policies/default/owners.cedar")),
            ("default/roles.cedar", include_str!("../../../../policies/default/roles.cedar")),
        ];
        Source {
            files: files.into_iter().map(|(name, text)| (name.into(), text.into())).collect(),
            entities: include_str!("../../../../policies/entities.json").into(),
        }
    }

    pub fn bytes(&self) -> usize {
        self.files.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>() + self.entities.len()
    }
}
