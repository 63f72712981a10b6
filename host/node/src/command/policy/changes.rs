//! What is different between two sets of policies.

use std::fmt;

use crate::policy::{Policies, Source};

/// By `@id`, in the order of the names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
    entities: bool,
}

impl Changes {
    /// `before` may be a set that this version cannot read: all of `after` is new then.
    pub fn between(before: &Source, after: &Policies) -> Changes {
        let entities = before.entities.split_whitespace().ne(after.source().entities.split_whitespace());
        let old = Policies::parse(before.clone()).map(|before| before.texts()).unwrap_or_default();
        let new = after.texts();
        let mut changes = Changes { entities, ..Changes::default() };
        for (id, text) in &new {
            match old.get(id) {
                None => changes.added.push(id.clone()),
                Some(known) if known != text => changes.changed.push(id.clone()),
                Some(_) => {}
            }
        }
        changes.removed = old.into_keys().filter(|id| !new.contains_key(id)).collect();
        changes
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Changes::default() {
            return writeln!(formatter, "nothing is different");
        }
        for (mark, ids) in [('+', &self.added), ('~', &self.changed), ('-', &self.removed)] {
            for id in ids {
                writeln!(formatter, "{mark} {id}")?;
            }
        }
        if self.entities {
            writeln!(formatter, "~ entities.json")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_by_the_names_of_policies() {
        let source = |text: &str| Source { files: [("a.cedar".into(), text.into())].into(), entities: "[]".into() };
        let before =
            source("@id(\"a\") permit (principal, action, resource); @id(\"b\") permit (principal, action, resource);");
        let after =
            source("@id(\"b\") forbid (principal, action, resource); @id(\"c\") permit (principal, action, resource);");
        let after = Policies::parse(after).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        assert_eq!(Changes::between(&before, &after).to_string(), "+ c\n~ b\n- a\n");
        assert_eq!(Changes::between(after.source(), &after).to_string(), "nothing is different\n");
        assert_eq!(Changes::between(&source("?"), &after).to_string(), "+ b\n+ c\n");
    }
}
