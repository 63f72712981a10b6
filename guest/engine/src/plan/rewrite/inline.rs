//! Common tables that are read once take the place of their scan, as PostgreSQL does (section 7.8.3).

use crate::bind::Plan;
use crate::bind::logical::{CommonTable, CommonTableId, CommonTableKind};
use crate::plan::walk;

pub fn common_tables(plan: &mut Plan) {
    walk::replace_plans(plan, &mut |plan| {
        if let Plan::With { tables, body } = plan {
            let body = with(std::mem::take(tables), std::mem::replace(&mut **body, Plan::Unit));
            *plan = body;
        }
    });
}

fn with(tables: Vec<CommonTable>, mut body: Plan) -> Plan {
    let mut kept: Vec<CommonTable> = vec![];
    let mut rest = tables.into_iter();
    while let Some(table) = rest.next() {
        let CommonTable { id, kind: CommonTableKind::Plain(plan), materialized, .. } = &table else {
            kept.push(table);
            continue;
        };
        let later = rest.as_slice().iter().map(|table| references_in_table(table, *id)).sum::<usize>();
        let references = later + references(&body, *id);
        if references != 1 || *materialized == Some(true) || walk::is_volatile_plan(plan) {
            kept.push(table);
            continue;
        }
        let mut later: Vec<CommonTable> = rest.collect();
        for table in &mut later {
            if let CommonTableKind::Plain(user) = &mut table.kind {
                substitute(user, *id, plan);
            }
        }
        substitute(&mut body, *id, plan);
        rest = later.into_iter();
    }
    if kept.is_empty() { body } else { Plan::With { tables: kept, body: Box::new(body) } }
}

fn references(plan: &Plan, id: CommonTableId) -> usize {
    let mut found = usize::from(matches!(plan, Plan::CommonTableScan { table, .. } if *table == id));
    if let Plan::With { tables, body } = plan {
        return tables.iter().map(|table| references_in_table(table, id)).sum::<usize>() + references(body, id);
    }
    found += walk::inputs(plan).into_iter().map(|input| references(input, id)).sum::<usize>();
    for expression in walk::expressions(plan) {
        walk::visit_own(expression, &mut |subquery| found += references(&subquery.plan, id));
    }
    found
}

/// The recursive part runs many times: what it reads is not inlined.
fn references_in_table(table: &CommonTable, id: CommonTableId) -> usize {
    match &table.kind {
        CommonTableKind::Plain(plan) => references(plan, id),
        CommonTableKind::Recursive { anchor, recursive, .. } => {
            references(anchor, id) * 2 + references(recursive, id) * 2
        }
    }
}

fn substitute(plan: &mut Plan, id: CommonTableId, with: &Plan) {
    walk::replace_plans(plan, &mut |plan| {
        let Plan::CommonTableScan { table, columns, .. } = plan else { return };
        if *table != id {
            return;
        }
        let outputs = columns.iter().cloned().zip(with.columns().iter().map(walk::column)).collect();
        *plan = Plan::Project { input: Box::new(with.clone()), outputs };
    });
}
