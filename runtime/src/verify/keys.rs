//! Indexes: whether each is sound, and what the rows say that it should hold. Both are told by a sum of hashes, so that nothing
//! has to be looked for.

use crate::id::RecordId;
use crate::record::hash::hash_of;
use crate::record::heap_ref::Cells;
use crate::record::key::Key;
use crate::table::def::{Column, IndexDef, write_columns_of_all};
use crate::table::index::{Index, Visit};
use crate::table::version::{IDS, TableView};
use std::ops::Range;

/// Keys that are written before their hashes are summed up.
const KEYS_AT_ONCE: usize = 64;

/// The sum of the hashes of what an index should hold of some rows.
pub(super) fn sum_of_keys(view: TableView<'_>, index: &IndexDef, rows: Range<usize>) -> Result<u64, String> {
    if let Some((group, columns)) = index.columns_of_group(view.def) {
        return sum_of_group(view, index, (group, &columns), rows);
    }
    let (mut image, mut key) = (Vec::new(), Key::new());
    let mut item = vec![0; index.item_bytes()];
    let key_bytes = item.len() - 8;
    let mut sum = 0_u64;
    for row in rows {
        let id = view.version.id_at(row).ok_or_else(|| format!("row {row} has no id"))?;
        image.clear();
        view.gather(row, &mut image);
        if index.texts.is_empty() {
            item[..key_bytes].fill(0);
            index.write_key(&image, &mut item[..key_bytes]);
        } else {
            index.key(Cells::stored(&image, view.version.heap()), &view.def.fields, &mut key);
            item[..key_bytes].copy_from_slice(key.bytes());
        }
        item[key_bytes..].copy_from_slice(&id.get().to_be_bytes());
        sum = sum.wrapping_add(hash_of(&item));
    }
    Ok(sum)
}

/// The same for an index without texts whose columns lie in one group: keys are written from its rows as they lie.
fn sum_of_group(
    view: TableView<'_>,
    index: &IndexDef,
    (group, columns): (usize, &[Column]),
    rows: Range<usize>,
) -> Result<u64, String> {
    let stride = view.def.layout.groups[group].stride;
    let bytes = &view.group_bytes(group)[rows.start * stride..rows.end * stride];
    let ids = view.version.buffers[IDS].bytes().as_chunks::<8>().0;
    let ids = ids.get(rows.clone()).ok_or_else(|| format!("rows {rows:?} have no ids"))?;
    let width = index.item_bytes();
    let mut items = vec![0; KEYS_AT_ONCE * width];
    let mut sum = 0_u64;
    for (rows, ids) in bytes.chunks(KEYS_AT_ONCE * stride).zip(ids.chunks(KEYS_AT_ONCE)) {
        let items = &mut items[..ids.len() * width];
        // A column that is null writes nothing.
        items.fill(0);
        write_columns_of_all(columns, (rows, stride), (items, width));
        for (item, id) in items.chunks_exact_mut(width).zip(ids) {
            if let Some(place) = item.last_chunk_mut::<8>() {
                *place = u64::from_le_bytes(*id).to_be_bytes();
            }
        }
        sum = sum.wrapping_add(sum_of_hashes(items, width));
    }
    Ok(sum)
}

/// That an index is sound, has a key for every row, and, if it is unique, none twice. Gives the sum of the hashes of its
/// keys.
pub(crate) fn index_sum(view: TableView<'_>, at: usize) -> Result<u64, String> {
    let index = &view.def.indexes[at];
    let entries = Index::new(view.index_bytes(at), index.shape);
    let mut seen = Seen { view, at, sum: 0, doubled: None };
    let checked = entries.check_and_visit(&mut seen);
    checked.map_err(|fault| format!("index `{}`: {fault}", index.name))?;
    if entries.len() as usize != view.version.len() {
        return Err(format!("index `{}` has {} keys for {} rows", index.name, entries.len(), view.version.len()));
    }
    match seen.doubled {
        Some(id) => Err(format!("index `{}` has the key of record {id} more than once", index.name)),
        None => Ok(seen.sum),
    }
}

/// What was seen of an index.
struct Seen<'v> {
    view: TableView<'v>,
    /// Its number.
    at: usize,
    /// The sum of the hashes of its items.
    sum: u64,
    /// A record whose key another one has, in a unique index.
    doubled: Option<u64>,
}

impl Visit for Seen<'_> {
    fn items(&mut self, items: &[u8], width: usize) {
        self.sum = self.sum.wrapping_add(sum_of_hashes(items, width));
    }

    fn asks_for_repeated(&self) -> bool {
        self.view.def.indexes[self.at].unique && self.doubled.is_none()
    }

    fn repeated(&mut self, item: &[u8]) {
        let id = item.last_chunk::<8>().map_or(0, |id| u64::from_be_bytes(*id));
        if self.doubled.is_none() && !has_null_key(self.view, self.at, id) {
            self.doubled = Some(id);
        }
    }
}

/// The sum of the hashes of items of so many bytes. Of the usual widths, those of ids and of names with an id behind, the
/// compiler knows all that is to be done.
fn sum_of_hashes(items: &[u8], width: usize) -> u64 {
    fn sum<'i>(items: impl Iterator<Item = &'i [u8]>) -> u64 {
        items.fold(0, |sum, item| sum.wrapping_add(hash_of(item)))
    }
    match width {
        16 => sum(items.as_chunks::<16>().0.iter().map(<[u8; 16]>::as_slice)),
        25 => sum(items.as_chunks::<25>().0.iter().map(<[u8; 25]>::as_slice)),
        41 => sum(items.as_chunks::<41>().0.iter().map(<[u8; 41]>::as_slice)),
        width => sum(items.chunks_exact(width)),
    }
}

/// Whether a part of a record's key is null: such a key may be there more than once.
fn has_null_key(view: TableView<'_>, index: usize, id: u64) -> bool {
    let row = RecordId::from_u64(id).and_then(|id| view.version.row_of(id));
    // The slots may not have been checked yet.
    let Some(row) = row.filter(|row| *row < view.version.len()) else { return false };
    let (mut image, mut key) = (Vec::new(), Key::new());
    view.gather(row, &mut image);
    view.def.indexes[index].key(Cells::stored(&image, view.version.heap()), &view.def.fields, &mut key)
}

/// The first row whose key an index lacks.
pub(super) fn missing_key(view: TableView<'_>, at: usize) -> Option<String> {
    let index = &view.def.indexes[at];
    let (mut image, mut key) = (Vec::new(), Key::new());
    let entries = Index::new(view.index_bytes(at), index.shape);
    let row = (0..view.version.len()).find(|row| {
        image.clear();
        view.gather(*row, &mut image);
        index.key(Cells::stored(&image, view.version.heap()), &view.def.fields, &mut key);
        key.raw(&view.version.id_at(*row).map_or(0, RecordId::get).to_be_bytes());
        !entries.contains(key.bytes())
    })?;
    Some(format!("index `{}` does not have the key of row {row}", index.name))
}
