//! A sound set of policies, and what it decides.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use parking_lot::RwLock;

use crate::policy::access::{Access, Principal, Resource};
use crate::policy::complaint::Complaint;
use crate::policy::source::{BYTES_MAX, ENTITIES_FILE, FILES_MAX, SCHEMA, SCHEMA_FILE, Source};
use crate::policy::{DATABASE, thread};

const NAMESPACE: &str = "Isobar";

const POLICIES_MAX: usize = 1000;
const ENTITIES_MAX: usize = 10_000;

/// Decisions that are kept. All are forgotten when there are more: who asks for so many different ones pays for them.
const DECISIONS_MAX: usize = 10_000;

/// Parsed and validated policies, with the decisions that they have made.
pub struct Policies {
    source: Source,
    schema: Schema,
    set: PolicySet,
    entities: Entities,
    /// Roles of users and procedures.
    roles: HashMap<EntityUid, HashSet<EntityUid>>,
    warnings: Vec<Complaint>,
    decisions: RwLock<HashMap<(Principal, Access), Decision>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// The `@id`s of the policies that decided, in the order of their names; none permits when there are none.
    pub policies: Arc<[String]>,
}

impl Policies {
    /// Parses and validates strictly. Answers everything that is wrong.
    pub fn parse(source: Source) -> Result<Policies, Vec<Complaint>> {
        if source.bytes() > BYTES_MAX || source.files.len() > FILES_MAX {
            let message = format!("policies have at most {BYTES_MAX} bytes in {FILES_MAX} files");
            return Err(vec![Complaint::new("policies", message)]);
        }
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA)
            .map_err(|error| vec![Complaint::of_diagnostic(SCHEMA_FILE, SCHEMA, &error)])?;
        let mut complaints = vec![];
        let mut set = PolicySet::new();
        let mut files: HashMap<String, &str> = HashMap::new();
        for (file, text) in &source.files {
            match named_policies(file, text) {
                Err(wrong) => complaints.extend(wrong),
                Ok(policies) => {
                    for policy in policies {
                        let id = policy.id().to_string();
                        if let Some(other) = files.get(&id) {
                            let message = format!("the policy of {other} has the same @id");
                            complaints.push(Complaint::new(file, message).of_policy(id));
                        } else if let Err(error) = set.add(policy) {
                            complaints.push(Complaint::of_diagnostic(file, text, &error).of_policy(id));
                        } else {
                            files.insert(id, file);
                        }
                    }
                }
            }
        }
        if files.len() > POLICIES_MAX {
            complaints.push(Complaint::new("policies", format!("there are more than {POLICIES_MAX} policies")));
        }
        let validated = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        let complain = |id: &PolicyId, diagnostic: &dyn miette::Diagnostic| {
            let id = id.to_string();
            let file = files.get(&id).copied().unwrap_or_default();
            let text = source.files.get(file).map_or("", String::as_str);
            Complaint::of_diagnostic(file, text, diagnostic).of_policy(id)
        };
        complaints.extend(validated.validation_errors().map(|error| complain(error.policy_id(), error)));
        let warnings = validated.validation_warnings().map(|warning| complain(warning.policy_id(), warning)).collect();
        let entities = read_entities(&source.entities, &schema);
        let (entities, roles) = match entities {
            Err(complaint) => {
                complaints.push(complaint);
                return Err(complaints);
            }
            Ok(entities) => entities,
        };
        if !complaints.is_empty() {
            return Err(complaints);
        }
        Ok(Policies { source, schema, set, entities, roles, warnings, decisions: RwLock::default() })
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What is allowed to be but looks wrong, such as a policy that can never apply.
    pub fn warnings(&self) -> &[Complaint] {
        &self.warnings
    }

    /// The text of every policy, by its `@id`.
    pub fn texts(&self) -> std::collections::BTreeMap<String, String> {
        self.set.policies().map(|policy| (policy.id().to_string(), policy.to_string())).collect()
    }

