//! What must hold in every published version, checked from the bytes alone.
//!
//! - Every row has an id whose slot names the row; every slot in use has a row; the free ones form one list.
//! - Every cell holds a value of its type, every text is UTF-8.
//! - Every heap block is named by exactly one cell or is on exactly one list of free blocks, and nothing lies between.
//! - Every index holds exactly the keys of the rows; unique ones no key twice.
//! - Every reference names a record, and every component belongs to one, whose mask says so.
//!
//! Tests ask this after every step; it is also how a loaded database is judged.

use crate::engine::Version;
use crate::id::{GENERATION_MAX, RecordId};
use crate::limits::HEAP_UNIT_BYTES;
use crate::record::check::{Heaps, check_value};
use crate::record::codec;
use crate::record::heap_ref::{Cells, HeapCell};
use crate::record::key::Key;
use crate::table::def::{FieldDef, TableDef};
use crate::table::heap::{CLASSES, class_of, class_units};
use crate::table::index::Index;
use crate::table::version::{HEAP, IN_USE, META, SLOT_BYTES, SLOTS, TableView};
use crate::table::{lookup, meta};
use crate::view::View;
use std::collections::HashSet;

/// Something that must hold and does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table `{table}`: {what}")]
pub struct Fault {
    /// The table.
    pub table: String,
    /// What is wrong.
    pub what: String,
}

