//! THE execution of mutations. Every write of either face comes through [`Engine::apply`].
//!
//! Each operation first checks everything, collecting all violations, and only then changes bytes; what can still fail
//! after that (a full heap) is undone to a savepoint. So an operation that returns an error has changed nothing.

pub(crate) mod check;
mod component;
mod delete;
mod hook;
mod update;

pub use hook::{Change, On};
pub(crate) use hook::{Hook, Hooks, When};

use crate::engine::Engine;
use crate::error::Result;
use crate::id::RecordId;
use crate::op::{Applied, Op};
use crate::record::image::RecordImage;
use crate::recording::Noted;
use crate::table::rows::Rows;
use crate::table::values::put_extension;
use crate::table::writer::ChangeKind;
use hook::Coming;

impl Engine {
    /// Executes a mutation inside the running transaction.
    pub fn apply(&mut self, op: Op<'_>) -> Result<Applied> {
        let noted = self.note(&op);
        let done = if self.is_told(&op) { self.told(|engine| engine.execute(op)) } else { self.execute(op) };
        if let (Ok(_), Some(noted)) = (&done, noted) {
            self.tape.push(noted);
        }
        done
    }

    /// Notes an operation for the recording. What handlers do is not: they will do it again.
    #[inline]
    fn note(&mut self, op: &Op<'_>) -> Option<Noted> {
        if !self.tape.is_noting() || self.hooks.is_running() {
            return None;
        }
        self.note_group();
        Some(Noted::of(op))
    }

    /// Whether handlers may have to be told of what the operation does.
    #[inline]
    fn is_told(&self, op: &Op<'_>) -> bool {
        if self.hooks.is_empty() {
            return false;
        }
        match op {
            Op::Insert { table, .. } | Op::Update { table, .. } | Op::WriteFree { table, .. } => {
                self.hooks.concern(*table)
            }
            // It may change records of other tables.
            Op::Delete { .. } => true,
        }
    }

    fn execute(&mut self, op: Op<'_>) -> Result<Applied> {
        match op {
            Op::Insert { table, owner, image } => self.insert(table, owner, image).map(Applied::Inserted),
            Op::Update { table, id, image } => self.update(table, id, image),
            Op::WriteFree { table, id, field, cell } => self.write_free(table, id, field, cell),
            Op::Delete { table, id } => self.delete(table, id).map(Applied::Deleted),
        }
    }

    fn insert(&mut self, table: usize, owner: Option<RecordId>, image: &mut RecordImage) -> Result<RecordId> {
        let def = &self.catalog.tables()[table];
        if image.fixed.len() < def.layout.image_bytes {
            put_extension(def, image, None);
        }
        let counters = self.take_numbers(table, image);
        self.check_insert(table, owner, image)?;
        let change = self.tell_before(table, On::Insert, owner, Coming::Image(image))?;
        let version = self.next_commit();
        let id = self.atomically(table, |rows| {
            for (counter, value) in counters {
                rows.set_counter(counter, value);
            }
            rows.insert(image, version, owner)
        })?;
        self.tables[table].note(id, ChangeKind::Insert);
        self.mark_component(table, id, true);
        self.made(change.map(|change| Change { id: Some(id), ..change }));
        Ok(id)
    }

    /// Changes a table's rows; if `change` fails, they are as they were.
    fn atomically<R>(&mut self, table: usize, change: impl FnOnce(&mut Rows<'_>) -> Result<R>) -> Result<R> {
        let (def, writer) = self.table_mut(table);
        let savepoint = writer.savepoint();
        let changed = change(&mut writer.rows(def));
        if changed.is_err() {
            self.tables[table].rollback_to(savepoint);
        }
        changed
    }

    /// A whole column group as bytes, to be overwritten at will. Only for groups of free fields.
    pub(crate) fn group_mut(&mut self, table: usize, group: usize) -> &mut [u8] {
        self.lend_group(table, group);
        let version = self.next_commit();
        let (def, writer) = self.table_mut(table);
        writer.rows(def).group_mut(group, version)
    }

    /// Lets `next` write a whole column group from what it was. Only for groups of free fields.
    pub(crate) fn group_next<R>(&mut self, table: usize, group: usize, next: impl FnOnce(&[u8], &mut [u8]) -> R) -> R {
        self.lend_group(table, group);
        let version = self.next_commit();
        let (def, writer) = self.table_mut(table);
        writer.group_next(def, group, version, next)
    }

    /// Has the recording look at a column group once its slice has been given back.
    fn lend_group(&mut self, table: usize, group: usize) {
        if self.tape.is_noting() && !self.hooks.is_running() {
            self.note_group();
            self.tape.lend(table, group);
        }
    }

    fn write_free(&mut self, table: usize, id: RecordId, field: usize, cell: &[u8]) -> Result<Applied> {
        let row = self.view(table).row_of(id)?;
        if !self.catalog.tables()[table].fields[field].free {
            return self.write_indexed(table, id, field, cell);
        }
        let change = self.tell_before(table, On::Update, Some(id), Coming::Cell(field, cell))?;
        let version = self.next_commit();
        let (def, writer) = self.table_mut(table);
        let mut rows = writer.rows(def);
        rows.write_field(row, field, cell);
        rows.touch(row, version);
        writer.note(id, ChangeKind::Update);
        self.made(change);
        Ok(Applied::Updated)
    }

    /// The same for a field that has got an index since the calling code was compiled.
    #[cold]
    fn write_indexed(&mut self, table: usize, id: RecordId, field: usize, cell: &[u8]) -> Result<Applied> {
        let view = self.view(table);
        let mut image = RecordImage::new();
        view.gather(view.row_of(id)?, &mut image.fixed);
        view.def.put_cell(&mut image.fixed, field, Some(cell));
        self.update(table, id, &mut image)
    }
}
