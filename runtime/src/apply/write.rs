//! Writing one field of a record, without a look at the others where none of them matters.

use super::check::Findings;
use super::hook::{Coming, On};
use crate::engine::Engine;
use crate::error::Result;
use crate::id::RecordId;
use crate::op::Applied;
use crate::record::heap_ref::Cells;
use crate::table::writer::ChangeKind;

impl Engine {
    #[inline(never)]
    pub(super) fn write(&mut self, table: usize, id: RecordId, field: usize, cell: Option<&[u8]>) -> Result<Applied> {
        let view = self.view(table);
        let def = &view.def.fields[field];
        // Where it lies if nothing was ever deleted: nobody waits for the slot to say so.
        let likely = id.slot() as usize;
        self.tables[table].foresee(def, likely);
        let row = view.row_of(id)?;
        if row != likely {
            self.tables[table].foresee(def, row);
        }
        if def.free && cell.is_some() {
            return self.write_cell(table, id, row, field, cell);
        }
        if !def.alone {
            return self.write_among_others(table, id, row, field, cell);
        }
        if view.cell(row, field) == cell {
            return Ok(Applied::Unchanged);
        }
        self.write_alone(table, id, row, field, cell)
    }

    /// Writes a field that its own rules concern and nothing else, if it obeys them.
    pub(super) fn write_alone(
        &mut self,
        table: usize,
        id: RecordId,
        row: usize,
        field: usize,
        cell: Option<&[u8]>,
    ) -> Result<Applied> {
        let view = self.view(table);
        let guards = view.def.fields[field].cell_guards.as_deref();
        let is_proved = cell.zip(guards).is_some_and(|(cell, guards)| guards.iter().all(|guard| guard.holds(cell)));
        if !is_proved {
            let mut findings = Findings::new(view, Some(id));
            let cells = Cells::stored(cell.unwrap_or_default(), view.version.heap());
            findings.value(field, cells, cell.map(|_| 0));
            findings.finish()?;
        }
        self.write_cell(table, id, row, field, cell)
    }

    #[inline(always)]
    fn write_cell(
        &mut self,
        table: usize,
        id: RecordId,
        row: usize,
        field: usize,
        cell: Option<&[u8]>,
    ) -> Result<Applied> {
        if self.hooks.concern(table) {
            return self.write_cell_told(table, id, row, field, cell);
        }
        self.write_cell_untold(table, id, row, field, cell);
        Ok(Applied::Updated)
    }

    #[cold]
    fn write_cell_told(
        &mut self,
        table: usize,
        id: RecordId,
        row: usize,
        field: usize,
        cell: Option<&[u8]>,
    ) -> Result<Applied> {
        let change = self.tell_before(table, On::Update, Some(id), Coming::Cell(field, cell))?;
        self.write_cell_untold(table, id, row, field, cell);
        self.made(change);
        Ok(Applied::Updated)
    }

    #[inline(always)]
    fn write_cell_untold(&mut self, table: usize, id: RecordId, row: usize, field: usize, cell: Option<&[u8]>) {
        let version = self.next_commit();
        self.noted(table, |redo, def| redo.write(def, id, field, cell, version));
        let (def, writer) = self.table_mut(table);
        let mut rows = writer.rows(def);
        rows.write_field(row, field, cell);
        rows.touch(row, version);
        writer.note(id, ChangeKind::Update);
    }

    /// The same for a field whose value is part of a key or refers to something: as an update of the whole record.
    #[inline(never)]
    fn write_among_others(
        &mut self,
        table: usize,
        id: RecordId,
        row: usize,
        field: usize,
        cell: Option<&[u8]>,
    ) -> Result<Applied> {
        let mut image = self.take_image();
        image.clear();
        let view = self.view(table);
        view.gather(row, &mut image.fixed);
        view.def.put_cell(&mut image.fixed, field, cell);
        let written = self.update(table, id, &mut image);
        self.give_image(image);
        written
    }
}
