//! SET, RESET, SHOW and DISCARD. The host keeps the session's settings; this says which there are and what they mean.

pub mod known;
mod value;

use super::DefineContext;
use super::transaction::modes;
use crate::bind::name::{fold, parts, split_qualified};
use crate::error::{Error, Result, sqlstate};
use crate::functions::Settings;
use crate::host::OutputColumn;
use crate::statement::{Control, Outcome};
use crate::types::DataType;
use known::{Kind, find};
use sqlparser::ast::{
    self, ContextModifier, DiscardObject, Expr, Ident, Reset, ResetStatement, Set, SetSessionAuthorizationParamKind,
    UnaryOperator,
};

/// The settings that a request's session has changed, ready for use. Unknown ones without a dot are refused.
pub fn from_request(changed: &[(String, String)]) -> Result<Settings> {
    let mut settings = Settings::default();
    for (name, value) in changed {
        match name.to_ascii_lowercase().as_str() {
            "timezone" => settings.time_zone = value.clone(),
            "datestyle" => settings.date_style = value.clone(),
            "intervalstyle" => settings.interval_style = value.clone(),
            "bytea_output" => settings.bytea_output = value.clone(),
            "extra_float_digits" => settings.extra_float_digits = value.parse().unwrap_or(1),
            "search_path" => settings.search_path = search_path(value)?,
            "session_authorization" => settings.user = value.clone(),
            // Only the host says so (`wit/statement.wit`).
            "\0acting_as" => settings.acting_as = Some(value.clone()),
            "database" => settings.database = value.clone(),
            _ => {}
        }
    }
    settings.changed = changed.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    Ok(settings)
}

fn search_path(value: &str) -> Result<Vec<String>> {
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "\"\"");
    names.map(|name| Ok(split_qualified(name)?.remove(0))).collect()
}

/// What SHOW and `current_setting` answer; none when there is no such setting.
pub fn current(settings: &Settings, name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let changed = settings.changed.iter().find(|(changed, _)| *changed == lower);
    match (changed, find(&lower)) {
        (Some((_, value)), _) => Some(value.clone()),
        (None, Some(known)) => Some(match known.kind {
            Kind::Integer { unit, .. } => value::with_unit(known.default.parse().unwrap_or(0), unit),
            _ if known.name == "session_authorization" => settings.user.clone(),
            _ => known.default.into(),
        }),
        (None, None) => None,
    }
}

/// The control that changes a setting, with its value checked. `set_config` answers the same.
pub fn change(name: &str, value: Option<&str>, local: bool) -> Result<Control> {
    let lower = name.to_ascii_lowercase();
    let value = match (find(&lower), value) {
        (Some(known), Some(value)) => Some(value::normalize(known, value)?),
        (Some(known), None) if known.kind == Kind::Preset => Some(value::normalize(known, "")?),
        (None, value) if lower.contains('.') => value.map(str::to_string),
        (None, _) => return Err(unrecognized(name)),
        (Some(_), None) => None,
    };
    if let ("transaction_isolation", Some(level)) = (lower.as_str(), &value) {
        let isolation = match level.as_str() {
            "serializable" => crate::statement::Isolation::Serializable,
            _ => crate::statement::Isolation::RepeatableRead,
        };
        return Ok(Control::SetTransaction(crate::statement::TransactionModes {
            isolation: Some(isolation),
            read_only: None,
        }));
    }
    if let ("transaction_read_only", Some(value)) = (lower.as_str(), &value) {
        return Ok(Control::SetTransaction(crate::statement::TransactionModes {
            isolation: None,
            read_only: Some(value == "on"),
        }));
    }
    Ok(Control::Set { name: lower, value, local })
}

