//! Records found through an index.

use super::{Table, TableRef};
use crate::id::Id;
use crate::record::key::Key;
use crate::table::index::AT_ONCE;
use crate::table::lookup::{Ids, rows_of_keys};

/// Records found through an index, in the order of their keys.
pub struct Found<'v, T> {
    table: TableRef<'v, T>,
    ids: Ids<'v>,
}

impl<'v, T> Found<'v, T> {
    #[inline]
    pub(super) fn new(table: TableRef<'v, T>, ids: Ids<'v>) -> Found<'v, T> {
        Found { table, ids }
    }
}

impl<T> Clone for Found<'_, T> {
    fn clone(&self) -> Self {
        Found { table: self.table, ids: self.ids.clone() }
    }
}

impl<T> std::fmt::Debug for Found<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids.clone()).finish()
    }
}

impl<'v, T: Table> Iterator for Found<'v, T> {
    type Item = T::Ref<'v>;

    #[inline]
    fn next(&mut self) -> Option<T::Ref<'v>> {
        let table = self.table;
        self.ids.by_ref().find_map(|id| table.find_id(Id::new(id)))
    }
}

impl<T: Table> DoubleEndedIterator for Found<'_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let table = self.table;
        self.ids.by_ref().rev().find_map(|id| table.find_id(Id::new(id)))
    }
}

/// Records found by their keys, each in the place of its key; `None` where no record has it. As many keys are looked for at
/// once as lines of memory can be on their way.
pub struct FoundMany<'v, T, I, F> {
    table: TableRef<'v, T>,
    index: usize,
    values: I,
    push: F,
    /// What was found and not yet given, from `next` on.
    rows: [Option<u32>; AT_ONCE],
    next: usize,
    count: usize,
}

impl<'v, T, I: Iterator, F: Fn(&mut Key, I::Item)> FoundMany<'v, T, I, F> {
    #[inline]
    pub(super) fn new(table: TableRef<'v, T>, index: usize, values: I, push: F) -> Self {
        FoundMany { table, index, values, push, rows: [None; AT_ONCE], next: 0, count: 0 }
    }

    /// Looks for the next keys; says whether there are any.
    fn look(&mut self) -> bool {
        let mut keys = [const { Key::new() }; AT_ONCE];
        (self.next, self.count) = (0, 0);
        for (key, value) in keys.iter_mut().zip(&mut self.values) {
            (self.push)(key, value);
            self.count += 1;
        }
        self.rows = rows_of_keys(self.table.view, self.index, &keys[..self.count]);
        self.count > 0
    }
}

impl<T, I, F> std::fmt::Debug for FoundMany<'_, T, I, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundMany").field("index", &self.index).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<'v, T: Table, I: Iterator, F: Fn(&mut Key, I::Item)> Iterator for FoundMany<'v, T, I, F> {
    type Item = Option<T::Ref<'v>>;

    #[inline]
    fn next(&mut self) -> Option<Option<T::Ref<'v>>> {
        if self.next >= self.count && !self.look() {
            return None;
        }
        let row = self.rows.get(self.next).copied().flatten();
        self.next += 1;
        Some(row.map(|row| self.table.record(row as usize)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (left, (least, most)) = (self.count - self.next, self.values.size_hint());
        (least.saturating_add(left), most.and_then(|most| most.checked_add(left)))
    }
}

impl<T: Table, I: ExactSizeIterator, F: Fn(&mut Key, I::Item)> ExactSizeIterator for FoundMany<'_, T, I, F> {}
