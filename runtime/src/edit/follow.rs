//! Catching up: a table in its new shape takes over what was written to it in its old one meanwhile.
//!
//! The new table was made of a version of the old one ([`carry`](super::carry)). What has been written since is known by its
//! place ([`Missed`]), so what lies as it lay is copied, byte for byte, and rows that lie otherwise are carried over again,
//! as they were the first time: a record that moved, by a deletion before it, is one of them. An index that was built anew
//! loses the items that those rows had in the new table and gets those that they have now. All of it is a transaction of
//! the new table like any other, which is then published there, so the version before becomes its spare.
//!
//! Where values leave the heap or come into it, the new heap is another one than the old: then the values of those rows
//! move from heap to heap by themselves. Else it is copied like the rest, and every buffer but those of indexes that were
//! built anew ends as the same bytes as if all had been carried over at once.

use super::carry::{check_image, components_kept, number_in};
use super::in_the_way::InTheWay;
use super::shapes::Shapes;
use crate::apply::check::Findings;
use crate::error::Result;
use crate::id::RecordId;
use crate::record::heap_ref::Cells;
use crate::record::image::RecordImage;
use crate::table::mask::{mask_buffer, mask_words};
use crate::table::meta;
use crate::table::missed::Missed;
use crate::table::rows::index_buffer;
use crate::table::version::{GROUPS, HEAP, IDS, META, SLOTS, TableView, VERSIONS};
use crate::table::writer::TableWriter;
use std::collections::BTreeSet;
use std::ops::Range;

/// Rows of the old table of which something was written that the new table, or a rule that is new, is made of.
pub(super) fn stirred(shapes: Shapes<'_>, missed: &Missed, rows: usize) -> Vec<Range<usize>> {
    let (def, old) = (shapes.def, shapes.old);
    let mut asked = vec![false; old.layout.groups.len()];
    let mut ask = |field: usize| {
        if let Some(old_field) = shapes.origins[field] {
            asked[old.fields[old_field].at.group] = true;
        }
    };
    for (at, group) in def.layout.groups.iter().enumerate() {
        if shapes.same_group(at).is_none() {
            group.fields.iter().for_each(|field| ask(field.at()));
        }
    }
    for (at, index) in def.indexes.iter().enumerate() {
        if shapes.same_index(at).is_none() {
            index.columns.iter().for_each(|column| ask(column.field));
        }
    }
    shapes.ruled_anew().into_iter().for_each(&mut ask);
    if shapes.has_own_heap() {
        def.heap_fields.iter().for_each(|at| ask(*at));
        shapes.leave_heap().into_iter().for_each(|at| asked[old.fields[at].at.group] = true);
    }
    let strides: Vec<usize> = old.layout.groups.iter().map(|group| group.stride).collect();
    missed.rows(&strides, |group| asked[group], rows)
}

/// Brings `writer`, which holds what was made of an earlier version of the old table, to what `from` is now.
///
/// # Errors
/// `RecordsInTheWay`; `Full` if the heap is. The new table is then worth nothing.
pub(super) fn follow(
    shapes: Shapes<'_>,
    from: TableView<'_>,
    missed: &Missed,
    writer: &mut TableWriter,
    commit: u64,
) -> Result<()> {
    writer.touch();
    let had = writer.view(shapes.def).version.len();
    let rows = stirred(shapes, missed, had.max(from.version.len()));
    let mut follow = Follow { shapes, from, missed, writer, had, rows, has_own_heap: shapes.has_own_heap() };
    let before = follow.items();
    follow.free_heap();
    follow.copy();
    follow.numbers();
    follow.masks();
    follow.records()?;
    follow.indexes(&before)?;
    follow.writer.commit();
    follow.writer.publish(commit);
    Ok(())
}

/// What the rows at hand put into one index: each item with the record whose it is.
type Items = BTreeSet<(Vec<u8>, RecordId)>;

struct Follow<'a> {
    shapes: Shapes<'a>,
    from: TableView<'a>,
    missed: &'a Missed,
    writer: &'a mut TableWriter,
    /// Rows before.
    had: usize,
    /// Rows that are carried over again.
    rows: Vec<Range<usize>>,
    has_own_heap: bool,
}

