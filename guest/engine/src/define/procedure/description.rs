//! What the host says of a component that it deploys, checked before the catalog takes it.

use crate::catalog::procedure::{Field, Parameter, Returns};
use crate::error::{Error, Result, sqlstate};
use crate::functions::resolve;
use crate::limits::{
    IDENTIFIER_BYTES, PROCEDURE_BYTES, PROCEDURE_DESCRIPTION_BYTES, PROCEDURE_ROUTINES, ROUTINE_COLUMNS,
    ROUTINE_PARAMETERS,
};
use crate::types::DataType;
use serde::Deserialize;

/// Bytes of an export's or interface's name, or of a type as WIT spells it.
const WIT_BYTES: usize = 4096;

/// Words that are forms of their own where a function's name may stand.
const FORMS: [&str; 8] = ["array", "coalesce", "greatest", "grouping", "least", "nullif", "row", "pg_typeof"];

#[derive(Deserialize)]
pub struct Description {
    pub name: String,
    digest: String,
    pub size: u64,
    pub definer: bool,
    /// Microseconds since the Unix epoch.
    pub deployed_at: i64,
    pub imports: Vec<String>,
    pub routines: Vec<DescribedRoutine>,
}

#[derive(Deserialize)]
pub struct DescribedRoutine {
    pub export: String,
    pub name: String,
    parameters: Vec<DescribedParameter>,
    returns: DescribedReturns,
    columns: Vec<DescribedField>,
}

#[derive(Deserialize)]
struct DescribedParameter {
    #[serde(flatten)]
    field: DescribedField,
    wit: String,
    #[serde(default)]
    fields: Vec<DescribedField>,
}

#[derive(Deserialize)]
struct DescribedField {
    name: String,
    type_oid: u32,
    nullable: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DescribedReturns {
    Nothing,
    Value,
    Row,
    Rows,
}

/// Reads a description. Fails with 22023 where it is none, and as CREATE FUNCTION does where its names and types do not
/// suit.
pub fn read(input: &[u8]) -> Result<Description> {
    if input.len() > PROCEDURE_DESCRIPTION_BYTES {
        return Err(limit(
            "the description of a procedure's functions is longer",
            PROCEDURE_DESCRIPTION_BYTES,
            "bytes",
        ));
    }
    let description: Description = serde_json::from_slice(input).map_err(|error| {
        Error::new(sqlstate::INVALID_PARAMETER_VALUE, format!("the description of a procedure cannot be read: {error}"))
    })?;
    check_name(&description.name, "procedure")?;
    if description.size > PROCEDURE_BYTES {
        return Err(limit("a component is larger", PROCEDURE_BYTES as usize, "bytes"));
    }
    if description.routines.len() > PROCEDURE_ROUTINES {
        return Err(limit("a procedure exports more", PROCEDURE_ROUTINES, "functions"));
    }
    if description.imports.len() > PROCEDURE_ROUTINES {
        return Err(limit("a procedure imports more", PROCEDURE_ROUTINES, "interfaces"));
    }
    description.imports.iter().try_for_each(|import| check_text(import, "import"))?;
    for (at, routine) in description.routines.iter().enumerate() {
        routine.check()?;
        if description.routines[..at].iter().any(|earlier| earlier.name == routine.name) {
            let message = format!("procedure \"{}\" exports two functions \"{}\"", description.name, routine.name);
            return Err(Error::new(sqlstate::DUPLICATE_FUNCTION, message)
                .hint("In SQL the functions of all interfaces share one space of names: rename one of them."));
        }
    }
    Ok(description)
}

impl Description {
    /// SHA-256 of the component.
    pub fn digest(&self) -> Result<[u8; 32]> {
        let mut digest = [0; 32];
        let invalid =
            || Error::new(sqlstate::INVALID_PARAMETER_VALUE, "a component's digest is not 64 hexadecimal digits");
        if self.digest.len() != 64 || !self.digest.is_ascii() {
            return Err(invalid());
        }
        for (at, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&self.digest[2 * at..2 * at + 2], 16).map_err(|_| invalid())?;
        }
        Ok(digest)
    }
}

