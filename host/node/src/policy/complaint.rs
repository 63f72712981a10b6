//! What is wrong with policies, and where.

use std::fmt;

use miette::Diagnostic;

/// One thing that is wrong in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Beneath the folder of the policies.
    pub file: String,
    /// The `@id` of the policy, where one is to blame.
    pub policy: Option<String>,
    pub message: String,
    pub help: Option<String>,
    /// Where the file has a place to show.
    pub place: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    text: String,
    /// Characters that are to blame.
    width: usize,
    label: String,
}

impl Complaint {
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> Complaint {
        Complaint { file: file.into(), policy: None, message: message.into(), help: None, place: None }
    }

    pub fn of_policy(mut self, policy: impl Into<String>) -> Complaint {
        self.policy = Some(policy.into());
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Complaint {
        self.help = Some(help.into());
        self
    }

    /// Points at bytes of the file's text.
    pub fn at(mut self, text: &str, offset: usize, length: usize, label: &str) -> Complaint {
        self.place = Some(Place::new(text, offset, length, label));
        self
    }

    /// What Cedar says, with the first place that it points at.
    pub fn of_diagnostic(file: &str, text: &str, diagnostic: &dyn Diagnostic) -> Complaint {
        let mut complaint = Complaint::new(file, diagnostic.to_string());
        complaint.help = diagnostic.help().map(|help| help.to_string());
        if let Some(label) = diagnostic.labels().and_then(|mut labels| labels.next()) {
            complaint = complaint.at(text, label.offset(), label.len(), label.label().unwrap_or_default());
        }
        complaint
    }
}

impl Place {
    fn new(text: &str, offset: usize, length: usize, label: &str) -> Place {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let before = &text[..offset];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        let column = text[start..offset].chars().count();
        let end = text.floor_char_boundary(offset.saturating_add(length).min(text.len()));
        let width = text[offset..end].lines().next().unwrap_or_default().chars().count();
        Place {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            text: line.into(),
            width: width.max(1),
            label: label.into(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file)?;
        if let Some(place) = &self.place {
            write!(formatter, ":{}:{}", place.line, place.column)?;
        }
        formatter.write_str(": ")?;
        // Cedar's own messages begin with the name of the policy.
        let named = self.policy.as_ref().map(|policy| format!("for policy `{policy}`, "));
        let message = named.as_ref().and_then(|named| self.message.strip_prefix(named.as_str()));
        if let Some(policy) = &self.policy {
            write!(formatter, "policy \"{policy}\": ")?;
        }
        write!(formatter, "{}", message.unwrap_or(&self.message))?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            // Tabs stay tabs, so that the mark stands beneath what it marks.
            let blank = |character: char| if character == '\t' { '\t' } else { ' ' };
            let indent: String = place.text.chars().take(place.column - 1).map(blank).collect();
            let mark = "^".repeat(place.width);
            write!(formatter, "\n {margin} |\n {number} | {}\n {margin} | {indent}{mark}", place.text)?;
            if !place.label.is_empty() {
                write!(formatter, " {}", place.label)?;
            }
        }
        match &self.help {
            Some(help) => write!(formatter, "\n   = help: {help}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_point_at_what_they_mean() {
        let text = "permit (\n\tprincipal,\n\tactin\n);\n";
        let at = text.find("actin").expect("a word");
        let complaint =
            Complaint::new("a.cedar", "unexpected token").of_policy("x").at(text, at, 5, "expected `action`").help("h");
        let lines =
            ["a.cedar:3:2: policy \"x\": unexpected token", "   |", " 3 | \tactin", "   | \t^^^^^ expected `action`"];
        assert_eq!(complaint.to_string(), lines.join("\n") + "\n   = help: h");
    }

    #[test]
    fn places_beyond_the_text_are_its_end() {
        let place = Place::new("é", 99, 3, "");
        assert_eq!((place.line, place.column, place.width), (1, 2, 1));
    }
}
