//! Doing again what the log says was done: the same changes to the same rows, through the same functions.
//!
//! Rules are not checked again. They held when the commit was made, against tables of which some may not be logged; what
//! those lack is mended when everything is loaded ([`recover`](crate::recover)). What a cell may hold is checked all the
//! same: a log can be made by hand.
//!
//! Nobody reads meanwhile, and nothing is taken back: whoever meets an error does not open. So between
//! [`Engine::begin_again`] and [`Engine::end_again`] there are no versions, no publications, no notes and no before-images.
//! Every table is written where it lies ([`TableWriter::begin_again`](crate::table::writer::TableWriter::begin_again)).
//!
//! ```text
//! payload ─► a few effects ─► touch what they will write ─► write        an update of a random row waits for memory three
//!                                                                         times; side by side they wait for all at once
//! ```

use crate::engine::Engine;
use crate::error::Error;
use crate::id::RecordId;
use crate::record::check::{Heaps, check_value};
use crate::record::codec::le_u64;
use crate::record::heap_ref::HeapRef;
use crate::record::image::RecordImage;
use crate::redo::{Effect, Effects, Field, Fields};
use crate::table::def::{FieldDef, TableDef, is_ref};

/// Why a group could not be done again: the log and the tables do not belong together.
pub(crate) type Diverged = String;

/// Effects that are read before the first of them is done.
const LOOKED_AHEAD: usize = 32;

impl Engine {
    /// Does the commits behind the last one up to `commit` again; `first` is the first that `payload` may hold. Only between
    /// [`Engine::begin_again`] and [`Engine::end_again`].
    pub(crate) fn replay(&mut self, payload: &[u8], first: u64, commit: u64) -> Result<(), Diverged> {
        let catalog = self.catalog.clone();
        let mut effects = Effects::new(&catalog, payload, first, commit);
        let mut ahead = Vec::new();
        loop {
            while ahead.len() < LOOKED_AHEAD
                && let Some(effect) = effects.next()?
            {
                ahead.push(effect);
            }
            if ahead.is_empty() {
                break;
            }
            self.look_at(&ahead);
            for (number, effect) in ahead.drain(..) {
                self.commit = number - 1;
                self.redo_effect(effect)?;
            }
        }
        // The last of them may be one that no table shows.
        (self.commit, self.is_renumbered) = (commit, true);
        Ok(())
    }

