//! Carrying a table's records over into another shape.
//!
//! Ids, versions and slots are taken over as they are, so every id stays good. So are column groups and indexes that lie
//! as they lay; of the others, every row is written anew: fields keep their cells where these mean the same, their values
//! where the type is another one, and take their default where they are new. Records that cannot be carried over, or break
//! a rule that is new, are counted, and the first are told.

use super::in_the_way::InTheWay;
use super::recast::Recast;
use super::shapes::Shapes;
use crate::apply::check::Findings;
use crate::apply::keys::{Keys, taken};
use crate::error::{Result, Violation};
use crate::id::RecordId;
use crate::record::heap_ref::Cells;
use crate::record::image::RecordImage;
use crate::table::buffer::Buffer;
use crate::table::journal::Journal;
use crate::table::meta;
use crate::table::rows::{Rows, index_buffer};
use crate::table::version::{GROUPS, HEAP, IDS, META, SLOTS, TableVersion, TableView, VERSIONS};
use dbgen_schema::Value;
use std::ops::Range;

/// What became of a table.
pub(super) enum Carried {
    /// Its bytes are what they were.
    AsItIs,
    /// A version in the new shape.
    Anew(TableVersion),
}

/// Carries the records of `from` over into another shape.
///
/// # Errors
/// `RecordsInTheWay`; `Full` if the heap is.
pub(super) fn carry(shapes: Shapes<'_>, from: TableView<'_>) -> Result<Carried> {
    if shapes.is_as_it_is() {
        let mut in_the_way = InTheWay::default();
        check_rows(shapes, from, std::iter::once(0..from.version.len()), &mut in_the_way);
        in_the_way.finish()?;
        return Ok(Carried::AsItIs);
    }
    let mut carry = Carry::new(shapes, from);
    carry.numbers();
    carry.groups()?;
    carry.masks();
    for at in 0..shapes.def.indexes.len() {
        carry.index(at)?;
    }
    Ok(Carried::Anew(carry.version))
}

/// Checks rows of a table whose bytes stay against rules that are new.
pub(super) fn check_rows(
    shapes: Shapes<'_>,
    from: TableView<'_>,
    rows: impl Iterator<Item = Range<usize>>,
    in_the_way: &mut InTheWay,
) {
    let ruled = shapes.ruled_anew();
    let mut image = Vec::new();
    let view = TableView { def: shapes.def, version: from.version };
    for row in rows.filter(|_| !ruled.is_empty()).flatten() {
        image.clear();
        view.gather(row, &mut image);
        let mut findings = Findings::new(view, from.version.id_at(row));
        let cells = Cells::stored(&image, view.version.heap());
        ruled.iter().for_each(|at| findings.field(*at, cells));
        in_the_way.add(findings.into_violations());
    }
}

/// What is wrong with a record that has come into its new shape, of the fields in `ruled`. Cells that are not pending point
/// into the heap of `view`.
pub(super) fn check_image(
    view: TableView<'_>,
    id: Option<RecordId>,
    ruled: &[usize],
    image: &RecordImage,
) -> Vec<Violation> {
    if ruled.is_empty() && image.misfits.is_empty() {
        return Vec::new();
    }
    let mut findings = Findings::new(view, id);
    findings.misfits(&image.misfits);
    let cells = image.cells(view.version.heap());
    ruled.iter().filter(|at| !image.is_misfit(**at)).for_each(|at| findings.field(*at, cells));
    findings.into_violations()
}

struct Carry<'a> {
    shapes: Shapes<'a>,
    from: TableView<'a>,
    recast: Recast<'a>,
    version: TableVersion,
    /// Notes nobody asks for: the version is not published yet.
    journal: Journal,
    in_the_way: InTheWay,
}

