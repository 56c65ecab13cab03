//! Pages of one size in one buffer: the ground under both kinds of index.
//!
//! ```text
//! page 0, the header                        bytes
//!   0  "dbIx"                               4
//!   4  page bytes, as a power of two        1
//!   5  kind of index: 1 B+ tree, 2 hash     1
//!   6  bytes of an item                     2   u16
//!   8  first page of the free list          4   u32, 0 = none
//!  12  pages in the free list               4   u32
//!  16  pages used, header and free included 4   u32
//!  20  -                                    4   0
//!  24  root record                         16   see below
//!
//! root record: | page u32 | height u32 | items u64 |    of a tree or a hash; all zero = empty
//! free page:   | kind 1 = 1 | - 3 | next u32 | - |
//! ```
//!
//! Numbers are little-endian. Page 0 is the header, so a link of 0 means "none". A buffer of no bytes is an index
//! without entries: the header comes with the first one. Pages beyond "pages used" hold leftovers and are handed out
//! next, so emptying an index is a matter of the header alone.
//!
//! All state is in these bytes, nothing beside them: undo and catch-up restore an index without knowing what it is.

use crate::table::buffer::BufferMut;

use super::fault::{Fault, Wrong};

/// The largest page, in bytes.
pub(super) const PAGE_BYTES_MAX: usize = 4096;
/// The smallest page, in bytes.
pub(super) const PAGE_BYTES_MIN: usize = 512;
/// "No page": what a link holds that leads nowhere.
pub(super) const NONE: u32 = 0;
/// Where the header keeps the root record of the index.
pub(super) const ROOT_AT: usize = 24;

/// How many pages ahead of the one that is taken lines are asked for: who fills one page mostly takes the next.
const PAGES_AHEAD: usize = 4;

const MAGIC: [u8; 4] = *b"dbIx";
const FREE_HEAD_AT: usize = 8;
const FREE_COUNT_AT: usize = 12;
const USED_AT: usize = 16;
const HEADER_BYTES: usize = 40;

/// What a page is, its first byte.
pub(super) mod kind {
    pub(in crate::table::index) const FREE: u8 = 1;
    pub(in crate::table::index) const LEAF: u8 = 2;
    pub(in crate::table::index) const INNER: u8 = 3;
    pub(in crate::table::index) const BUCKET: u8 = 4;
    pub(in crate::table::index) const TREE: u8 = 5;
}

/// What the header says of the index: it must be opened as what it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// Page bytes as a power of two.
    pub(super) page_shift: u8,
    /// 1 B+ tree, 2 hash.
    pub(super) index_kind: u8,
    /// Bytes of an item.
    pub(super) item_bytes: u16,
}

impl Format {
    /// The smallest page that holds `entries_min` entries of `entry_bytes` beside `head_bytes`, as a power of two; the
    /// largest page if none does.
    pub(super) const fn page_shift_for(head_bytes: usize, entry_bytes: usize, entries_min: usize) -> u8 {
        let mut page_bytes = PAGE_BYTES_MIN;
        while page_bytes < PAGE_BYTES_MAX && (page_bytes - head_bytes) / entry_bytes < entries_min {
            page_bytes *= 2;
        }
        page_bytes.trailing_zeros() as u8
    }

    /// Bytes of a page.
    pub(super) const fn page_bytes(self) -> usize {
        1 << self.page_shift
    }

    fn header(self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&MAGIC);
        header[4] = self.page_shift;
        header[5] = self.index_kind;
        header[6..8].copy_from_slice(&self.item_bytes.to_le_bytes());
        header[USED_AT..USED_AT + 4].copy_from_slice(&1_u32.to_le_bytes());
        header
    }
}

/// The `u32` at `at`; 0 beyond the end.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at.wrapping_add(4)).and_then(<[u8]>::first_chunk).map_or(0, |number| u32::from_le_bytes(*number))
}

/// The `u64` at `at`; 0 beyond the end.
#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at.wrapping_add(8)).and_then(<[u8]>::first_chunk).map_or(0, |number| u64::from_le_bytes(*number))
}

/// Where a tree begins, and how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Root {
    pub(super) page: u32,
    /// Levels of pages, the leaves included.
    pub(super) height: u32,
    pub(super) items: u64,
}

impl Root {
    /// The record at byte `at`; the empty one if there are no bytes.
    #[inline]
    pub(super) fn read(bytes: &[u8], at: usize) -> Root {
        let Some(record) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) else { return Root::default() };
        Root { page: u32_at(record, 0), height: u32_at(record, 4), items: u64_at(record, 8) }
    }
}

/// The pages of a buffer, for reading. No page number can make it panic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pages<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) page_shift: u8,
}

impl<'a> Pages<'a> {
    /// Where a page begins, or would.
    #[inline]
    pub(super) fn offset(self, page: u32) -> usize {
        // A page is no longer than 2^15 bytes; said so, there is no overflow to be looked for.
        (page as usize) << (self.page_shift & 15)
    }

