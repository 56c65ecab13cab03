//! Finding records through an index: key bytes in, record ids out.

use super::def::IndexDef;
use super::index::btree::{self, BTree};
use crate::id::RecordId;
use std::ops::Bound;

/// The first record whose key begins with `prefix`.
#[inline]
pub fn first(bytes: &[u8], index: &IndexDef, prefix: &[u8]) -> Option<RecordId> {
    BTree::new(bytes, index.shape).first_with_prefix(prefix).and_then(id_of)
}

/// All records whose key begins with `prefix`, in the order of their keys.
pub fn all<'v>(bytes: &'v [u8], index: &IndexDef, prefix: &[u8]) -> Ids<'v> {
    range(bytes, index, Bound::Included(prefix), Bound::Included(prefix))
}

/// All records whose key lies between two bounds, each the beginning of a key: an included bound takes in all keys that
/// begin with it, an excluded one leaves them all out.
pub fn range<'v>(bytes: &'v [u8], index: &IndexDef, low: Bound<&[u8]>, high: Bound<&[u8]>) -> Ids<'v> {
    Ids { items: BTree::new(bytes, index.shape).range(low, high) }
}

/// Record ids in the order of an index.
#[derive(Debug, Clone)]
pub struct Ids<'v> {
    items: btree::Range<'v>,
}

impl Iterator for Ids<'_> {
    type Item = RecordId;

    #[inline]
    fn next(&mut self) -> Option<RecordId> {
        self.items.next().and_then(id_of)
    }
}

impl DoubleEndedIterator for Ids<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<RecordId> {
        self.items.next_back().and_then(id_of)
    }
}

/// The record id at the end of an item.
#[inline]
fn id_of(item: &[u8]) -> Option<RecordId> {
    let (_, id) = item.split_last_chunk::<8>()?;
    RecordId::from_u64(u64::from_be_bytes(*id))
}
