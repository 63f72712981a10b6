//! Window definitions and frames (PostgreSQL 15, section 4.2.8).

use super::super::binder::Binder;
use super::super::expression::{Expression, Frame, FrameBound, FrameExclusion, FrameUnit, SortKey};
use super::super::name::{expression_position, fold, position};
use super::super::site::{Clause, Site};
use super::super::walk;
use crate::error::{Error, Result, sqlstate};
use crate::parse::EXCLUDE;
use crate::types::{DataType, cast::CastContext};
use sqlparser::ast::{self, NamedWindowDefinition, NamedWindowExpr, WindowSpec, WindowType};

#[derive(Clone, Debug, Default)]
pub struct WindowDefinition {
    pub partition_by: Vec<Expression>,
    pub order_by: Vec<SortKey>,
    frame: Option<Frame>,
}

impl WindowDefinition {
    pub fn frame(&self) -> Frame {
        self.frame.clone().unwrap_or(Frame {
            unit: FrameUnit::Range,
            start: FrameBound::UnboundedPreceding,
            end: FrameBound::CurrentRow,
            exclusion: FrameExclusion::NoOthers,
        })
    }
}

fn windowing(message: impl Into<String>) -> Error {
    Error::new(sqlstate::WINDOWING_ERROR, message)
}

