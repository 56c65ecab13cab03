//! Changing a record: what differs from the stored one is checked and written, nothing else.

use super::check::Findings;
use super::hook::{Coming, On};
use crate::engine::Engine;
use crate::error::{Blocking, Error, Result, Rule};
use crate::id::RecordId;
use crate::op::Applied;
use crate::record::heap_ref::HeapCell;
use crate::record::image::{PENDING, RecordImage};
use crate::table::def::{FieldDef, IndexDef, RelationDef, TableDef};
use crate::table::rows::Rows;
use crate::table::values::put_extension;
use crate::table::version::TableView;
use crate::table::writer::ChangeKind;

impl Engine {
    pub(super) fn update(&mut self, table: usize, id: RecordId, image: &mut RecordImage) -> Result<Applied> {
        let mut old = std::mem::take(&mut self.scratch);
        old.clear();
        let updated = self.update_from(table, id, image, &mut old);
        self.scratch = old;
        updated
    }

    fn update_from(
        &mut self,
        table: usize,
        id: RecordId,
        image: &mut RecordImage,
        old: &mut Vec<u8>,
    ) -> Result<Applied> {
        let view = self.view(table);
        let row = view.row_of(id)?;
        view.gather(row, old);
        if image.fixed.len() < old.len() {
            put_extension(view.def, image, Some(old));
        }
        keep_equal_heap_values(view, old, image);
        let changed = Changed::between(view.def, old, &image.fixed);
        self.check_update(table, id, image, old, &changed)?;
        if changed.is_empty() {
            return Ok(Applied::Unchanged);
        }
        let change = self.tell_before(table, On::Update, Some(id), Coming::Image(image))?;
        let version = self.next_commit();
        self.atomically(table, |rows| write_changed(rows, row, id, image, old, &changed, version))?;
        self.tables[table].note(id, ChangeKind::Update);
        self.made(change);
        Ok(Applied::Updated)
    }

    fn check_update(
        &self,
        table: usize,
        id: RecordId,
        image: &RecordImage,
        old: &[u8],
        changed: &Changed,
    ) -> Result<()> {
        let view = self.view(table);
        let cells = image.cells(view.version.heap());
        let mut findings = Findings::new(view, Some(id));
        findings.misfits(image);
        // Where a value did not fit, the image holds none: nothing more can be said of it.
        let fits = |at: usize| !image.is_misfit(at);
        for (at, field) in view.def.fields.iter().enumerate().filter(|(at, _)| changed.has(*at) && fits(*at)) {
            if field.immutable {
                findings.add(&field.name, Rule::Immutable, view.value_in(cells, at));
            }
            findings.field(at, cells);
        }
        let is_judged = |relation: &&RelationDef| changed.has(relation.from_field) && fits(relation.from_field);
        for relation in view.def.outgoing.iter().filter(is_judged) {
            findings.reference(relation, self.view(relation.to_table), cells);
        }
        for (at, index) in view.def.indexes.iter().enumerate().filter(|(_, index)| changed.concerns(index)) {
            if index.columns.iter().all(|column| fits(column.field)) {
                findings.unique(at, cells);
            }
        }
        findings.finish()?;
        self.check_not_referred_to_by_value(table, id, old, changed)
    }

    /// A value that others refer to does not change under them.
    fn check_not_referred_to_by_value(&self, table: usize, id: RecordId, old: &[u8], changed: &Changed) -> Result<()> {
        let view = self.view(table);
        let mut blocking = Vec::new();
        for relation in &view.def.incoming {
            let Some((_, field)) = relation.to_value else { continue };
            if changed.has(field) {
                let referrers = self.referrers(relation, id, old);
                if !referrers.is_empty() {
                    blocking.push(Blocking::new(relation, &self.catalog, &referrers));
                }
            }
        }
        if blocking.is_empty() { Ok(()) } else { Err(Error::Restricted { table: view.def.name.clone(), id, blocking }) }
    }
}

/// A heap value that was given anew but equals the stored one keeps its place, be it a field or deep inside one.
fn keep_equal_heap_values(view: TableView<'_>, old: &[u8], image: &mut RecordImage) {
    let heap = view.version.heap();
    let mut was = Vec::new();
    for FieldDef { plan, at, .. } in view.def.fields.iter().filter(|field| field.has_heap) {
        was.clear();
        plan.heap_cells(old, at.image_offset, &mut |offset| was.push(offset));
        let mut kept = Vec::new();
        plan.heap_cells(&image.fixed, at.image_offset, &mut |offset| {
            let (new, stored) = (HeapCell::from_bytes(&image.fixed[offset..]), HeapCell::from_bytes(&old[offset..]));
            if new.len & PENDING != 0 && was.contains(&offset) && image.pending(new) == heap.block(stored) {
                kept.push(offset);
            }
        });
        for offset in kept {
            image.fixed[offset..offset + HeapCell::BYTES].copy_from_slice(&old[offset..offset + HeapCell::BYTES]);
        }
    }
}

/// The fields that differ, a bit each: the first 128 inline, so that most updates allocate nothing.
struct Changed {
    first: u128,
    rest: Vec<bool>,
}

impl Changed {
    fn between(def: &TableDef, old: &[u8], new: &[u8]) -> Changed {
        let mut changed = Changed { first: 0, rest: vec![false; def.fields.len().saturating_sub(128)] };
        for at in 0..def.fields.len() {
            if def.cell(old, at) != def.cell(new, at) || def.is_null(old, at) != def.is_null(new, at) {
                match at.checked_sub(128) {
                    None => changed.first |= 1 << at,
                    Some(rest) => changed.rest[rest] = true,
                }
            }
        }
        changed
    }

    fn has(&self, field: usize) -> bool {
        match field.checked_sub(128) {
            None => self.first >> field & 1 == 1,
            Some(rest) => self.rest[rest],
        }
    }

    fn concerns(&self, index: &IndexDef) -> bool {
        index.columns.iter().any(|column| self.has(column.field))
    }

    fn is_empty(&self) -> bool {
        self.first == 0 && !self.rest.contains(&true)
    }
}

fn write_changed(
    rows: &mut Rows<'_>,
    row: usize,
    id: RecordId,
    image: &mut RecordImage,
    old: &[u8],
    changed: &Changed,
    version: u64,
) -> Result<()> {
    let def = rows.def;
    let concerned = || def.indexes.iter().enumerate().filter(|(_, index)| changed.concerns(index)).map(|(at, _)| at);
    // The old keys are made of heap values that go next.
    concerned().for_each(|at| rows.index_remove(at, old, id));
    for at in (0..def.fields.len()).filter(|at| changed.has(*at) && def.fields[*at].has_heap) {
        rows.store_pending(at, image)?;
        rows.free_heap(at, old, Some(&image.fixed));
    }
    concerned().for_each(|at| rows.index_insert(at, &image.fixed, id));
    for at in (0..def.fields.len()).filter(|at| changed.has(*at)) {
        rows.write_field(row, at, def.cell(&image.fixed, at));
        rows.write_null(row, at, def.is_null(&image.fixed, at));
    }
    rows.touch(row, version);
    Ok(())
}
