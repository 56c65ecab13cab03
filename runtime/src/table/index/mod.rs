//! Indexes: ordered sets and hashes of fixed-width keys, each in one buffer of small pages.
//!
//! [`Index`] and [`IndexMut`] are either kind, so that nothing else in the engine asks which.
//!
//! Both keep *all* their state in the buffer. The journal undoes them and versions catch up with them without knowing
//! what they are. Entries name record ids, so moving a row touches no index.

pub mod btree;
mod fault;
pub mod hash;
mod items;
mod pages;
#[cfg(test)]
mod testing;
mod wanted;

use crate::table::buffer::BufferMut;
use btree::{BTree, BTreeMut, Shape};
use dbgen_schema::IndexKind;
pub use fault::{Fault, Wrong};
use hash::{HashIndex, HashIndexMut, HashShape};
pub use items::{Items, entry, hash_entry, head_bits};
pub use wanted::{AT_ONCE, Wanted};

/// The measures of an index of either kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexShape {
    /// Of a tree, which keeps order.
    Tree(Shape),
    /// Of a hash, which finds equals.
    Hash(HashShape),
}

impl IndexShape {
    /// The measures of an index with keys of `key_bytes` and record ids; `None` if they are too long.
    pub fn new(kind: IndexKind, key_bytes: usize) -> Option<IndexShape> {
        match kind {
            IndexKind::Btree => Shape::new(key_bytes + ID_BYTES).map(IndexShape::Tree),
            IndexKind::Hash => HashShape::new(key_bytes).map(IndexShape::Hash),
        }
    }
}

/// Sees the items of an index, each a key and the record id, big-endian, while it is checked.
pub trait Visit {
    /// Items that lie one behind the other, `width` bytes each. Each item is shown once.
    fn items(&mut self, items: &[u8], width: usize);

    /// Whether it wants to be told of keys that are there more than once, for which it takes another look.
    fn asks_for_repeated(&self) -> bool {
        false
    }

    /// An item whose key another one has.
    fn repeated(&mut self, _item: &[u8]) {}
}

/// Sees nothing.
impl Visit for () {
    fn items(&mut self, _items: &[u8], _width: usize) {}
}

/// An index of either kind, for reading.
#[derive(Debug, Clone, Copy)]
pub enum Index<'a> {
    /// An ordered one.
    Tree(BTree<'a>),
    /// One that finds equals.
    Hash(HashIndex<'a>),
}

impl<'a> Index<'a> {
    /// The index in `bytes`. No bytes are an empty one.
    #[inline]
    pub fn new(bytes: &'a [u8], shape: IndexShape) -> Index<'a> {
        match shape {
            IndexShape::Tree(shape) => Index::Tree(BTree::new(bytes, shape)),
            IndexShape::Hash(shape) => Index::Hash(HashIndex::new(bytes, shape)),
        }
    }

    /// How many records are in it.
    pub fn len(&self) -> u64 {
        match self {
            Index::Tree(tree) => tree.len(),
            Index::Hash(hash) => hash.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an item, a key and the record id, big-endian, is there.
    pub fn contains(&self, item: &[u8]) -> bool {
        match self {
            Index::Tree(tree) => tree.contains(item),
            Index::Hash(hash) => {
                let (key, record) = parts(item);
                hash.contains(key, record)
            }
        }
    }

    /// Checks every page.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub fn check(&self) -> Result<(), Fault> {
        self.check_and_visit(&mut ())
    }

    /// The same; shows every item on the way.
    ///
    /// # Errors
    /// The first [`Fault`]; what was shown until then is worth nothing.
    pub fn check_and_visit(&self, each: &mut dyn Visit) -> Result<(), Fault> {
        match self {
            Index::Tree(tree) => tree.check_and_visit(each),
            Index::Hash(hash) => hash.check_and_visit(each),
        }
    }
}

/// An index of either kind, for writing.
#[derive(Debug)]
pub enum IndexMut<'a> {
    /// An ordered one.
    Tree(BTreeMut<'a>),
    /// One that finds equals.
    Hash(HashIndexMut<'a>),
}

impl<'a> IndexMut<'a> {
    /// The index in `buffer`.
    pub fn new(buffer: BufferMut<'a>, shape: IndexShape) -> IndexMut<'a> {
        match shape {
            IndexShape::Tree(shape) => IndexMut::Tree(BTreeMut::new(buffer, shape)),
            IndexShape::Hash(shape) => IndexMut::Hash(HashIndexMut::new(buffer, shape)),
        }
    }

    /// Adds an item: a key and the record id, big-endian.
    pub fn insert(&mut self, item: &[u8]) -> bool {
        match self {
            IndexMut::Tree(tree) => tree.insert(item),
            IndexMut::Hash(hash) => {
                let (key, record) = parts(item);
                hash.insert(key, record)
            }
        }
    }

    /// Takes an item out.
    pub fn remove(&mut self, item: &[u8]) -> bool {
        match self {
            IndexMut::Tree(tree) => tree.remove(item),
            IndexMut::Hash(hash) => {
                let (key, record) = parts(item);
                hash.remove(key, record)
            }
        }
    }

    /// Adds items, none twice: to a tree in ascending order; to a hash in the order of the hashes of their keys.
    pub fn insert_sorted(&mut self, items: Items<'_>) {
        match self {
            IndexMut::Tree(tree) => tree.insert_items(items),
            IndexMut::Hash(hash) => hash.insert_all(items),
        };
    }
}

/// Bytes of the record id at the end of an item.
const ID_BYTES: usize = 8;

/// The key and the record of an item.
#[inline]
fn parts(item: &[u8]) -> (&[u8], u64) {
    item.split_last_chunk::<ID_BYTES>().map_or((&[], 0), |(key, id)| (key, u64::from_be_bytes(*id)))
}