impl Follow<'_> {
    /// The stirred rows among the first `count`.
    fn rows(&self, count: usize) -> impl Iterator<Item = usize> + use<> {
        self.rows.clone().into_iter().flat_map(move |rows| rows.start.min(count)..rows.end.min(count))
    }

    /// The indexes that were built anew.
    fn new_indexes(&self) -> impl Iterator<Item = usize> + use<> {
        let (count, shapes) = (self.shapes.def.indexes.len(), self.shapes);
        let is_new: Vec<usize> = (0..count).filter(|at| shapes.same_index(*at).is_none()).collect();
        is_new.into_iter()
    }

    /// The old column group whose bytes are copied for a new one. Cells of a heap are not, where that is another one.
    fn copied(&self, group: usize) -> Option<usize> {
        let def = self.shapes.def;
        let has_heap = || def.heap_fields.iter().any(|at| def.fields[*at].at.group == group);
        self.shapes.same_group(group).filter(|_| !(self.has_own_heap && has_heap()))
    }

    /// What the stirred rows of the new table, as it is, put into the indexes that were built anew.
    fn items(&mut self) -> Vec<Items> {
        let def = self.shapes.def;
        let indexes: Vec<usize> = self.new_indexes().collect();
        let mut items = vec![Items::new(); indexes.len()];
        let mut image = Vec::new();
        let count = if indexes.is_empty() { 0 } else { self.writer.view(def).version.len() };
        for row in self.rows(count) {
            let view = self.writer.view(def);
            let Some(id) = view.version.id_at(row) else { continue };
            image.clear();
            view.gather(row, &mut image);
            for (at, items) in indexes.iter().zip(&mut items) {
                items.insert((self.writer.rows(def).item(*at, &image, id).bytes().to_vec(), id));
            }
        }
        items
    }

    /// Gives back what the stirred rows have in a heap of its own.
    fn free_heap(&mut self) {
        let def = self.shapes.def;
        let mut image = Vec::new();
        for row in self.rows(if self.has_own_heap { self.had } else { 0 }) {
            image.clear();
            self.writer.view(def).gather(row, &mut image);
            let mut rows = self.writer.rows(def);
            def.heap_fields.iter().for_each(|at| rows.free_heap(*at, &image, None));
        }
    }

    /// Copies what lies as it lay.
    fn copy(&mut self) {
        let (shapes, def, old) = (self.shapes, self.shapes.def, self.from.def);
        let fixed = [IDS, VERSIONS, SLOTS].map(|at| (at, at)).into_iter();
        let heap = (!self.has_own_heap).then_some((HEAP, HEAP));
        let groups = (0..def.layout.groups.len()).filter_map(|at| Some((GROUPS + at, GROUPS + shapes.same_group(at)?)));
        let indexes = (0..def.indexes.len())
            .filter_map(|at| Some((index_buffer(def, at), index_buffer(old, shapes.same_index(at)?))));
        for (to, at) in fixed.chain(heap).chain(groups).chain(indexes) {
            self.writer.rows(def).follow(to, &self.from.version.buffers[at], self.missed.of(at));
        }
        self.writer.rows(def).settled.adopt(&self.from.version.settled);
    }

    /// Takes over the counts. Those of a heap of its own are its own; a field that is numbered from now on goes on behind the
    /// largest value that it had at any time while the edit was made.
    fn numbers(&mut self) {
        let (def, from) = (self.shapes.def, self.from);
        let is_own = |at: &usize| self.has_own_heap && (*at == meta::HEAP_USED || *at >= meta::HEAP_FREE);
        let mut numbers: Vec<(usize, u64)> = (0..meta::COUNTERS)
            .filter(|at| !is_own(at))
            .map(|at| (at, meta::get(&from.version.buffers[META], at)))
            .collect();
        for (field, origin) in def.fields.iter().zip(self.shapes.origins) {
            let Some(counter) = field.counter else { continue };
            let number = match origin.map(|old| (old, from.def.fields[old].counter)) {
                Some((_, Some(old))) => meta::get(&from.version.buffers[META], meta::COUNTERS + old),
                Some((old, None)) => {
                    let known = meta::get(&self.writer.view(def).version.buffers[META], meta::COUNTERS + counter);
                    let values = self.rows(from.version.len()).map(|row| number_in(from, row, old));
                    values.max().unwrap_or(0).max(known)
                }
                None => from.version.len() as u64,
            };
            numbers.push((meta::COUNTERS + counter, number));
        }
        for (at, number) in numbers {
            self.writer.rows(def).set_number(at, number);
        }
    }

    /// Takes over which components records have, where that was written.
    fn masks(&mut self) {
        let (shapes, old) = (self.shapes, self.from.def);
        if old.components.is_empty() {
            return;
        }
        let (slots, masks) = (self.from.version.slots() as usize, self.from.masks());
        let bytes = mask_words(old) * 8;
        for range in self.missed.of(mask_buffer(old)) {
            for slot in (range.start / bytes).min(slots)..range.end.div_ceil(bytes).min(slots) {
                for (bit, was) in components_kept(shapes) {
                    self.writer.rows(shapes.def).set_component(slot as u32, bit, masks.has(slot as u32, was));
                }
            }
        }
    }

    /// Carries the stirred rows over again; what lies behind the last becomes zeros.
    fn records(&mut self) -> Result<()> {
        let (shapes, def, from) = (self.shapes, self.shapes.def, self.from);
        let (recast, ruled) = (shapes.recast(from), shapes.ruled_anew());
        let is_written = |at: &usize| self.copied(*at).is_none() && def.layout.groups[*at].stride > 0;
        let written: Vec<usize> = (0..def.layout.groups.len()).filter(is_written).collect();
        let (mut stored, mut image, mut in_the_way) = (Vec::new(), RecordImage::new(), InTheWay::default());
        for row in self.rows(from.version.len()) {
            stored.clear();
            from.gather(row, &mut stored);
            match self.has_own_heap {
                true => recast.record_by_itself(row, &stored, &mut image),
                false => recast.record(row, &stored, &mut image),
            }
            in_the_way.add(check_image(self.writer.view(def), from.version.id_at(row), &ruled, &image));
            let mut rows = self.writer.rows(def);
            for at in &def.heap_fields {
                rows.store_pending(*at, &mut image)?;
            }
            for at in &written {
                let group = &def.layout.groups[*at];
                rows.write_row(*at, row, &image.fixed[group.image_offset..group.image_offset + group.stride]);
            }
        }
        in_the_way.finish()?;
        let now = from.version.len();
        for row in self.rows(self.had).filter(|row| *row >= now) {
            for at in &written {
                let zeros = vec![0; def.layout.groups[*at].stride];
                self.writer.rows(def).write_row(*at, row, &zeros);
            }
        }
        Ok(())
    }

    /// Has the indexes that were built anew hold what the stirred rows put into them now.
    fn indexes(&mut self, before: &[Items]) -> Result<()> {
        let def = self.shapes.def;
        let now = self.items();
        let mut in_the_way = InTheWay::default();
        for ((at, before), now) in self.new_indexes().zip(before).zip(&now) {
            // Items of long texts can be the same where the texts are not.
            let is_whole = def.indexes[at].texts.is_empty();
            for (item, _) in before.iter().filter(|item| !is_whole || !now.contains(*item)) {
                self.writer.rows(def).index_remove_item(at, item);
            }
            let mut image = Vec::new();
            for (item, id) in now.iter().filter(|item| !is_whole || !before.contains(*item)) {
                let view = self.writer.view(def);
                image.clear();
                view.gather(view.row_of(*id)?, &mut image);
                let mut findings = Findings::new(view, Some(*id));
                findings.unique(at, Cells::stored(&image, view.version.heap()));
                in_the_way.add(findings.into_violations());
                self.writer.rows(def).index_insert_item(at, item);
            }
        }
        in_the_way.finish()
    }
}