impl Binder<'_> {
    /// The WINDOW clause, each definition in sight of those before it.
    pub fn named_windows(&mut self, site: &mut Site, definitions: &[NamedWindowDefinition]) -> Result<()> {
        for NamedWindowDefinition(identifier, definition) in definitions {
            let name = fold(identifier);
            if site.calls.named_windows.iter().any(|(known, _)| *known == name) {
                return Err(windowing(format!("window \"{name}\" is already defined")).at(position(identifier)));
            }
            let before = std::mem::replace(&mut site.clause, Clause::WindowDefinition);
            let bound = match definition {
                NamedWindowExpr::NamedWindow(other) => named(site, other),
                NamedWindowExpr::WindowSpec(specification) => self.window_specification(site, specification),
            };
            site.clause = before;
            site.calls.named_windows.push((name, bound?));
        }
        Ok(())
    }

    /// What stands after OVER.
    pub fn window_definition(&mut self, site: &mut Site, over: &WindowType) -> Result<WindowDefinition> {
        match over {
            WindowType::NamedWindow(name) => named(site, name),
            WindowType::WindowSpec(specification) => self.window_specification(site, specification),
        }
    }

    fn window_specification(&mut self, site: &mut Site, specification: &WindowSpec) -> Result<WindowDefinition> {
        let WindowSpec { window_name, partition_by, order_by, window_frame } = specification;
        let (exclusion, base) = read_exclusion(window_name.as_ref());
        let mut definition = WindowDefinition::default();
        if let Some(base) = base {
            definition = named(site, &base)?;
            let refused = |what: &str| Err(windowing(format!("cannot override {what} of window \"{}\"", fold(&base))));
            if !partition_by.is_empty() {
                return refused("PARTITION BY clause");
            }
            if !order_by.is_empty() && !definition.order_by.is_empty() {
                return refused("ORDER BY clause");
            }
            if definition.frame.is_some() {
                let message = format!("cannot copy window \"{}\" because it has a frame clause", fold(&base));
                return Err(windowing(message).at(position(&base)));
            }
        }
        for key in partition_by {
            definition.partition_by.push(self.settled(site, key)?);
        }
        for key in order_by {
            let bound = self.settled(site, &key.expr)?;
            definition.order_by.push(self.sort_key(bound, key)?);
        }
        if let Some(frame) = window_frame {
            definition.frame = Some(self.frame(site, frame, exclusion, &definition.order_by)?);
        }
        Ok(definition)
    }

    fn frame(
        &mut self,
        site: &mut Site,
        frame: &ast::WindowFrame,
        exclusion: FrameExclusion,
        order_by: &[SortKey],
    ) -> Result<Frame> {
        let ast::WindowFrame { units, start_bound, end_bound } = frame;
        let unit = match units {
            ast::WindowFrameUnits::Rows => FrameUnit::Rows,
            ast::WindowFrameUnits::Range => FrameUnit::Range,
            ast::WindowFrameUnits::Groups => FrameUnit::Groups,
        };
        if unit == FrameUnit::Groups && order_by.is_empty() {
            return Err(windowing("GROUPS mode requires an ORDER BY clause"));
        }
        let start = self.frame_bound(site, start_bound, unit, order_by)?;
        let end = match end_bound {
            Some(end) => self.frame_bound(site, end, unit, order_by)?,
            None => FrameBound::CurrentRow,
        };
        let message = match (&start, &end) {
            (FrameBound::UnboundedFollowing, _) => "frame start cannot be UNBOUNDED FOLLOWING",
            (_, FrameBound::UnboundedPreceding) => "frame end cannot be UNBOUNDED PRECEDING",
            (FrameBound::CurrentRow, FrameBound::Preceding(_)) => {
                "frame starting from current row cannot have preceding rows"
            }
            (FrameBound::Following(_), FrameBound::Preceding(_) | FrameBound::CurrentRow) => {
                "frame starting from following row cannot have preceding rows"
            }
            _ => return Ok(Frame { unit, start, end, exclusion }),
        };
        Err(windowing(message))
    }

    fn frame_bound(
        &mut self,
        site: &mut Site,
        bound: &ast::WindowFrameBound,
        unit: FrameUnit,
        order_by: &[SortKey],
    ) -> Result<FrameBound> {
        let (preceding, offset) = match bound {
            ast::WindowFrameBound::CurrentRow => return Ok(FrameBound::CurrentRow),
            ast::WindowFrameBound::Preceding(None) => return Ok(FrameBound::UnboundedPreceding),
            ast::WindowFrameBound::Following(None) => return Ok(FrameBound::UnboundedFollowing),
            ast::WindowFrameBound::Preceding(Some(offset)) => (true, offset),
            ast::WindowFrameBound::Following(Some(offset)) => (false, offset),
        };
        let at = expression_position(offset);
        let expression = self.expression(site, offset)?;
        let name = match unit {
            FrameUnit::Rows => "ROWS",
            FrameUnit::Range => "RANGE",
            FrameUnit::Groups => "GROUPS",
        };
        let from = expression.data_type();
        let to = match (unit, order_by) {
            (FrameUnit::Rows | FrameUnit::Groups, _) => DataType::BigInt,
            (FrameUnit::Range, [key]) => match key.expression.data_type() {
                DataType::Date | DataType::Time | DataType::TimeTz | DataType::Timestamp | DataType::Timestamptz => {
                    DataType::Interval
                }
                number if number.is_number() || number == DataType::Interval => number,
                other => {
                    let message = format!(
                        "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                        other.name()
                    );
                    return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(at));
                }
            },
            (FrameUnit::Range, _) => {
                let message = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
                return Err(windowing(message));
            }
        };
        let context = if unit == FrameUnit::Range { CastContext::Implicit } else { CastContext::Assignment };
        let expression = self.coerce(expression, to, -1, context, at)?.ok_or_else(|| {
            let message = format!("argument of {name} must be type {}, not type {}", to.name(), from.name());
            Error::new(sqlstate::DATATYPE_MISMATCH, message).at(at)
        })?;
        if !walk::columns(&expression).is_empty() {
            let message = format!("argument of {name} must not contain variables");
            return Err(Error::new(sqlstate::INVALID_COLUMN_REFERENCE, message).at(at));
        }
        Ok(if preceding { FrameBound::Preceding(expression) } else { FrameBound::Following(expression) })
    }
}

fn named(site: &Site, identifier: &ast::Ident) -> Result<WindowDefinition> {
    let name = fold(identifier);
    let found = site.calls.named_windows.iter().find(|(known, _)| *known == name);
    found.map(|(_, definition)| definition.clone()).ok_or_else(|| {
        let message = format!("window \"{name}\" does not exist");
        Error::new(sqlstate::UNDEFINED_OBJECT, message).at(position(identifier))
    })
}

/// Takes the exclusion that the parser put into a window's name out of it again.
fn read_exclusion(name: Option<&ast::Ident>) -> (FrameExclusion, Option<ast::Ident>) {
    let Some(identifier) = name else { return (FrameExclusion::NoOthers, None) };
    let Some((exclusion, base)) = identifier.value.strip_prefix(EXCLUDE).and_then(|rest| rest.split_once(' ')) else {
        return (FrameExclusion::NoOthers, Some(identifier.clone()));
    };
    let exclusion = match exclusion {
        "row" => FrameExclusion::CurrentRow,
        "group" => FrameExclusion::Group,
        _ => FrameExclusion::Ties,
    };
    let base = (!base.is_empty()).then(|| ast::Ident { value: base.into(), ..identifier.clone() });
    (exclusion, base)
}
