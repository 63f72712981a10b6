//! `bool_and`, `bool_or`, `bit_and`, `bit_or`, `bit_xor`.

use super::aggregate;
use super::rows::{argument, each_valid};
use crate::error::Result;
use crate::functions::signature::*;
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::{Column, Value};

macro_rules! bits {
    ($($type:ident)*) => {
        pub static FUNCTIONS: &[AggregateFunction] = &[
            aggregate("bool_and", &[BOOLEAN], BOOLEAN, |_| fold(Operation::And)),
            aggregate("every", &[BOOLEAN], BOOLEAN, |_| fold(Operation::And)),
            aggregate("bool_or", &[BOOLEAN], BOOLEAN, |_| fold(Operation::Or)),
            $(
                aggregate("bit_and", &[$type], $type, |_| fold(Operation::And)),
                aggregate("bit_or", &[$type], $type, |_| fold(Operation::Or)),
                aggregate("bit_xor", &[$type], $type, |_| fold(Operation::ExclusiveOr)),
            )*
        ];
    };
}

bits!(SMALLINT INTEGER BIGINT);

#[derive(Clone, Copy)]
enum Operation {
    And,
    Or,
    ExclusiveOr,
}

struct Fold {
    states: Vec<Value>,
    operation: Operation,
}

fn fold(operation: Operation) -> Box<dyn Accumulator> {
    Box::new(Fold { states: vec![], operation })
}

impl Operation {
    fn apply<T>(self, left: T, right: T) -> T
    where
        T: std::ops::BitAnd<Output = T> + std::ops::BitOr<Output = T> + std::ops::BitXor<Output = T>,
    {
        match self {
            Operation::And => left & right,
            Operation::Or => left | right,
            Operation::ExclusiveOr => left ^ right,
        }
    }
}

impl Accumulator for Fold {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, Value::Null);
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        let operation = self.operation;
        each_valid(column, groups, rows, |group, row| {
            let state = &mut self.states[group];
            *state = match (&*state, column.value(row)) {
                (Value::Boolean(left), Value::Boolean(right)) => Value::Boolean(operation.apply(*left, right)),
                (Value::SmallInt(left), Value::SmallInt(right)) => Value::SmallInt(operation.apply(*left, right)),
                (Value::Integer(left), Value::Integer(right)) => Value::Integer(operation.apply(*left, right)),
                (Value::BigInt(left), Value::BigInt(right)) => Value::BigInt(operation.apply(*left, right)),
                (_, first) => first,
            };
        });
        Ok(())
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(self.states[group].clone())
    }
}
