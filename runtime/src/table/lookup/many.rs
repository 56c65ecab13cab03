//! Many records found by their keys at once.
//!
//! A lookup waits for memory where the index is, then where the record is. Each step is taken for all keys before the next, and
//! asks for the lines of that ahead of it: so the processor waits for many lines at once, and for each hardly longer than the
//! line needs on its way.

use super::{id_of, row_of_key};
use crate::id::RecordId;
use crate::record::key::Key;
use crate::table::index::btree::BTree;
use crate::table::index::hash::HashIndex;
use crate::table::index::{AT_ONCE, IndexShape, Wanted};
use crate::table::version::TableView;

/// The rows of the records with these keys, which are whole, in a unique index: what [`row_of_key`] gives for each. Of more
/// than [`AT_ONCE`] keys the first.
pub fn rows_of_keys(view: TableView<'_>, index: usize, keys: &[Key]) -> [Option<u32>; AT_ONCE] {
    let mut rows = [None; AT_ONCE];
    let def = &view.def.indexes[index];
    if !def.texts.is_empty() {
        // What decides is in the rows.
        let found = keys.iter().map(|key| row_of_key(view, index, key).map(|row| row as u32));
        rows.iter_mut().zip(found).for_each(|(row, found)| *row = found);
        return rows;
    }
    let (bytes, wanted) = (view.index_bytes(index), Wanted::new(keys.iter().map(Key::bytes)));
    let ids = match def.shape {
        IndexShape::Tree(shape) => BTree::new(bytes, shape).first_with_prefixes(&wanted).map(|item| id_of(item?)),
        IndexShape::Hash(shape) => {
            HashIndex::new(bytes, shape).get_many(&wanted).map(|record| RecordId::from_u64(record?))
        }
    };
    ids.iter().flatten().for_each(|id| view.version.fetch_slot_soon(*id));
    for ((row, id), key) in rows.iter_mut().zip(ids).zip(keys) {
        *row = id.filter(|_| !key.is_impossible()).and_then(|id| view.version.row_of(id)).map(|row| row as u32);
        if let Some(row) = *row {
            view.fetch_row_soon(row as usize);
        }
    }
    rows
}
