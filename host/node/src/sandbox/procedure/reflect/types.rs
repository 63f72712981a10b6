//! WIT's types as SQL's. What has no counterpart is refused by name.

use wit_parser::{Record, Resolve, Type, TypeDefKind, TypeId, TypeOwner};

use crate::error::{Error, Result, sqlstate};
use crate::sandbox::procedure::description::{Column, Field, Parameter, Returns, Row, Scalar, Shape};
use crate::sandbox::procedure::reflect::{first_repeated, sql_name};

/// Columns of a row, PostgreSQL's MaxTupleAttributeNumber.
const FIELDS_MAX: usize = 1664;

/// Whose type it is, for messages.
struct Place<'a> {
    export: &'a str,
    /// None: the result.
    parameter: Option<&'a str>,
}

impl Place<'_> {
    fn refuse<T>(&self, resolve: &Resolve, ty: &Type, why: &str) -> Result<T> {
        let what = match self.parameter {
            Some(parameter) => format!("parameter \"{parameter}\""),
            None => "the result".to_owned(),
        };
        Err(Error::new(
            sqlstate::FEATURE_NOT_SUPPORTED,
            format!(
                "{what} of function \"{}\" has the type {}, for which SQL has none: {why}",
                self.export,
                shown(resolve, ty)
            ),
        ))
    }
}

pub fn parameter(resolve: &Resolve, export: &str, label: &str, ty: &Type) -> Result<Parameter> {
    let place = Place { export, parameter: Some(label) };
    let (inner, nullable) = without_option(resolve, ty);
    let shape = match row(resolve, &place, &inner, "f")? {
        Some(row) => Shape::Row { row, nullable },
        None => Shape::Column(column(resolve, &place, ty)?),
    };
    Ok(Parameter { name: sql_name(export, label)?, wit: shown(resolve, ty), shape })
}

/// What a function's result is, and whether it may be an error instead.
pub fn result(resolve: &Resolve, export: &str, ty: Option<&Type>) -> Result<(Returns, bool)> {
    let place = Place { export, parameter: None };
    let Some(ty) = ty else { return Ok((Returns::Nothing, false)) };
    let (ok, fallible) = match kind(resolve, ty) {
        Some((_, TypeDefKind::Result(result))) => (result.ok, true),
        _ => (Some(*ty), false),
    };
    let Some(ok) = ok else { return Ok((Returns::Nothing, fallible)) };
    if let Some(row) = row(resolve, &place, &ok, "column")? {
        return Ok((Returns::Row(row), fallible));
    }
    if let Some((_, TypeDefKind::List(element))) = kind(resolve, &ok)
        && let Some(row) = row(resolve, &place, element, "column")?
    {
        return Ok((Returns::Rows(row), fallible));
    }
    Ok((Returns::Value(column(resolve, &place, &ok)?), fallible))
}

/// The definition behind a type's names; none for a primitive one.
fn kind<'a>(resolve: &'a Resolve, ty: &Type) -> Option<(TypeId, &'a TypeDefKind)> {
    let mut ty = *ty;
    loop {
        let Type::Id(id) = ty else { return None };
        match &resolve.types[id].kind {
            TypeDefKind::Type(target) => ty = *target,
            kind => return Some((id, kind)),
        }
    }
}

/// What is behind a type's names when that is primitive.
fn primitive(resolve: &Resolve, ty: &Type) -> Type {
    let mut ty = *ty;
    while let Type::Id(id) = ty
        && let TypeDefKind::Type(target) = &resolve.types[id].kind
    {
        ty = *target;
    }
    ty
}

fn without_option(resolve: &Resolve, ty: &Type) -> (Type, bool) {
    match kind(resolve, ty) {
        Some((_, TypeDefKind::Option(inner))) => (*inner, true),
        _ => (*ty, false),
    }
}

/// A record or tuple; none for anything else, and for the records of `isobar:procedure/types` that are one value.
fn row(resolve: &Resolve, place: &Place<'_>, ty: &Type, prefix: &str) -> Result<Option<Row>> {
    let Some((id, kind)) = kind(resolve, ty) else { return Ok(None) };
    let (is_tuple, fields) = match kind {
        TypeDefKind::Record(_) if procedure_type(resolve, id).is_some() => return Ok(None),
        TypeDefKind::Record(Record { fields }) => {
            let field = |field: &wit_parser::Field| (field.name.clone(), field.ty);
            (false, fields.iter().map(field).collect::<Vec<_>>())
        }
        TypeDefKind::Tuple(tuple) => (true, tuple.types.iter().map(|ty| (String::new(), *ty)).collect()),
        _ => return Ok(None),
    };
    if fields.len() > FIELDS_MAX {
        return place.refuse(resolve, ty, "it has too many fields");
    }
    let mut columns = Vec::with_capacity(fields.len());
    for (index, (label, field)) in fields.into_iter().enumerate() {
        let (inner, _) = without_option(resolve, &field);
        if row(resolve, place, &inner, prefix)?.is_some() {
            return place.refuse(resolve, ty, "it has a record or tuple inside");
        }
        let name = if is_tuple { format!("{prefix}{}", index + 1) } else { sql_name(place.export, &label)? };
        columns.push(Field { name, label, column: column(resolve, place, &field)? });
    }
    if let Some(name) = first_repeated(columns.iter().map(|field| field.name.as_str())) {
        return place.refuse(resolve, ty, &format!("two of its fields would be named \"{name}\""));
    }
    Ok(Some(Row { is_tuple, fields: columns }))
}