impl DescribedRoutine {
    fn check(&self) -> Result<()> {
        check_name(&self.name, "function")?;
        check_text(&self.export, "export")?;
        if resolve::kind(&self.name).is_some() || FORMS.contains(&self.name.as_str()) {
            let message = format!("\"{}\" is a function of SQL's own", self.name);
            return Err(Error::new(sqlstate::DUPLICATE_FUNCTION, message)
                .hint("Rename the exported function: functions of procedures and of SQL share one space of names."));
        }
        if self.parameters.len() > ROUTINE_PARAMETERS {
            return Err(limit("a function has more", ROUTINE_PARAMETERS, "parameters"));
        }
        if self.columns.len() > ROUTINE_COLUMNS {
            return Err(limit("a function answers more", ROUTINE_COLUMNS, "columns"));
        }
        let fits = match self.returns {
            DescribedReturns::Nothing => self.columns.is_empty(),
            DescribedReturns::Value => self.columns.len() == 1,
            DescribedReturns::Row | DescribedReturns::Rows => !self.columns.is_empty(),
        };
        if !fits {
            let message = format!("the columns of function \"{}\" do not fit what it returns", self.name);
            return Err(Error::new(sqlstate::INVALID_FUNCTION_DEFINITION, message));
        }
        let names: Vec<&str> = self.parameters.iter().map(|parameter| parameter.field.name.as_str()).collect();
        self.check_distinct(&names, "parameter")?;
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        self.check_distinct(&names, "column")?;
        for parameter in &self.parameters {
            check_text(&parameter.wit, "type")?;
            let names: Vec<&str> = parameter.fields.iter().map(|field| field.name.as_str()).collect();
            self.check_distinct(&names, "field")?;
        }
        self.parameters().and_then(|_| self.columns()).map(drop)
    }

    fn check_distinct(&self, names: &[&str], what: &str) -> Result<()> {
        for (at, name) in names.iter().enumerate() {
            check_name(name, what)?;
            if names[..at].contains(name) {
                let message = format!("{what} name \"{name}\" used more than once in function \"{}\"", self.name);
                return Err(Error::new(sqlstate::INVALID_FUNCTION_DEFINITION, message));
            }
        }
        Ok(())
    }

    pub fn parameters(&self) -> Result<Vec<Parameter>> {
        let parameter = |parameter: &DescribedParameter| {
            let is_row = parameter.field.type_oid == DataType::Record.oid();
            if is_row == parameter.fields.is_empty() {
                let message = format!("the fields of parameter \"{}\" do not fit its type", parameter.field.name);
                return Err(Error::new(sqlstate::INVALID_FUNCTION_DEFINITION, message));
            }
            Ok(Parameter {
                field: parameter.field.field(is_row)?,
                wit: parameter.wit.clone(),
                fields: parameter.fields.iter().map(|field| field.field(false)).collect::<Result<_>>()?,
            })
        };
        self.parameters.iter().map(parameter).collect()
    }

    pub fn columns(&self) -> Result<Vec<Field>> {
        self.columns.iter().map(|column| column.field(false)).collect()
    }

    pub fn returns(&self) -> Returns {
        match self.returns {
            DescribedReturns::Nothing => Returns::Nothing,
            DescribedReturns::Value => Returns::Value,
            DescribedReturns::Row => Returns::Row,
            DescribedReturns::Rows => Returns::Rows,
        }
    }
}

impl DescribedField {
    /// 42704 for an unknown type.
    fn field(&self, may_be_row: bool) -> Result<Field> {
        let data_type = DataType::from_oid(self.type_oid).ok_or_else(|| {
            let message = format!("type with OID {} does not exist", self.type_oid);
            Error::new(sqlstate::UNDEFINED_OBJECT, message)
        })?;
        let element = data_type.element().unwrap_or(data_type);
        let is_refused = matches!(element, DataType::Unknown | DataType::Void | DataType::Record);
        if is_refused && !(may_be_row && data_type == DataType::Record) {
            return Err(Error::not_supported(format!("\"{}\" of type {} in a procedure", self.name, data_type.name())));
        }
        Ok(Field { name: self.name.clone(), data_type, nullable: self.nullable })
    }
}

/// 42602 and 42622 for what cannot be a name.
fn check_name(name: &str, what: &str) -> Result<()> {
    if name.len() > IDENTIFIER_BYTES {
        let message = format!("the name of a {what} is longer than {IDENTIFIER_BYTES} bytes: \"{}…\"", shortened(name));
        return Err(Error::new(sqlstate::NAME_TOO_LONG, message));
    }
    if name.is_empty() || name.contains(char::is_control) {
        return Err(Error::new(sqlstate::INVALID_NAME, format!("invalid name of a {what}: {name:?}")));
    }
    Ok(())
}

fn check_text(text: &str, what: &str) -> Result<()> {
    if text.len() > WIT_BYTES {
        return Err(limit(&format!("the name of an {what} is longer"), WIT_BYTES, "bytes"));
    }
    Ok(())
}

fn shortened(name: &str) -> String {
    name.chars().take(20).collect()
}

/// 54000
fn limit(what: &str, most: usize, unit: &str) -> Error {
    Error::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, format!("{what} than {most} {unit}"))
}
