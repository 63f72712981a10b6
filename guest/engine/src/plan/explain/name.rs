//! What nodes are called.

use crate::bind::logical::JoinKind;
use crate::catalog::RelationKind;
use crate::plan::physical::Scan;

/// `Hash Join`, `Hash Left Join`, …: the word between them.
pub fn join(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "",
        JoinKind::Left => "Left ",
        JoinKind::Right => "Right ",
        JoinKind::Full => "Full ",
        JoinKind::Semi => "Semi ",
        JoinKind::Anti => "Anti ",
    }
}

/// `Nested Loop`, `Nested Loop Left Join`, …
pub fn nested_loop(kind: JoinKind) -> String {
    match kind {
        JoinKind::Inner => "Nested Loop".into(),
        kind => format!("Nested Loop {}Join", join(kind)),
    }
}

/// A scan's kind, and ` using` its index ` on` its table.
pub fn scan(scan: &Scan) -> (String, String) {
    let mut subject = format!(" on {}", scan.relation.name);
    if scan.alias != scan.relation.name {
        subject.push_str(&format!(" {}", scan.alias));
    }
    let Some(index) = scan.access.index.filter(|_| scan.relation.kind == RelationKind::Table) else {
        return ("Seq Scan".into(), subject);
    };
    let kind = if scan.access.index_only { "Index Only Scan" } else { "Index Scan" };
    let backward = if scan.reverse { " Backward" } else { "" };
    (format!("{kind}{backward}"), format!(" using {}{subject}", scan.relation.indexes[index].name))
}
