//! Many places of a tree looked for at once: level by level, so that the pages of one are on their way together.

use super::super::{AT_ONCE, Wanted};
use super::{BTree, HEIGHT_MAX, Inner, Probe, Side};
use crate::cell::ahead::fetch_soon;

const LINE_BYTES: usize = 64;

impl<'a> BTree<'a> {
    /// The smallest item that begins with each of these keys, as [`first_with_prefix`](BTree::first_with_prefix) gives it.
    pub fn first_with_prefixes(&self, keys: &Wanted<'_>) -> [Option<&'a [u8]>; AT_ONCE] {
        let root = self.root();
        let mut pages = [root.page; AT_ONCE];
        for _ in 1..root.height.min(HEIGHT_MAX as u32) {
            for (number, key) in pages.iter_mut().zip(keys.iter()) {
                let Some(page) = self.pages.get(*number) else { continue };
                let page = Inner::new(page, self.shape);
                *number = page.child(page.rank(&self.probe(key)));
                self.fetch_soon(*number);
            }
        }
        let mut found = [None; AT_ONCE];
        for ((found, number), key) in found.iter_mut().zip(pages).zip(keys.iter()) {
            *found = self.first_in_leaf(number, key, &self.probe(key));
        }
        found
    }

    #[inline]
    fn probe<'k>(&self, key: &'k [u8]) -> Probe<'k> {
        Probe::new(key, Side::Before, self.shape.item_bytes())
    }

    #[inline]
    fn fetch_soon(&self, number: u32) {
        let Some(page) = self.pages.get(number) else { return };
        (0..page.len()).step_by(LINE_BYTES).for_each(|line| fetch_soon(page, line));
    }
}