    /// A page, if the buffer has it.
    #[inline]
    pub(super) fn get(self, page: u32) -> Option<&'a [u8]> {
        let at = self.offset(page);
        self.bytes.get(at..at.wrapping_add(1 << (self.page_shift & 15)))
    }

    /// How many pages the buffer has.
    pub(super) fn count(self) -> usize {
        self.bytes.len() >> self.page_shift
    }
}

/// The pages of a buffer, for writing. It trusts the header and the free list: bytes that came from outside are checked
/// before they come here.
#[derive(Debug)]
pub(super) struct PagesMut<'a> {
    buffer: BufferMut<'a>,
    format: Format,
}

impl<'a> PagesMut<'a> {
    /// The pages of `buffer`.
    pub(super) fn new(buffer: BufferMut<'a>, format: Format) -> PagesMut<'a> {
        PagesMut { buffer, format }
    }

    /// The same pages, lent for a shorter while.
    pub(super) fn reborrow(&mut self) -> PagesMut<'_> {
        PagesMut { buffer: self.buffer.reborrow(), format: self.format }
    }

    /// All bytes.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }

    /// The bytes of a page.
    #[inline]
    pub(super) fn page(&self, page: u32) -> &[u8] {
        let at = self.offset(page);
        &self.buffer.bytes()[at..at + self.format.page_bytes()]
    }

    /// The `len` bytes at `at` of a page, to be overwritten.
    #[inline]
    pub(super) fn edit(&mut self, page: u32, at: usize, len: usize) -> &mut [u8] {
        debug_assert!(at + len <= self.format.page_bytes(), "an edit stays within its page");
        let at = self.offset(page) + at;
        self.buffer.edit(at, len)
    }

    /// The `len` bytes at byte `at` of the buffer, to be overwritten.
    pub(super) fn edit_at(&mut self, at: usize, len: usize) -> &mut [u8] {
        self.buffer.edit(at, len)
    }

    /// Overwrites the bytes at `at` of a page.
    #[inline]
    pub(super) fn write(&mut self, page: u32, at: usize, bytes: &[u8]) {
        self.edit(page, at, bytes.len()).copy_from_slice(bytes);
    }

    /// Makes a page begin with `image`, and notes only the parts that differ.
    pub(super) fn rewrite(&mut self, page: u32, image: &[u8]) {
        // A note costs about as much as it is itself long, so parts that are closer than that are one.
        const GAP_BYTES_MAX: usize = 32;
        let mut at = 0;
        while let Some(from) = difference(&self.page(page)[at..], &image[at..]).map(|found| at + found) {
            let mut to = from + 1;
            let near = |to: usize| to..image.len().min(to + GAP_BYTES_MAX);
            while let Some(found) = difference(&self.page(page)[near(to)], &image[near(to)]) {
                to += found + 1;
            }
            self.write(page, from, &image[from..to]);
            at = to;
        }
    }

    /// Writes the root record at byte `at` of the buffer.
    pub(super) fn write_root(&mut self, at: usize, root: Root) {
        let record = self.buffer.edit(at, 16);
        record[..4].copy_from_slice(&root.page.to_le_bytes());
        record[4..8].copy_from_slice(&root.height.to_le_bytes());
        record[8..].copy_from_slice(&root.items.to_le_bytes());
    }

    /// Writes the number of items of the root record at byte `at` of the buffer.
    #[inline]
    pub(super) fn write_items(&mut self, at: usize, items: u64) {
        self.buffer.write(at + 8, &items.to_le_bytes());
    }

    /// Makes the header if the buffer has none yet.
    pub(super) fn ensure_header(&mut self) {
        if self.buffer.is_empty() {
            let mut page = [0; PAGE_BYTES_MAX];
            page[..HEADER_BYTES].copy_from_slice(&self.format.header());
            self.buffer.append(&page[..self.format.page_bytes()]);
        }
    }

    /// Takes a page and fills it with `content`; what lies behind is undefined.
    pub(super) fn alloc(&mut self, content: &[u8]) -> u32 {
        let (page, place) = self.take(content.len());
        place.copy_from_slice(content);
        page
    }

    /// Takes a page, off the free list before all others; gives its first `len` bytes, to be overwritten, too. What lies
    /// behind is undefined.
    pub(super) fn take(&mut self, len: usize) -> (u32, &mut [u8]) {
        let free = u32_at(self.bytes(), FREE_HEAD_AT);
        if free != NONE {
            let next = u32_at(self.page(free), 4);
            let count = u32_at(self.bytes(), FREE_COUNT_AT);
            self.write_free_list(next, count - 1);
            return (free, self.edit(free, 0, len));
        }
        let page = u32_at(self.bytes(), USED_AT);
        assert!(page < u32::MAX, "an index has at most 2^32 pages");
        if self.offset(page) >= self.buffer.len() {
            let page_bytes = self.format.page_bytes();
            self.buffer.grow(page_bytes);
            self.buffer.fetch_room_soon(PAGES_AHEAD * page_bytes..(PAGES_AHEAD + 1) * page_bytes);
        }
        self.buffer.write(USED_AT, &(page + 1).to_le_bytes());
        (page, self.edit(page, 0, len))
    }

