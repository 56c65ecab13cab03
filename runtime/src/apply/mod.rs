//! THE execution of mutations. Every write of either face comes through [`Engine::apply`].
//!
//! Each operation first checks everything, room included, collecting all violations, and only then changes bytes. So an
//! operation that returns an error has changed nothing.

mod batch;
pub(crate) mod check;
mod component;
mod delete;
mod hook;
pub(crate) mod keys;
pub(crate) mod replay;
mod update;
mod write;

pub use hook::{Change, On};
pub(crate) use hook::{Hook, Hooks, When};

use crate::engine::Engine;
use crate::error::Result;
use crate::id::RecordId;
use crate::op::{Applied, Op};
use crate::record::image::RecordImage;
use crate::recording::Noted;
use crate::redo::Redo;
use crate::table::def::TableDef;
use crate::table::rows::check_room;
use crate::table::values::put_extension;
use crate::table::writer::ChangeKind;
use check::Arriving;
use hook::Coming;

impl Engine {
    /// Executes a mutation inside the running transaction. Who calls it knows which one: nothing is left of the choice.
    #[inline(always)]
    pub fn apply(&mut self, op: Op<'_>) -> Result<Applied> {
        let is_watched = self.tape.is_noting() || !self.hooks.is_empty();
        if is_watched { self.apply_watched(op) } else { self.execute(op) }
    }

    /// The same where a recording or handlers may have to know of it.
    #[inline(never)]
    fn apply_watched(&mut self, op: Op<'_>) -> Result<Applied> {
        if matches!(op, Op::InsertMany { .. }) {
            // It notes and tells each of its records, if there is anybody to do it for.
            return self.execute(op);
        }
        let (noted, is_told) = (self.note(&op), self.is_told(&op));
        let execute = |engine: &mut Engine| engine.execute(op);
        let done = if is_told { self.told(execute) } else { execute(self) };
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
        Noted::of(op)
    }

    /// Whether handlers may have to be told of what the operation does.
    #[inline]
    fn is_told(&self, op: &Op<'_>) -> bool {
        if self.hooks.is_empty() {
            return false;
        }
        match op {
            Op::Insert { table, .. } | Op::Update { table, .. } | Op::Write { table, .. } => self.hooks.concern(*table),
            // It may change records of other tables, or is told record by record.
            Op::Delete { .. } | Op::InsertMany { .. } => true,
        }
    }

    #[inline(always)]
    fn execute(&mut self, op: Op<'_>) -> Result<Applied> {
        match op {
            Op::Insert { table, owner: None, image } => self.insert(table, None, image),
            Op::Insert { table, owner: Some(owner), image } => self.attach(table, owner, image),
            Op::InsertMany { table, records, ids } => self.insert_many(table, records, ids).map(Applied::InsertedMany),
            Op::Update { table, id, image } => self.update(table, id, image),
            Op::Write { table, id, field, cell } => self.write(table, id, field, cell),
            Op::Delete { table, id } => self.delete(table, id),
        }
    }

    #[inline(never)]
    fn insert(&mut self, table: usize, owner: Option<RecordId>, image: &mut RecordImage) -> Result<Applied> {
        let def = &self.catalog.tables()[table];
        if image.fixed.len() < def.layout.image_bytes {
            put_extension(def, image, None);
        }
        let counters = self.take_numbers(table, image);
        self.check_insert(table, owner, Arriving::only(image))?;
        let change = self.tell_before(table, On::Insert, owner, Coming::Image(image))?;
        let id = self.insert_checked(table, owner, &counters, image)?;
        self.made(change.map(|change| Change { id: Some(id), ..change }));
        Ok(Applied::Inserted(id))
    }

    /// Adds a record that obeys every rule.
    fn insert_checked(
        &mut self,
        table: usize,
        owner: Option<RecordId>,
        counters: &[(usize, u64)],
        image: &mut RecordImage,
    ) -> Result<RecordId> {
        let version = self.next_commit();
        self.check_room(table, image)?;
        let noted = self.noted(table, |redo, def| {
            redo.insert(def, owner.is_some(), counters, Arriving::only(image).pending(), version)
        });
        let (def, writer) = self.table_mut(table);
        let mut rows = writer.rows(def);
        for (counter, value) in counters {
            rows.set_counter(*counter, *value);
        }
        let inserted = rows.insert(image, version, owner);
        let id = self.inserted(noted, inserted)?;
        self.tables[table].note(id, ChangeKind::Insert);
        self.mark_component(table, id, true);
        Ok(id)
    }

    /// Notes for the log what is about to happen to a table, if the log is to know; gives where that begins.
    #[inline]
    fn noted(&mut self, table: usize, note: impl FnOnce(&mut Redo, &TableDef)) -> Option<usize> {
        self.redo.notes(table).then(|| self.note_for_log(table, note))
    }

    #[inline(never)]
    fn note_for_log(&mut self, table: usize, note: impl FnOnce(&mut Redo, &TableDef)) -> usize {
        // What was lent comes first: it was written before.
        self.table_mut(table);
        let mark = self.redo.mark();
        note(&mut self.redo, &self.catalog.tables()[table]);
        mark
    }

    /// Completes the note of an insert with the id that was given, or forgets it if there is none.
    fn inserted(&mut self, noted: Option<usize>, inserted: Result<RecordId>) -> Result<RecordId> {
        match (noted, &inserted) {
            (Some(_), Ok(id)) => self.redo.inserted(*id),
            (Some(mark), Err(_)) => self.redo.forget_since(mark),
            (None, _) => {}
        }
        inserted
    }

    /// That there is room for what a record needs: what comes then does not fail.
    fn check_room(&self, table: usize, image: &RecordImage) -> Result<()> {
        let view = self.view(table);
        check_room(view.def, &view.version.buffers, image, 1)
    }

    /// A whole column group as bytes, to be overwritten at will. One whose fields are not free has nothing that may be: it
    /// is empty.
    pub(crate) fn group_mut(&mut self, table: usize, group: usize) -> &mut [u8] {
        if !self.catalog.tables()[table].group_is_free(group) {
            return &mut [];
        }
        self.record_group(table, group);
        self.lend_group(table, group);
        let version = self.next_commit();
        let (def, writer) = self.table_to_lend(table);
        writer.rows(def).group_mut(group, version)
    }

    /// Lets `next` write a whole column group from what it was. One whose fields are not free is empty for it.
    pub(crate) fn group_next<R>(&mut self, table: usize, group: usize, next: impl FnOnce(&[u8], &mut [u8]) -> R) -> R {
        if !self.catalog.tables()[table].group_is_free(group) {
            return next(&[], &mut []);
        }
        self.record_group(table, group);
        self.lend_group(table, group);
        let version = self.next_commit();
        let (def, writer) = self.table_to_write_next(table);
        writer.group_next(def, group, version, next)
    }

    /// Has the recording look at a column group once its slice has been given back.
    fn record_group(&mut self, table: usize, group: usize) {
        if self.tape.is_noting() && !self.hooks.is_running() {
            self.note_group();
            self.tape.lend(table, group);
        }
    }
}
