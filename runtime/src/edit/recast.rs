//! Records of a table in its new shape.
//!
//! What is the same for all of them is decided once: cells that stay as they are and lie beside each other before and after
//! are one copy, and new fields with a default stand in the record that all begin as. What is left is looked at record by
//! record.

use super::convert::{Types, Unfit};
use crate::error::Rule;
use crate::record::image::RecordImage;
use crate::table::def::{FieldDef, TableDef, is_ref};
use crate::table::values::put_value;
use crate::table::version::TableView;
use dbgen_schema::Value;

/// How records come into their new shape.
pub(super) struct Recast<'a> {
    def: &'a TableDef,
    from: TableView<'a>,
    types: Types<'a>,
    /// For every field, its number in the old table.
    origins: &'a [Option<usize>],
    /// For every field, the old one whose cells are taken over byte for byte.
    same_cells: Vec<Option<usize>>,
    /// What all records begin as.
    blank: Vec<u8>,
    /// Bytes that are copied: where they lie, where they go, how many.
    copies: Vec<Copy>,
    /// The fields that are neither copied nor the same in all records.
    each: Vec<usize>,
}

struct Copy {
    from: usize,
    to: usize,
    bytes: usize,
}

impl<'a> Recast<'a> {
    pub(super) fn new(
        def: &'a TableDef,
        from: TableView<'a>,
        types: Types<'a>,
        origins: &'a [Option<usize>],
        same_cells: Vec<Option<usize>>,
    ) -> Recast<'a> {
        let mut blank = RecordImage::new();
        blank.fixed.resize(def.layout.image_bytes, 0);
        let (mut copies, mut each) = (Vec::<Copy>::new(), Vec::new());
        for (at, field) in def.fields.iter().enumerate() {
            match (origins[at], same_cells[at]) {
                (None, _) if field.counter.is_none() && !field.has_heap => {
                    put_value(def, &mut blank, at, field.default.as_ref().unwrap_or(&Value::Null));
                }
                (_, Some(old)) if never_asked(&from.def.fields[old], field) => {
                    let (is, was) = (field.at, from.def.fields[old].at);
                    // Says that it is not null, if that is to be said; its bytes come with each record.
                    def.put_cell(&mut blank.fixed, at, Some(&vec![0; is.size]));
                    let copy = Copy { from: was.image_offset, to: is.image_offset, bytes: is.size };
                    match copies.last_mut() {
                        Some(last) if last.from + last.bytes == copy.from && last.to + last.bytes == copy.to => {
                            last.bytes += copy.bytes;
                        }
                        _ => copies.push(copy),
                    }
                }
                _ => each.push(at),
            }
        }
        Recast { def, from, types, origins, same_cells, blank: blank.fixed, copies, each }
    }

    /// The image of the record in `row`, whose old one is `stored`.
    pub(super) fn record(&self, row: usize, stored: &[u8], image: &mut RecordImage) {
        image.clear();
        image.fixed.extend_from_slice(&self.blank);
        for Copy { from, to, bytes } in &self.copies {
            image.fixed[*to..to + bytes].copy_from_slice(&stored[*from..from + bytes]);
        }
        self.each.iter().for_each(|at| self.field(row, *at, stored, image));
    }

    /// The same, with all its heap values pending: none of its cells points into the old heap.
    pub(super) fn record_by_itself(&self, row: usize, stored: &[u8], image: &mut RecordImage) {
        self.record(row, stored, image);
        for at in &self.def.heap_fields {
            if let Some(old) = self.same_cells[*at].filter(|old| !self.from.def.is_null(stored, *old)) {
                put_value(self.def, image, *at, &self.from.value(row, old));
            }
        }
    }

    fn field(&self, row: usize, at: usize, stored: &[u8], image: &mut RecordImage) {
        let (def, from, field) = (self.def, self.from, &self.def.fields[at]);
        let Some(old) = self.origins[at] else {
            return match (&field.default, field.counter) {
                (_, Some(_)) => put_value(def, image, at, &Value::from(row as u64 + 1)),
                (Some(value), None) => put_value(def, image, at, value),
                (None, None) => put_value(def, image, at, &Value::Null),
            };
        };
        if from.def.is_null(stored, old) {
            match &field.default {
                Some(value) if !field.nullable => put_value(def, image, at, value),
                _ => put_value(def, image, at, &Value::Null),
            }
        } else if self.same_cells[at].is_some() {
            def.put_cell(&mut image.fixed, at, Some(from.def.cell(stored, old)));
        } else {
            let (was, value) = (&from.def.fields[old].plan, from.value(row, old));
            match self.types.convert(was, &field.plan, &value) {
                Ok(value) => put_value(def, image, at, &value),
                Err(Unfit) => image.misfit(at, Rule::Type { expected: field.plan.describe() }, value),
            }
        }
    }
}

/// Whether a field whose cells stay need not be asked whether it is null: it cannot be, or its bytes say it themselves.
fn never_asked(old: &FieldDef, new: &FieldDef) -> bool {
    old.at.null_bit.is_none() && !(is_ref(old) && (new.default.is_some() || new.at.null_bit.is_some()))
}
