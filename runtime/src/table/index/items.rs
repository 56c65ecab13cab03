//! Many items on their way into an index.

use std::cmp::Ordering;

/// Items of one width, a key and a record id each, and the order in which they are to be taken: that of an index, so that it
/// goes to each of its pages once.
///
/// An entry of the order is what the item is sorted by, as far as a word holds that, and the number of the item: of items for
/// a hash, the hash of the key.
#[derive(Debug, Clone, Copy)]
pub struct Items<'i> {
    bytes: &'i [u8],
    width: usize,
    order: &'i [(u64, u32)],
}

impl<'i> Items<'i> {
    /// Items of `width` bytes, one behind the other, in this order.
    pub fn new(bytes: &'i [u8], width: usize, order: &'i [(u64, u32)]) -> Items<'i> {
        Items { bytes, width, order }
    }

    /// Bytes of an item.
    pub(super) fn width(self) -> usize {
        self.width
    }

    /// The order.
    pub(super) fn order(self) -> &'i [(u64, u32)] {
        self.order
    }

    /// The same items in another order, or some of them.
    pub(super) fn in_order<'o>(self, order: &'o [(u64, u32)]) -> Items<'o>
    where
        'i: 'o,
    {
        Items { order, ..self }
    }

    /// The item of this number.
    #[inline]
    pub(super) fn item(self, number: u32) -> &'i [u8] {
        &self.bytes[number as usize * self.width..][..self.width]
    }

    /// The items in their order, each with what it is sorted by.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (u64, &'i [u8])> {
        self.order.iter().map(move |(head, number)| (*head, self.item(*number)))
    }

    /// Which of two entries comes first: the smaller head, and where heads are equal the smaller item.
    #[inline]
    pub(super) fn compare(self, one: (u64, u32), other: (u64, u32)) -> Ordering {
        one.0.cmp(&other.0).then_with(|| self.item(one.1).cmp(self.item(other.1)))
    }
}
