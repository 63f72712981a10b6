//! Window functions (PostgreSQL 15, section 9.22). `execute::window` computes them; this says what they are called.

use super::signature::{ANY_COMPATIBLE, ANY_ELEMENT, BIGINT, DOUBLE, INTEGER};
use super::{Signature, WindowFunction, WindowFunctionKind};

const fn window(
    name: &'static str,
    arguments: &'static [Signature],
    optional: usize,
    result: Signature,
    kind: WindowFunctionKind,
) -> WindowFunction {
    WindowFunction { name, arguments, optional, result, kind }
}

pub static FUNCTIONS: &[WindowFunction] = &[
    window("row_number", &[], 0, BIGINT, WindowFunctionKind::RowNumber),
    window("rank", &[], 0, BIGINT, WindowFunctionKind::Rank),
    window("dense_rank", &[], 0, BIGINT, WindowFunctionKind::DenseRank),
    window("percent_rank", &[], 0, DOUBLE, WindowFunctionKind::PercentRank),
    window("cume_dist", &[], 0, DOUBLE, WindowFunctionKind::CumeDist),
    window("ntile", &[INTEGER], 0, INTEGER, WindowFunctionKind::Ntile),
    window("lag", &[ANY_ELEMENT, INTEGER], 1, ANY_ELEMENT, WindowFunctionKind::Lag),
    window("lag", &[ANY_COMPATIBLE, INTEGER, ANY_COMPATIBLE], 0, ANY_COMPATIBLE, WindowFunctionKind::Lag),
    window("lead", &[ANY_ELEMENT, INTEGER], 1, ANY_ELEMENT, WindowFunctionKind::Lead),
    window("lead", &[ANY_COMPATIBLE, INTEGER, ANY_COMPATIBLE], 0, ANY_COMPATIBLE, WindowFunctionKind::Lead),
    window("first_value", &[ANY_ELEMENT], 0, ANY_ELEMENT, WindowFunctionKind::FirstValue),
    window("last_value", &[ANY_ELEMENT], 0, ANY_ELEMENT, WindowFunctionKind::LastValue),
    window("nth_value", &[ANY_ELEMENT, INTEGER], 0, ANY_ELEMENT, WindowFunctionKind::NthValue),
];
