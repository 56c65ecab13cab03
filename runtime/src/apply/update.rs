//! Changing a record: what differs from the stored one is checked and written, nothing else.

use super::check::Findings;
use super::hook::{Coming, On};
use crate::engine::Engine;
use crate::error::{Blocking, Error, Result, Rule};
use crate::id::RecordId;
use crate::op::Applied;
use crate::record::codec::null_bit;
use crate::record::heap_ref::HeapCell;
use crate::record::image::{PENDING, RecordImage};
use crate::table::def::{FieldDef, IndexDef, RelationDef, TableDef};
use crate::table::rows::Rows;
use crate::table::values::put_extension;
use crate::table::version::{GROUPS, TableView};
use crate::table::writer::ChangeKind;
use std::ops::Range;

impl Engine {
    #[inline(never)]
    pub(super) fn update(&mut self, table: usize, id: RecordId, image: &mut RecordImage) -> Result<Applied> {
        let view = self.view(table);
        let row = view.row_of(id)?;
        let def = view.def;
        if def.heap_fields.is_empty() && image.fixed.len() == def.layout.image_bytes && image.misfits.is_empty() {
            let changed = Changed::between(view, row, &image.fixed);
            if changed.is_empty() {
                return Ok(Applied::Unchanged);
            }
            if let Some(field) = changed.only().filter(|field| def.fields[*field].alone) {
                let is_null = def.has_null_bit(field) && def.is_null(&image.fixed, field);
                let cell = (!is_null).then(|| def.cell(&image.fixed, field));
                return self.write_alone(table, id, row, field, cell);
            }
        }
        let mut old = std::mem::take(&mut self.scratch);
        old.clear();
        let updated = self.update_from(table, id, image, &mut old);
        self.scratch = old;
        updated
    }

