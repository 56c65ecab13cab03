//! Components: what their owner's table knows of them.
//!
//! A bare component (no rule, index, reference or heap value) of which no handler wants to know comes and goes on a short way:
//! two tables are looked up together, and nothing is asked of either that the transaction knows already. What is written is what
//! the long way writes, by the same functions.

use super::batch::{collect, finish};
use super::check::Arriving;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::op::{Applied, Op};
use crate::record::image::RecordImage;
use crate::table::def::{Bare, TableDef};
use crate::table::mask::MaskPlace;
use crate::table::writer::{ChangeKind, TableWriter};

/// A table of bare components and the one whose records own them: the running transaction writes both already.
struct InHand<'e> {
    mask: &'e MaskPlace,
    def: &'e TableDef,
    table: &'e mut TableWriter,
    owner: &'e mut TableWriter,
}

impl Engine {
    /// Adds a component to a record.
    #[inline(never)]
    pub(super) fn attach(&mut self, table: usize, owner: RecordId, image: &mut RecordImage) -> Result<Applied> {
        match self.attach_bare(table, owner, image) {
            true => Ok(Applied::Inserted(owner)),
            false => self.attach_any(table, owner, image),
        }
    }

    #[cold]
    #[inline(never)]
    fn attach_any(&mut self, table: usize, owner: RecordId, image: &mut RecordImage) -> Result<Applied> {
        match self.take_in_hand(table, owner, false) {
            true => self.attach(table, owner, image),
            false => self.insert(table, Some(owner), image),
        }
    }

    /// Adds components to records, all or none: `next` encodes one and says whose it is. One that breaks a rule does not hide
    /// what is wrong with the others.
    pub(crate) fn attach_many(
        &mut self,
        table: usize,
        mut next: impl FnMut(&mut RecordImage) -> Option<RecordId>,
    ) -> Result<()> {
        let mut image = RecordImage::new();
        // The components come from the game's own code, which may panic while some are there.
        self.whole(|engine| {
            let (mut found, mut row) = (Vec::new(), 0);
            while let Some(owner) = next(&mut image) {
                let done = engine.apply(Op::Insert { table, owner: Some(owner), image: &mut image });
                done.map_or_else(|error| collect(&mut found, row, error), |_| Ok(()))?;
                row += 1;
            }
            finish(found)
        })
    }

    /// Takes the components of these records away, all or none; says how many had one.
    pub(crate) fn detach_many(&mut self, table: usize, ids: impl Iterator<Item = RecordId>) -> Result<usize> {
        self.whole(|engine| {
            let mut count = 0;
            for id in ids {
                match Applied::count(engine.apply(Op::Delete { table, id })) {
                    Ok(_) => count += 1,
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(count)
        })
    }

    /// Adds a bare component to a record; `false` if it takes a closer look.
    #[inline(always)]
    fn attach_bare(&mut self, table: usize, to: RecordId, image: &RecordImage) -> bool {
        let version = self.next_commit();
        let Some(InHand { mask, def, table: writer, owner }) = self.in_hand(table) else { return false };
        let fits = image.misfits.is_empty() && image.fixed.len() == def.layout.image_bytes;
        if !fits || owner.back().row_of(to).is_none() || writer.back().row_in_slot(to.slot()).is_some() {
            return false;
        }
        // There is room: its owner has the slot, and nothing of it is in the heap.
        writer.rows(def).attach(to, &image.fixed, version);
        writer.note(to, ChangeKind::Insert);
        mask.set(owner.buffer(mask.buffer()), to.slot(), true);
        if self.redo.notes(table) {
            self.note_for_log(table, |redo, def| {
                redo.insert(def, true, &[], Arriving::only(image).pending(), version);
                redo.inserted(to);
            });
        }
        true
    }

    /// Takes a bare component away from which nothing follows; says whether it was one.
    #[inline(always)]
    pub(super) fn detach_bare(&mut self, table: usize, id: RecordId) -> bool {
        let version = self.next_commit();
        let Some(InHand { mask, def, table: writer, owner }) = self.in_hand(table) else { return false };
        let Some(row) = writer.back().row_by_slot(id) else { return false };
        writer.rows(def).detach(row, id);
        writer.note(id, ChangeKind::Delete);
        mask.set(owner.buffer(mask.buffer()), id.slot(), false);
        if self.redo.notes(table) {
            self.note_for_log(table, |redo, def| redo.delete(def, id, version));
        }
        true
    }

    /// A table of bare components and its owner's, if both are being written and nobody else has to know.
    #[inline(always)]
    fn in_hand(&mut self, table: usize) -> Option<InHand<'_>> {
        let def = &self.catalog.tables()[table];
        let Bare { owner, mask } = def.bare.as_ref()?;
        if self.hooks.concern(table) || self.redo.has_lent() {
            return None;
        }
        let [table, owner] = self.tables.get_disjoint_mut([table, *owner]).ok()?;
        (table.is_in_hand() && owner.is_in_hand()).then_some(InHand { mask, def, table, owner })
    }

    /// Has the running transaction write a table of bare components and its owner's from now on, where a component of this record
    /// is about to come, or to go if it `is_there`. Says whether that is new: `false` if it is so already, or is not going to be.
    #[inline(never)]
    pub(super) fn take_in_hand(&mut self, table: usize, id: RecordId, is_there: bool) -> bool {
        let Some(bare) = self.catalog.tables()[table].bare else { return false };
        let is_owned = self.view(bare.owner).version.row_of(id).is_some();
        if !is_owned || self.view(table).version.row_of(id).is_some() != is_there || self.in_hand(table).is_some() {
            return false;
        }
        for at in [table, bare.owner] {
            let (def, writer) = self.table_mut(at);
            writer.rows(def);
        }
        self.in_hand(table).is_some()
    }

    /// Notes with the owner of a component that it has the component, or has it no more. Other tables own nothing.
    pub(super) fn mark_component(&mut self, table: usize, id: RecordId, there: bool) {
        let def = &self.catalog.tables()[table];
        if let Some(owner) = def.owner {
            let bit = def.component_bit;
            let (def, writer) = self.table_mut(owner);
            writer.rows(def).set_component(id.slot(), bit, there);
        }
    }
}

#[cfg(test)]
mod tests;
