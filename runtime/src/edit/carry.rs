//! Carrying a table's records over into another shape.
//!
//! Ids, versions and slots are taken over as they are, so every id stays good. So are column groups and indexes that lie
//! as they lay; of the others, every row is written anew: fields keep their cells where these mean the same, their values
//! where the type is another one, and take their default where they are new. Records that cannot be carried over, or break
//! a rule that is new, are counted, and the first are told.

use super::convert::Types;
use super::in_the_way::InTheWay;
use super::recast::Recast;
use crate::apply::check::Findings;
use crate::apply::keys::{Keys, taken};
use crate::error::Result;
use crate::record::heap_ref::Cells;
use crate::record::image::RecordImage;
use crate::table::buffer::Buffer;
use crate::table::def::{Column, FieldDef, TableDef};
use crate::table::journal::Journal;
use crate::table::meta;
use crate::table::rows::{Rows, index_buffer};
use crate::table::version::{GROUPS, HEAP, IDS, META, SLOTS, TableVersion, TableView, VERSIONS};
use dbgen_schema::Value;

/// What became of a table.
pub(super) enum Carried {
    /// Its bytes are what they were.
    AsItIs,
    /// A version in the new shape.
    Anew(TableVersion),
}

/// Carries the records of `from` over into the shape of `def`. `components`: for every component table, its place among
/// those of the old one.
///
/// # Errors
/// `RecordsInTheWay`; `Full` if the heap is.
pub(super) fn carry(
    def: &TableDef,
    from: TableView<'_>,
    types: Types<'_>,
    components: &[Option<usize>],
) -> Result<Carried> {
    let shapes = Shapes { def, old: from.def, types, origins: &types.origins.tables[def.at].members };
    let same_masks = components.len() == from.def.components.len()
        && components.iter().enumerate().all(|(bit, old)| *old == Some(bit));
    let same_groups = def.layout.groups.len() == from.def.layout.groups.len()
        && (0..def.layout.groups.len()).all(|group| shapes.same_group(group) == Some(group));
    let same_indexes = def.indexes.len() == from.def.indexes.len()
        && (0..def.indexes.len()).all(|index| shapes.same_index(index) == Some(index));
    if same_groups && same_indexes && same_masks && shapes.same_counters() {
        check_rules(shapes, from)?;
        return Ok(Carried::AsItIs);
    }
    let mut carry = Carry::new(shapes, from);
    carry.numbers();
    carry.groups()?;
    carry.masks(components);
    for at in 0..def.indexes.len() {
        carry.index(at)?;
    }
    Ok(Carried::Anew(carry.version))
}

/// A table as it was and as it is going to be.
#[derive(Clone, Copy)]
struct Shapes<'a> {
    def: &'a TableDef,
    old: &'a TableDef,
    types: Types<'a>,
    /// For every field, its number in the old table.
    origins: &'a [Option<usize>],
}

impl Shapes<'_> {
    /// The old field whose cells are taken over byte for byte.
    fn same_cell(&self, field: usize) -> Option<usize> {
        self.origins[field]
            .filter(|old| self.types.same_bytes(&self.old.fields[*old].plan, &self.def.fields[field].plan))
    }

    /// The old column group whose rows are the same bytes.
    fn same_group(&self, group: usize) -> Option<usize> {
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
    fn same_index(&self, index: usize) -> Option<usize> {
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
    fn ruled_anew(&self) -> Vec<usize> {
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

/// Checks the records of a table whose bytes stay against rules that are new.
fn check_rules(shapes: Shapes<'_>, from: TableView<'_>) -> Result<()> {
    let ruled = shapes.ruled_anew();
    let mut in_the_way = InTheWay::default();
    let mut image = Vec::new();
    let view = TableView { def: shapes.def, version: from.version };
    for row in 0..if ruled.is_empty() { 0 } else { from.version.len() } {
        image.clear();
        view.gather(row, &mut image);
        let mut findings = Findings::new(view, from.version.id_at(row));
        let cells = Cells::stored(&image, view.version.heap());
        ruled.iter().for_each(|at| findings.field(*at, cells));
        in_the_way.add(findings.into_violations());
    }
    in_the_way.finish()
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
        let same_cells = (0..shapes.def.fields.len()).map(|at| shapes.same_cell(at)).collect();
        let recast = Recast::new(shapes.def, from, shapes.types, shapes.origins, same_cells);
        Carry { shapes, from, recast, version, journal: Journal::default(), in_the_way: InTheWay::default() }
    }

    fn rows(&mut self) -> Rows<'_> {
        Rows { def: self.shapes.def, buffers: &mut self.version.buffers, journal: &mut self.journal }
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
        let gone: Vec<usize> = (0..from.def.fields.len()).filter(|old| self.loses_heap(*old)).collect();
        let (mut stored, mut image) = (Vec::new(), RecordImage::new());
        for row in 0..if written.is_empty() && ruled.is_empty() && gone.is_empty() { 0 } else { rows } {
            stored.clear();
            from.gather(row, &mut stored);
            self.recast.record(row, &stored, &mut image);
            self.check(row, &ruled, &image);
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

    /// Whether the values of an old field leave the heap: it is gone, or its values are written anew.
    fn loses_heap(&self, old: usize) -> bool {
        self.from.def.fields[old].has_heap && !self.recast.keeps_cells_of(old)
    }

    fn check(&mut self, row: usize, ruled: &[usize], image: &RecordImage) {
        if ruled.is_empty() && image.misfits.is_empty() {
            return;
        }
        let view = TableView { def: self.shapes.def, version: &self.version };
        let mut findings = Findings::new(view, self.from.version.id_at(row));
        findings.misfits(&image.misfits);
        let cells = image.cells(view.version.heap());
        ruled.iter().filter(|at| !image.is_misfit(**at)).for_each(|at| findings.field(*at, cells));
        let found = findings.into_violations();
        self.in_the_way.add(found);
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
    fn masks(&mut self, components: &[Option<usize>]) {
        let slots = meta::get(&self.from.version.buffers[META], meta::SLOTS) as u32;
        let masks = self.from.masks();
        for (bit, old) in components.iter().enumerate().filter_map(|(bit, old)| Some((bit, (*old)?))) {
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
        let keys = Keys::of_rows(view, at);
        let id = |row: usize| from.version.id_at(row).unwrap_or_else(|| unreachable!("row {row} has no record"));
        let mut in_the_way = InTheWay::default();
        taken(view, at, &keys, id, |row| Some(id(row)), |_, wrong| in_the_way.add(wrong));
        in_the_way.finish()?;
        self.rows().index_insert_sorted(at, keys.items());
        self.journal = Journal::default();
        Ok(())
    }
}

/// The number in a field that is going to be numbered.
fn number_in(view: TableView<'_>, row: usize, field: usize) -> u64 {
    match view.value(row, field) {
        Value::Int(number) => u64::try_from(number).unwrap_or(0),
        _ => 0,
    }
}
