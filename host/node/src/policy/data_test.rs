//! Tests of policies that are data: a request, and what is to be decided about it.

use std::sync::Arc;

use serde::Deserialize;

use crate::policy::DATABASE;
use crate::policy::access::{Access, Action, Principal, Resource};
use crate::policy::complaint::Complaint;
use crate::policy::decide::Policies;

/// One `[[test]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataTest {
    pub name: String,
    principal: Principal,
    /// Roles that the principal has beside those of the entities.
    roles: Vec<String>,
    access: Access,
    allowed: bool,
    /// The policy that has to be among those that decide.
    policy: Option<String>,
}

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// With what was decided instead.
    Failed(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    test: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    /// `User::"ann"` or `Procedure::"public.ledger"`.
    principal: String,
    #[serde(default)]
    roles: Vec<String>,
    action: String,
    /// `Table::"public.accounts"`, `Schema::"public"`, `Procedure::"public.ledger"`, `Database::"isobar"`.
    resource: String,
    owner: Option<String>,
    decision: Verdict,
    policy: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Allow,
    Deny,
}

impl DataTest {
    /// The tests of a file.
    pub fn parse_all(file: &str, text: &str) -> Result<Vec<DataTest>, Complaint> {
        let parsed: File = toml::from_str(text).map_err(|error| {
            let complaint = Complaint::new(file, error.message());
            match error.span() {
                Some(span) => complaint.at(text, span.start, span.len(), ""),
                None => complaint,
            }
        })?;
        let test = |written: Written| {
            let name = written.name.clone();
            DataTest::new(written).map_err(|message| Complaint::new(file, format!("test \"{name}\": {message}")))
        };
        parsed.test.into_iter().map(test).collect()
    }

    fn new(written: Written) -> Result<DataTest, String> {
        let Written { name, principal, roles, action, resource, owner, decision, policy } = written;
        let principal = match entity(&principal)? {
            ("User", id) => Principal::User(Arc::from(id)),
            ("Procedure", id) => Principal::Procedure(Arc::from(id)),
            (kind, _) => return Err(format!("a {kind} is no principal")),
        };
        let within = |id: &str| {
            let parts = id.split_once('.').map(|(schema, name)| (schema.to_string(), name.to_string()));
            parts.ok_or_else(|| format!("\"{id}\" is to be a schema's name, a dot and a name"))
        };
        let resource = match entity(&resource)? {
            ("Database", id) if id == DATABASE => Resource::Database,
            ("Database", _) => return Err(format!("the only database is \"{DATABASE}\"")),
            ("Schema", id) => Resource::Schema { name: id.into() },
            ("Table", id) => within(id).map(|(schema, name)| Resource::Table { schema, name })?,
            ("Procedure", id) => within(id).map(|(schema, name)| Resource::Procedure { schema, name })?,
            (kind, _) => return Err(format!("nothing is done to a {kind}")),
        };
        let action = Action::named(&action).ok_or_else(|| format!("there is no action \"{action}\""))?;
        let access = Access { action, resource, owner };
        Ok(DataTest { name, principal, roles, access, allowed: matches!(decision, Verdict::Allow), policy })
    }

    pub fn run(&self, policies: &Policies) -> Outcome {
        let decision = policies.decide_anew(&self.principal, &self.access, &self.roles);
        let is_decider = |policy: &String| decision.policies.contains(policy);
        if decision.allowed == self.allowed && self.policy.as_ref().is_none_or(is_decider) {
            return Outcome::Passed;
        }
        let verdict = if decision.allowed { "allowed" } else { "denied" };
        Outcome::Failed(match &decision.policies[..] {
            [] => format!("{verdict}: no policy permits it"),
            policies => format!("{verdict} by {}", policies.join(", ")),
        })
    }
}

/// Kind and id of `Kind::"id"`, with or without the namespace.
fn entity(text: &str) -> Result<(&str, &str), String> {
    let refused = || format!("{text} is no entity: write Kind::\"id\"");
    let (kind, id) = text.split_once("::\"").ok_or_else(refused)?;
    let id = id.strip_suffix('"').filter(|id| !id.contains(['"', '\\'])).ok_or_else(refused)?;
    Ok((kind.strip_prefix("Isobar::").unwrap_or(kind), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_test_is_refused() {
        let test = |principal: &str, action: &str, resource: &str| {
            let text = format!(
                "[[test]]\nname = \"t\"\nprincipal = '{principal}'\naction = \"{action}\"\nresource = '{resource}'\n\
                 decision = \"deny\"\n"
            );
            DataTest::parse_all("tests/t.toml", &text).map_err(|complaint| complaint.message)
        };
        assert!(test("User::\"a\"", "select", "Isobar::Table::\"public.t\"").is_ok());
        for (principal, action, resource, reason) in [
            ("User", "select", "Table::\"public.t\"", "test \"t\": User is no entity: write Kind::\"id\""),
            ("Role::\"a\"", "select", "Table::\"public.t\"", "test \"t\": a Role is no principal"),
            ("User::\"a\"", "look", "Table::\"public.t\"", "test \"t\": there is no action \"look\""),
            ("User::\"a\"", "select", "Table::\"t\"", "test \"t\": \"t\" is to be a schema's name, a dot and a name"),
            ("User::\"a\"", "admin", "Database::\"x\"", "test \"t\": the only database is \"isobar\""),
        ] {
            assert_eq!(test(principal, action, resource), Err(reason.into()));
        }
        let complaint = DataTest::parse_all("tests/t.toml", "[[test]]\nnam = 1\n").expect_err("an unknown key");
        assert_eq!(complaint.place.map(|place| (place.line, place.column)), Some((2, 1)), "{}", complaint.message);
    }
}
