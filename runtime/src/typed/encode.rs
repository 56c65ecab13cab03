//! Writing what does not fit a cell by itself: how generated `encode` functions turn texts and lists into cells.
//!
//! A list's block is built in the image's heap place: while its elements are encoded, the block *is* the heap, so that a
//! text within a list within a list lands where its cell counts from.

use super::{Found, Table, TableRef};
use crate::cell::{Bytes, List, LongStr, Str, TailedList, Text};
use crate::error::Rule;
use crate::record::heap_ref::HeapCell;
use crate::record::image::RecordImage;
use crate::record::key::Key;
use bytemuck::NoUninit;
use dbgen_schema::Value;
use std::ops::{Bound, RangeBounds};

impl RecordImage {
    /// The cell of a `str<N>`; a too long text is noted as a misfit of `field`.
    #[inline]
    pub fn str<const N: usize>(&mut self, field: usize, text: &str) -> Str<N> {
        let Some(cell) = Str::try_new(text) else {
            self.too_long(field, N, text);
            return Str::EMPTY;
        };
        cell
    }

    /// The cell of a `str<N>` with N above 255.
    #[inline]
    pub fn long_str<const N: usize>(&mut self, field: usize, text: &str) -> LongStr<N> {
        let Some(cell) = LongStr::try_new(text) else {
            self.too_long(field, N, text);
            return LongStr::EMPTY;
        };
        cell
    }

    #[cold]
    fn too_long(&mut self, field: usize, max: usize, text: &str) {
        self.misfit(field, Rule::TooLong { max, got: text.len() }, Value::Text(text.to_owned()));
    }

    /// The cell of a `text`.
    pub fn text(&mut self, field: usize, text: &str) -> Text {
        self.heap_value(field, text.as_bytes()).into()
    }

    /// The cell of a `bytes`.
    pub fn bytes(&mut self, field: usize, bytes: &[u8]) -> Bytes {
        self.heap_value(field, bytes).into()
    }

    /// The cell of a list whose elements are cells and nothing more.
    pub fn list<T, C: NoUninit>(
        &mut self,
        field: usize,
        items: &[T],
        encode: impl FnMut(&mut RecordImage, &T) -> C,
    ) -> List<C> {
        self.block(field, items, encode).into()
    }

    /// The cell of a list whose elements have tails.
    pub fn tailed_list<T, C: NoUninit>(
        &mut self,
        field: usize,
        items: &[T],
        encode: impl FnMut(&mut RecordImage, &T) -> C,
    ) -> TailedList<C> {
        self.block(field, items, encode).into()
    }

    fn block<T, C: NoUninit>(
        &mut self,
        field: usize,
        items: &[T],
        mut encode: impl FnMut(&mut RecordImage, &T) -> C,
    ) -> HeapCell {
        const COUNT_BYTES: usize = 4;
        if items.is_empty() {
            return HeapCell::EMPTY;
        }
        let outer = self.begin_block(vec![0; COUNT_BYTES + size_of::<C>() * items.len()]);
        self.heap[..COUNT_BYTES].copy_from_slice(&(items.len() as u32).to_le_bytes());
        for (at, item) in items.iter().enumerate() {
            let cell = encode(self, item);
            let start = COUNT_BYTES + at * size_of::<C>();
            self.heap[start..start + size_of::<C>()].copy_from_slice(bytemuck::bytes_of(&cell));
        }
        let block = self.end_block(outer);
        self.heap_value(field, &block)
    }
}

impl<'v, T: Table> TableRef<'v, T> {
    /// The records whose key in an index begins with `prefix` and goes on with a column in `range`; `push` appends a value
    /// of that column to a key.
    pub fn find_between<V>(
        self,
        index: usize,
        prefix: &Key,
        range: impl RangeBounds<V>,
        push: impl Fn(&mut Key, &V),
    ) -> Found<'v, T> {
        let key = |bound: Bound<&V>| {
            bound.map(|value| {
                let mut key = prefix.clone();
                push(&mut key, value);
                key
            })
        };
        self.find_range(index, prefix, key(range.start_bound()), key(range.end_bound()))
    }
}