impl View {
    /// Checks every table from its bytes: slots, cells, heap, indexes and references.
    ///
    /// # Errors
    /// The first [`Fault`] of each table that has one.
    pub fn verify(&self) -> Result<(), Vec<Fault>> {
        let faults: Vec<Fault> = (0..self.version.tables.len())
            .filter_map(|at| {
                let view = self.version.table(at);
                let what = check_table(&self.version, view).err()?;
                Some(Fault { table: view.def.name.clone(), what })
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

fn check_table(version: &Version, view: TableView<'_>) -> Result<(), String> {
    check_slots(view)?;
    let mut blocks = Vec::new();
    let mut image = Vec::new();
    for row in 0..view.version.len() {
        image.clear();
        view.gather(row, &mut image);
        for at in 0..view.def.fields.len() {
            check_cell(view, &image, at)
                .map_err(|what| format!("row {row}, field `{}`: {what}", view.def.fields[at].name))?;
        }
        collect_blocks(view.def, &image, &mut blocks);
        check_keys(view, row, &image)?;
        check_references(version, view, row, &image)?;
    }
    check_owners(version, view)?;
    check_masks(version, view)?;
    check_heap(view, blocks)?;
    check_indexes(view)
}

fn check_slots(view: TableView<'_>) -> Result<(), String> {
    let number = |at| meta::get(&view.version.buffers[META], at) as usize;
    let (rows, slots) = (number(meta::ROWS), number(meta::SLOTS));
    let bytes = view.version.buffers[SLOTS].bytes();
    if bytes.len() != slots * SLOT_BYTES {
        return Err(format!("{slots} slots take {} bytes", bytes.len()));
    }
    for row in 0..rows {
        let id = view.version.id_at(row).ok_or_else(|| format!("row {row} has no id"))?;
        if view.version.row_of(id) != Some(row) {
            return Err(format!("row {row} has id {id}, whose slot names another row"));
        }
    }
    let entry = |slot: usize| codec::le_u64(&bytes[slot * SLOT_BYTES..]);
    let generation = |slot: usize| (entry(slot) >> 32) as u32;
    let in_use = (0..slots).filter(|slot| generation(*slot) & IN_USE != 0).count();
    let retired = (0..slots).filter(|slot| generation(*slot) & !IN_USE > GENERATION_MAX).count();
    let (mut free, mut next) = (0, number(meta::FREE_SLOT));
    while next != 0 && free <= slots {
        let slot = next - 1;
        if slot >= slots || generation(slot) & IN_USE != 0 {
            return Err(format!("the list of free slots names slot {slot}, which is not free"));
        }
        (free, next) = (free + 1, entry(slot) as u32 as usize);
    }
    // A component's slot is its owner's: those of owners without the component are empty.
    let accounted = view.def.owner.is_some() || in_use + free + retired == slots;
    if in_use != rows || !accounted {
        return Err(format!("{rows} rows, {in_use} slots in use, {free} free, {retired} retired, {slots} in all"));
    }
    Ok(())
}

fn check_cell(view: TableView<'_>, image: &[u8], at: usize) -> Result<(), String> {
    let (cell, field) = (view.def.cell(image, at), &view.def.fields[at]);
    if view.def.is_null(image, at) {
        return if !field.nullable {
            Err("null, and it must not be".to_owned())
        } else if cell.iter().any(|byte| *byte != 0) {
            Err("null, with a value behind it".to_owned())
        } else {
            Ok(())
        };
    }
    check_value(&field.plan, cell, Heaps::stored(view.version.heap()))
}

fn collect_blocks(def: &TableDef, image: &[u8], blocks: &mut Vec<(usize, usize)>) {
    for FieldDef { plan, at, .. } in def.fields.iter().filter(|field| field.has_heap) {
        plan.heap_cells(image, at.image_offset, &mut |offset| {
            let cell = HeapCell::from_bytes(&image[offset..]);
            if cell.len > 0 {
                blocks.push((cell.offset as usize, class_units(class_of(cell.len as usize))));
            }
        });
    }
}

/// Blocks in use and free ones must tile the heap.
fn check_heap(view: TableView<'_>, mut blocks: Vec<(usize, usize)>) -> Result<(), String> {
    let meta = &view.version.buffers[META];
    let heap = view.version.buffers[HEAP].bytes();
    let used: usize = blocks.iter().map(|(_, units)| units * HEAP_UNIT_BYTES).sum();
    if used as u64 != meta::get(meta, meta::HEAP_USED) {
        return Err(format!("cells name {used} bytes of heap, {} are in use", meta::get(meta, meta::HEAP_USED)));
    }
    for class in 0..CLASSES {
        let mut next = meta::get(meta, meta::HEAP_FREE + class) as usize;
        while next != 0 {
            let start = next * HEAP_UNIT_BYTES;
            let link =
                heap.get(start..start + 4).ok_or_else(|| format!("free block {next} lies outside of the heap"))?;
            blocks.push((next, class_units(class)));
            if blocks.len() * HEAP_UNIT_BYTES > heap.len() {
                return Err(format!("the free blocks of class {class} form a ring"));
            }
            next = u32::from_le_bytes([link[0], link[1], link[2], link[3]]) as usize;
        }
    }
    blocks.sort_unstable();
    let end = blocks.iter().try_fold(1, |end, (start, units)| {
        if *start == end {
            Ok(start + units)
        } else {
            Err(format!("a heap block ends at unit {end}, the next begins at {start}"))
        }
    })?;
    let expected = if heap.is_empty() { 1 } else { heap.len() / HEAP_UNIT_BYTES };
    if end == expected { Ok(()) } else { Err(format!("the blocks end at unit {end}, the heap at {expected}")) }
}

fn check_keys(view: TableView<'_>, row: usize, image: &[u8]) -> Result<(), String> {
    let Some(id) = view.version.id_at(row) else { return Err(format!("row {row} has no id")) };
    let mut key = Key::new();
    for (at, index) in view.def.indexes.iter().enumerate() {
        let any_null = index.key(Cells::stored(image, view.version.heap()), &view.def.fields, &mut key);
        let is_doubled = index.unique && !any_null && lookup::all(view, at, &key).nth(1).is_some();
        // A key that half of the records share is looked for with its record: the walk over all of them would be quadratic.
        key.raw(&id.get().to_be_bytes());
        if !Index::new(view.index_bytes(at), index.shape).contains(key.bytes()) {
            return Err(format!("index `{}` does not have the key of row {row}", index.name));
        }
        if is_doubled {
            return Err(format!("index `{}` has the key of row {row} more than once", index.name));
        }
    }
    Ok(())
}

fn check_indexes(view: TableView<'_>) -> Result<(), String> {
    for (at, index) in view.def.indexes.iter().enumerate() {
        let entries = Index::new(view.index_bytes(at), index.shape);
        entries.check().map_err(|fault| format!("index `{}`: {fault}", index.name))?;
        if entries.len() as usize != view.version.len() {
            return Err(format!("index `{}` has {} keys for {} rows", index.name, entries.len(), view.version.len()));
        }
    }
    Ok(())
}

fn check_owners(version: &Version, view: TableView<'_>) -> Result<(), String> {
    let Some(owners) = view.def.owner.map(|owner| version.table(owner)) else { return Ok(()) };
    let orphan = (0..view.version.len())
        .filter_map(|row| view.version.id_at(row))
        .find(|id| owners.version.row_of(*id).is_none());
    orphan.map_or(Ok(()), |id| Err(format!("component {id} belongs to no record of `{}`", owners.def.name)))
}

fn check_masks(version: &Version, view: TableView<'_>) -> Result<(), String> {
    let masks = view.masks();
    let slots = meta::get(&view.version.buffers[META], meta::SLOTS) as u32;
    for (bit, component) in view.def.components.iter().enumerate() {
        let component = version.table(*component);
        let owners = (0..component.version.len()).filter_map(|row| component.version.id_at(row));
        let owners: HashSet<u32> = owners.map(RecordId::slot).collect();
        if let Some(slot) = (0..slots).find(|slot| masks.has(*slot, bit) != owners.contains(slot)) {
            return Err(format!("the mask of slot {slot} does not say whether it has a `{}`", component.def.name));
        }
    }
    Ok(())
}

fn check_references(version: &Version, view: TableView<'_>, row: usize, image: &[u8]) -> Result<(), String> {
    for relation in view.def.outgoing.iter().filter(|relation| relation.to_value.is_none()) {
        if view.def.is_null(image, relation.from_field) {
            continue;
        }
        let number = codec::le_u64(view.def.cell(image, relation.from_field));
        let to = version.table(relation.to_table);
        if RecordId::from_u64(number).and_then(|id| to.version.row_of(id)).is_none() {
            return Err(format!("row {row} refers to record {number} of `{}`, which does not exist", to.def.name));
        }
    }
    Ok(())
}
