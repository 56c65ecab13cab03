//! What becomes of stored values when the type of their field changes.

use crate::field_type::{Scalar, ScalarKind, Type};
use crate::model::{CompositeIdx, EnumIdx, Schema, TableIdx};

use super::rules::{self, Rule};

/// The two versions, as far as types name their parts.
pub(super) struct Types<'a> {
    pub(super) old: &'a Schema,
    pub(super) new: &'a Schema,
    /// Per table of the old version: what it is in the new one.
    pub(super) tables: &'a [Option<TableIdx>],
}

impl Types<'_> {
    /// The rule for a change of type, the worst if it is several; `None`: it is the same type.
    pub(super) fn change(&self, old: &Type, new: &Type) -> Option<&'static Rule> {
        match (old, new) {
            (Type::Scalar(old), Type::Scalar(new)) => scalar_change(*old, *new),
            (Type::Str(old), Type::Str(new)) => length_change((*old).into(), (*new).into()),
            (Type::Str(_), Type::Text) | (Type::FixedBytes(_), Type::Bytes) => Some(&rules::FIELD_GREW),
            (Type::Text, Type::Str(_)) | (Type::Bytes, Type::FixedBytes(_)) => Some(&rules::FIELD_SHRANK),
            // `bytes<N>` are exactly N: neither fewer nor more can be made of them.
            (Type::FixedBytes(old), Type::FixedBytes(new)) => (old != new).then_some(&rules::TYPE_CHANGED),
            (Type::Text, Type::Text) | (Type::Bytes, Type::Bytes) => None,
            (Type::Array(old, n), Type::Array(new, m)) => worse(self.change(old, new), length_change(*n, *m)),
            (Type::List(old), Type::List(new)) => self.change(old, new),
            (Type::Array(old, _), Type::List(new)) => worse(self.change(old, new), Some(&rules::FIELD_GREW)),
            (Type::List(old), Type::Array(new, _)) => worse(self.change(old, new), Some(&rules::FIELD_SHRANK)),
            (Type::Enum(old), Type::Enum(new)) => self.enum_change(*old, *new),
            (Type::Composite(old), Type::Composite(new)) => self.composite_change(*old, *new),
            (Type::Ref(old), Type::Ref(new)) => {
                let same = self.tables.get(old.at()).copied().flatten() == Some(*new);
                (!same).then_some(&rules::REFERENCE_RETARGETED)
            }
            _ => Some(&rules::TYPE_CHANGED),
        }
    }

    /// Under the same name, what changed is reported of the enum itself; under another one it must be the same enum.
    fn enum_change(&self, old: EnumIdx, new: EnumIdx) -> Option<&'static Rule> {
        let (old, new) = (&self.old.enums[old.at()], &self.new.enums[new.at()]);
        if old.name == new.name {
            return None;
        }
        let same = old.variants.len() == new.variants.len()
            && old.variants.iter().zip(&new.variants).all(|(old, new)| {
                let same_payload = match (&old.payload, &new.payload) {
                    (Some(old), Some(new)) => self.change(old, new).is_none(),
                    (None, None) => true,
                    _ => false,
                };
                old.name == new.name && old.number == new.number && same_payload
            });
        Some(if same { &rules::TYPE_RENAMED } else { &rules::TYPE_CHANGED })
    }

    fn composite_change(&self, old: CompositeIdx, new: CompositeIdx) -> Option<&'static Rule> {
        let (old, new) = (&self.old.composites[old.at()], &self.new.composites[new.at()]);
        if old.name == new.name {
            return None;
        }
        let same = old.fields.len() == new.fields.len()
            && old.fields.iter().zip(&new.fields).all(|(old, new)| {
                old.name == new.name && old.nullable == new.nullable && self.change(&old.ty, &new.ty).is_none()
            });
        Some(if same { &rules::TYPE_RENAMED } else { &rules::TYPE_CHANGED })
    }
}

fn scalar_change(old: Scalar, new: Scalar) -> Option<&'static Rule> {
    if old == new {
        return None;
    }
    match (old.desc().kind, new.desc().kind) {
        (ScalarKind::Int { min: old_min, max: old_max }, ScalarKind::Int { min, max }) => {
            Some(if min <= old_min && max >= old_max { &rules::FIELD_WIDENED } else { &rules::FIELD_NARROWED })
        }
        (ScalarKind::Float { bits: old }, ScalarKind::Float { bits: new }) => {
            Some(if new > old { &rules::FIELD_WIDENED } else { &rules::FIELD_NARROWED })
        }
        _ => Some(&rules::TYPE_CHANGED),
    }
}

fn length_change(old: u32, new: u32) -> Option<&'static Rule> {
    match new.cmp(&old) {
        std::cmp::Ordering::Greater => Some(&rules::FIELD_GREW),
        std::cmp::Ordering::Less => Some(&rules::FIELD_SHRANK),
        std::cmp::Ordering::Equal => None,
    }
}

fn worse(a: Option<&'static Rule>, b: Option<&'static Rule>) -> Option<&'static Rule> {
    [a, b].into_iter().flatten().max_by_key(|rule| rule.class)
}