/// A type that fills one column.
fn column(resolve: &Resolve, place: &Place<'_>, ty: &Type) -> Result<Column> {
    let (inner, nullable) = without_option(resolve, ty);
    if let Some(scalar) = scalar(resolve, &inner) {
        return Ok(Column { scalar, nullable, array: None });
    }
    let Some((_, kind)) = kind(resolve, &inner) else {
        return place.refuse(resolve, ty, "it is none that a procedure can have");
    };
    match kind {
        TypeDefKind::List(element) => {
            let (inner, nullable_elements) = without_option(resolve, element);
            match scalar(resolve, &inner) {
                Some(scalar) => Ok(Column { scalar, nullable, array: Some(nullable_elements) }),
                None => place.refuse(resolve, ty, "an array's elements are single values"),
            }
        }
        TypeDefKind::Option(_) => place.refuse(resolve, ty, "NULL is one value, an option of an option has two"),
        TypeDefKind::Record(_) | TypeDefKind::Tuple(_) => {
            place.refuse(resolve, ty, "a record or tuple is not one value here")
        }
        TypeDefKind::Result(_) => place.refuse(resolve, ty, "only the result as a whole may be an error"),
        other => place.refuse(resolve, ty, &format!("it is a {}", other.as_str())),
    }
}

fn scalar(resolve: &Resolve, ty: &Type) -> Option<Scalar> {
    let Some((id, kind)) = kind(resolve, ty) else {
        return Some(match primitive(resolve, ty) {
            Type::Bool => Scalar::Bool,
            Type::U8 => Scalar::U8,
            Type::U16 => Scalar::U16,
            Type::U32 => Scalar::U32,
            Type::U64 => Scalar::U64,
            Type::S8 => Scalar::S8,
            Type::S16 => Scalar::S16,
            Type::S32 => Scalar::S32,
            Type::S64 => Scalar::S64,
            Type::F32 => Scalar::F32,
            Type::F64 => Scalar::F64,
            Type::Char => Scalar::Char,
            Type::String => Scalar::String,
            _ => return None,
        });
    };
    match kind {
        TypeDefKind::List(element) if kind_is_none(resolve, element) => {
            matches!(primitive(resolve, element), Type::U8).then_some(Scalar::Bytes)
        }
        TypeDefKind::Enum(labels) => Some(Scalar::Enum(labels.cases.iter().map(|case| case.name.clone()).collect())),
        TypeDefKind::Record(_) => procedure_type(resolve, id),
        _ => None,
    }
}

fn kind_is_none(resolve: &Resolve, ty: &Type) -> bool {
    kind(resolve, ty).is_none()
}

/// The types that `isobar:procedure/types` defines for SQL's own.
fn procedure_type(resolve: &Resolve, id: TypeId) -> Option<Scalar> {
    let definition = &resolve.types[id];
    let TypeOwner::Interface(interface) = definition.owner else { return None };
    let interface = &resolve.interfaces[interface];
    let package = &resolve.packages[interface.package?].name;
    if (package.namespace.as_str(), package.name.as_str()) != ("isobar", "procedure")
        || interface.name.as_deref() != Some("types")
    {
        return None;
    }
    Some(match definition.name.as_deref()? {
        "numeric" => Scalar::Numeric,
        "date" => Scalar::Date,
        "time" => Scalar::Time,
        "timestamp" => Scalar::Timestamp,
        "timestamptz" => Scalar::Timestamptz,
        "interval" => Scalar::Interval,
        "uuid" => Scalar::Uuid,
        "json" => Scalar::Json,
        _ => return None,
    })
}

/// As WIT writes it.
fn shown(resolve: &Resolve, ty: &Type) -> String {
    let id = match ty {
        Type::Id(id) => *id,
        Type::Bool => return "bool".into(),
        Type::Char => return "char".into(),
        Type::String => return "string".into(),
        Type::ErrorContext => return "error-context".into(),
        number => return format!("{number:?}").to_lowercase(),
    };
    let definition = &resolve.types[id];
    if let Some(name) = &definition.name {
        return name.clone();
    }
    let optional = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".into(), |ty| shown(resolve, ty));
    match &definition.kind {
        TypeDefKind::Option(inner) => format!("option<{}>", shown(resolve, inner)),
        TypeDefKind::List(inner) => format!("list<{}>", shown(resolve, inner)),
        TypeDefKind::FixedLengthList(inner, length) => format!("list<{}, {length}>", shown(resolve, inner)),
        TypeDefKind::Map(key, value) => format!("map<{}, {}>", shown(resolve, key), shown(resolve, value)),
        TypeDefKind::Tuple(tuple) => {
            let types: Vec<_> = tuple.types.iter().map(|ty| shown(resolve, ty)).collect();
            format!("tuple<{}>", types.join(", "))
        }
        TypeDefKind::Result(result) => format!("result<{}, {}>", optional(&result.ok), optional(&result.err)),
        TypeDefKind::Future(inner) => format!("future<{}>", optional(inner)),
        TypeDefKind::Stream(inner) => format!("stream<{}>", optional(inner)),
        TypeDefKind::Type(inner) => shown(resolve, inner),
        TypeDefKind::Handle(wit_parser::Handle::Own(resource)) => {
            format!("own<{}>", shown(resolve, &Type::Id(*resource)))
        }
        TypeDefKind::Handle(wit_parser::Handle::Borrow(resource)) => {
            format!("borrow<{}>", shown(resolve, &Type::Id(*resource)))
        }
        other => other.as_str().into(),
    }
}
