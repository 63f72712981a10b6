//! Expressions as PostgreSQL prints them in plans: every operator in parentheses, constants with their types.

use super::describe::Describer;
use crate::execute::expression::{Compiled, CompiledSortKey, CompiledSubscript};
use crate::functions::Settings;
use crate::plan::physical::{Access, CompiledAggregate, CompiledSubqueryKind, KeyEqual, Scan};
use crate::types::{DataType, Value, text};

impl Describer<'_> {
    /// An expression over columns with these names.
    pub fn expression(&self, expression: &Compiled, names: &[String]) -> String {
        let one = |expression: &Compiled| self.expression(expression, names);
        let list = |expressions: &[Compiled]| expressions.iter().map(one).collect::<Vec<_>>().join(", ");
        let joined = |operands: &[Compiled], word: &str| {
            format!("({})", operands.iter().map(one).collect::<Vec<_>>().join(word))
        };
        match expression {
            Compiled::Literal(value, data_type) => literal(value, *data_type),
            Compiled::Parameter { index, .. } => format!("${}", index + 1),
            Compiled::Column { position, .. } => names.get(*position).cloned().unwrap_or_else(|| "?".into()),
            Compiled::Outer { slot, .. } => self.slot(*slot),
            Compiled::Call { function, arguments, .. } => {
                let is_operator = !function.name.starts_with(|first: char| first.is_alphabetic() || first == '_');
                match arguments.as_slice() {
                    [left, right] if is_operator => format!("({} {} {})", one(left), function.name, one(right)),
                    [input] if is_operator => format!("({} {})", function.name, one(input)),
                    arguments => format!("{}({})", function.name, list(arguments)),
                }
            }
            Compiled::Routine { routine, arguments, .. } => format!("{}({})", routine.name(), list(arguments)),
            Compiled::Cast { input, to, .. } => format!("({})::{}", one(input), to.name()),
            Compiled::And(operands) => joined(operands, " AND "),
            Compiled::Or(operands) => joined(operands, " OR "),
            Compiled::Not(input) => format!("(NOT {})", one(input)),
            Compiled::IsNull { input, negated } => {
                format!("({} IS {}NULL)", one(input), if *negated { "NOT " } else { "" })
            }
            Compiled::IsBoolean { input, value, negated } => {
                let value = match value {
                    Some(true) => "TRUE",
                    Some(false) => "FALSE",
                    None => "UNKNOWN",
                };
                format!("({} IS {}{value})", one(input), if *negated { "NOT " } else { "" })
            }
            Compiled::IsDistinct { left, right, negated } => {
                format!("({} IS {}DISTINCT FROM {})", one(left), if *negated { "NOT " } else { "" }, one(right))
            }
            Compiled::Case { branches, otherwise, .. } => {
                let branch = |(condition, result): &(Compiled, Compiled)| {
                    format!(" WHEN {} THEN {}", one(condition), one(result))
                };
                let branches: String = branches.iter().map(branch).collect();
                let otherwise = otherwise.as_ref().map_or("NULL".into(), |otherwise| one(otherwise));
                format!("CASE{branches} ELSE {otherwise} END")
            }
            Compiled::Coalesce { arguments, .. } => format!("COALESCE({})", list(arguments)),
            Compiled::NullIf { left, right, .. } => format!("NULLIF({}, {})", one(left), one(right)),
            Compiled::Extreme { arguments, greatest, .. } => {
                format!("{}({})", if *greatest { "GREATEST" } else { "LEAST" }, list(arguments))
            }
            Compiled::InList { input, list: values, negated } => {
                format!("({} {}IN ({}))", one(input), if *negated { "NOT " } else { "" }, list(values))
            }
            Compiled::AnyArray { left, operator, array, all } => {
                format!("({} {} {} ({}))", one(left), operator.name, if *all { "ALL" } else { "ANY" }, one(array))
            }
            Compiled::Array { elements, .. } => format!("ARRAY[{}]", list(elements)),
            Compiled::Row { fields } => format!("ROW({})", list(fields)),
            Compiled::Subscript { input, subscripts, .. } => {
                let bound = |bound: &Option<Compiled>| bound.as_ref().map_or(String::new(), one);
                let subscript = |subscript: &CompiledSubscript| match subscript {
                    CompiledSubscript::Index(index) => format!("[{}]", one(index)),
                    CompiledSubscript::Slice(lower, upper) => format!("[{}:{}]", bound(lower), bound(upper)),
                };
                format!("({}){}", one(input), subscripts.iter().map(subscript).collect::<String>())
            }
            Compiled::Subquery { index, left, .. } => self.subquery(*index, left, names),
        }
    }

    fn subquery(&self, index: usize, left: &[Compiled], names: &[String]) -> String {
        let name = self.subquery_name(index);
        let left: Vec<String> = left.iter().map(|left| self.expression(left, names)).collect();
        match &self.physical.subqueries[index].kind {
            CompiledSubqueryKind::Exists => format!("EXISTS({name})"),
            CompiledSubqueryKind::Scalar => format!("({name})"),
            CompiledSubqueryKind::Array => format!("ARRAY({name})"),
            CompiledSubqueryKind::Compare { operators, all, hashed } => {
                let operator = operators.first().map_or("=", |operator| operator.name);
                let hashed = if *hashed { "hashed " } else { "" };
                let quantifier = if *all { "ALL" } else { "ANY" };
                format!("({} {operator} {quantifier} ({hashed}{name}))", left.join(", "))
            }
        }
    }

    pub fn sort_keys(&self, keys: &[CompiledSortKey], names: &[String]) -> Vec<String> {
        let print = |key: &CompiledSortKey| {
            let direction = if key.descending { " DESC" } else { "" };
            let nulls = match (key.descending, key.nulls_first) {
                (false, true) => " NULLS FIRST",
                (true, false) => " NULLS LAST",
                _ => "",
            };
            format!("{}{direction}{nulls}", self.expression(&key.expression, names))
        };
        keys.iter().map(print).collect()
    }

    pub fn aggregate_call(&self, call: &CompiledAggregate, names: &[String]) -> String {
        let arguments: Vec<String> = call.arguments.iter().map(|argument| self.expression(argument, names)).collect();
        let arguments = if arguments.is_empty() { "*".into() } else { arguments.join(", ") };
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        let order = match call.order_by.is_empty() {
            true => String::new(),
            false => format!(" ORDER BY {}", self.sort_keys(&call.order_by, names).join(", ")),
        };
        let filter = match &call.filter {
            None => String::new(),
            Some(filter) => format!(" FILTER (WHERE {})", self.expression(filter, names)),
        };
        format!("{}({distinct}{arguments}{order}){filter}", call.function.name)
    }

    /// The conditions that an index answers; `names` are those of the row that key expressions read.
    pub fn index_condition(&self, scan: &Scan, access: &Access, names: &[String]) -> Option<String> {
        let index = &scan.relation.indexes[access.index?];
        let column = |number: usize| {
            let column = index.columns.get(number)?;
            Some(self.column_name(scan, column.column))
        };
        let mut conditions = vec![];
        for (number, equal) in access.equal.iter().enumerate() {
            let column = column(number)?;
            conditions.push(match equal {
                KeyEqual::One(value) => format!("({column} = {})", self.expression(value, names)),
                KeyEqual::Null => format!("({column} IS NULL)"),
                KeyEqual::Any(values) => {
                    let values: Vec<String> = values.iter().map(|value| self.expression(value, names)).collect();
                    format!("({column} IN ({}))", values.join(", "))
                }
                KeyEqual::AnyArray(array) => format!("({column} = ANY ({}))", self.expression(array, names)),
            });
        }
        for (bound, operator) in [(&access.lower, ">"), (&access.upper, "<")] {
            if let Some(bound) = bound {
                let equal = if bound.inclusive { "=" } else { "" };
                let column = column(access.equal.len())?;
                conditions.push(format!("({column} {operator}{equal} {})", self.expression(&bound.value, names)));
            }
        }
        match conditions.len() {
            0 | 1 => conditions.pop(),
            _ => Some(format!("({})", conditions.join(" AND "))),
        }
    }
}

fn literal(value: &Value, data_type: DataType) -> String {
    let mut printed = String::new();
    text::print(value, data_type, &Settings::default(), &mut printed);
    match value {
        Value::Null => format!("NULL::{}", data_type.name()),
        Value::Integer(value) if *value >= 0 => printed,
        Value::Boolean(value) => value.to_string(),
        Value::Numeric(_) if !printed.starts_with('-') => printed,
        _ => format!("'{}'::{}", printed.replace('\'', "''"), data_type.name()),
    }
}
