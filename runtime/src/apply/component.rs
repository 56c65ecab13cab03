//! Components: what their owner's table knows of them.

use super::check::Arriving;
use crate::engine::Engine;
use crate::error::Result;
use crate::id::RecordId;
use crate::record::image::RecordImage;
use crate::table::writer::ChangeKind;

impl Engine {
    /// Adds a component of which nothing is asked to a record; `None` if it takes a closer look.
    #[inline]
    pub(super) fn attach_bare(
        &mut self,
        table: usize,
        to: RecordId,
        image: &mut RecordImage,
    ) -> Option<Result<RecordId>> {
        let view = self.view(table);
        let owner = view.def.owner.filter(|_| view.def.is_bare)?;
        let fits = image.misfits.is_empty() && image.fixed.len() == view.def.layout.image_bytes;
        if !fits
            || self.hooks.concern(table)
            || self.view(owner).version.row_of(to).is_none()
            || view.version.row_of(to).is_some()
        {
            return None;
        }
        let (version, bit) = (self.next_commit(), view.def.component_bit);
        let noted =
            self.noted(table, |redo, def| redo.insert(def, true, &[], Arriving::only(image).pending(), version));
        let (def, writer) = self.table_mut(table);
        // There is room: its owner has the slot, and nothing of it is in the heap.
        writer.rows(def).attach(to, &image.fixed, version);
        writer.note(to, ChangeKind::Insert);
        self.mark(owner, to, bit, true);
        Some(self.inserted(noted, Ok(to)))
    }

    /// Takes a component away from which nothing follows; says whether it was one.
    #[inline]
    pub(super) fn detach_bare(&mut self, table: usize, id: RecordId, row: usize) -> bool {
        let def = &self.catalog.tables()[table];
        let (Some(owner), true, false) = (def.owner, def.is_bare, self.hooks.concern(table)) else { return false };
        let (version, bit) = (self.next_commit(), def.component_bit);
        self.noted(table, |redo, def| redo.delete(def, id, version));
        let (def, writer) = self.table_mut(table);
        writer.rows(def).detach(row, id);
        writer.note(id, ChangeKind::Delete);
        self.mark(owner, id, bit, false);
        true
    }

    /// Notes with the owner of a component that it has the component, or has it no more. Other tables own nothing.
    pub(super) fn mark_component(&mut self, table: usize, id: RecordId, there: bool) {
        let def = &self.catalog.tables()[table];
        if let Some(owner) = def.owner {
            self.mark(owner, id, def.component_bit, there);
        }
    }

    #[inline]
    fn mark(&mut self, owner: usize, id: RecordId, bit: usize, there: bool) {
        let (def, writer) = self.table_mut(owner);
        writer.rows(def).set_component(id.slot(), bit, there);
    }
}
