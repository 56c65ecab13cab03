//! A table as it was and as it is going to be: what of it stays the same bytes, and what has to be made anew.

use super::convert::Types;
use super::recast::Recast;
use crate::table::def::{Column, FieldDef, TableDef};
use crate::table::version::TableView;

/// A table as it was and as it is going to be.
#[derive(Clone, Copy)]
pub(super) struct Shapes<'a> {
    pub(super) def: &'a TableDef,
    pub(super) old: &'a TableDef,
    pub(super) types: Types<'a>,
    /// For every field, its number in the old table.
    pub(super) origins: &'a [Option<usize>],
    /// For every component table, its place among those of the old table.
    pub(super) components: &'a [Option<usize>],
}

impl<'a> Shapes<'a> {
    /// Whether the table's bytes are what they were.
    pub(super) fn is_as_it_is(&self) -> bool {
        let (def, old) = (self.def, self.old);
        let is_each_same = |count: usize, was: usize, same: &dyn Fn(usize) -> Option<usize>| {
            count == was && (0..count).all(|at| same(at) == Some(at))
        };
        is_each_same(def.layout.groups.len(), old.layout.groups.len(), &|at| self.same_group(at))
            && is_each_same(def.indexes.len(), old.indexes.len(), &|at| self.same_index(at))
            && is_each_same(self.components.len(), old.components.len(), &|at| self.components[at])
            && self.same_counters()
    }

    /// How its records come into their new shape, out of `from`.
    pub(super) fn recast(&self, from: TableView<'a>) -> Recast<'a> {
        let same_cells = (0..self.def.fields.len()).map(|at| self.same_cell(at)).collect();
        Recast::new(self.def, from, self.types, self.origins, same_cells)
    }

    /// Old fields whose values leave the heap: they are gone, or their values are written anew.
    pub(super) fn leave_heap(&self) -> Vec<usize> {
        let kept: Vec<Option<usize>> = (0..self.def.fields.len()).map(|at| self.same_cell(at)).collect();
        (0..self.old.fields.len()).filter(|old| self.old.fields[*old].has_heap && !kept.contains(&Some(*old))).collect()
    }

    /// Whether the new table's heap is another one than the old table's: values have left it, or come into it.
    pub(super) fn has_own_heap(&self) -> bool {
        let comes = |at: usize| {
            let field = &self.def.fields[at];
            let Some(old) = self.origins[at] else { return field.default.is_some() };
            let is_filled = self.old.fields[old].nullable && !field.nullable && field.default.is_some();
            self.same_cell(at).is_none() || is_filled
        };
        !self.leave_heap().is_empty() || self.def.heap_fields.iter().any(|at| comes(*at))
    }

    /// The old field whose cells are taken over byte for byte.
    pub(super) fn same_cell(&self, field: usize) -> Option<usize> {
        self.origins[field]
            .filter(|old| self.types.same_bytes(&self.old.fields[*old].plan, &self.def.fields[field].plan))
    }

    /// The old column group whose rows are the same bytes.
    pub(super) fn same_group(&self, group: usize) -> Option<usize> {
        let layout = &self.def.layout.groups[group];
        let old = match layout.fields.first() {
            Some(first) => self.old.fields[self.origins[first.at()]?].at.group,
            // The group of fields that name none may have none; its rows take no bytes.
            None => 0,
        };
        let was = &self.old.layout.groups[old];
        let same_field = |(new, old): (usize, usize)| {
            let (is, was) = (self.def.fields[new].at, self.old.fields[old].at);
            self.same_cell(new) == Some(old) && is.offset == was.offset && is.null_bit == was.null_bit
        };
        let mut pairs = layout.fields.iter().zip(&was.fields).map(|(new, old)| (new.at(), old.at()));
        let same = layout.stride == was.stride && layout.fields.len() == was.fields.len() && pairs.all(same_field);
        same.then_some(old)
    }

    /// The old index that has the same items.
    pub(super) fn same_index(&self, index: usize) -> Option<usize> {
        let is = &self.def.indexes[index];
        self.old.indexes.iter().position(|was| {
            let same_column = |(is, was): (&Column, &Column)| {
                self.same_cell(is.field) == Some(was.field)
                    && is.kind == was.kind
                    && is.null_bit.is_some() == was.null_bit.is_some()
            };
            // One that becomes unique is built anew: that is how it is checked.
            is.kind == was.kind
                && (was.unique || !is.unique)
                && is.columns.len() == was.columns.len()
                && is.columns.iter().zip(&was.columns).all(same_column)
        })
    }

    fn same_counters(&self) -> bool {
        let counter = |(field, old): (&FieldDef, &Option<usize>)| {
            field.counter == old.and_then(|old| self.old.fields[old].counter)
        };
        self.def.counters == self.old.counters && self.def.fields.iter().zip(self.origins).all(counter)
    }

    /// Fields with a rule that their values may break: it is new, or they are.
    pub(super) fn ruled_anew(&self) -> Vec<usize> {
        let rules = |field: &FieldDef| (field.nullable, field.min.clone(), field.max.clone(), field.allow_nan);
        let is_new = |at: &usize| {
            let field = &self.def.fields[*at];
            self.same_cell(*at).is_none_or(|old| {
                let old = &self.old.fields[old];
                rules(old) != rules(field) || !self.types.same_rules(&old.plan, &field.plan)
            })
        };
        (0..self.def.fields.len()).filter(is_new).collect()
    }
}
