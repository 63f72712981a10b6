//! FORMAT JSON, with PostgreSQL's names.

use super::{Child, Description, Detail, ExplainOptions, Run, milliseconds};
use serde_json::{Map, Value, json};

pub fn print(description: &Description, options: &ExplainOptions, planning_time: i64, run: Option<&Run>) -> String {
    let mut top = Map::new();
    top.insert("Plan".into(), node(description, options, None));
    if options.summary {
        top.insert("Planning Time".into(), rounded(milliseconds(planning_time)));
        if let Some(run) = run {
            top.insert("Execution Time".into(), rounded(milliseconds(run.execution_time)));
        }
    }
    format!("{:#}", Value::Array(vec![Value::Object(top)]))
}

fn rounded(number: f64) -> Value {
    json!((number * 1000.0).round() / 1000.0)
}

fn node(description: &Description, options: &ExplainOptions, child: Option<&Child>) -> Value {
    let mut object = Map::new();
    object.insert("Node Type".into(), json!(description.kind));
    if let Some(child) = child {
        object.insert("Parent Relationship".into(), json!(child.relationship));
        if let Some(label) = &child.label {
            object.insert("Subplan Name".into(), json!(label));
        }
    }
    if !description.subject.is_empty() {
        object.insert("Subject".into(), json!(description.subject.trim_start()));
    }
    if options.costs {
        object.insert("Startup Cost".into(), json!(0.0));
        object.insert("Total Cost".into(), rounded(description.cost));
        object.insert("Plan Rows".into(), json!(description.rows.round() as u64));
        object.insert("Plan Width".into(), json!(description.width));
    }
    if let Some(measured) = &description.measurement {
        let loops = measured.loops.max(1);
        if options.timing {
            object.insert("Actual Startup Time".into(), rounded(milliseconds(measured.startup)));
            object.insert("Actual Total Time".into(), rounded(milliseconds(measured.time) / loops as f64));
        }
        object.insert("Actual Rows".into(), json!(measured.rows / loops));
        object.insert("Actual Loops".into(), json!(measured.loops));
    }
    for (name, detail) in &description.details {
        let value = match detail {
            Detail::Text(text) => json!(text),
            Detail::List(items) => json!(items),
            Detail::Number(number) => json!(number),
        };
        object.insert((*name).into(), value);
    }
    if !description.children.is_empty() {
        let children = description.children.iter().map(|child| node(&child.description, options, Some(child)));
        object.insert("Plans".into(), Value::Array(children.collect()));
    }
    Value::Object(object)
}
