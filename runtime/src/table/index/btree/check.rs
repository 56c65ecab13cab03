//! Whether bytes are a sound tree.

use super::super::fault::{Fault, Wrong};
use super::super::pages::{Census, NONE, kind};
use super::super::{ID_BYTES, Visit};
use super::entries::{Entries, Image};
use super::node::{COUNT_AT, is_less};
use super::{BTree, HEIGHT_MAX, ITEM_BYTES_MAX, Inner, Leaf, Shape};

impl<'a> BTree<'a> {
    /// Verifies everything: the header, kinds and levels, counts, the order of all items and separators, the links
    /// between leaves, and that every page is in use or free, none twice. A tree that passes is safe to read and to
    /// change. Any bytes may be given; it takes time in proportion to their number.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<(), Fault> {
        self.check_and_visit(&mut ())
    }

    /// The same; shows every item on the way, in order.
    ///
    /// # Errors
    /// The first fault found; what was shown until then is worth nothing.
    pub fn check_and_visit(&self, each: &mut dyn Visit) -> Result<(), Fault> {
        if self.pages.bytes.is_empty() {
            return Ok(());
        }
        let mut census = Census::new(self.pages.bytes, self.shape.format())?;
        self.check_pages(&mut census, each)?;
        census.finish()
    }

    /// Verifies the pages of this tree, and marks them as reached.
    pub(in super::super) fn check_pages(&self, census: &mut Census<'a>, each: &mut dyn Visit) -> Result<(), Fault> {
        let root = self.root();
        if root.height as usize > HEIGHT_MAX || (root.page == NONE) != (root.height == 0) {
            return Err(Fault { page: 0, wrong: Wrong::Format });
        }
        let mut walk = Walk { tree: *self, census, each, items: 0, last_leaf: NONE, next_leaf: NONE, last_item: None };
        if root.page != NONE {
            walk.page(root.page, root.height as usize - 1, None, None)?;
        }
        if walk.next_leaf != NONE {
            return Err(Fault { page: walk.last_leaf, wrong: Wrong::Neighbours });
        }
        if walk.items != root.items {
            return Err(Fault { page: 0, wrong: Wrong::ItemCount });
        }
        Ok(())
    }
}

/// A walk over all pages in the order of the items.
struct Walk<'a, 'c, 'e> {
    tree: BTree<'a>,
    census: &'c mut Census<'a>,
    each: &'e mut dyn Visit,
    items: u64,
    /// The last item of the leaf before.
    last_item: Option<&'a [u8]>,
    /// The leaf before the one being looked at, and which one it says comes next.
    last_leaf: u32,
    next_leaf: u32,
}

impl<'a> Walk<'a, '_, '_> {
    /// Checks a page and all below it, whose items lie from `from` on and before `to`. It calls itself once per level.
    fn page(&mut self, number: u32, level: usize, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<(), Fault> {
        let shape = self.tree.shape;
        let page = self.census.visit(number)?;
        let (kind, count_min) = if level == 0 { (kind::LEAF, 1) } else { (kind::INNER, 2) };
        if page[0] != kind || usize::from(page[1]) != level {
            return Err(Fault { page: number, wrong: Wrong::Kind });
        }
        if !(count_min..=shape.entries_max(level)).contains(&usize::from(page[COUNT_AT])) {
            return Err(Fault { page: number, wrong: Wrong::Count });
        }
        if level == 0 {
            self.leaf(number, Leaf::new(page, shape), from, to)
        } else {
            self.inner(number, level, page, from, to)
        }
    }

    fn inner(
        &mut self,
        number: u32,
        level: usize,
        page: &[u8],
        from: Option<&[u8]>,
        to: Option<&[u8]>,
    ) -> Result<(), Fault> {
        if !is_as_written(self.tree.shape, level, page) {
            return Err(Fault { page: number, wrong: Wrong::Summary });
        }
        let inner = Inner::new(page, self.tree.shape);
        let width = self.tree.shape.item_bytes();
        let (mut lower, mut upper) = ([0; ITEM_BYTES_MAX], [0; ITEM_BYTES_MAX]);
        for at in 0..inner.count() {
            let from = if at == 0 { from } else { Some(&lower[..width]) };
            let is_last = at + 1 == inner.count();
            if !is_last {
                inner.copy_separator(at, &mut upper[..width]);
            }
            let to = if is_last { to } else { Some(&upper[..width]) };
            if from.zip(to).is_some_and(|(from, to)| from >= to) {
                return Err(Fault { page: number, wrong: Wrong::Order });
            }
            self.page(inner.child(at), level - 1, from, to)?;
            lower = upper;
        }
        Ok(())
    }

    fn leaf(&mut self, number: u32, leaf: Leaf<'a>, from: Option<&[u8]>, to: Option<&[u8]>) -> Result<(), Fault> {
        let fault = |wrong| Err(Fault { page: number, wrong });
        let items = || leaf.items().chunks_exact(self.tree.shape.item_bytes());
        let first_fits = from.is_none_or(|from| items().next().is_some_and(|first| from <= first));
        let last_fits = to.is_none_or(|to| items().next_back().is_some_and(|last| last < to));
        if !(first_fits && last_fits) {
            return fault(Wrong::Order);
        }
        if leaf.skip() != self.tree.shape.skip_of(leaf.items(), self.tree.shape.item_bytes()) {
            return fault(Wrong::Summary);
        }
        let expected = if self.last_leaf == NONE { number } else { self.next_leaf };
        if number != expected || leaf.previous() != self.last_leaf {
            return fault(Wrong::Neighbours);
        }
        if !self.show(leaf.items()) {
            return fault(Wrong::Order);
        }
        self.items += leaf.count() as u64;
        (self.last_leaf, self.next_leaf) = (number, leaf.next());
        Ok(())
    }
}

impl<'a> Walk<'a, '_, '_> {
    /// Shows the items of a leaf; `false` if they are not in ascending order. Its first item is larger than the last of the
    /// leaf before, since it is not smaller than the separator between.
    fn show(&mut self, items: &'a [u8]) -> bool {
        let width = self.tree.shape.item_bytes();
        let last = self.last_item.replace(&items[items.len() - width..]);
        if !are_ascending(last, items, width) {
            return false;
        }
        if self.each.asks_for_repeated() {
            let key = |item: &'a [u8]| &item[..width.saturating_sub(ID_BYTES)];
            let mut before = last.map(key);
            for item in items.chunks_exact(width) {
                if before == Some(key(item)) {
                    self.each.repeated(item);
                }
                before = Some(key(item));
            }
        }
        self.each.items(items, width);
        true
    }
}

/// Whether items ascend, the first of them from `last` on.
fn are_ascending(last: Option<&[u8]>, items: &[u8], width: usize) -> bool {
    // A number and an id: most indexes on a field.
    if let (16, (numbers, [])) = (width, items.as_chunks::<16>()) {
        let last = last.and_then(<[u8]>::first_chunk);
        let number = |item: &[u8; 16]| u128::from_be_bytes(*item);
        let is_first_larger = last.zip(numbers.first()).is_none_or(|(last, first)| number(last) < number(first));
        return is_first_larger && numbers.array_windows().all(|[one, other]| number(one) < number(other));
    }
    let mut before = last;
    items.chunks_exact(width).all(|item| before.replace(item).is_none_or(|before| is_less(before, item)))
}

/// Whether an inner page is what its separators and children would be written as.
fn is_as_written(shape: Shape, level: usize, page: &[u8]) -> bool {
    let mut entries = Entries::new(shape, level);
    entries.load(page);
    page.starts_with(Image::inner(shape, level, entries.bytes()).bytes())
}
