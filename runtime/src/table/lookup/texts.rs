//! Ranges of an ordered index over texts, of which it holds the beginnings (see `record/key.rs`).
//!
//! ```text
//! items:    | aardvark | minecraft:polished_blac~ h1 | minecraft:polished_blac~ h2 | zebra |
//!                        └────────── a run: alike up to the text's column ─────┘
//! ```
//!
//! Items that differ in their bytes before any hash are in order as they lie. Those that are alike up to and including the
//! beginning of a long text form a *run*: within it the tree's order is that of the hashes, so a run is collected, sorted
//! by what the rows say, and given from there. Whichever end of a range reaches a run first collects all of it.
//!
//! A bound with a long text is given to the tree as the beginning only, which takes in the whole run; what does not belong
//! is then left out by comparing with the whole text. Where both bounds agree on a long text, they look for equals: then
//! the hash stays in both, and the rows are asked only to make sure.

use super::id_of;
use crate::id::RecordId;
use crate::record::heap_ref::HeapCell;
use crate::record::key::{Key, TEXT_IS_LONG, TEXT_KEY_BYTES, TEXT_PREFIX_BYTES};
use crate::table::def::{IndexDef, TextColumn};
use crate::table::index::btree::{self, BTree};
use crate::table::version::{GROUPS, TableView};
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ops::Bound;

/// Bytes of a text's column that are in order: its beginning and its length.
const ORDERED_BYTES: usize = TEXT_PREFIX_BYTES + 1;

/// Record ids between two bounds, from both ends.
#[derive(Debug, Clone)]
pub struct Range<'v> {
    view: TableView<'v>,
    index: &'v IndexDef,
    items: btree::Range<'v>,
    low: Bound<Key>,
    high: Bound<Key>,
    /// The bounds agree on so many texts.
    agreed: usize,
    /// What is left of a run that was collected in front, and at the back.
    front: VecDeque<&'v [u8]>,
    back: VecDeque<&'v [u8]>,
}

/// Whether the long texts of `key` are those of a record.
pub(super) fn are_equal(view: TableView<'_>, index: &IndexDef, id: RecordId, key: &Key) -> bool {
    let equal = |text: &TextColumn| key.long_text(text.key_at).is_none_or(|wanted| text_of(view, *text, id) == wanted);
    index.texts.iter().all(equal)
}

/// The whole text of a record.
fn text_of<'v>(view: TableView<'v>, text: TextColumn, id: RecordId) -> &'v [u8] {
    let Some(row) = view.version.row_of(id) else { return &[] };
    let at = view.def.fields[text.field].at;
    let start = row * view.def.layout.groups[at.group].stride + at.offset;
    let cell = view.version.buffers[GROUPS + at.group].bytes().get(start..start + HeapCell::BYTES);
    cell.map_or(&[], |cell| view.version.heap().block(HeapCell::from_bytes(cell)))
}

