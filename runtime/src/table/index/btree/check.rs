//! Whether bytes are a sound tree.

use super::super::fault::{Fault, Wrong};
use super::super::pages::{Census, NONE, kind, u16_at};
use super::{BTree, HEIGHT_MAX, next, previous};

impl<'a> BTree<'a> {
    /// Verifies everything: the header, kinds and levels, counts, the order of all items and separators, the links between
    /// leaves, and that every page is in use or free, none twice. A tree that passes is safe to read and to change. Any
    /// bytes may be given; it takes time in proportion to their number.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<(), Fault> {
        if self.pages.bytes.is_empty() {
            return Ok(());
        }
        let root = self.root();
        let mut walk = Walk {
            tree: *self,
            census: Census::new(self.pages.bytes, self.shape.format())?,
            items: 0,
            last_leaf: NONE,
            next_leaf: NONE,
        };
        if root.height as usize > HEIGHT_MAX || (root.page == NONE) != (root.height == 0) {
            return Err(Fault { page: 0, wrong: Wrong::Format });
        }
        if root.page != NONE {
            walk.page(root.page, root.height as usize - 1, None, None)?;
        }
        if walk.next_leaf != NONE {
            return Err(Fault { page: walk.last_leaf, wrong: Wrong::Neighbours });
        }
        if walk.items != root.items {
            return Err(Fault { page: 0, wrong: Wrong::ItemCount });
        }
        walk.census.finish()
    }
}

/// A walk over all pages in the order of the items.
struct Walk<'a> {
    tree: BTree<'a>,
    census: Census<'a>,
    items: u64,
    /// The leaf before the one being looked at, and which one it says comes next.
    last_leaf: u32,
    next_leaf: u32,
}

impl<'a> Walk<'a> {
    /// Checks a page and all below it, whose items lie from `from` on and before `to`. It calls itself once per level.
    fn page(&mut self, number: u32, level: usize, from: Option<&'a [u8]>, to: Option<&'a [u8]>) -> Result<(), Fault> {
        let fault = |wrong| Err(Fault { page: number, wrong });
        let shape = self.tree.shape;
        let page = self.census.visit(number)?;
        let kind = if level == 0 { kind::LEAF } else { kind::INNER };
        if page[0] != kind || usize::from(page[1]) != level {
            return fault(Wrong::Kind);
        }
        let count = usize::from(u16_at(page, 2));
        if count == 0 || count > shape.entries_max(level) {
            return fault(Wrong::Count);
        }
        let items = || shape.entries(page, level).chunks_exact(shape.stride(level)).map(|e| &e[..shape.item_bytes()]);
        let ascending = items().zip(items().skip(1)).all(|(one, other)| one < other);
        let first_fits = from.is_none_or(|from| items().next().is_some_and(|first| from <= first));
        let last_fits = to.is_none_or(|to| items().next_back().is_some_and(|last| last < to));
        if !(ascending && first_fits && last_fits) {
            return fault(Wrong::Order);
        }
        if level == 0 {
            return self.leaf(number, page, count);
        }
        let lower = std::iter::once(from).chain(items().map(Some));
        let upper = items().map(Some).chain(std::iter::once(to));
        for (at, (from, to)) in lower.zip(upper).enumerate() {
            self.page(shape.child(page, at), level - 1, from, to)?;
        }
        Ok(())
    }

    fn leaf(&mut self, number: u32, page: &[u8], count: usize) -> Result<(), Fault> {
        let expected = if self.last_leaf == NONE { number } else { self.next_leaf };
        if number != expected || previous(page) != self.last_leaf {
            return Err(Fault { page: number, wrong: Wrong::Neighbours });
        }
        self.items += count as u64;
        (self.last_leaf, self.next_leaf) = (number, next(page));
        Ok(())
    }
}
