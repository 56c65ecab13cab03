//! The rules that a value breaks by itself, however deep inside it: numbers that are not finite, and the bounds of the
//! fields of composites.
//!
//! They hold for what any face writes: generated code and dynamic values come here as the same bytes. A list or an array
//! may hold NaN where its field may; a composite's fields each speak for themselves; the payload of an enum has no say.

use super::codec;
use super::heap_ref::{Cells, HeapRef};
use super::plan::{CellPlan, MemberPlan};
use crate::error::Rule;
use dbgen_schema::Value;
use dbgen_schema::field_type::ScalarKind;

impl CellPlan {
    /// Whether a value of this type can break a rule by itself.
    pub fn is_ruled(&self, allow_nan: bool) -> bool {
        match self {
            CellPlan::Scalar(scalar) => !allow_nan && matches!(scalar.desc().kind, ScalarKind::Float { .. }),
            CellPlan::Array { element, .. } | CellPlan::List { element } => element.is_ruled(allow_nan),
            CellPlan::Enum(plan) => {
                plan.variants.iter().filter_map(|(_, payload)| payload.as_ref()).any(|plan| plan.is_ruled(false))
            }
            CellPlan::Composite(plan) => plan
                .fields
                .iter()
                .any(|member| member.min.is_some() || member.max.is_some() || member.plan.is_ruled(member.allow_nan)),
            _ => false,
        }
    }

    /// The first rule that the value in the cell at `at` breaks, and the innermost value that breaks it.
    pub fn broken_rule(&self, cells: Cells<'_>, at: usize, allow_nan: bool) -> Option<(Rule, Value)> {
        match self {
            CellPlan::Scalar(_) if self.is_ruled(allow_nan) => {
                let value = codec::read(self, &cells.fixed[at..at + self.size()], HeapRef(&[]));
                let is_finite = !matches!(value, Value::Float(number) if !number.is_finite());
                if is_finite { None } else { Some((Rule::NotANumber, value)) }
            }
            // Elements are many: they are only looked at if one could be wrong.
            CellPlan::Array { element, .. } | CellPlan::List { element } if !element.is_ruled(allow_nan) => None,
            CellPlan::Array { element, count } => {
                (0..*count).find_map(|n| element.broken_rule(cells, at + n * element.size(), allow_nan))
            }
            CellPlan::List { element } => {
                let block = cells.block(at);
                let head = block.first_chunk::<4>()?;
                let in_block = Cells::stored(block, HeapRef(block));
                let count = u32::from_le_bytes(*head) as usize;
                (0..count).find_map(|n| element.broken_rule(in_block, 4 + n * element.size(), allow_nan))
            }
            CellPlan::Enum(plan) => plan.payload(&cells.fixed[at..])?.broken_rule(cells, at + plan.tag_bytes, false),
            CellPlan::Composite(plan) => plan.fields.iter().find_map(|member| member.broken_rule(cells, at)),
            _ => None,
        }
    }
}

impl MemberPlan {
    fn broken_rule(&self, cells: Cells<'_>, composite: usize) -> Option<(Rule, Value)> {
        if self.null_bit.is_some_and(|bit| codec::null_bit(&cells.fixed[composite..], bit)) {
            return None;
        }
        let at = composite + self.offset;
        let beyond = || {
            if self.min.is_none() && self.max.is_none() {
                return None;
            }
            let value = codec::read(&self.plan, &cells.fixed[at..at + self.plan.size()], HeapRef(&[]));
            outside(&self.plan, &self.min, &self.max, &value).map(|rule| (rule, value))
        };
        self.plan.broken_rule(cells, at, self.allow_nan).or_else(beyond)
    }
}

/// The rule that a value outside of these bounds breaks.
pub fn outside(plan: &CellPlan, min: &Option<Value>, max: &Option<Value>, value: &Value) -> Option<Rule> {
    let too_small = min.as_ref().is_some_and(|min| value < min);
    let too_large = max.as_ref().is_some_and(|max| value > max);
    if !too_small && !too_large {
        return None;
    }
    let (low, high) = type_bounds(plan);
    Some(Rule::OutOfRange { min: min.clone().unwrap_or(low), max: max.clone().unwrap_or(high) })
}

/// The smallest and the largest number of a type.
fn type_bounds(plan: &CellPlan) -> (Value, Value) {
    let CellPlan::Scalar(scalar) = plan else { return (Value::Null, Value::Null) };
    match scalar.desc().kind {
        ScalarKind::Int { min, max } => (Value::Int(min), Value::Int(max)),
        ScalarKind::Float { bits: 32 } => (Value::from(f32::MIN), Value::from(f32::MAX)),
        ScalarKind::Float { .. } => (Value::Float(f64::MIN), Value::Float(f64::MAX)),
        _ => (Value::Int(i64::MIN.into()), Value::Int(i64::MAX.into())),
    }
}
