//! Parameters of a statement: JSON in, PostgreSQL's text forms out.

use serde_json::Value;

use crate::error::{Error, Result};

/// PostgreSQL's own limit.
const PARAMETERS_MAX: usize = 65_535;

/// Text forms, none for NULL. Drivers send text or null; whoever writes JSON by hand may send what fits better.
pub fn texts(parameters: Vec<Value>) -> Result<Vec<Option<String>>> {
    if parameters.len() > PARAMETERS_MAX {
        return Err(Error::new("54023", format!("a statement can have at most {PARAMETERS_MAX} parameters")));
    }
    Ok(parameters.into_iter().map(text).collect())
}

fn text(parameter: Value) -> Option<String> {
    match parameter {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Array(elements) => Some(array(&elements)),
        other => Some(other.to_string()),
    }
}

/// A JSON array as PostgreSQL's array text: `{1,NULL,"a\"b",{2}}`.
fn array(elements: &[Value]) -> String {
    let mut text = String::from("{");
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match element {
            Value::Null => text.push_str("NULL"),
            // serde_json bounds the depth that it reads.
            Value::Array(elements) => text.push_str(&array(elements)),
            Value::Bool(_) | Value::Number(_) => text.push_str(&element.to_string()),
            Value::String(element) => quote(element, &mut text),
            Value::Object(_) => quote(&element.to_string(), &mut text),
        }
    }
    text.push('}');
    text
}

fn quote(element: &str, text: &mut String) {
    text.push('"');
    for character in element.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_becomes_text() {
        for (parameter, expected) in [
            (json!(null), None),
            (json!("é"), Some("é")),
            (json!(true), Some("true")),
            (json!(1.5), Some("1.5")),
            (json!({"a": [1]}), Some("{\"a\":[1]}")),
            (json!([1, null, "a\"b\\c", [true]]), Some("{1,NULL,\"a\\\"b\\\\c\",{true}}")),
        ] {
            assert_eq!(text(parameter).as_deref(), expected);
        }
    }
}
