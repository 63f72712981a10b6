//! How jsonb prints: one blank after commas and colons.

use super::Jsonb;
use std::fmt::Write;

impl Jsonb {
    pub fn print(&self, out: &mut String) {
        match self {
            Jsonb::Null => out.push_str("null"),
            Jsonb::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            // Writing to a string does not fail.
            Jsonb::Number(value) => write!(out, "{value}").unwrap_or_default(),
            Jsonb::String(value) => print_string(value, out),
            Jsonb::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    element.print(out);
                }
                out.push(']');
            }
            Jsonb::Object(pairs) => {
                out.push('{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    print_string(key, out);
                    out.push_str(": ");
                    value.print(out);
                }
                out.push('}');
            }
        }
    }

    /// As `jsonb_pretty` prints: one value a line, four blanks a level.
    pub fn print_pretty(&self, out: &mut String) {
        self.print_indented(0, out);
    }

    fn print_indented(&self, level: usize, out: &mut String) {
        let new_line = |level: usize, out: &mut String| {
            out.push('\n');
            out.extend(std::iter::repeat_n("    ", level));
        };
        match self {
            Jsonb::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    new_line(level + 1, out);
                    element.print_indented(level + 1, out);
                }
                new_line(level, out);
                out.push(']');
            }
            Jsonb::Object(pairs) => {
                out.push('{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    new_line(level + 1, out);
                    print_string(key, out);
                    out.push_str(": ");
                    value.print_indented(level + 1, out);
                }
                new_line(level, out);
                out.push('}');
            }
            scalar => scalar.print(out),
        }
    }
}

/// Appends a JSON string with its quotes and escapes.
pub fn print_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