    #[inline(never)]
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
        let changed = Changed::between(view, row, &image.fixed);
        self.check_update(table, id, image, old, &changed)?;
        if changed.is_empty() {
            return Ok(Applied::Unchanged);
        }
        let change = self.tell_before(table, On::Update, Some(id), Coming::Image(image))?;
        self.update_checked(table, id, image, old, &changed)?;
        self.made(change);
        Ok(Applied::Updated)
    }

    /// Changes fields of a record to what obeys every rule.
    fn update_checked(
        &mut self,
        table: usize,
        id: RecordId,
        image: &mut RecordImage,
        old: &[u8],
        changed: &Changed,
    ) -> Result<Applied> {
        let row = self.view(table).row_of(id)?;
        let version = self.next_commit();
        self.check_room(table, image)?;
        self.noted(table, |redo, def| redo.update(def, id, image, &changed.iter().collect::<Vec<_>>(), version));
        let (def, writer) = self.table_mut(table);
        write_changed(&mut writer.rows(def), row, id, image, old, changed, version)?;
        self.tables[table].note(id, ChangeKind::Update);
        Ok(Applied::Updated)
    }

    /// Does an update again that was noted in the log, of fields that indexes or the heap know of: `fields` of `noted` are
    /// what they became.
    pub(super) fn update_entangled_again(
        &mut self,
        table: usize,
        id: RecordId,
        fields: &[usize],
        noted: RecordImage,
    ) -> Result<Applied> {
        let mut old = std::mem::take(&mut self.scratch);
        old.clear();
        let view = self.view(table);
        view.gather(view.row_of(id)?, &mut old);
        let (def, mut image) = (view.def, noted);
        let new = std::mem::replace(&mut image.fixed, old.clone());
        let mut changed = Changed::none(def);
        for at in fields {
            let is_null = def.has_null_bit(*at) && def.is_null(&new, *at);
            def.put_cell(&mut image.fixed, *at, (!is_null).then(|| def.cell(&new, *at)));
            changed.add(*at);
        }
        let updated = self.update_checked(table, id, &mut image, &old, &changed);
        self.scratch = old;
        updated
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
        findings.misfits(&image.misfits);
        // Where a value did not fit, the image holds none: nothing more can be said of it.
        let fits = |at: usize| !image.is_misfit(at);
        for (at, field) in changed.iter().filter(|at| fits(*at)).map(|at| (at, &view.def.fields[at])) {
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
    for FieldDef { plan, at, .. } in view.def.heap_fields.iter().map(|at| &view.def.fields[*at]) {
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
    fn none(def: &TableDef) -> Changed {
        Changed { first: 0, rest: vec![false; def.fields.len().saturating_sub(Changed::INLINE)] }
    }

    /// What differs between the record in `row` and an image.
    fn between(view: TableView<'_>, row: usize, new: &[u8]) -> Changed {
        let def = view.def;
        let mut changed = Changed::none(def);
        for (group, buffer) in def.layout.groups.iter().zip(view.version.buffers.get(GROUPS..).unwrap_or_default()) {
            let old = &buffer.bytes()[row * group.stride..(row + 1) * group.stride];
            let new = &new[group.image_offset..group.image_offset + group.stride];
            let Some(differ) = differing(old, new) else { continue };
            let in_bitmap = differ.start < group.null_bytes;
            // They lie in their order.
            for at in group.fields.iter().map(|field| field.at()) {
                let field = &def.layout.fields[at];
                let end = field.offset + field.size;
                if field.offset >= differ.end && !in_bitmap {
                    break;
                }
                // The first byte that differs, and the last, are proof.
                let (has_first, has_last) = (field.offset <= differ.start, differ.end <= end);
                let may_differ = field.offset < differ.end && differ.start < end;
                // A field that cannot be null, or is null in what it holds, differs in its cell.
                if may_differ && (has_first || has_last || old[field.offset..end] != new[field.offset..end])
                    || in_bitmap && field.null_bit.is_some_and(|bit| null_bit(old, bit) != null_bit(new, bit))
                {
                    changed.add(at);
                }
            }
        }
        changed
    }

    const INLINE: usize = 128;

    fn add(&mut self, field: usize) {
        match field.checked_sub(Changed::INLINE) {
            None => self.first |= 1 << field,
            Some(rest) => self.rest[rest] = true,
        }
    }

    fn has(&self, field: usize) -> bool {
        match field.checked_sub(Changed::INLINE) {
            None => self.first >> field & 1 == 1,
            Some(rest) => self.rest[rest],
        }
    }

    /// The fields, in order.
    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let mut left = self.first;
        let first = std::iter::from_fn(move || {
            let at = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(at)
        });
        first.chain((0..self.rest.len()).filter(|at| self.rest[*at]).map(|at| at + Changed::INLINE))
    }

    /// The field, if it is only one.
    fn only(&self) -> Option<usize> {
        let is_one = self.first.is_power_of_two() && !self.rest.contains(&true);
        is_one.then(|| self.first.trailing_zeros() as usize)
    }

    fn concerns(&self, index: &IndexDef) -> bool {
        index.columns.iter().any(|column| self.has(column.field))
    }

    fn is_empty(&self) -> bool {
        self.first == 0 && !self.rest.contains(&true)
    }
}

/// From the first byte in which two rows of the same length differ to the last.
#[inline(never)]
fn differing(old: &[u8], new: &[u8]) -> Option<Range<usize>> {
    const STEP: usize = 16;
    let differ = |old: &[u8; STEP], new: &[u8; STEP]| u128::from_le_bytes(*old) ^ u128::from_le_bytes(*new);
    let first_of = |differ: u128| differ.trailing_zeros() as usize / 8;
    let end_of = |differ: u128| STEP - differ.leading_zeros() as usize / 8;
    // What is left behind the steps is less than one: the last step of the row, which begins before.
    let (Some(old_last), Some(new_last)) = (old.last_chunk::<STEP>(), new.last_chunk::<STEP>()) else {
        let differs = |(old, new): (&u8, &u8)| old != new;
        let first = old.iter().zip(new).position(differs)?;
        return Some(first..old.iter().zip(new).rposition(differs)? + 1);
    };
    let (last_at, last) = (old.len() - STEP, differ(old_last, new_last));
    let (old, new) = (old.as_chunks::<STEP>().0, new.as_chunks::<STEP>().0);
    let mut first = None;
    for (at, (old, new)) in old.iter().zip(new).enumerate() {
        if old != new {
            first = Some(at * STEP + first_of(differ(old, new)));
            break;
        }
    }
    if last != 0 {
        return Some(first.unwrap_or(last_at + first_of(last))..last_at + end_of(last));
    }
    let first = first?;
    for (at, (old, new)) in old.iter().zip(new).enumerate().rev() {
        if old != new {
            return Some(first..at * STEP + end_of(differ(old, new)));
        }
    }
    None
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
    rows.check_room(image, 0)?;
    let concerned = || def.indexes.iter().enumerate().filter(|(_, index)| changed.concerns(index)).map(|(at, _)| at);
    // The old keys are made of heap values that go next.
    concerned().for_each(|at| rows.index_remove(at, old, id));
    for at in changed.iter().filter(|at| def.fields[*at].has_heap) {
        rows.store_pending(at, image)?;
        rows.free_heap(at, old, Some(&image.fixed));
    }
    concerned().for_each(|at| rows.index_insert(at, &image.fixed, id));
    for at in changed.iter() {
        let is_null = def.fields[at].at.null_bit.is_some() && def.is_null(&image.fixed, at);
        rows.write_field(row, at, (!is_null).then(|| def.cell(&image.fixed, at)));
    }
    rows.touch(row, version);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::differing;

    #[test]
    fn rows_of_every_length_differ_where_a_byte_does() {
        for len in 0..40 {
            let old: Vec<u8> = (0..len).map(|n| n as u8).collect();
            assert_eq!(differing(&old, &old), None);
            for (a, b) in (0..len).flat_map(|a| (a..len).map(move |b| (a, b))) {
                let mut new = old.clone();
                (new[a], new[b]) = (200, 200);
                let found = differing(&old, &new).expect("they differ");
                assert_eq!(found, a..b + 1, "{len} bytes");
            }
        }
    }
}