impl<'a> Carry<'a> {
    fn new(shapes: Shapes<'a>, from: TableView<'a>) -> Carry<'a> {
        let mut version = TableVersion::new(shapes.def);
        for at in [IDS, VERSIONS, SLOTS, HEAP] {
            version.buffers[at] = from.version.buffers[at].copy();
        }
        Carry {
            shapes,
            from,
            recast: shapes.recast(from),
            version,
            journal: Journal::default(),
            in_the_way: InTheWay::default(),
        }
    }

    fn rows(&mut self) -> Rows<'_> {
        let TableVersion { buffers, settled, .. } = &mut self.version;
        Rows { def: self.shapes.def, buffers, journal: &mut self.journal, settled }
    }

    /// Forgets what was noted, now and then.
    fn forget(&mut self, row: usize) {
        const ROWS: usize = 1024;
        if row.is_multiple_of(ROWS) {
            self.journal = Journal::default();
        }
    }

    /// Takes over the counts; a counter goes with its field.
    fn numbers(&mut self) {
        let from = self.from;
        let number = |at: usize| meta::get(&from.version.buffers[META], at);
        let mut numbers: Vec<u64> = (0..meta::COUNTERS).map(number).collect();
        let def = self.shapes.def;
        let counted = def.fields.iter().zip(self.shapes.origins).filter(|(field, _)| field.counter.is_some());
        for (_, old) in counted {
            numbers.push(match old.map(|old| (old, from.def.fields[old].counter)) {
                Some((_, Some(counter))) => number(meta::COUNTERS + counter),
                // A field that is numbered from now on goes on behind its largest value.
                Some((old, None)) => (0..from.version.len()).map(|row| number_in(from, row, old)).max().unwrap_or(0),
                // A new one begins behind the numbers that the records at hand are given.
                None => from.version.len() as u64,
            });
        }
        for (at, value) in numbers.into_iter().enumerate() {
            self.rows().set_number(at, value);
        }
    }

    /// Takes over column groups that lie as they lay, and writes the rows of the others.
    fn groups(&mut self) -> Result<()> {
        let (def, from) = (self.shapes.def, self.from);
        let rows = from.version.len();
        let mut written: Vec<(usize, Vec<u8>)> = Vec::new();
        for (at, group) in def.layout.groups.iter().enumerate() {
            match self.shapes.same_group(at) {
                Some(old) => self.version.buffers[GROUPS + at] = from.version.buffers[GROUPS + old].copy(),
                None => written.push((at, Vec::with_capacity(rows.max(def.capacity) * group.stride))),
            }
        }
        let ruled = self.shapes.ruled_anew();
        let gone = self.shapes.leave_heap();
        let (mut stored, mut image) = (Vec::new(), RecordImage::new());
        for row in 0..if written.is_empty() && ruled.is_empty() && gone.is_empty() { 0 } else { rows } {
            stored.clear();
            from.gather(row, &mut stored);
            self.recast.record(row, &stored, &mut image);
            let view = TableView { def, version: &self.version };
            self.in_the_way.add(check_image(view, from.version.id_at(row), &ruled, &image));
            self.store_heap(&gone, &stored, &mut image)?;
            for (at, bytes) in &mut written {
                let group = &def.layout.groups[*at];
                bytes.extend_from_slice(&image.fixed[group.image_offset..group.image_offset + group.stride]);
            }
            self.forget(row);
        }
        for (at, bytes) in written {
            self.version.buffers[GROUPS + at] = Buffer::of(bytes);
        }
        std::mem::take(&mut self.in_the_way).finish()
    }

    /// Gives back what old values took of the heap, and stores the new ones.
    fn store_heap(&mut self, gone: &[usize], stored: &[u8], image: &mut RecordImage) -> Result<()> {
        let (def, old) = (self.shapes.def, self.from.def);
        let mut rows = self.rows();
        for at in gone {
            rows.free_cells(&old.fields[*at], stored, None);
        }
        for (at, _) in def.fields.iter().enumerate().filter(|(_, field)| field.has_heap) {
            rows.store_pending(at, image)?;
        }
        Ok(())
    }

    /// Takes over which components records have. Those of a new component table are none yet.
    fn masks(&mut self) {
        let slots = meta::get(&self.from.version.buffers[META], meta::SLOTS) as u32;
        let masks = self.from.masks();
        for (bit, old) in components_kept(self.shapes) {
            for slot in (0..slots).filter(|slot| masks.has(*slot, old)) {
                self.rows().set_component(slot, bit, true);
            }
        }
    }

    /// Takes an index over, or builds it of the rows.
    fn index(&mut self, at: usize) -> Result<()> {
        let (def, from) = (self.shapes.def, self.from);
        if let Some(old) = self.shapes.same_index(at) {
            self.version.buffers[index_buffer(def, at)] = from.version.buffers[index_buffer(from.def, old)].copy();
            return Ok(());
        }
        let view = TableView { def, version: &self.version };
        let (keys, ids) = Keys::of_rows(view, at);
        let id = |row: usize| from.version.id_at(row).unwrap_or_else(|| unreachable!("row {row} has no record"));
        let mut in_the_way = InTheWay::default();
        taken(view, at, &keys, id, |row| Some(id(row)), |_, wrong| in_the_way.add(wrong));
        in_the_way.finish()?;
        self.rows().index_insert_sorted(at, keys.items(&ids));
        self.journal = Journal::default();
        Ok(())
    }
}

/// The components that a table keeps: their places now, and before.
pub(super) fn components_kept(shapes: Shapes<'_>) -> impl Iterator<Item = (usize, usize)> {
    shapes.components.iter().enumerate().filter_map(|(bit, old)| Some((bit, (*old)?)))
}

/// The number in a field that is going to be numbered.
pub(super) fn number_in(view: TableView<'_>, row: usize, field: usize) -> u64 {
    match view.value(row, field) {
        Value::Int(number) => u64::try_from(number).unwrap_or(0),
        _ => 0,
    }
}
