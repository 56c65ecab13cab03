//! Reading: tables and records as borrowed views of their buffers.

use super::{Component, Found, FoundMany, Table};
use crate::error::Result;
use crate::id::Id;
use crate::record::heap_ref::{HeapCell, HeapRef};
use crate::record::key::Key;
use crate::table::lookup::{self, Ids};
use crate::table::version::{GROUPS, TableView};
use crate::verify::{Fault, check_record};
use bytemuck::{AnyBitPattern, NoUninit};
use std::marker::PhantomData;
use std::ops::Bound;

/// A table, read.
pub struct TableRef<'v, T> {
    pub(super) view: TableView<'v>,
    table: PhantomData<fn() -> T>,
}

impl<T> Clone for TableRef<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for TableRef<'_, T> {}

impl<T: Table> std::fmt::Debug for TableRef<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} records)", T::NAME, self.len())
    }
}

impl<'v, T: Table> TableRef<'v, T> {
    pub(crate) fn new(view: TableView<'v>) -> Self {
        TableRef { view, table: PhantomData }
    }

    /// The record with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) if it was deleted or never existed.
    // Always: where it is inlined late, each result goes through memory, a fifth more instructions in a loop of gets.
    #[inline(always)]
    pub fn get(self, id: Id<T>) -> Result<T::Ref<'v>> {
        Ok(self.record(self.view.row_of(id.record_id())?))
    }

    /// The record with this id, if it exists.
    #[inline]
    pub fn find_id(self, id: Id<T>) -> Option<T::Ref<'v>> {
        self.view.version.row_of(id.record_id()).map(|row| self.record(row))
    }

    /// Whether there is a record with this id.
    pub fn contains(self, id: Id<T>) -> bool {
        self.view.version.row_of(id.record_id()).is_some()
    }

    /// Records.
    pub fn len(self) -> usize {
        self.view.version.len()
    }

    /// Whether there are no records.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// All records, in the order in which they lie.
    pub fn iter(self) -> Records<'v, T> {
        Records { view: self.view, rows: 0..self.len() as u32, table: PhantomData }
    }

    /// The ids of all records, in the order in which they lie.
    pub fn ids(self) -> impl ExactSizeIterator<Item = Id<T>> + 'v {
        (0..self.len() as u32).map(move |row| RecordRef { view: self.view, row }.id())
    }

    /// A column group as a slice of its rows.
    #[inline]
    pub fn group<R: AnyBitPattern + NoUninit>(self, group: usize) -> &'v [R] {
        bytemuck::try_cast_slice(self.view.group_bytes(group)).unwrap_or(&[])
    }

    #[inline]
    pub(super) fn record(self, row: usize) -> T::Ref<'v> {
        RecordRef { view: self.view, row: row as u32 }.into()
    }

    /// The record with this key in a unique index.
    #[inline]
    pub fn find(self, index: usize, key: &Key) -> Option<T::Ref<'v>> {
        if key.is_impossible() {
            return None;
        }
        lookup::row_of_key(self.view, index, key).map(|row| self.record(row))
    }

    /// The records with these keys in a unique index, each in the place of its key; `push` makes an empty key that of a value.
    /// Many are looked for at once, which is faster than one after the other.
    #[inline]
    pub fn find_many<V, I, F>(self, index: usize, values: I, push: F) -> FoundMany<'v, T, I::IntoIter, F>
    where
        I: IntoIterator<Item = V>,
        F: Fn(&mut Key, V),
    {
        FoundMany::new(self, index, values.into_iter(), push)
    }

    /// The records whose key in an index begins with `key`, in the order of their keys.
    pub fn find_all(self, index: usize, key: &Key) -> Found<'v, T> {
        self.find_range(index, key, Bound::Unbounded, Bound::Unbounded)
    }

    /// The records whose key in an index begins with `prefix` and lies between two bounds, which begin with `prefix` too.
    pub fn find_range(self, index: usize, prefix: &Key, low: Bound<Key>, high: Bound<Key>) -> Found<'v, T> {
        fn within<'k>(bound: &'k Bound<Key>, prefix: &'k Key) -> Bound<&'k Key> {
            match bound {
                Bound::Included(key) => Bound::Included(key),
                Bound::Excluded(key) => Bound::Excluded(key),
                Bound::Unbounded => Bound::Included(prefix),
            }
        }
        if prefix.is_impossible() {
            return Found::new(self, Ids::none());
        }
        Found::new(self, lookup::range(self.view, index, within(&low, prefix), within(&high, prefix)))
    }
}

impl<'v, T: Component> TableRef<'v, T> {
    /// A record's component, if it has one.
    #[inline]
    pub fn of(self, owner: Id<T::Parent>) -> Option<T::Ref<'v>> {
        self.find_id(Id::new(owner.record_id()))
    }
}

/// All records of a table.
pub struct Records<'v, T> {
    view: TableView<'v>,
    rows: std::ops::Range<u32>,
    table: PhantomData<fn() -> T>,
}

// A derive would demand it of the record, too.
impl<T> std::fmt::Debug for Records<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("view", &self.view).field("rows", &self.rows).finish()
    }
}

impl<T> Clone for Records<'_, T> {
    fn clone(&self) -> Self {
        Records { view: self.view, rows: self.rows.clone(), table: PhantomData }
    }
}

impl<'v, T: Table> Iterator for Records<'v, T> {
    type Item = T::Ref<'v>;

    #[inline]
    fn next(&mut self) -> Option<T::Ref<'v>> {
        self.rows.next().map(|row| RecordRef { view: self.view, row }.into())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl<T: Table> DoubleEndedIterator for Records<'_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.rows.next_back().map(|row| RecordRef { view: self.view, row }.into())
    }
}

impl<T: Table> ExactSizeIterator for Records<'_, T> {}

/// A record, read in place.
#[derive(Debug, Clone, Copy)]
pub struct RecordRef<'v> {
    pub(crate) view: TableView<'v>,
    pub(crate) row: u32,
}

impl<'v> RecordRef<'v> {
    /// Its id.
    #[inline]
    pub fn id<T>(self) -> Id<T> {
        match self.view.version.id_at(self.row as usize) {
            Some(id) => Id::new(id),
            None => unreachable_row(self.row),
        }
    }

    /// The commit that wrote it last.
    pub fn version(self) -> u64 {
        self.view.version.version_at(self.row as usize)
    }

    /// Checks from the bytes that every field holds a value of its type.
    ///
    /// # Errors
    /// The first field that does not, by its name.
    pub fn check(self) -> Result<(), Fault> {
        check_record(self.view, self.row as usize)
    }

    /// Its row in a column group.
    #[inline]
    pub fn group<R: AnyBitPattern>(self, group: usize) -> &'v R {
        let size = size_of::<R>();
        let start = self.row as usize * size;
        bytemuck::from_bytes(&self.view.version.buffers[GROUPS + group].bytes()[start..start + size])
    }

    /// What heap cells of the record point into.
    #[inline]
    pub fn heap(self) -> HeapRef<'v> {
        self.view.version.heap()
    }

    /// The bytes behind a heap cell of the record.
    #[inline]
    pub fn block(self, cell: HeapCell) -> &'v [u8] {
        self.heap().block(cell)
    }
}

/// Every row of a version has an id; a lens is only made for a row of its version.
#[cold]
fn unreachable_row(row: u32) -> ! {
    unreachable!("row {row} has no record")
}
