//! The indented form.

use super::{Child, Description, Detail, ExplainOptions, Run, milliseconds};
use std::fmt::Write;

pub fn print(
    description: &Description,
    options: &ExplainOptions,
    planning_time: i64,
    run: Option<&Run>,
) -> Vec<String> {
    let mut lines = vec![];
    node(description, options, 0, "", &mut lines);
    if options.summary {
        lines.push(format!("Planning Time: {:.3} ms", milliseconds(planning_time)));
        if let Some(run) = run {
            lines.push(format!("Execution Time: {:.3} ms", milliseconds(run.execution_time)));
        }
    }
    lines
}

fn node(description: &Description, options: &ExplainOptions, indent: usize, arrow: &str, lines: &mut Vec<String>) {
    let mut line = format!("{:indent$}{arrow}{}{}", "", description.kind, description.subject);
    if options.costs {
        let (cost, rows, width) = (description.cost, description.rows.round(), description.width);
        // Writing to a String does not fail.
        let _ = write!(line, "  (cost=0.00..{cost:.2} rows={rows} width={width})");
    }
    if let Some(measured) = &description.measurement {
        let loops = measured.loops.max(1);
        let rows = measured.rows / loops;
        let _ = match (measured.loops, options.timing) {
            (0, _) => write!(line, " (never executed)"),
            (_, true) => {
                let (first, last) = (milliseconds(measured.startup), milliseconds(measured.time) / loops as f64);
                write!(line, " (actual time={first:.3}..{last:.3} rows={rows} loops={loops})")
            }
            (_, false) => write!(line, " (actual rows={rows} loops={loops})"),
        };
    }
    lines.push(line);
    let indent = indent + arrow.len();
    for (name, detail) in &description.details {
        let shown = match detail {
            Detail::Text(text) => text.clone(),
            Detail::List(items) => items.join(", "),
            Detail::Number(number) => number.to_string(),
        };
        lines.push(format!("{:width$}{name}: {shown}", "", width = indent + 2));
    }
    for Child { label, description, .. } in &description.children {
        let mut indent = indent + 2;
        if let Some(label) = label {
            lines.push(format!("{:indent$}{label}", ""));
            indent += 2;
        }
        node(description, options, indent, "->  ", lines);
    }
}
