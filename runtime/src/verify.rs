//! What must hold in every published version, checked from the bytes alone.
//!
//! - Every row has an id whose slot names the row; every slot in use has a row; the free ones form one list.
//! - Every cell holds a value of its type, every text is UTF-8.
//! - Every heap block is named by exactly one cell or is on exactly one list of free blocks, and nothing lies between.
//! - Every index holds exactly the keys of the rows; unique ones no key twice.
//! - Every reference names a record, and every component belongs to one, whose mask says so.
//!
//! Tests ask this after every step; it is also how a loaded database is judged, so it takes no longer than reading it: rows
//! and pages are gone through once and compared by sums, nothing is looked up but references.

mod blocks;
mod cells;
mod keys;

use crate::engine::Version;
use crate::id::{GENERATION_MAX, RecordId};
use crate::record::codec;
use crate::table::def::TableDef;
use crate::table::meta;
use crate::table::version::{GROUPS, IDS, IN_USE, META, SLOT_BYTES, SLOTS, TableView, VERSIONS};
use crate::threads::each_part;
use crate::view::View;
use blocks::{Blocks, check_heap};
pub(crate) use keys::index_sum;
use keys::{missing_key, sum_of_keys};
use std::ops::Range;
use std::sync::OnceLock;

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
        self.verify_where(|_| true)
    }

    /// The same for tables of which each was checked by itself ([`check_content`]) when it was read: what was written since is,
    /// and what they say of one another.
    pub(crate) fn verify_loaded(&self) -> Result<(), Vec<Fault>> {
        self.verify_where(|view| view.version.seq != 0)
    }

    fn verify_where(&self, alone_too: impl Fn(TableView<'_>) -> bool) -> Result<(), Vec<Fault>> {
        let faults: Vec<Fault> = (0..self.version.tables.len())
            .filter_map(|at| {
                let view = self.version.table(at);
                let check = if alone_too(view) { check_table } else { check_bonds };
                let what = check(&self.version, view).err()?;
                Some(Fault { table: view.def.name.clone(), what })
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// Checks that every field of one record holds a value of its type.
///
/// # Errors
/// The first field that does not, by its name.
pub(crate) fn check_record(view: TableView<'_>, row: usize) -> Result<(), Fault> {
    view.def.fields.iter().try_for_each(|field| {
        let fault = |(row, what)| Fault {
            table: view.def.name.clone(),
            what: format!("row {row}, field `{}`: {what}", field.name),
        };
        cells::check_one(view, field, row).map_err(fault)
    })
}

/// Rows that one thread looks at, field by field and index by index: few enough that they stay near it meanwhile.
const ROWS_AT_ONCE: usize = 2 << 10;
/// Rows of which one thread looks at a reference each.
const REFERENCES_AT_ONCE: usize = 32 << 10;

/// Checks a table, and what it says of others. Every row and every page is looked at once, and none is looked for: an index
/// holds exactly the keys of the rows if both have the same sum of hashes. That takes the time of reading it all, on as many
/// threads as there are: rows and indexes at the same time.
fn check_table(version: &Version, view: TableView<'_>) -> Result<(), String> {
    let content = check_content(view, Some(version));
    let expected = content.expected?;
    content.indexes.into_iter().enumerate().try_for_each(|(at, sum)| match sum? == expected[at] {
        true => Ok(()),
        false => Err(missing_key(view, at)
            .unwrap_or_else(|| format!("index `{}` has keys of no row", view.def.indexes[at].name))),
    })?;
    check_owners(version, view)?;
    check_masks(version, view)?;
    content.references
}

/// What was found in a table. Of rows and indexes neither is believed by the other.
pub(crate) struct Content {
    /// Slots, rows and heap: what the sum of each index should be ([`index_sum`]).
    pub(crate) expected: Result<Vec<u64>, String>,
    /// What it is.
    pub(crate) indexes: Vec<Result<u64, String>>,
    /// Whether references name records.
    references: Result<(), String>,
}

/// What was found in some rows.
struct RowsContent {
    sums: Vec<u64>,
    references: Result<(), String>,
}

/// Checks slots, rows and heap of a table, each index by itself, and references if there are `others` to refer to.
pub(crate) fn check_content(view: TableView<'_>, others: Option<&Version>) -> Content {
    enum Part {
        Index(Result<u64, String>),
        Rows(Result<RowsContent, String>),
    }
    let (rows, indexes) = (view.version.len(), view.def.indexes.len());
    // How many rows there are is believed of what they take.
    let pieces = rows.min(view.version.buffers[IDS].len() / 8).div_ceil(ROWS_AT_ONCE);
    let blocks = Blocks::new(view.version.heap().0.len());
    // Rows are read once it is sure that they are there.
    let slots = OnceLock::new();
    let check = |part: usize| match part.checked_sub(indexes) {
        None => Part::Index(index_sum(view, part)),
        Some(piece) => Part::Rows(match slots.get_or_init(|| check_places(view)) {
            Ok(()) => {
                let start = piece * ROWS_AT_ONCE;
                check_rows(view, others, start.min(rows)..rows.min(start + ROWS_AT_ONCE), &blocks)
            }
            Err(what) => Err(what.clone()),
        }),
    };
    // The slots of an empty table are looked at as well; a small one is not worth another thread.
    let parts = indexes + pieces.max(1);
    let parts = if pieces <= 1 { (0..parts).map(check).collect() } else { each_part(parts, check) };
    let (mut sums, mut expected) = (Vec::with_capacity(indexes), vec![0_u64; indexes]);
    let (mut fault, mut references) = (None, Ok(()));
    for part in parts {
        match part {
            Part::Index(sum) => sums.push(sum),
            Part::Rows(Ok(of_rows)) => {
                expected.iter_mut().zip(of_rows.sums).for_each(|(sum, more)| *sum = sum.wrapping_add(more));
                references = references.and(of_rows.references);
            }
            Part::Rows(Err(what)) => fault = fault.or(Some(what)),
        }
    }
    let expected = fault.map_or(Ok(()), Err).and_then(|()| check_heap(view, &blocks)).map(|()| expected);
    Content { expected, indexes: sums, references }
}

/// Checks some rows; for each index sums up the hashes of their keys.
fn check_rows(
    view: TableView<'_>,
    others: Option<&Version>,
    rows: Range<usize>,
    blocks: &Blocks,
) -> Result<RowsContent, String> {
    check_ids(view, rows.clone())?;
    for field in &view.def.fields {
        cells::check(view, field, rows.clone(), blocks)
            .map_err(|(row, what)| format!("row {row}, field `{}`: {what}", field.name))?;
    }
    let sums: Result<_, String> = view.def.indexes.iter().map(|index| sum_of_keys(view, index, rows.clone())).collect();
    let references = others.map_or(Ok(()), |others| check_references(others, view, rows));
    Ok(RowsContent { sums: sums?, references })
}

/// What a table says of others: references name records, components belong to one, masks say which there are.
fn check_bonds(version: &Version, view: TableView<'_>) -> Result<(), String> {
    check_owners(version, view)?;
    check_masks(version, view)?;
    let rows = if references(view.def).next().is_some() { view.version.len() } else { 0 };
    let parts = each_part(rows.div_ceil(REFERENCES_AT_ONCE), |part| {
        let start = part * REFERENCES_AT_ONCE;
        check_references(version, view, start..rows.min(start + REFERENCES_AT_ONCE))
    });
    parts.into_iter().collect()
}

/// That slots and rows are as many as they should be, and that behind them there is nothing.
fn check_places(view: TableView<'_>) -> Result<(), String> {
    check_slots(view)?;
    let (rows, ids) = (view.version.len(), view.version.buffers[IDS].len() / 8);
    if ids < rows {
        return Err(format!("row {ids} has no id"));
    }
    check_room(view)
}

/// Rows beyond the last are zero: an insertion relies on it.
fn check_room(view: TableView<'_>) -> Result<(), String> {
    let rows = view.version.len();
    let groups = view.def.layout.groups.iter().enumerate().map(|(at, group)| (GROUPS + at, group.stride));
    let mut buffers = [(IDS, 8), (VERSIONS, 8)].into_iter().chain(groups);
    let is_zero = |(at, stride): (usize, usize)| {
        let room = view.version.buffers[at].bytes().get(rows * stride..).unwrap_or_default();
        room.iter().all(|byte| *byte == 0)
    };
    if buffers.all(is_zero) { Ok(()) } else { Err("there is something behind the last row".to_owned()) }
}

/// That some rows have ids whose slots name them.
fn check_ids(view: TableView<'_>, rows: Range<usize>) -> Result<(), String> {
    let ids = view.version.buffers[IDS].bytes().as_chunks::<8>().0;
    let slots = view.version.buffers[SLOTS].bytes().as_chunks::<SLOT_BYTES>().0;
    for (row, id) in rows.clone().zip(ids.get(rows.clone()).unwrap_or_default()) {
        let id = RecordId::from_u64(u64::from_le_bytes(*id)).ok_or_else(|| format!("row {row} has no id"))?;
        let expected = u64::from(id.generation() | IN_USE) << 32 | row as u64;
        if slots.get(id.slot() as usize).map(|slot| u64::from_le_bytes(*slot)) != Some(expected) {
            return Err(format!("row {row} has id {id}, whose slot names another row"));
        }
    }
    if rows.end <= ids.len() { Ok(()) } else { Err(format!("row {} has no id", ids.len())) }
}

/// That the slots are as many as they should be, and each is in use, free or retired.
fn check_slots(view: TableView<'_>) -> Result<(), String> {
    let number = |at| meta::get(&view.version.buffers[META], at) as usize;
    let (rows, slots) = (number(meta::ROWS), number(meta::SLOTS));
    let bytes = view.version.buffers[SLOTS].bytes();
    if bytes.len() != slots * SLOT_BYTES {
        return Err(format!("{slots} slots take {} bytes", bytes.len()));
    }
    let entry = |slot: usize| codec::le_u64(&bytes[slot * SLOT_BYTES..]);
    let generation = |slot: usize| (entry(slot) >> 32) as u32;
    let (mut in_use, mut retired) = (0, 0);
    for slot in bytes.as_chunks::<SLOT_BYTES>().0 {
        let generation = (u64::from_le_bytes(*slot) >> 32) as u32;
        in_use += usize::from(generation & IN_USE != 0);
        retired += usize::from(generation & !IN_USE > GENERATION_MAX);
    }
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
    if !view.version.settled.is_true_of(bytes) {
        return Err("a slot that need not be asked would say something else".to_owned());
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
        let mut has_one = vec![false; slots as usize];
        for id in (0..component.version.len()).filter_map(|row| component.version.id_at(row)) {
            // One of a slot that is not there belongs to no record, which is said elsewhere.
            has_one.get_mut(id.slot() as usize).into_iter().for_each(|slot| *slot = true);
        }
        if let Some(slot) = (0..slots).find(|slot| masks.has(*slot, bit) != has_one[*slot as usize]) {
            return Err(format!("the mask of slot {slot} does not say whether it has a `{}`", component.def.name));
        }
    }
    Ok(())
}

/// The fields that hold ids of other records, and the tables of those.
fn references(def: &TableDef) -> impl Iterator<Item = (usize, usize)> {
    let by_id = def.outgoing.iter().filter(|relation| relation.to_value.is_none());
    by_id.map(|relation| (relation.from_field, relation.to_table))
}

/// Checks that the references of some rows name records.
fn check_references(version: &Version, view: TableView<'_>, rows: Range<usize>) -> Result<(), String> {
    for (field, to) in references(view.def) {
        let (field, to) = (&view.def.fields[field], version.table(to));
        for (row, bytes) in cells::rows(view, field, rows.clone()) {
            let number = codec::le_u64(&bytes[field.at.offset..]);
            if number != 0 && RecordId::from_u64(number).and_then(|id| to.version.row_of(id)).is_none() {
                return Err(format!("row {row} refers to record {number} of `{}`, which does not exist", to.def.name));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
