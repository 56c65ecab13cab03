//! What lies in a heap: a cell says where.
//!
//! ```text
//! | offset u32, in units of 8 bytes | length u32, in bytes |      both 0 = empty
//! ```
//!
//! The bytes of `text` and `bytes` are the value itself. Those of a list are its block:
//!
//! ```text
//! | count u32 | elements, each a cell of its type, packed | tails, each starting 8-byte aligned |
//! ```
//!
//! Heap cells of a block's elements count from the start of that block. So a list of numbers is a slice ([`List`]), and a
//! list of anything that has tails is read element by element ([`TailedList`], [`Elements`]).

use super::Array;
use super::string::valid_str;
use crate::record::heap_ref::{HeapCell, HeapRef};
use bytemuck::{Pod, Zeroable};
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

/// A cell of which a part lies in a heap, or that needs one to be read.
pub trait Tailed: Pod {
    /// The value, read in place.
    type View<'v>;

    /// The value, read in place. What lies in a heap lies in this one.
    fn view<'v>(&'v self, heap: HeapRef<'v>) -> Self::View<'v>;
}

macro_rules! heap_cell {
    ($cell:ident $(<$element:ident>)? { $($marker:ident)? }) => {
        impl $(<$element>)? $cell $(<$element>)? {
            /// A cell that points nowhere: the value is empty.
            pub const EMPTY: Self = $cell { at: [0; 8] $(, $marker: PhantomData)? };

            /// Where the value lies.
            #[inline]
            pub fn heap_cell(self) -> HeapCell {
                HeapCell::from_bytes(&self.at)
            }

            /// Whether the value is empty.
            #[inline]
            pub fn is_empty(self) -> bool {
                self.heap_cell().len == 0
            }
        }

        impl $(<$element>)? From<HeapCell> for $cell $(<$element>)? {
            #[inline]
            fn from(cell: HeapCell) -> Self {
                $cell { at: cell.to_bytes() $(, $marker: PhantomData)? }
            }
        }

        impl $(<$element>)? fmt::Debug for $cell $(<$element>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let HeapCell { offset, len } = self.heap_cell();
                write!(f, "{}({len} bytes at {offset})", stringify!($cell))
            }
        }
    };
}

/// Where the UTF-8 of a `text` field lies.
#[derive(Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Text {
    at: [u8; 8],
}
heap_cell!(Text {});

/// Where the bytes of a `bytes` field lie.
#[derive(Clone, Copy, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Bytes {
    at: [u8; 8],
}
heap_cell!(Bytes {});

macro_rules! list_cell {
    ($(#[$doc:meta])* $cell:ident) => {
        $(#[$doc])*
        #[repr(C)]
        pub struct $cell<C> {
            at: [u8; 8],
            element: PhantomData<fn() -> C>,
        }
        heap_cell!($cell<C> { element });

        impl<C> Clone for $cell<C> {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<C> Copy for $cell<C> {}

        impl<C> Default for $cell<C> {
            fn default() -> Self {
                Self::EMPTY
            }
        }

        impl<C> PartialEq for $cell<C> {
            fn eq(&self, other: &Self) -> bool {
                self.at == other.at
            }
        }

        impl<C> Eq for $cell<C> {}
    };
}

list_cell! {
    /// Where the elements of a `list<T>` field lie, each of them a cell `C` and nothing more.
    List
}

list_cell! {
    /// Where the elements of a `list<T>` field lie, each of them a cell `C` with tails.
    TailedList
}

/// How typed cells are followed. A damaged cell or block, which no write leaves behind, reads as an empty value.
impl<'v> HeapRef<'v> {
    /// The text that the cell names.
    #[inline]
    pub fn text(self, cell: Text) -> &'v str {
        valid_str(self.block(cell.heap_cell()))
    }

    /// The bytes that the cell names.
    #[inline]
    pub fn bytes(self, cell: Bytes) -> &'v [u8] {
        self.block(cell.heap_cell())
    }

    /// The elements of a list, as they lie.
    #[inline]
    pub fn slice<C: Pod>(self, cell: List<C>) -> &'v [C] {
        elements_of(self.block(cell.heap_cell()))
    }

    /// The elements of a list, each to be read with its tails.
    #[inline]
    pub fn elements<C: Tailed>(self, cell: TailedList<C>) -> Elements<'v, C> {
        let block = self.block(cell.heap_cell());
        Elements { cells: elements_of(block), heap: HeapRef(block) }
    }

    /// A value of which a part lies in this heap.
    #[inline]
    pub fn view<C: Tailed>(self, cell: &'v C) -> C::View<'v> {
        cell.view(self)
    }
}

/// The cells of a list's block.
fn elements_of<C: Pod>(block: &[u8]) -> &[C] {
    let Some((count, cells)) = block.split_first_chunk() else { return &[] };
    let len = (u32::from_le_bytes(*count) as usize).saturating_mul(size_of::<C>());
    cells.get(..len).and_then(|cells| bytemuck::try_cast_slice(cells).ok()).unwrap_or(&[])
}

