//! Deleting a record, with what its relations demand of the records that refer to it.
//!
//! A record's components go with it. The whole extent is worked out first, with a work list instead of recursion, so that a chain of a million cascades
//! needs no stack: which records go, which fields become null, who stands in the way. Only then is anything changed. A
//! record that refers with `restrict` stands in the way unless it goes too.

use super::hook::{Change, Coming, On};
use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::{Blocking, Error, Result};
use crate::id::RecordId;
use crate::limits::SAMPLE_IDS_MAX;
use crate::op::Applied;
use crate::record::heap_ref::Cells;
use crate::record::image::RecordImage;
use crate::record::key::Key;
use crate::table::def::RelationDef;
use crate::table::lookup;
use crate::table::writer::ChangeKind;
use dbgen_schema::OnDelete;
use std::collections::HashSet;

/// What a deletion comes to.
#[derive(Default)]
struct Extent<'c> {
    /// Records that go, in the order in which they were reached.
    going: Vec<(usize, RecordId)>,
    /// The same, to be asked.
    is_going: HashSet<(usize, RecordId)>,
    /// Fields that become null.
    nulled: Vec<(usize, RecordId, usize)>,
    /// Records that refer with `restrict`.
    restricting: Vec<(&'c RelationDef, Vec<RecordId>)>,
}

impl Engine {
    #[inline(never)]
    pub(super) fn delete(&mut self, table: usize, id: RecordId) -> Result<Applied> {
        if self.detach_bare(table, id) { Ok(Applied::Deleted(1)) } else { self.delete_any(table, id) }
    }

    #[inline(never)]
    fn delete_any(&mut self, table: usize, id: RecordId) -> Result<Applied> {
        if self.take_in_hand(table, id, true) {
            return self.delete(table, id);
        }
        self.view(table).row_of(id)?;
        if self.goes_alone(table, id) {
            let change = self.tell_before(table, On::Delete, Some(id), Coming::Gone)?;
            self.remove(table, id)?;
            self.made(change);
            return Ok(Applied::Deleted(1));
        }
        let catalog = self.catalog.clone();
        let extent = self.extent(&catalog, table, id)?;
        self.whole(|engine| engine.carry_out(&extent))?;
        Ok(Applied::Deleted(extent.going.len()))
    }

    /// Whether nothing belongs to the record, and nobody refers to it. Someone who may refer to a value of it is taken to do so.
    fn goes_alone(&self, table: usize, id: RecordId) -> bool {
        let def = &self.catalog.tables()[table];
        let refers = |relation: &RelationDef| {
            let key = Key::of_id(id);
            relation.to_value.is_some()
                || lookup::first(self.view(relation.from_table), relation.from_index, &key).is_some()
        };
        let has = |component: &usize| self.view(*component).version.row_of(id).is_some();
        !def.incoming.iter().any(refers) && !def.components.iter().any(has)
    }

    fn carry_out(&mut self, extent: &Extent<'_>) -> Result<()> {
        let mut changes: Vec<Option<Change>> = Vec::new();
        for (table, id) in &extent.going {
            changes.push(self.tell_before(*table, On::Delete, Some(*id), Coming::Gone)?);
        }
        for (table, id, field) in &extent.nulled {
            if !extent.is_going.contains(&(*table, *id)) {
                self.set_null(*table, *id, *field)?;
            }
        }
        for (table, id) in &extent.going {
            self.remove(*table, *id)?;
        }
        changes.into_iter().for_each(|change| self.made(change));
        Ok(())
    }

    fn extent<'c>(&self, catalog: &'c Catalog, table: usize, id: RecordId) -> Result<Extent<'c>> {
        let mut extent = Extent::default();
        extent.reach(table, id);
        let (mut next, mut image) = (0, Vec::new());
        while let Some((table, id)) = extent.going.get(next).copied() {
            next += 1;
            let view = self.view(table);
            image.clear();
            view.gather(view.row_of(id)?, &mut image);
            for component in &catalog.tables()[table].components {
                if self.view(*component).version.row_of(id).is_some() {
                    extent.reach(*component, id);
                }
            }
            for relation in &catalog.tables()[table].incoming {
                let referrers = self.referrers(relation, id, &image);
                match relation.on_delete {
                    _ if referrers.is_empty() => {}
                    OnDelete::Restrict => extent.restricting.push((relation, referrers)),
                    OnDelete::Cascade => referrers.iter().for_each(|id| extent.reach(relation.from_table, *id)),
                    OnDelete::SetNull => {
                        extent.nulled.extend(referrers.iter().map(|id| (relation.from_table, *id, relation.from_field)))
                    }
                }
            }
        }
        let mut blocking = Vec::new();
        for (relation, mut referrers) in std::mem::take(&mut extent.restricting) {
            referrers.retain(|id| !extent.is_going.contains(&(relation.from_table, *id)));
            if !referrers.is_empty() {
                blocking.push(Blocking::new(relation, catalog, &referrers));
            }
        }
        if blocking.is_empty() {
            return Ok(extent);
        }
        Err(Error::Restricted { table: catalog.tables()[table].name.clone(), id, blocking })
    }

    /// The records that refer to record `id`, whose content is `image`, through `relation`.
    pub(super) fn referrers(&self, relation: &RelationDef, id: RecordId, image: &[u8]) -> Vec<RecordId> {
        let from = self.view(relation.from_table);
        let index = &from.def.indexes[relation.from_index];
        let key = match relation.to_value {
            None => Key::of_id(id),
            Some((_, field)) => {
                let to = self.view(relation.to_table);
                if to.def.is_null(image, field) {
                    return Vec::new();
                }
                index.key_of_value(Cells::stored(image, to.version.heap()), &to.def.fields[field])
            }
        };
        lookup::all(from, relation.from_index, &key).collect()
    }

    fn set_null(&mut self, table: usize, id: RecordId, field: usize) -> Result<Applied> {
        let view = self.view(table);
        let mut image = RecordImage::new();
        view.gather(view.row_of(id)?, &mut image.fixed);
        view.def.put_cell(&mut image.fixed, field, None);
        self.update(table, id, &mut image)
    }

    pub(super) fn remove(&mut self, table: usize, id: RecordId) -> Result<()> {
        let mut image = std::mem::take(&mut self.scratch);
        image.clear();
        let view = self.view(table);
        let row = view.row_of(id)?;
        view.gather(row, &mut image);
        let version = self.next_commit();
        self.noted(table, |redo, def| redo.delete(def, id, version));
        let (def, writer) = self.table_mut(table);
        writer.rows(def).remove(row, id, &image);
        writer.note(id, ChangeKind::Delete);
        self.mark_component(table, id, false);
        self.scratch = image;
        Ok(())
    }
}

impl Extent<'_> {
    fn reach(&mut self, table: usize, id: RecordId) {
        if self.is_going.insert((table, id)) {
            self.going.push((table, id));
        }
    }
}

impl Blocking {
    /// Sums up who refers through `relation`.
    pub(super) fn new(relation: &RelationDef, catalog: &Catalog, referrers: &[RecordId]) -> Blocking {
        Blocking {
            relation: relation.name.clone(),
            table: catalog.tables()[relation.from_table].name.clone(),
            count: referrers.len(),
            sample_ids: referrers.iter().take(SAMPLE_IDS_MAX).copied().collect(),
        }
    }
}
