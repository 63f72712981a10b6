//! Short names for signatures, and the const constructors that the function tables are written with.

use super::{Evaluate, EvaluateColumns, ScalarFunction, Signature, Volatility};
use crate::types::DataType;

macro_rules! signatures {
    ($($name:ident $array:ident $variant:ident;)*) => {
        $(
            pub const $name: Signature = Signature::Exact(DataType::$variant);
            #[allow(dead_code, reason = "the list is complete, whichever of them a table needs")]
            pub const $array: Signature = Signature::Exact(DataType::Array(&DataType::$variant));
        )*
    };
}

signatures! {
    BOOLEAN BOOLEAN_ARRAY Boolean;
    SMALLINT SMALLINT_ARRAY SmallInt;
    INTEGER INTEGER_ARRAY Integer;
    BIGINT BIGINT_ARRAY BigInt;
    REAL REAL_ARRAY Real;
    DOUBLE DOUBLE_ARRAY Double;
    NUMERIC NUMERIC_ARRAY Numeric;
    TEXT TEXT_ARRAY Text;
    CHAR CHAR_ARRAY Char;
    NAME NAME_ARRAY Name;
    INTERNAL_CHAR INTERNAL_CHAR_ARRAY InternalChar;
    BYTEA BYTEA_ARRAY Bytea;
    UUID UUID_ARRAY Uuid;
    DATE DATE_ARRAY Date;
    TIME TIME_ARRAY Time;
    TIMETZ TIMETZ_ARRAY TimeTz;
    TIMESTAMP TIMESTAMP_ARRAY Timestamp;
    TIMESTAMPTZ TIMESTAMPTZ_ARRAY Timestamptz;
    INTERVAL INTERVAL_ARRAY Interval;
    JSON JSON_ARRAY Json;
    JSONB JSONB_ARRAY Jsonb;
    OID OID_ARRAY Oid;
    RECORD RECORD_ARRAY Record;
}

pub const ANY: Signature = Signature::Any;
pub const ANY_ELEMENT: Signature = Signature::AnyElement;
pub const ANY_ARRAY: Signature = Signature::AnyArray;
pub const ANY_NON_ARRAY: Signature = Signature::AnyNonArray;
pub const ANY_COMPATIBLE: Signature = Signature::AnyCompatible;
pub const ANY_COMPATIBLE_ARRAY: Signature = Signature::AnyCompatibleArray;

/// A strict, immutable function; the methods below change one trait each.
pub const fn function(
    name: &'static str,
    arguments: &'static [Signature],
    result: Signature,
    evaluate: Evaluate,
) -> ScalarFunction {
    ScalarFunction {
        name,
        arguments,
        variadic: false,
        result,
        strict: true,
        volatility: Volatility::Immutable,
        evaluate,
        evaluate_columns: None,
    }
}

impl ScalarFunction {
    pub(crate) const fn stable(self) -> ScalarFunction {
        ScalarFunction { volatility: Volatility::Stable, ..self }
    }

    pub(crate) const fn volatile(self) -> ScalarFunction {
        ScalarFunction { volatility: Volatility::Volatile, ..self }
    }

    pub(crate) const fn variadic(self) -> ScalarFunction {
        ScalarFunction { variadic: true, ..self }
    }

    /// Called with NULLs too.
    pub(crate) const fn not_strict(self) -> ScalarFunction {
        ScalarFunction { strict: false, ..self }
    }

    pub(crate) const fn columns(self, evaluate_columns: EvaluateColumns) -> ScalarFunction {
        ScalarFunction { evaluate_columns: Some(evaluate_columns), ..self }
    }
}
