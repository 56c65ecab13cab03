//! The entries of pages, taken out to be arranged anew, and the pages made of them.

use super::super::pages::kind;
use super::node::{CHILD_BYTES, COUNT_AT, HEAD_BYTES, HEADS_AT, ITEMS_AT, NEXT_AT, PREVIOUS_AT, SKIP_AT, UNUSED_HEAD};
use super::{ITEM_BYTES_MAX, Inner, Leaf, Shape};

/// Entries taken out of pages, of one or of two neighbours. An entry of a leaf is an item; one of an inner page is an
/// item and a child, that child's items beginning there. The item of a page's first child is not kept in it, and left
/// undefined.
pub(super) struct Entries {
    buffer: Vec<u8>,
    pub(super) stride: usize,
    shape: Shape,
    level: usize,
}

impl Entries {
    pub(super) fn new(shape: Shape, level: usize) -> Entries {
        let stride = shape.item_bytes() + if level == 0 { 0 } else { CHILD_BYTES };
        // Two full pages, and one more. An inner page holds one item less than it has children.
        let bytes_max = 2 * (shape.page_bytes() + stride) + stride;
        Entries { buffer: Vec::with_capacity(bytes_max), stride, shape, level }
    }

    pub(super) fn clear(&mut self) {
        self.buffer.clear();
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    pub(super) fn count(&self) -> usize {
        self.buffer.len() / self.stride
    }

    pub(super) fn entry(&self, at: usize) -> &[u8] {
        &self.buffer[at * self.stride..][..self.stride]
    }

    pub(super) fn entry_mut(&mut self, at: usize) -> &mut [u8] {
        &mut self.buffer[at * self.stride..][..self.stride]
    }

    pub(super) fn last(&self) -> &[u8] {
        &self.buffer[self.buffer.len() - self.stride..]
    }

    pub(super) fn push(&mut self, entry: &[u8]) {
        self.buffer.extend_from_slice(&entry[..self.stride]);
    }

    pub(super) fn insert(&mut self, at: usize, entry: &[u8]) {
        let at = at * self.stride;
        let len = self.buffer.len();
        self.buffer.resize(len + self.stride, 0);
        self.buffer.copy_within(at..len, at + self.stride);
        self.buffer[at..at + self.stride].copy_from_slice(entry);
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.buffer.copy_within((at + 1) * self.stride.., at * self.stride);
        self.buffer.truncate(self.buffer.len() - self.stride);
    }

    /// Adds all entries of a page.
    pub(super) fn load(&mut self, page: &[u8]) {
        if self.level == 0 {
            let items = Leaf::new(page, self.shape).items();
            self.buffer.extend_from_slice(items);
            return;
        }
        let (inner, width) = (Inner::new(page, self.shape), self.shape.item_bytes());
        for at in 0..inner.count() {
            let len = self.buffer.len();
            self.buffer.resize(len + self.stride, 0);
            let entry = &mut self.buffer[len..];
            if let Some(before) = at.checked_sub(1) {
                inner.copy_separator(before, &mut entry[..width]);
            }
            entry[width..].copy_from_slice(&inner.child(at).to_le_bytes());
        }
    }
}

/// Makes an item the next larger string of its width. It separates the item from larger ones.
///
/// The first item of a page would separate as well. But then a search for that item's *key* would end in front of it,
/// in the page before, and have to go on to the next.
pub(super) fn separator_behind(item: &mut [u8]) {
    for byte in item.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
}

/// The entry of an inner page for `child`, whose items begin at `item`. It is as long as the item and the child; what
/// lies behind is zero.
pub(super) fn child_entry(item: &[u8], child: u32) -> [u8; ITEM_BYTES_MAX + CHILD_BYTES] {
    let mut entry = [0; ITEM_BYTES_MAX + CHILD_BYTES];
    entry[..item.len()].copy_from_slice(item);
    entry[item.len()..][..CHILD_BYTES].copy_from_slice(&child.to_le_bytes());
    entry
}

/// A page as it will be written, up to its last entry.
pub(super) struct Image {
    buffer: Vec<u8>,
}

impl Image {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// A leaf between two others.
    pub(super) fn leaf(shape: Shape, [previous, next]: [u32; 2], items: &[u8]) -> Image {
        let width = shape.item_bytes();
        let mut page = Vec::with_capacity(shape.page_bytes());
        page.resize(ITEMS_AT, 0);
        page[0] = kind::LEAF;
        page[COUNT_AT] = (items.len() / width) as u8;
        page[SKIP_AT] = shape.skip_of(items, width) as u8;
        page[PREVIOUS_AT..][..4].copy_from_slice(&previous.to_le_bytes());
        page[NEXT_AT..][..4].copy_from_slice(&next.to_le_bytes());
        page.extend_from_slice(items);
        Image { buffer: page }
    }

    /// An inner page.
    pub(super) fn inner(shape: Shape, level: usize, entries: &[u8]) -> Image {
        let (width, stride) = (shape.item_bytes(), shape.item_bytes() + CHILD_BYTES);
        // What the first child begins with is not kept.
        let (first, separators) = entries.split_at(stride);
        let skip = shape.skip_of(separators, stride);
        let behind = skip + HEAD_BYTES;
        let (children_at, mut rest_at) = (shape.children_at(), shape.rests_at());
        let mut page = vec![0; shape.page_bytes()];
        page[0] = kind::INNER;
        page[1] = level as u8;
        page[COUNT_AT] = (entries.len() / stride) as u8;
        page[SKIP_AT] = skip as u8;
        page[HEADS_AT..children_at].fill(UNUSED_HEAD);
        page[children_at..][..CHILD_BYTES].copy_from_slice(&first[width..]);
        for (at, separator) in separators.chunks_exact(stride).enumerate() {
            let head = u64::from_be_bytes(*separator[skip..].first_chunk().unwrap_or(&[0; HEAD_BYTES]));
            page[HEADS_AT + at * HEAD_BYTES..][..HEAD_BYTES].copy_from_slice(&head.to_le_bytes());
            page[children_at + (at + 1) * CHILD_BYTES..][..CHILD_BYTES].copy_from_slice(&separator[width..]);
            page[rest_at..][..skip].copy_from_slice(&separator[..skip]);
            page[rest_at + skip..][..width - behind].copy_from_slice(&separator[behind..width]);
            rest_at += width - HEAD_BYTES;
        }
        page.truncate(rest_at);
        Image { buffer: page }
    }
}
