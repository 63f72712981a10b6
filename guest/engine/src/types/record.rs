//! Rows in text: `(1,"b c",)` (PostgreSQL 15, section 8.16.6).

use super::{Value, text};
use crate::functions::Settings;

/// Prints a row; its columns print as their values' natural types do.
pub fn print(values: &[Value], settings: &Settings, out: &mut String) {
    out.push('(');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if !value.is_null() {
            push_field(&text::to_string(value, text::natural_type(value), settings), out);
        }
    }
    out.push(')');
}

/// A field, quoted where its text would be read as something else.
fn push_field(field: &str, out: &mut String) {
    let special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | ',') || text::is_space(c);
    if !field.is_empty() && !field.contains(special) {
        out.push_str(field);
        return;
    }
    out.push('"');
    for c in field.chars() {
        if matches!(c, '"' | '\\') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('"');
}
