//! Doing again what the log says was done: the same changes to the same rows, through the same functions.
//!
//! Rules are not checked again. They held when the commit was made, against tables of which some may not be logged; what
//! those lack is mended when everything is loaded ([`recover`](crate::recover)).

use crate::engine::Engine;
use crate::error::Error;
use crate::record::check::{Heaps, check_value};
use crate::record::heap_ref::HeapRef;
use crate::record::image::RecordImage;
use crate::redo::{Effect, Effects};
use crate::table::writer::ChangeKind;

/// Why a group could not be done again: the log and the tables do not belong together.
pub(crate) type Diverged = String;

impl Engine {
    /// Does the commits behind the last one up to `commit` again; `first` is the first that `payload` may hold.
    pub(crate) fn replay(&mut self, payload: &[u8], first: u64, commit: u64) -> Result<(), Diverged> {
        let catalog = self.catalog.clone();
        let mut effects = Effects::new(&catalog, payload, first, commit);
        let mut running = None;
        while let Some((number, effect)) = effects.next()? {
            if running != Some(number) {
                if running.is_some() {
                    self.commit();
                }
                self.commit = number - 1;
                self.begin();
                running = Some(number);
            }
            self.redo_effect(effect)?;
        }
        if running.is_some() {
            self.commit();
        }
        // The last of them may be one that no table shows.
        (self.commit, self.is_renumbered) = (commit, true);
        Ok(())
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
                let given = self.insert_checked(table, owner, &counters, &mut image).map_err(said)?;
                if given == id { Ok(()) } else { Err(format!("record {id} came out as {given}")) }
            }
            Effect::Update { table, id, fields, image } => {
                self.check_fields_again(table, &image, &fields)?;
                self.update_again(table, id, &fields, image).map(drop).map_err(said)
            }
            Effect::Delete { table, id } => self.remove(table, id).map_err(said),
            Effect::Group { table, group, runs } => self.write_runs(table, group, &runs),
        }
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
        let stride = self.catalog.tables()[table].layout.groups[group].stride;
        let slice = self.group_mut(table, group);
        let mut changed = Vec::new();
        for (row, bytes) in runs {
            let start = row.checked_mul(stride).ok_or("a row beyond all")?;
            let target = start.checked_add(bytes.len()).and_then(|end| slice.get_mut(start..end));
            target.ok_or("a row that does not exist")?.copy_from_slice(bytes);
            changed.extend(*row..*row + bytes.len() / stride.max(1));
        }
        for row in changed {
            if let Some(id) = self.view(table).version.id_at(row) {
                self.tables[table].note(id, ChangeKind::Update);
            }
        }
        Ok(())
    }
}