impl<'v> Range<'v> {
    /// The records of `tree`, index `index` of `view`, between two bounds.
    pub fn new(
        view: TableView<'v>,
        index: &'v IndexDef,
        tree: BTree<'v>,
        low: Bound<&Key>,
        high: Bound<&Key>,
    ) -> Range<'v> {
        let agreed = agreed_texts(index, low, high);
        let exact = index.texts.get(agreed).map_or(usize::MAX, |text| text.key_at);
        let items = tree.range(widened(low, exact), widened(high, exact));
        let (low, high) = (low.map(Key::clone), high.map(Key::clone));
        Range { view, index, items, low, high, agreed, front: VecDeque::new(), back: VecDeque::new() }
    }

    /// Where in an item the first long text ends on whose order the tree cannot be relied; `None` if the item is in order.
    fn run_bytes(&self, item: &[u8]) -> Option<usize> {
        let texts = self.index.texts[self.agreed..].iter();
        texts.map(|text| text.key_at + ORDERED_BYTES).find(|end| item.get(end - 1) == Some(&TEXT_IS_LONG))
    }

    /// The text of the record that `item` names.
    fn text(&self, text: TextColumn, item: &[u8]) -> &'v [u8] {
        id_of(item).map_or(&[], |id| text_of(self.view, text, id))
    }

    /// The true order of two items.
    fn compare(&self, one: &[u8], other: &[u8]) -> Ordering {
        let mut at = 0;
        for text in &self.index.texts {
            let end = text.key_at + ORDERED_BYTES;
            let by_bytes = one[at..end].cmp(&other[at..end]);
            if by_bytes != Ordering::Equal {
                return by_bytes;
            }
            if one[end - 1] == TEXT_IS_LONG {
                let by_text = self.text(*text, one).cmp(self.text(*text, other));
                if by_text != Ordering::Equal {
                    return by_text;
                }
            }
            at = text.key_at + TEXT_KEY_BYTES;
        }
        one[at..].cmp(&other[at..])
    }

    /// How an item stands to all that begin with `key`.
    fn against(&self, item: &[u8], key: &Key) -> Ordering {
        let bytes = key.bytes();
        let mut at = 0;
        for text in &self.index.texts {
            let end = text.key_at + ORDERED_BYTES;
            if bytes.len() < end {
                break;
            }
            let by_bytes = item[at..end].cmp(&bytes[at..end]);
            if by_bytes != Ordering::Equal {
                return by_bytes;
            }
            if let Some(wanted) = key.long_text(text.key_at) {
                let by_text = self.text(*text, item).cmp(wanted);
                if by_text != Ordering::Equal {
                    return by_text;
                }
            }
            at = text.key_at + TEXT_KEY_BYTES;
        }
        item[at..bytes.len()].cmp(&bytes[at..])
    }

    /// Whether an item lies between the bounds, asked of those that the widened bounds may have let in.
    fn admits(&self, item: &[u8]) -> bool {
        let above = |bound: &Bound<Key>| match bound {
            Bound::Included(key) if key.has_long_texts() => self.against(item, key).is_ge(),
            Bound::Excluded(key) if key.has_long_texts() => self.against(item, key).is_gt(),
            _ => true,
        };
        let below = |bound: &Bound<Key>| match bound {
            Bound::Included(key) if key.has_long_texts() => self.against(item, key).is_le(),
            Bound::Excluded(key) if key.has_long_texts() => self.against(item, key).is_lt(),
            _ => true,
        };
        above(&self.low) && below(&self.high)
    }

    /// The run that `item` belongs to, in order, without what the bounds leave out. `step` gives the next item from the end
    /// at which `item` was.
    fn collect(
        &mut self,
        item: &'v [u8],
        bytes: usize,
        step: fn(&mut btree::Range<'v>) -> Option<&'v [u8]>,
    ) -> VecDeque<&'v [u8]> {
        let mut run = vec![item];
        let mut ahead = self.items.clone();
        while let Some(next) = step(&mut ahead).filter(|next| next[..bytes] == item[..bytes]) {
            run.push(next);
            self.items = ahead.clone();
        }
        run.retain(|item| self.admits(item));
        run.sort_unstable_by(|one, other| self.compare(one, other));
        run.into()
    }
}

impl Iterator for Range<'_> {
    type Item = RecordId;

    fn next(&mut self) -> Option<RecordId> {
        loop {
            if let Some(item) = self.front.pop_front() {
                return id_of(item);
            }
            let Some(item) = self.items.next() else { return self.back.pop_front().and_then(id_of) };
            match self.run_bytes(item) {
                Some(bytes) => self.front = self.collect(item, bytes, btree::Range::next),
                None if self.admits(item) => return id_of(item),
                None => {}
            }
        }
    }
}

impl DoubleEndedIterator for Range<'_> {
    fn next_back(&mut self) -> Option<RecordId> {
        loop {
            if let Some(item) = self.back.pop_back() {
                return id_of(item);
            }
            let Some(item) = self.items.next_back() else { return self.front.pop_back().and_then(id_of) };
            match self.run_bytes(item) {
                Some(bytes) => self.back = self.collect(item, bytes, btree::Range::next_back),
                None if self.admits(item) => return id_of(item),
                None => {}
            }
        }
    }
}

/// On how many texts, from the left, both bounds agree wholly.
fn agreed_texts(index: &IndexDef, low: Bound<&Key>, high: Bound<&Key>) -> usize {
    let (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) = (low, high)
    else {
        return 0;
    };
    let common = low.bytes().iter().zip(high.bytes()).take_while(|(one, other)| one == other).count();
    let agree = |text: &&TextColumn| {
        text.key_at + TEXT_KEY_BYTES <= common && low.long_text(text.key_at) == high.long_text(text.key_at)
    };
    index.texts.iter().take_while(agree).count()
}

/// A bound for the tree: it is cut behind the beginning of its first long text from byte `exact` on.
fn widened(bound: Bound<&Key>, exact: usize) -> Bound<&[u8]> {
    let cut = |key: &Key| key.long_text_from(exact).map(|at| at + ORDERED_BYTES);
    match bound {
        Bound::Included(key) => Bound::Included(&key.bytes()[..cut(key).unwrap_or(key.bytes().len())]),
        Bound::Excluded(key) => match cut(key) {
            Some(end) => Bound::Included(&key.bytes()[..end]),
            None => Bound::Excluded(key.bytes()),
        },
        Bound::Unbounded => Bound::Unbounded,
    }
}
