//! A table's fields: their names, and what writing one may break.

use super::Plan;
use crate::WrittenType;
use crate::names::{Scope, unraw};
use dbgen_schema::field_type::ScalarKind;
use dbgen_schema::layout::FieldLayout;
use dbgen_schema::{Field, FieldIdx, IndexKind, Table, Type};
use proc_macro2::Ident;

/// A field of a table, planned.
#[derive(Debug)]
pub(crate) struct FieldPlan<'s> {
    /// What is planned.
    pub field: &'s Field,
    /// Its position in the table: how the engine names it.
    pub index: usize,
    /// The record's field and the getter: `hp`.
    pub name: Ident,
    /// The setter: `set_hp`.
    pub setter_name: Ident,
    /// How the setter writes.
    pub setter: Setter,
    /// Where it lies.
    pub layout: FieldLayout,
    /// `new` asks for it.
    pub required: bool,
    /// No rule, index, reference or timer concerns it, and every bit pattern of its cell is a value: it may be overwritten
    /// without asking, and handed out as a slice to be changed. The engine's definition of the same is `is_free` in
    /// `runtime/src/table/def.rs`.
    pub is_free: bool,
}

/// How a field is written in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setter {
    /// Not at all: it never changes.
    None,
    /// By its cell; nothing can go wrong.
    Write,
    /// By its cell; the engine checks.
    Set,
    /// By a value that is encoded first.
    Encode,
}

impl<'s> FieldPlan<'s> {
    pub(super) fn new(
        plan: &Plan<'s>,
        table: &'s Table,
        written: Option<&'s WrittenType>,
        index: usize,
        layout: FieldLayout,
        scope: &mut Scope,
    ) -> FieldPlan<'s> {
        let field = &table.fields[index];
        let name = match written.and_then(|written| written.member(index)) {
            Some(own) => scope.claim_own(own),
            None => scope.claim(&[&crate::names::snake(&field.name)]),
        };
        let is_watched = is_watched(plan, table, FieldIdx(index as u32));
        let is_free = !is_watched && !field.nullable && is_free(plan, field);
        FieldPlan {
            field,
            index,
            setter_name: quote::format_ident!("set_{}", unraw(&name)),
            setter: setter(plan, field, is_free),
            layout,
            required: is_required(table, FieldIdx(index as u32)),
            is_free,
            name,
        }
    }
}

/// Whether the engine must know when the field changes: an index, a relation or a timer depends on it.
fn is_watched(plan: &Plan<'_>, table: &Table, idx: FieldIdx) -> bool {
    let field = &table.fields[idx.at()];
    let timer = table.schedule.as_ref().is_some_and(|timer| timer.at == idx || timer.every == Some(idx));
    let parts_of_index = table.indexes.iter().any(|index| index.fields.contains(&idx));
    let related = plan.schema.relations.iter().any(|relation| {
        let is_from = plan.schema.tables[relation.from_table.at()].name == table.name && relation.from_field == idx;
        let is_to = plan.schema.tables[relation.to_table.at()].name == table.name && relation.to_field == Some(idx);
        is_from || is_to
    });
    timer || parts_of_index || related || field.unique || field.primary_key || field.indexed || field.auto_increment
}

fn setter(plan: &Plan<'_>, field: &Field, is_free: bool) -> Setter {
    match &field.ty {
        _ if field.primary_key => Setter::None,
        ty if is_free && plan.is_cells(ty) => Setter::Write,
        ty if plan.is_cells(ty) && plan.is_copy(ty) => Setter::Set,
        _ => Setter::Encode,
    }
}

/// Whether every bit pattern of the field's cell is a value that may stand there.
fn is_free(plan: &Plan<'_>, field: &Field) -> bool {
    field.min.is_none() && field.max.is_none() && is_free_type(plan, &field.ty)
}

fn is_free_type(plan: &Plan<'_>, ty: &Type) -> bool {
    match ty {
        Type::Scalar(scalar) => !matches!(scalar.desc().kind, ScalarKind::Bool),
        Type::FixedBytes(_) => true,
        Type::Array(element, _) => is_free_type(plan, element),
        Type::Composite(idx) => {
            let it = &plan.composites[idx.at()];
            let is_bytes = it.is_cells() || it.vector_of.is_some();
            is_bytes && it.composite.fields.iter().all(|field| is_free(plan, field))
        }
        Type::Str(_) | Type::Text | Type::Bytes | Type::List(_) | Type::Enum(_) | Type::Ref(_) => false,
    }
}

/// Whether a record cannot do without its author's word on the field: it must be unique or refer to something, and
/// nothing else gives it a value.
fn is_required(table: &Table, idx: FieldIdx) -> bool {
    let field = &table.fields[idx.at()];
    let is_given = field.default.is_some() || field.nullable || field.auto_increment;
    let is_key = field.unique || field.primary_key;
    let in_unique_index = table.indexes.iter().any(|index| index.unique && index.fields.contains(&idx));
    !is_given && (is_key || in_unique_index || matches!(field.ty, Type::Ref(_)))
}

/// Whether lookups by range make sense.
pub(super) fn is_ordered(kind: IndexKind) -> bool {
    kind == IndexKind::Btree
}
