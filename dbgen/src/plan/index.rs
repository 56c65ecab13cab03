//! A table's indexes: the lookups that they offer.

use super::field::is_ordered;
use super::{FieldPlan, Plan};
use crate::names::{Scope, snake};
use dbgen_schema::layout::{needs_null_bit, size_of};
use dbgen_schema::{Index, Table};
use proc_macro2::Ident;

/// An index, planned.
#[derive(Debug)]
pub(crate) struct IndexPlan<'s> {
    /// What is planned.
    pub index: &'s Index,
    /// Its position in the table: how the engine names it.
    pub number: usize,
    /// The lookup by its whole key: `by_class_hp`.
    pub by: Ident,
    /// The lookup of many whole keys at once, if a key has one record: `by_name_many`.
    pub many: Option<Ident>,
    /// The lookup by a range of its last column, if it has an order: `range_class_hp`.
    pub range: Option<Ident>,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A column of an index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Position of its field in the table.
    pub field: usize,
    /// Bytes of a value in a key, without the null marker.
    pub key_bytes: usize,
    /// A null in it has a marker of its own in the key; references use id 0 instead.
    pub has_null_marker: bool,
}

impl<'s> IndexPlan<'s> {
    pub(super) fn new(
        plan: &Plan<'s>,
        table: &'s Table,
        number: usize,
        fields: &[FieldPlan<'s>],
        scope: &mut Scope,
    ) -> IndexPlan<'s> {
        let index = &table.indexes[number];
        let name = snake(&index.name);
        let stem = name.strip_prefix("by_").unwrap_or(&name);
        let by = scope.claim(&[&name, &format!("by_{stem}"), &format!("find_by_{stem}")]);
        let many = index.unique.then(|| scope.claim(&[&format!("{by}_many"), &format!("find_many_{by}")]));
        let ranged =
            is_ordered(index.kind).then(|| scope.claim(&[&format!("range_{stem}"), &format!("range_by_{stem}")]));
        let column = |field: &FieldPlan<'_>| Column {
            field: field.index,
            key_bytes: size_of(plan.schema, &field.field.ty),
            has_null_marker: needs_null_bit(field.field),
        };
        let columns = index.fields.iter().filter_map(|idx| fields.get(idx.at())).map(column).collect();
        IndexPlan { index, number, by, many, range: ranged, columns }
    }
}
