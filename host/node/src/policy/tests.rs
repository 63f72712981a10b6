//! The folder `policies/` of the source code, and what parsing complains about.

use std::path::Path;
use std::sync::Arc;

use crate::policy::{Access, Action, Directory, Outcome, Policies, Principal, Resource, Source};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn complaints(source: Source) -> Vec<String> {
    let complaints = Policies::parse(source).err().unwrap_or_default();
    complaints.iter().map(ToString::to_string).collect()
}

fn source(text: &str) -> Source {
    Source { files: [("a.cedar".to_string(), text.to_string())].into(), entities: Source::defaults().entities }
}

fn user(name: &str) -> Principal {
    Principal::User(name.into())
}

fn accounts(action: Action, owner: &str) -> Access {
    let resource = Resource::Table { schema: "public".into(), name: "accounts".into() };
    Access { action, resource, owner: Some(owner.into()) }
}

#[test]
fn the_embedded_policies_are_the_folders() {
    let Ok(directory) = Directory::read(&folder()) else { panic!("the folder cannot be read") };
    assert_eq!(directory.source, Source::defaults());
}

#[test]
fn the_default_policies_pass_their_tests() {
    let directory = Directory::read(&folder()).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let policies = Policies::parse(directory.source).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!(policies.warnings(), []);
    assert!(directory.tests.len() > 20);
    for (file, test) in directory.tests {
        assert_eq!(test.run(&policies), Outcome::Passed, "{file}: {}", test.name);
    }
}

#[test]
fn a_test_that_expects_something_else_fails() {
    let text = "[[test]]\nname = \"t\"\nprincipal = 'User::\"eve\"'\naction = \"select\"\n\
                resource = 'Table::\"public.t\"'\nowner = \"eve\"\n";
    let policies = Policies::parse(Source::defaults()).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    for (rest, expected) in [
        ("decision = \"allow\"", Outcome::Passed),
        ("decision = \"deny\"", Outcome::Failed("allowed by owners-may-do-everything-to-what-they-own".into())),
        (
            "decision = \"allow\"\npolicy = \"x\"",
            Outcome::Failed("allowed by owners-may-do-everything-to-what-they-own".into()),
        ),
    ] {
        let tests = crate::policy::DataTest::parse_all("t.toml", &format!("{text}{rest}\n"));
        let tests = tests.unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(tests[0].run(&policies), expected);
    }
}

#[test]
fn complaints_name_file_line_and_policy() {
    let unknown = "@id(\"x\")\npermit (principal, action, resource)\nwhen { resource.colour == \"red\" };\n";
    let found = complaints(source(unknown));
    assert!(found[0].starts_with("a.cedar:3:") && found[0].contains("policy \"x\""), "{}", found[0]);
    assert!(found[0].contains("| when { resource.colour") && found[0].contains('^'), "{}", found[0]);

    let found = complaints(source("@id(\"x\")\npermit (principal, action, resource)"));
    assert!(found[0].starts_with("a.cedar:"), "{}", found[0]);

    let found = complaints(source("\npermit (principal, action, resource);"));
    assert!(found[0].starts_with("a.cedar:2:1: a policy has no @id"), "{}", found[0]);

    let twice = "@id(\"x\") permit (principal, action, resource); @id(\"x\") forbid (principal, action, resource);";
    assert!(complaints(source(twice))[0].contains("has the same @id"));

    let template = "@id(\"x\") permit (principal == ?principal, action, resource);";
    assert!(complaints(source(template))[0].contains("templates are not supported"));

    let misspelt = "@id(\"x\") permit (principal, action == Isobar::Action::\"selct\", resource);";
    assert!(complaints(source(misspelt))[0].starts_with("a.cedar:1:"), "{:?}", complaints(source(misspelt)));
}

#[test]
fn entities_are_users_roles_and_procedures() {
    let with = |entities: &str| Source { entities: entities.into(), ..Source::defaults() };
    let entity =
        |kind: &str| format!(r#"[{{"uid": {{"type": "Isobar::{kind}", "id": "x"}}, "attrs": {{}}, "parents": []}}]"#);
    for kind in ["User", "Role", "Procedure"] {
        assert_eq!(complaints(with(&entity(kind))), [""; 0], "{kind}");
    }
    for wrong in [entity("Database"), entity("Nothing"), "{".into(), "[{}]".into()] {
        let found = complaints(with(&wrong));
        assert!(found[0].starts_with("entities.json: "), "{found:?}");
    }
}

#[test]
fn a_policy_may_forbid_what_others_permit() {
    let mut written = Source::defaults();
    let forbidding = "@id(\"no-deletes\") forbid (principal, action == Isobar::Action::\"delete\", \
                      resource == Isobar::Table::\"public.accounts\");";
    written.files.insert("mine.cedar".into(), forbidding.into());
    let policies = Policies::parse(written).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    for principal in [user("isobar"), user("ann")] {
        let decision = policies.decide(&principal, &accounts(Action::Delete, "ann"));
        assert_eq!((decision.allowed, &*decision.policies), (false, &["no-deletes".to_string()][..]));
        assert!(policies.decide(&principal, &accounts(Action::Update, "ann")).allowed);
    }
}

#[test]
fn procedures_are_principals_with_roles() {
    let mut written = Source::defaults();
    let text = "@id(\"ledger\") permit (principal == Isobar::Procedure::\"public.ledger\", \
                action in [Isobar::Action::\"read\", Isobar::Action::\"write\"], resource in Isobar::Schema::\"public\");
                @id(\"robots\") permit (principal in Isobar::Role::\"robot\", action, resource);";
    written.files.insert("mine.cedar".into(), text.into());
    written.entities = r#"[{"uid": {"type": "Isobar::Procedure", "id": "public.clean"}, "attrs": {},
                            "parents": [{"type": "Isobar::Role", "id": "robot"}]}]"#
        .into();
    let policies = Policies::parse(written).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let may =
        |name: &str, action| policies.decide(&Principal::Procedure(name.into()), &accounts(action, "ann")).allowed;
    assert!(may("public.ledger", Action::Insert) && !may("public.ledger", Action::Ddl));
    assert!(may("public.clean", Action::Ddl) && !may("public.other", Action::Select));
}

#[test]
fn the_node_needs_no_leave_and_decisions_are_kept() {
    let policies = Policies::parse(source("@id(\"x\") forbid (principal, action, resource);"));
    let policies = policies.unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert!(policies.decide(&Principal::Node, &accounts(Action::Ddl, "ann")).allowed);
    let first = policies.decide(&user("ann"), &accounts(Action::Ddl, "ann"));
    let again = policies.decide(&user("ann"), &accounts(Action::Ddl, "ann"));
    assert!(Arc::ptr_eq(&first.policies, &again.policies));
}