    /// Decides, or says again what was decided before. The node needs no leave.
    pub fn decide(&self, principal: &Principal, access: &Access) -> Decision {
        if *principal == Principal::Node {
            return Decision { allowed: true, policies: Arc::new([]) };
        }
        let key = (principal.clone(), access.clone());
        if let Some(decision) = self.decisions.read().get(&key) {
            return decision.clone();
        }
        let decision = self.decide_anew(principal, access, &[]);
        let mut decisions = self.decisions.write();
        if decisions.len() >= DECISIONS_MAX {
            decisions.clear();
        }
        decisions.insert(key, decision.clone());
        decision
    }

    /// Decides as if the principal were in these roles as well.
    pub fn decide_anew(&self, principal: &Principal, access: &Access, more_roles: &[String]) -> Decision {
        match thread::on_its_own(|| self.evaluate(principal, access, more_roles)) {
            Ok(Ok(decision)) => decision,
            Ok(Err(reason)) | Err(reason) => {
                tracing::error!(%access, %principal, reason, "a request cannot be decided: it is denied");
                Decision { allowed: false, policies: Arc::new([]) }
            }
        }
    }

    fn evaluate(&self, principal: &Principal, access: &Access, more_roles: &[String]) -> Result<Decision, String> {
        let (who, mut around) = self.principal_entities(principal, more_roles)?;
        let what = uid(access.resource.kind(), &access.resource.id())?;
        // Last, since a procedure may do something to itself: what is known of a thing goes before who it is.
        around.retain(|entity| entity.uid() != what);
        around.extend(self.resource_entities(&what, access)?);
        let entities = self.entities.clone().upsert_entities(around, None).map_err(|error| error.to_string())?;
        let action = uid("Action", access.action.name())?;
        let request =
            Request::new(who, action, what, Context::empty(), Some(&self.schema)).map_err(|error| error.to_string())?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let mut policies: Vec<String> = response.diagnostics().reason().map(PolicyId::to_string).collect();
        policies.sort_unstable();
        let mut allowed = response.decision() == cedar_policy::Decision::Allow;
        for error in response.diagnostics().errors() {
            let cedar_policy::AuthorizationError::PolicyEvaluationError(failed) = error;
            tracing::warn!(%access, %principal, %error, "a policy fails");
            // Cedar leaves a policy out that fails; one that forbids is not left out here.
            if self.set.policy(failed.policy_id()).is_some_and(|policy| policy.effect() == Effect::Forbid) {
                if allowed {
                    policies.clear();
                }
                allowed = false;
                policies.push(failed.policy_id().to_string());
            }
        }
        Ok(Decision { allowed, policies: policies.into() })
    }

    /// The principal, and what there is to know of it beyond the entities that are written down.
    fn principal_entities(
        &self,
        principal: &Principal,
        more_roles: &[String],
    ) -> Result<(EntityUid, Vec<Entity>), String> {
        let (who, mut parents) = match principal {
            Principal::Node => return Err("the node asks nobody".into()),
            Principal::User(name) => (uid("User", name)?, HashSet::new()),
            Principal::Procedure(name) => {
                let (schema, _) = name.split_once('.').ok_or("a procedure without a schema")?;
                (uid("Procedure", name)?, HashSet::from([uid("Schema", schema)?]))
            }
        };
        parents.extend(self.roles.get(&who).into_iter().flatten().cloned());
        for role in more_roles {
            parents.insert(uid("Role", role)?);
        }
        let mut entities = vec![Entity::new_no_attrs(who.clone(), parents)];
        if let Principal::Procedure(name) = principal
            && let Some((schema, _)) = name.split_once('.')
        {
            entities.push(schema_entity(schema)?);
        }
        Ok((who, entities))
    }

