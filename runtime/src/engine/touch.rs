//! Tables in the hands of the running transaction.
//!
//! It takes a table before it first changes it, and the table turns to a version that no reader holds. Tables that are lent
//! side by side, as slices, tell only afterwards whether anything was written: that is noted when the engine is asked next.

use super::Engine;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::limits::RECORDS_MAX;
use crate::record::image::RecordImage;
use crate::recording::Noted;
use crate::table::def::TableDef;
use crate::table::writer::TableWriter;

impl Engine {
    /// Table number `at`, to be changed by the running transaction.
    #[inline(always)]
    pub(crate) fn table_mut(&mut self, at: usize) -> (&TableDef, &mut TableWriter) {
        self.settle();
        self.table_to_lend(at)
    }

    /// The same, for a column group that was just announced with [`Engine::lend_group`].
    #[inline(always)]
    pub(crate) fn table_to_lend(&mut self, at: usize) -> (&TableDef, &mut TableWriter) {
        if self.tables[at].began().is_none() {
            self.touch(at, true);
        }
        let writer = &mut self.tables[at];
        (&self.catalog.tables()[at], writer)
    }

    /// The same where a column group is going to be written whole: it is left to the table which of its content it brings up
    /// to date before.
    pub(crate) fn table_to_write_next(&mut self, at: usize) -> (&TableDef, &mut TableWriter) {
        if self.tables[at].began().is_none() {
            self.touch(at, false);
        }
        (&self.catalog.tables()[at], &mut self.tables[at])
    }

    /// Takes note that the running transaction is about to change table number `at`, and whether the table may turn to the
    /// version to write on at once.
    #[inline(never)]
    fn touch(&mut self, at: usize, may_turn: bool) {
        if self.tables[at].touch() {
            self.touched.push(at as u32);
            let can_write = self.tables[at].has_back() || may_turn && self.turn_beside(at);
            if !can_write {
                self.free_versions();
            }
        }
    }

    /// An image for a record on its way in, to be given back with [`Engine::give_image`]. What was in it last still is.
    #[inline(always)]
    pub(crate) fn take_image(&mut self) -> Box<RecordImage> {
        self.image.take().unwrap_or_default()
    }

    /// Keeps an image for its allocations.
    #[inline]
    pub(crate) fn give_image(&mut self, image: Box<RecordImage>) {
        self.image = Some(image);
    }

    /// Has old roots let go of the versions that nobody else holds, so that tables can write on them.
    #[inline]
    fn free_versions(&mut self) {
        if !std::mem::replace(&mut self.refreshed, true) {
            self.refresh_spares();
        }
    }

    /// All tables side by side, to be changed by the running transaction, with the commit that it will be. Who changes one
    /// touches it first.
    pub(crate) fn side_by_side(&mut self) -> (&Catalog, &mut [TableWriter], u64) {
        self.note_group();
        self.lend_all();
        self.given_out = true;
        self.free_versions();
        (&self.catalog, &mut self.tables, self.commit + 1)
    }

    /// Takes note of what became of groups that were lent as slices: for the recording, and for undo.
    #[inline]
    pub(crate) fn note_group(&mut self) {
        if self.given_out || self.tape.has_lent() {
            self.note_groups();
        }
    }

    #[cold]
    fn note_groups(&mut self) {
        if std::mem::take(&mut self.given_out) {
            self.note_given_out();
        }
        if let Some((table, group)) = self.tape.take_lent() {
            let bytes = self.view(table).group_bytes(group).to_vec();
            self.tape.push(Noted::Group { table, group, bytes });
        }
    }

    /// Notes which of the tables that were given out have been touched. Which of their groups were written is not known.
    fn note_given_out(&mut self) {
        let is_noting = self.tape.is_noting() && !self.hooks.is_running();
        for at in 0..self.tables.len() {
            if self.tables[at].began().is_none() {
                continue;
            }
            if !self.touched.contains(&(at as u32)) {
                self.touched.push(at as u32);
            }
            let view = self.tables[at].view(&self.catalog.tables()[at]);
            for group in (0..view.def.layout.groups.len()).filter(|group| is_noting && view.def.group_is_free(*group)) {
                let bytes = view.group_bytes(group).to_vec();
                self.tape.push(Noted::Group { table: at, group, bytes });
            }
        }
    }

    /// Makes room in a table for so many records more.
    ///
    /// # Errors
    /// [`Error::Full`] if no table can have so many; [`Error::Io`] if the system has not so much memory.
    pub(crate) fn reserve(&mut self, table: usize, records: usize) -> Result<()> {
        let (def, writer) = self.table_mut(table);
        if writer.view(def).version.len().saturating_add(records) > RECORDS_MAX {
            return Err(Error::Full { table: def.name.clone(), what: "the number of records", limit: RECORDS_MAX });
        }
        writer.reserve(def, records).map_err(|refused| Error::Io {
            path: format!("memory for {records} records of `{}`", def.name),
            source: refused.into(),
        })
    }
}
