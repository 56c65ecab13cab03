//! Values of types that changed: which stay the same bytes, and what becomes of the others.
//!
//! A value is taken over member by member, however deep in lists, payloads and composites a changed type lies. What a
//! field cannot hold as it was, to the bit, is no value of it: nothing is rounded, cut or guessed.

use super::origins::Origins;
use crate::record::codec::{self, HeapSink};
use crate::record::heap_ref::{HeapCell, HeapRef};
use crate::record::plan::{CellPlan, CompositePlan, EnumPlan, MemberPlan};
use dbgen_schema::{Schema, Value};

/// The types of the new schema, with what each of them was in the old one.
#[derive(Clone, Copy)]
pub(super) struct Types<'a> {
    pub(super) old: &'a Schema,
    pub(super) new: &'a Schema,
    pub(super) origins: &'a Origins,
}

/// The value cannot be one of the new type.
pub(super) struct Unfit;

impl Types<'_> {
    /// Whether every value of the old type is the same bytes in the new one, and means the same.
    pub(super) fn same_bytes(&self, old: &CellPlan, new: &CellPlan) -> bool {
        match (old, new) {
            (CellPlan::Scalar(a), CellPlan::Scalar(b)) => a == b,
            (CellPlan::Str(a), CellPlan::Str(b)) | (CellPlan::FixedBytes(a), CellPlan::FixedBytes(b)) => a == b,
            (CellPlan::Text, CellPlan::Text) | (CellPlan::Bytes, CellPlan::Bytes) | (CellPlan::Ref, CellPlan::Ref) => {
                true
            }
            (CellPlan::Array { element: a, count: n }, CellPlan::Array { element: b, count: m }) => {
                n == m && self.same_bytes(a, b)
            }
            (CellPlan::List { element: a }, CellPlan::List { element: b }) => self.same_bytes(a, b),
            (CellPlan::Enum(a), CellPlan::Enum(b)) => {
                let stays = |at: usize| {
                    let Some(now) = self.variant(a, b, at) else { return false };
                    let ((number, was), (other, is)) = (&a.variants[at], &b.variants[now]);
                    number == other
                        && match (was, is) {
                            (None, None) => true,
                            (Some(was), Some(is)) => self.same_bytes(was, is),
                            _ => false,
                        }
                };
                a.tag_bytes == b.tag_bytes && a.size == b.size && (0..a.variants.len()).all(stays)
            }
            (CellPlan::Composite(a), CellPlan::Composite(b)) => {
                let stays = |at: usize| {
                    let (was, is) = (&a.fields[at], &b.fields[at]);
                    let lies_there = was.offset == is.offset && was.null_bit == is.null_bit;
                    self.member(a, b, at) == Some(Some(at)) && lies_there && self.same_bytes(&was.plan, &is.plan)
                };
                a.size == b.size && a.fields.len() == b.fields.len() && (0..b.fields.len()).all(stays)
            }
            _ => false,
        }
    }

    /// Whether every value that kept the rules inside the old type keeps those inside the new one, which has the same
    /// bytes.
    pub(super) fn same_rules(&self, old: &CellPlan, new: &CellPlan) -> bool {
        match (old, new) {
            (CellPlan::Array { element: a, .. }, CellPlan::Array { element: b, .. })
            | (CellPlan::List { element: a }, CellPlan::List { element: b }) => self.same_rules(a, b),
            (CellPlan::Enum(a), CellPlan::Enum(b)) => (0..a.variants.len()).all(|at| {
                let payload = self.variant(a, b, at).and_then(|now| b.variants[now].1.as_ref());
                a.variants[at].1.as_ref().zip(payload).is_none_or(|(was, is)| self.same_rules(was, is))
            }),
            (CellPlan::Composite(a), CellPlan::Composite(b)) => a.fields.iter().zip(&b.fields).all(|(was, is)| {
                let rules = |member: &MemberPlan| (member.allow_nan, member.min.clone(), member.max.clone());
                rules(was) == rules(is) && self.same_rules(&was.plan, &is.plan)
            }),
            _ => true,
        }
    }

    /// The value as one of the new type. What is merely too long or too large is left as it is: who writes it says so.
    pub(super) fn convert(&self, old: &CellPlan, new: &CellPlan, value: &Value) -> Result<Value, Unfit> {
        match (old, new, value) {
            (CellPlan::Scalar(_), CellPlan::Scalar(_), value) => exact(new, value),
            (
                CellPlan::Array { element: was, .. } | CellPlan::List { element: was },
                CellPlan::Array { element: is, .. } | CellPlan::List { element: is },
                Value::List(values),
            ) => {
                let values = values.iter().map(|value| self.convert(was, is, value));
                let mut values = values.collect::<Result<Vec<Value>, Unfit>>()?;
                // A longer array has zeros behind what there was.
                if let (CellPlan::Array { .. }, CellPlan::Array { count, .. }) = (old, new)
                    && values.len() < *count
                {
                    let zero = codec::read(is, &vec![0; is.size()], HeapRef(&[]));
                    values.resize(*count, zero);
                }
                Ok(Value::List(values))
            }
            (CellPlan::Enum(was), CellPlan::Enum(is), Value::Enum(number, payload)) => {
                let at = was.variants.iter().position(|(own, _)| own == number).ok_or(Unfit)?;
                let now = self.variant(was, is, at).ok_or(Unfit)?;
                let payload = match (&was.variants[at].1, &is.variants[now].1, payload) {
                    (Some(was), Some(is), Some(payload)) => Some(Box::new(self.convert(was, is, payload)?)),
                    (None, Some(_), _) => return Err(Unfit),
                    _ => None,
                };
                Ok(Value::Enum(is.variants[now].0, payload))
            }
            (CellPlan::Composite(was), CellPlan::Composite(is), Value::Struct(values)) => {
                let members = (0..is.fields.len()).map(|at| self.member_value(was, is, at, values));
                Ok(Value::Struct(members.collect::<Result<_, Unfit>>()?))
            }
            _ => Ok(value.clone()),
        }
    }

    fn member_value(
        &self,
        was: &CompositePlan,
        is: &CompositePlan,
        at: usize,
        values: &[Value],
    ) -> Result<Value, Unfit> {
        let default = || self.new.composites[is.at].fields[at].default.clone().unwrap_or(Value::Null);
        match self.member(was, is, at).ok_or(Unfit)? {
            None => Ok(default()),
            Some(from) => match values.get(from).ok_or(Unfit)? {
                Value::Null if !is.fields[at].nullable => Ok(default()),
                Value::Null => Ok(Value::Null),
                value => self.convert(&was.fields[from].plan, &is.fields[at].plan, value),
            },
        }
    }

    /// What variant number `at` of the one enum is in the other; `None` = it is gone. Of another enum it is the one of the
    /// same name.
    fn variant(&self, was: &EnumPlan, is: &EnumPlan, at: usize) -> Option<usize> {
        let origin = &self.origins.enums[is.at];
        if origin.from == Some(was.at) {
            return origin.members.iter().position(|from| *from == Some(at));
        }
        let name = &self.old.enums[was.at].variants[at].name;
        self.new.enums[is.at].variants.iter().position(|variant| variant.name == *name)
    }

    /// What field number `at` of the one composite was in the other, `Some(None)` = it is new. Of another composite that
    /// has the same fields it is the one in its place; `None` = it has others.
    fn member(&self, was: &CompositePlan, is: &CompositePlan, at: usize) -> Option<Option<usize>> {
        let origin = &self.origins.composites[is.at];
        if origin.from == Some(was.at) {
            return Some(origin.members[at]);
        }
        let (old, new) = (&self.old.composites[was.at].fields, &self.new.composites[is.at].fields);
        let same = old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.name == new.name);
        same.then_some(Some(at))
    }
}

/// A number of another type, if it is the same number there.
fn exact(new: &CellPlan, value: &Value) -> Result<Value, Unfit> {
    let mut cell = vec![0; new.size()];
    let written = codec::write(new, value, &mut cell, &mut Nowhere);
    if written.is_ok() && codec::read(new, &cell, HeapRef(&[])) != *value { Err(Unfit) } else { Ok(value.clone()) }
}

/// For values that have nothing in the heap.
struct Nowhere;

impl HeapSink for Nowhere {
    fn put(&mut self, _: &[u8]) -> HeapCell {
        HeapCell::EMPTY
    }
}