fn unrecognized(name: &str) -> Error {
    Error::new(sqlstate::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

pub fn set(context: &DefineContext, set: &Set) -> Result<Outcome> {
    let control = match set {
        Set::SingleAssignment { scope, variable, values, .. } => {
            let name = parts(variable)?.into_iter().map(fold).collect::<Vec<_>>().join(".");
            if name == "time zone" {
                return assign(scope, "timezone", values);
            }
            return assign(scope, &name, values);
        }
        Set::SetTimeZone { local, value } => {
            let zone = match value {
                Expr::Identifier(word) if is_word(word, "local") => None,
                Expr::Interval(interval) => Some(interval_hours(context, interval)?),
                value => setting_text(value)?,
            };
            change("timezone", zone.as_deref(), *local)?
        }
        Set::SetNames { charset_name, .. } => change("client_encoding", Some(&charset_name.value), false)?,
        Set::SetNamesDefault {} => change("client_encoding", None, false)?,
        Set::SetTransaction { modes: given, session: false, snapshot: None } => Control::SetTransaction(modes(given)?),
        Set::SetTransaction { modes: given, session: true, .. } => {
            let modes = modes(given)?;
            match (modes.isolation, modes.read_only) {
                (Some(isolation), None) => {
                    let level = match isolation {
                        crate::statement::Isolation::Serializable => "serializable",
                        crate::statement::Isolation::RepeatableRead => "repeatable read",
                    };
                    change("default_transaction_isolation", Some(level), false)?
                }
                (None, Some(read_only)) => {
                    let value = if read_only { "on" } else { "off" };
                    change("default_transaction_read_only", Some(value), false)?
                }
                _ => return Err(Error::not_supported("several session characteristics at once")),
            }
        }
        Set::SetRole { context_modifier, role_name } => {
            let local = matches!(context_modifier, Some(ContextModifier::Local));
            change("role", role_name.as_ref().map(fold).as_deref(), local)?
        }
        Set::SetSessionAuthorization(parameter) => match &parameter.kind {
            SetSessionAuthorizationParamKind::Default => change("session_authorization", None, false)?,
            SetSessionAuthorizationParamKind::User(user) => {
                let local = matches!(parameter.scope, ContextModifier::Local);
                change("session_authorization", Some(&fold(user)), local)?
            }
        },
        _ => return Err(Error::not_supported("this form of SET")),
    };
    Ok(Outcome::Control(control))
}

fn assign(scope: &Option<ContextModifier>, name: &str, values: &[Expr]) -> Result<Outcome> {
    let local = matches!(scope, Some(ContextModifier::Local));
    let texts = values.iter().map(setting_text).collect::<Result<Option<Vec<_>>>>()?;
    let value = match texts {
        None => None,
        Some(texts) if find(name).is_some_and(|known| known.kind == Kind::List) => {
            let quoted = texts.iter().map(|text| crate::catalog::quote_identifier(text).into_owned());
            Some(quoted.collect::<Vec<_>>().join(", "))
        }
        Some(texts) if texts.len() > 1 && find(name).is_some_and(|known| known.kind != Kind::DateStyle) => {
            return Err(Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("SET {name} takes only one argument")));
        }
        Some(texts) => Some(texts.join(", ")),
    };
    Ok(Outcome::Control(change(name, value.as_deref(), local)?))
}

/// A value in SET: a word, a string or a number; none for DEFAULT.
fn setting_text(value: &Expr) -> Result<Option<String>> {
    match value {
        Expr::Identifier(word) if is_word(word, "default") => Ok(None),
        Expr::Identifier(word) => Ok(Some(fold(word))),
        Expr::Value(value) => Ok(Some(match &value.value {
            ast::Value::SingleQuotedString(text) | ast::Value::EscapedStringLiteral(text) => text.clone(),
            ast::Value::Boolean(value) => value.to_string(),
            other => other.to_string(),
        })),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand } => {
            Ok(setting_text(operand)?.map(|number| format!("-{number}")))
        }
        Expr::UnaryOp { op: UnaryOperator::Plus, expr: operand } => setting_text(operand),
        other => Err(Error::new(sqlstate::SYNTAX_ERROR, format!("syntax error at or near \"{other}\""))),
    }
}

fn is_word(word: &Ident, expected: &str) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
}

/// SET TIME ZONE INTERVAL '-08:00': hours east of UTC.
fn interval_hours(context: &DefineContext, interval: &ast::Interval) -> Result<String> {
    let (value, _) = context.constant_of_any_type(&interval.to_string())?;
    match value {
        crate::types::Value::Interval(interval) if interval.months == 0 && interval.days == 0 => {
            Ok((interval.microseconds as f64 / 3_600_000_000.0).to_string())
        }
        _ => Err(value::invalid_value("TimeZone", &interval.to_string())),
    }
}

pub fn reset(statement: &ResetStatement) -> Result<Outcome> {
    Ok(Outcome::Control(match &statement.reset {
        Reset::ALL => Control::ResetAll,
        Reset::SessionAuthorization => change("session_authorization", None, false)?,
        Reset::ConfigurationParameter(name) => {
            change(&parts(name)?.into_iter().map(fold).collect::<Vec<_>>().join("."), None, false)?
        }
    }))
}

/// There are no sequences and temporary tables to discard; plans are valid as long as they are kept.
pub fn discard(what: &DiscardObject) -> Result<Outcome> {
    Ok(match what {
        DiscardObject::ALL => Outcome::Control(Control::ResetAll),
        DiscardObject::PLANS => super::complete("DISCARD PLANS"),
        DiscardObject::SEQUENCES => super::complete("DISCARD SEQUENCES"),
        DiscardObject::TEMP => super::complete("DISCARD TEMP"),
    })
}

pub fn show_columns(variable: &[Ident]) -> Vec<OutputColumn> {
    let name = shown_name(variable);
    let names = if name == "all" { vec!["name".into(), "setting".into(), "description".into()] } else { vec![name] };
    let column = |name: String| OutputColumn {
        name: find(&name).map_or(name.clone(), |known| known.name.into()),
        type_oid: DataType::Text.oid(),
        type_size: -1,
        type_modifier: -1,
        table_oid: 0,
        column_number: 0,
    };
    names.into_iter().map(column).collect()
}

/// SHOW's name; several words are names of their own in the standard's spelling.
fn shown_name(variable: &[Ident]) -> String {
    let words: Vec<String> = variable.iter().map(fold).collect();
    match words.join(" ").as_str() {
        "time zone" => "timezone".into(),
        "transaction isolation level" => "transaction_isolation".into(),
        "session authorization" => "session_authorization".into(),
        _ => words.join("."),
    }
}

pub fn show(context: &DefineContext, variable: &[Ident]) -> Result<Outcome> {
    let name = shown_name(variable);
    let current = |name: &str| current(context.settings, name);
    let mut rows = vec![];
    if name == "all" {
        for known in known::SETTINGS {
            rows.push(vec![known.name.to_string(), current(known.name).unwrap_or_default(), known.description.into()]);
        }
    } else {
        rows.push(vec![current(&name).ok_or_else(|| unrecognized(&name))?]);
    }
    context.host.describe(&show_columns(variable))?;
    for row in &rows {
        let fields = crate::engine::pack_parameters(row.iter().map(|field| Some(field.as_str())));
        context.host.rows(&fields, 1)?;
    }
    Ok(super::complete("SHOW"))
}