    /// Loads what updates are going to write. Loads that nothing waits for bring their lines into the cache side by side;
    /// the writes would wait one by one.
    fn look_at(&self, ahead: &[(u64, Effect<'_>)]) {
        if ahead.len() == 1 {
            return;
        }
        let mut rows = [(0, 0); LOOKED_AHEAD];
        for ((_, effect), row) in ahead.iter().zip(&mut rows) {
            if let Effect::Update { table, id, .. } = effect {
                *row = (*table, self.view(*table).version.row_of(*id).unwrap_or(0));
            }
        }
        let seen = ahead.iter().zip(rows).fold(0, |seen, ((_, effect), (table, row))| match effect {
            Effect::Update { fields, .. } => {
                let view = self.view(table);
                let first = fields.iter().next().filter(|_| row < view.version.len());
                seen ^ first.map_or(0, |field| view.version.version_at(row) ^ u64::from(view.glance(row, field.at)))
            }
            _ => seen,
        });
        std::hint::black_box(seen);
    }

    fn redo_effect(&mut self, effect: Effect<'_>) -> Result<(), Diverged> {
        let said = |error: Error| error.to_string();
        match effect {
            Effect::Insert { table, is_component, counters, mut image, id } => {
                self.check_again(table, &image)?;
                let owner = is_component.then_some(id);
                let parent = self.catalog.tables()[table].owner;
                if parent.is_some() != is_component {
                    return Err("a component where none can be, or the other way round".to_owned());
                }
                if let Some(parent) = parent {
                    self.view(parent).row_of(id).map_err(said)?;
                }
                self.is_unproved[table] = true;
                let given = self.insert_checked(table, owner, &counters, &mut image).map_err(said)?;
                self.tables[table].forget_changes();
                if given == id { Ok(()) } else { Err(format!("record {id} came out as {given}")) }
            }
            Effect::Update { table, id, fields } => self.update_again(table, id, fields),
            Effect::Delete { table, id } => {
                self.is_unproved[table] = true;
                self.remove(table, id).map_err(said)?;
                self.tables[table].forget_changes();
                Ok(())
            }
            Effect::Group { table, group, runs } => {
                self.is_unproved[table] = true;
                self.write_runs(table, group, &runs)
            }
        }
    }

    /// Writes fields again. Where no index and no heap knows of them, that is a write of their cells, and leaves the table as
    /// sound as it was.
    fn update_again(&mut self, table: usize, id: RecordId, fields: Fields<'_>) -> Result<(), Diverged> {
        let version = self.next_commit();
        let said = |error: Error| error.to_string();
        let row = self.view(table).row_of(id).map_err(said)?;
        let def = &self.catalog.tables()[table];
        if fields.iter().any(|field| is_entangled(def, field.at)) {
            let (image, fields) = fields.image()?;
            self.check_fields_again(table, &image, &fields)?;
            self.is_unproved[table] = true;
            self.update_entangled_again(table, id, &fields, image).map_err(said)?;
            self.tables[table].forget_changes();
            return Ok(());
        }
        let (def, writer) = self.table_mut(table);
        let mut rows = writer.rows(def);
        for Field { at, cell } in fields.iter() {
            check_cell_again(&def.fields[at], cell)?;
            rows.write_field(row, at, cell);
        }
        rows.touch(row, version);
        Ok(())
    }

    /// That cells of a record hold values of their types, whoever wrote them.
    fn check_again(&self, table: usize, image: &RecordImage) -> Result<(), Diverged> {
        let all: Vec<usize> = (0..self.catalog.tables()[table].fields.len()).collect();
        self.check_fields_again(table, image, &all)
    }

    fn check_fields_again(&self, table: usize, image: &RecordImage, fields: &[usize]) -> Result<(), Diverged> {
        let view = self.view(table);
        let heaps = Heaps { stored: view.version.heap(), pending: HeapRef(&image.heap) };
        for at in fields {
            if !view.def.is_null(&image.fixed, *at) {
                let field = &view.def.fields[*at];
                check_value(&field.plan, view.def.cell(&image.fixed, *at), heaps)?;
            }
        }
        Ok(())
    }

    /// Overwrites runs of rows of a column group.
    fn write_runs(&mut self, table: usize, group: usize, runs: &[(usize, &[u8])]) -> Result<(), Diverged> {
        let version = self.next_commit();
        let (def, writer) = self.table_mut(table);
        if !def.group_is_free(group) {
            return Err("rows of a column group that is not written as a whole".to_owned());
        }
        let (stride, mut rows) = (def.layout.groups[group].stride, writer.rows(def));
        for (row, bytes) in runs {
            let start = row.checked_mul(stride).ok_or("a row beyond all")?;
            rows.write_run(group, start, bytes, version).ok_or("a row that does not exist")?;
        }
        Ok(())
    }
}

/// Whether more hangs on a field than its cell.
#[inline]
fn is_entangled(def: &TableDef, at: usize) -> bool {
    let is_in_key = || def.indexes.iter().any(|index| index.columns.iter().any(|column| column.field == at));
    def.fields[at].has_heap || is_in_key()
}

/// That a cell without heap values holds a value of its field.
#[inline]
fn check_cell_again(field: &FieldDef, cell: Option<&[u8]>) -> Result<(), Diverged> {
    let is_null = cell.is_none_or(|cell| is_ref(field) && le_u64(cell) == 0);
    match cell {
        _ if is_null && !field.nullable => Err(format!("field `{}` is null, and must not be", field.name)),
        Some(cell) if !is_null => check_value(&field.plan, cell, Heaps::stored(HeapRef(&[]))),
        _ => Ok(()),
    }
}