    /// Makes room for about `count` pages more, which are going to be written in one go.
    pub(super) fn expect(&mut self, count: usize) {
        let used = u32_at(self.bytes(), USED_AT) as usize;
        let needed = (used + count) << self.format.page_shift;
        self.buffer.expect(needed.saturating_sub(self.buffer.len()));
    }

    /// Takes `count` pages that follow each other, and gives the first. What is in them is undefined.
    pub(super) fn alloc_run(&mut self, count: u32) -> u32 {
        let page = u32_at(self.bytes(), USED_AT);
        let used = page.checked_add(count);
        let used = used.expect("an index has at most 2^32 pages");
        let len = self.offset(used);
        if len > self.buffer.len() {
            self.buffer.grow(len - self.buffer.len());
        }
        self.buffer.write(USED_AT, &used.to_le_bytes());
        page
    }

    /// Puts a page on the free list.
    pub(super) fn free(&mut self, page: u32) {
        let next = u32_at(self.bytes(), FREE_HEAD_AT);
        let count = u32_at(self.bytes(), FREE_COUNT_AT);
        let head = self.edit(page, 0, 8);
        head[..4].copy_from_slice(&[kind::FREE, 0, 0, 0]);
        head[4..].copy_from_slice(&next.to_le_bytes());
        self.write_free_list(page, count + 1);
    }

    /// Forgets every page and every entry at once: only the header is written.
    pub(super) fn clear(&mut self) {
        if !self.buffer.is_empty() {
            let header = self.format.header();
            self.buffer.write(0, &header);
        }
    }

    /// Forgets every page and every entry, and makes room for `count` pages: number 1 and those that follow, in the order in
    /// which they are taken.
    pub(super) fn restart(&mut self, count: usize) {
        self.ensure_header();
        self.clear();
        self.expect(count);
    }

    fn write_free_list(&mut self, head: u32, count: u32) {
        let list = self.buffer.edit(FREE_HEAD_AT, 8);
        list[..4].copy_from_slice(&head.to_le_bytes());
        list[4..].copy_from_slice(&count.to_le_bytes());
    }

    #[inline]
    fn offset(&self, page: u32) -> usize {
        (page as usize) << self.format.page_shift
    }
}

/// Where two strings first differ, as far as both go.
fn difference(one: &[u8], other: &[u8]) -> Option<usize> {
    one.iter().zip(other).position(|(one, other)| one != other)
}

/// The part of a check that both kinds of index share: the header, and that every page is in use or free, none twice.
#[derive(Debug)]
pub(super) struct Census<'a> {
    pages: Pages<'a>,
    used: u32,
    /// A bit per page: reached.
    seen: Vec<u64>,
    seen_count: u32,
}

impl<'a> Census<'a> {
    /// Checks the header against `format`. `bytes` must not be empty.
    pub(super) fn new(bytes: &'a [u8], format: Format) -> Result<Census<'a>, Fault> {
        let wrong = |wrong| Err(Fault { page: 0, wrong });
        let pages = Pages { bytes, page_shift: format.page_shift };
        let Some(header) = pages.get(0) else { return wrong(Wrong::Length) };
        if !bytes.len().is_multiple_of(format.page_bytes()) {
            return wrong(Wrong::Length);
        }
        if header[..8] != format.header()[..8] {
            return wrong(Wrong::Format);
        }
        let used = u32_at(header, USED_AT);
        if used == 0 || used as usize > pages.count() {
            return wrong(Wrong::Length);
        }
        let mut census = Census { pages, used, seen: vec![0; (used as usize).div_ceil(64)], seen_count: 0 };
        census.visit(0)?;
        Ok(census)
    }

    /// Marks a page as reached and gives its bytes; a fault if it does not exist or was reached before. What walks the
    /// pages through here ends, whatever the links say.
    pub(super) fn visit(&mut self, page: u32) -> Result<&'a [u8], Fault> {
        let bytes = if page < self.used { self.pages.get(page) } else { None };
        let (Some(bytes), Some(word)) = (bytes, self.seen.get_mut(page as usize / 64)) else {
            return Err(Fault { page, wrong: Wrong::Link });
        };
        let bit = 1 << (page % 64);
        if *word & bit != 0 {
            return Err(Fault { page, wrong: Wrong::ReachedTwice });
        }
        *word |= bit;
        self.seen_count += 1;
        Ok(bytes)
    }

    /// Walks the free list, then knows whether a page is missing.
    pub(super) fn finish(mut self) -> Result<(), Fault> {
        let mut free = u32_at(self.pages.bytes, FREE_HEAD_AT);
        let mut count = 0;
        while free != NONE {
            let page = self.visit(free)?;
            if page[0] != kind::FREE {
                return Err(Fault { page: free, wrong: Wrong::Kind });
            }
            count += 1;
            free = u32_at(page, 4);
        }
        if count != u32_at(self.pages.bytes, FREE_COUNT_AT) {
            return Err(Fault { page: 0, wrong: Wrong::FreeCount });
        }
        if self.seen_count != self.used {
            return Err(Fault { page: 0, wrong: Wrong::Leak });
        }
        Ok(())
    }
}
