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
    pub(super) fn write(&mut self, table: usize, id: RecordId, field: usize, cell: Option<&[u8]>) -> Result<Applied> {
        let view = self.view(table);
        let row = view.row_of(id)?;
        let def = &view.def.fields[field];
        let offset = row * view.def.layout.groups[def.at.group].stride + def.at.offset;
        self.tables[table].foresee(def.at.group, offset, row);
        if def.free && cell.is_some() {
            return self.write_cell(table, id, row, field, cell);
        }
        if !def.alone {
            return self.write_among_others(table, id, row, field, cell);
        }
        if view.cell(row, field) == cell {
            return Ok(Applied::Unchanged);
        }
        let mut findings = Findings::new(view, Some(id));
        let cells = Cells::stored(cell.unwrap_or_default(), view.version.heap());
        findings.value(field, cells, cell.map(|_| 0));
        findings.finish()?;
        self.write_cell(table, id, row, field, cell)
    }

    fn write_cell(
        &mut self,
        table: usize,
        id: RecordId,
        row: usize,
        field: usize,
        cell: Option<&[u8]>,
    ) -> Result<Applied> {
        let change = self.tell_before(table, On::Update, Some(id), Coming::Cell(field, cell))?;
        let version = self.next_commit();
        self.noted(table, |redo, def| redo.write(def, id, field, cell, version));
        let (def, writer) = self.table_mut(table);
        let mut rows = writer.rows(def);
        rows.write_field(row, field, cell);
        rows.touch(row, version);
        writer.note(id, ChangeKind::Update);
        self.made(change);
        Ok(Applied::Updated)
    }

    /// The same for a field whose value is part of a key or refers to something: as an update of the whole record.
    fn write_among_others(
        &mut self,
        table: usize,
        id: RecordId,
        row: usize,
        field: usize,
        cell: Option<&[u8]>,
    ) -> Result<Applied> {
        let mut image = std::mem::take(&mut self.image);
        image.clear();
        let view = self.view(table);
        view.gather(row, &mut image.fixed);
        view.def.put_cell(&mut image.fixed, field, cell);
        let written = self.update(table, id, &mut image);
        self.image = image;
        written
    }
}