    fn resource_entities(&self, what: &EntityUid, access: &Access) -> Result<Vec<Entity>, String> {
        let mut attributes = HashMap::new();
        if let Some(owner) = &access.owner {
            attributes.insert("owner".into(), RestrictedExpression::new_entity_uid(uid("User", owner)?));
        }
        let mut parents: HashSet<EntityUid> = self.roles.get(what).into_iter().flatten().cloned().collect();
        let mut entities = vec![];
        match (&access.resource, access.resource.schema()) {
            (Resource::Database, _) => {}
            (_, None) => {
                parents.insert(uid("Database", DATABASE)?);
            }
            (_, Some(schema)) => {
                parents.insert(uid("Schema", schema)?);
                entities.push(schema_entity(schema)?);
            }
        }
        entities.push(Entity::new(what.clone(), attributes, parents).map_err(|error| error.to_string())?);
        Ok(entities)
    }
}

/// A schema as far as what is in it needs it.
fn schema_entity(name: &str) -> Result<Entity, String> {
    Ok(Entity::new_no_attrs(uid("Schema", name)?, HashSet::from([uid("Database", DATABASE)?])))
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let name = EntityTypeName::from_str(&format!("{NAMESPACE}::{kind}")).map_err(|error| error.to_string())?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

/// The policies of a file under their `@id`s.
fn named_policies(file: &str, text: &str) -> Result<Vec<Policy>, Vec<Complaint>> {
    let parsed = PolicySet::from_str(text)
        .map_err(|errors| errors.iter().map(|error| Complaint::of_diagnostic(file, text, error)).collect::<Vec<_>>())?;
    if let Some(template) = parsed.templates().next() {
        let message = "templates are not supported: a policy has no ?principal and no ?resource";
        let complaint = Complaint::new(file, message);
        return Err(vec![match template.annotation("id") {
            Some(id) => complaint.of_policy(id),
            None => complaint,
        }]);
    }
    let mut complaints = vec![];
    let mut policies = vec![];
    for policy in parsed.policies() {
        match policy.annotation("id").filter(|id| !id.is_empty()) {
            Some(id) => policies.push(policy.new_id(PolicyId::new(id))),
            None => {
                let at = text.find(policy.to_string().as_str()).unwrap_or_default();
                let complaint = Complaint::new(file, "a policy has no @id").at(text, at, 1, "");
                complaints.push(complaint.help("Write @id(\"a-name-for-it\") before it: answers name the policy so."));
            }
        }
    }
    if complaints.is_empty() { Ok(policies) } else { Err(complaints) }
}

type Roles = HashMap<EntityUid, HashSet<EntityUid>>;

fn read_entities(text: &str, schema: &Schema) -> Result<(Entities, Roles), Complaint> {
    let entities = Entities::from_json_str(text, Some(schema)).map_err(|error| {
        let mut complaint = Complaint::of_diagnostic(ENTITIES_FILE, text, &error);
        let mut cause = std::error::Error::source(&error);
        while let Some(reason) = cause {
            complaint.message.push_str(&format!(": {reason}"));
            cause = reason.source();
        }
        complaint
    })?;
    let refuse = |message: String| Err(Complaint::new(ENTITIES_FILE, message));
    let mut roles = HashMap::new();
    for entity in entities.iter() {
        let entity_uid = entity.uid();
        match entity_uid.type_name().basename() {
            "Action" => {}
            "User" | "Role" | "Procedure" => {
                let (uid, attributes, parents) = entity.clone().into_inner();
                if !attributes.is_empty() {
                    return refuse(format!("{uid} has attributes: who owns what is the node's to know"));
                }
                roles.insert(uid, parents);
            }
            _ => {
                let message =
                    format!("{entity_uid} is the node's to know: only users, roles and procedures stand here");
                return refuse(message);
            }
        }
    }
    if roles.len() > ENTITIES_MAX {
        return refuse(format!("there are more than {ENTITIES_MAX} entities"));
    }
    Ok((entities, roles))
}