/// The elements of a list whose elements have tails.
pub struct Elements<'v, C> {
    cells: &'v [C],
    heap: HeapRef<'v>,
}

impl<'v, C: Tailed> Elements<'v, C> {
    /// How many.
    pub fn len(self) -> usize {
        self.cells.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.cells.is_empty()
    }

    /// The element at a position, if there is one.
    pub fn get(self, at: usize) -> Option<C::View<'v>> {
        self.cells.get(at).map(|cell| cell.view(self.heap))
    }

    /// One after another.
    pub fn iter(self) -> ElementsIter<'v, C> {
        ElementsIter { cells: self.cells.iter(), heap: self.heap }
    }
}

impl<C> Clone for Elements<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Elements<'_, C> {}

impl<'v, C: Tailed> fmt::Debug for Elements<'v, C>
where
    C::View<'v>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

impl<'v, C: Tailed> IntoIterator for Elements<'v, C> {
    type Item = C::View<'v>;
    type IntoIter = ElementsIter<'v, C>;

    fn into_iter(self) -> ElementsIter<'v, C> {
        self.iter()
    }
}

/// The elements of a list, one after another.
#[derive(Debug, Clone)]
pub struct ElementsIter<'v, C> {
    cells: std::slice::Iter<'v, C>,
    heap: HeapRef<'v>,
}

impl<'v, C: Tailed> Iterator for ElementsIter<'v, C> {
    type Item = C::View<'v>;

    fn next(&mut self) -> Option<C::View<'v>> {
        self.cells.next().map(|cell| cell.view(self.heap))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.cells.size_hint()
    }
}

impl<C: Tailed> DoubleEndedIterator for ElementsIter<'_, C> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.cells.next_back().map(|cell| cell.view(self.heap))
    }
}

impl<C: Tailed> ExactSizeIterator for ElementsIter<'_, C> {}

impl<C: Tailed> FusedIterator for ElementsIter<'_, C> {}

impl Tailed for Text {
    type View<'v> = &'v str;

    fn view<'v>(&'v self, heap: HeapRef<'v>) -> &'v str {
        heap.text(*self)
    }
}

impl Tailed for Bytes {
    type View<'v> = &'v [u8];

    fn view<'v>(&'v self, heap: HeapRef<'v>) -> &'v [u8] {
        heap.bytes(*self)
    }
}

impl<C: Pod> Tailed for List<C> {
    type View<'v> = &'v [C];

    fn view<'v>(&'v self, heap: HeapRef<'v>) -> &'v [C] {
        heap.slice(*self)
    }
}

impl<C: Tailed> Tailed for TailedList<C> {
    type View<'v> = Elements<'v, C>;

    fn view<'v>(&'v self, heap: HeapRef<'v>) -> Elements<'v, C> {
        heap.elements(*self)
    }
}

impl<C: Tailed, const N: usize> Tailed for Array<C, N> {
    type View<'v> = [C::View<'v>; N];

    fn view<'v>(&'v self, heap: HeapRef<'v>) -> [C::View<'v>; N] {
        self.each_ref().map(|cell| cell.view(heap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::U16;

    fn cell(offset: u32, len: u32) -> HeapCell {
        HeapCell { offset, len }
    }

    #[test]
    fn a_list_of_numbers_is_a_slice_of_the_block() {
        let heap = HeapRef(&[0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 6, 1]);
        let list = heap.slice::<U16>(cell(1, 8).into());
        assert_eq!(list, [U16::new(5), U16::new(262)]);
        assert!(heap.slice::<U16>(List::EMPTY).is_empty());
    }

    #[test]
    fn texts_of_a_list_count_from_its_block() {
        // Two texts: "hi" in unit 3 of the block, and an empty one.
        let mut block = vec![2, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0];
        block.resize(24, 0);
        block.extend_from_slice(b"hi");
        let mut bytes = vec![0; 16];
        bytes.extend_from_slice(&block);
        let texts = HeapRef(&bytes).elements::<Text>(cell(2, block.len() as u32).into());
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["hi", ""]);
        assert_eq!(texts.iter().next_back(), Some(""));
        assert_eq!((texts.len(), texts.get(0), texts.get(2)), (2, Some("hi"), None));
        assert_eq!(format!("{texts:?}"), r#"["hi", ""]"#);
    }

    #[test]
    fn damage_reads_as_an_empty_value() {
        let heap = HeapRef(&[9, 0, 0, 0, 5, 0, 0, 0]);
        assert!(heap.slice::<U16>(cell(0, 8).into()).is_empty(), "nine elements are announced, two are there");
        assert!(heap.slice::<U16>(cell(0, 3).into()).is_empty(), "no room for a count");
        assert_eq!(heap.text(cell(7, 1).into()), "", "outside of the heap");
        assert_eq!(heap.bytes(cell(0, 2).into()), [9, 0]);
    }
}
