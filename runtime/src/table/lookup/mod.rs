//! Finding records through an index: a key in, record ids out.
//!
//! A key may be the first columns of an index only, if the index is ordered; a hash is asked for whole keys. What an index
//! holds of a long text does not decide everything: then `texts` asks the rows.

mod many;
mod texts;

pub use many::rows_of_keys;

use super::def::IndexDef;
use super::index::btree::{self, BTree};
use super::index::hash::HashIndex;
use super::index::{Index, IndexShape};
use super::version::TableView;
use crate::id::RecordId;
use crate::record::key::Key;
use std::ops::Bound;

/// The first record whose key in index number `index` begins with `key`.
#[inline]
pub fn first(view: TableView<'_>, index: usize, key: &Key) -> Option<RecordId> {
    match view.def.indexes[index].texts.is_empty() {
        true => first_without_texts(view, index, key.bytes()),
        false => all(view, index, key).next(),
    }
}

/// The same in an index without texts, whose keys are their bytes.
#[inline]
fn first_without_texts(view: TableView<'_>, index: usize, key: &[u8]) -> Option<RecordId> {
    let bytes = view.index_bytes(index);
    match view.def.indexes[index].shape {
        IndexShape::Tree(shape) => BTree::new(bytes, shape).first_with_prefix(key).and_then(id_of),
        IndexShape::Hash(shape) => HashIndex::new(bytes, shape).get(key).and_then(RecordId::from_u64),
    }
}

/// The row of the record with this key, which is whole, in a unique index.
#[inline]
pub fn row_of_key(view: TableView<'_>, index: usize, key: &Key) -> Option<usize> {
    view.version.row_of(first(view, index, key)?)
}

/// Whether an index without texts has a record with this key.
#[inline]
pub fn has(view: TableView<'_>, index: usize, key: &[u8]) -> bool {
    match Index::new(view.index_bytes(index), view.def.indexes[index].shape) {
        Index::Tree(tree) => tree.first_with_prefix(key).is_some(),
        Index::Hash(hash) => hash.get(key).is_some(),
    }
}

/// Whether an index has no entries.
pub fn is_empty(view: TableView<'_>, index: usize) -> bool {
    Index::new(view.index_bytes(index), view.def.indexes[index].shape).is_empty()
}

/// All records whose key begins with `key`, in the order of their keys; those of a hash in no particular one.
pub fn all<'v>(view: TableView<'v>, index: usize, key: &Key) -> Ids<'v> {
    range(view, index, Bound::Included(key), Bound::Included(key))
}

/// All records whose key lies between two bounds, each the beginning of a key: an included bound takes in all keys that
/// begin with it, an excluded one leaves them all out. A hash has no ranges but those of one key.
pub fn range<'v>(view: TableView<'v>, index: usize, low: Bound<&Key>, high: Bound<&Key>) -> Ids<'v> {
    let def = &view.def.indexes[index];
    match Index::new(view.index_bytes(index), def.shape) {
        Index::Tree(tree) if def.texts.is_empty() => Ids::Tree(tree.range(low.map(Key::bytes), high.map(Key::bytes))),
        Index::Tree(tree) => Ids::Texts(Box::new(texts::Range::new(view, def, tree, low, high))),
        Index::Hash(hash) => Ids::Listed(equal(view, def, hash, low, high).into_iter()),
    }
}

/// The records of a hash that have the one key of a range.
fn equal(
    view: TableView<'_>,
    def: &IndexDef,
    hash: HashIndex<'_>,
    low: Bound<&Key>,
    high: Bound<&Key>,
) -> Vec<RecordId> {
    let (Bound::Included(key), Bound::Included(other)) = (low, high) else { return Vec::new() };
    if key.bytes() != other.bytes() {
        return Vec::new();
    }
    let found = hash.get_all(key.bytes()).filter_map(RecordId::from_u64);
    found.filter(|id| has_long_texts(view, def, *id, key)).collect()
}

/// Whether the long texts of `key`, if it has any, are those of a record.
pub fn has_long_texts(view: TableView<'_>, index: &IndexDef, id: RecordId, key: &Key) -> bool {
    !key.has_long_texts() || texts::are_equal(view, index, id, key)
}

/// Record ids as an index gives them.
#[derive(Debug, Clone)]
pub enum Ids<'v> {
    /// Straight from a tree.
    Tree(btree::Range<'v>),
    /// From a tree over texts.
    Texts(Box<texts::Range<'v>>),
    /// Found already.
    Listed(std::vec::IntoIter<RecordId>),
}

impl Ids<'_> {
    /// No records.
    pub fn none() -> Self {
        Ids::Listed(Vec::new().into_iter())
    }
}

impl Iterator for Ids<'_> {
    type Item = RecordId;

    #[inline]
    fn next(&mut self) -> Option<RecordId> {
        match self {
            Ids::Tree(items) => items.next().and_then(id_of),
            Ids::Texts(items) => items.next(),
            Ids::Listed(ids) => ids.next(),
        }
    }
}

impl DoubleEndedIterator for Ids<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<RecordId> {
        match self {
            Ids::Tree(items) => items.next_back().and_then(id_of),
            Ids::Texts(items) => items.next_back(),
            Ids::Listed(ids) => ids.next_back(),
        }
    }
}

/// The record id at the end of an item.
#[inline]
fn id_of(item: &[u8]) -> Option<RecordId> {
    let (_, id) = item.split_last_chunk::<8>()?;
    RecordId::from_u64(u64::from_be_bytes(*id))
}
