//! Whether bytes are a sound hash.

use super::super::Visit;
use super::super::fault::{Fault, Wrong};
use super::super::pages::{Census, NONE, kind, u32_at};
use super::bucket::{Bucket, DEPTH_AT, tag_of};
use super::edit::{HASH_AT, PURE_AT};
use super::{HashIndex, ROOT_BYTES, SLOT_BYTES, hash_of, u64_at};

impl HashIndex<'_> {
    /// Verifies everything: the header, the roots and directories, that every item lies where its hash leads and has
    /// its tag, the trees, and that every page is in use or free, none twice. A hash that passes is safe to read and to
    /// change. Any bytes may be given; it takes time in proportion to their number.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<(), Fault> {
        self.check_and_visit(&mut ())
    }

    /// The same; shows every item on the way.
    ///
    /// # Errors
    /// The first fault found; what was shown until then is worth nothing.
    pub fn check_and_visit(&self, each: &mut dyn Visit) -> Result<(), Fault> {
        if self.pages.bytes.is_empty() {
            return Ok(());
        }
        let census = Census::new(self.pages.bytes, self.shape.format())?;
        let mut walk = Walk { index: *self, census, each, items: 0 };
        let root = self.root();
        if root.page != NONE {
            walk.roots()?;
        }
        if walk.items != root.items || (root.page == NONE) != (root.items == 0) {
            return Err(Fault { page: 0, wrong: Wrong::ItemCount });
        }
        walk.census.finish()
    }
}

/// A walk over all pages.
struct Walk<'a, 'e> {
    index: HashIndex<'a>,
    census: Census<'a>,
    each: &'e mut dyn Visit,
    items: u64,
}

/// The beginning that hashes have in common.
#[derive(Clone, Copy)]
struct Beginning {
    /// The bits, at the top.
    hash: u64,
    bits: u32,
}

impl Beginning {
    fn is_of(self, hash: u64) -> bool {
        (hash ^ self.hash).leading_zeros() >= self.bits
    }
}

impl Walk<'_, '_> {
    fn roots(&mut self) -> Result<(), Fault> {
        let (root, shape) = (self.index.root(), self.index.shape);
        let fault = |wrong| Err(Fault { page: root.page, wrong });
        // More roots than bytes would be reached twice, but counting them must not overflow.
        if root.height > 64 - shape.slot_bits() || (self.index.pages.bytes.len() as u64) >> root.height == 0 {
            return fault(Wrong::Count);
        }
        let count = 1_usize << root.height;
        for page in 0..(count * ROOT_BYTES).div_ceil(shape.page_bytes()) {
            self.census.visit(root.page.wrapping_add(page as u32))?;
        }
        let mut at = 0;
        while at < count {
            let (directory, prefix) = self.index.directory(root, at);
            let Some(len) = root.height.checked_sub(prefix).map(|bits| 1_usize << bits) else {
                return fault(Wrong::Summary);
            };
            let run = at..at + len;
            if at % len != 0 || run.clone().any(|other| self.index.directory(root, other) != (directory, prefix)) {
                return fault(Wrong::Summary);
            }
            if directory != NONE {
                let hash = (at as u64).checked_shl(64 - root.height).unwrap_or(0);
                self.directory(directory, Beginning { hash, bits: prefix })?;
            }
            at = run.end;
        }
        Ok(())
    }

    fn directory(&mut self, number: u32, beginning: Beginning) -> Result<(), Fault> {
        let fault = |wrong| Err(Fault { page: number, wrong });
        let shape = self.index.shape;
        let page = self.census.visit(number)?;
        let slot = |at: usize| u32_at(page, at * SLOT_BYTES);
        let mut at = 0;
        while at < shape.slots() {
            let bucket = slot(at);
            if bucket == NONE {
                at += 1;
                continue;
            }
            let content = self.census.visit(bucket)?;
            let depth = u32::from(content[DEPTH_AT]);
            let bits_max = beginning.bits + shape.slot_bits();
            if !(beginning.bits..=bits_max).contains(&depth) {
                return Err(Fault { page: bucket, wrong: Wrong::Summary });
            }
            let len = 1 << (bits_max - depth);
            if at % len != 0 || (at..at + len).any(|other| slot(other) != bucket) {
                return fault(Wrong::Summary);
            }
            let hash = beginning.hash | (at as u64) << (64 - bits_max);
            let beginning = Beginning { hash, bits: depth };
            match content[0] {
                kind::BUCKET => self.bucket(bucket, content, beginning)?,
                kind::TREE => self.tree(bucket, content, beginning)?,
                _ => return Err(Fault { page: bucket, wrong: Wrong::Kind }),
            }
            at += len;
        }
        Ok(())
    }

    fn bucket(&mut self, number: u32, page: &[u8], beginning: Beginning) -> Result<(), Fault> {
        let fault = |wrong| Err(Fault { page: number, wrong });
        let shape = self.index.shape;
        let bucket = Bucket::new(page, shape);
        if bucket.count() == 0 || bucket.count() != bucket.claimed_count() {
            return fault(Wrong::Count);
        }
        let (width, key_bytes) = (shape.tree.item_bytes(), shape.key_bytes());
        for (at, item) in bucket.items().chunks_exact(width).enumerate() {
            let hash = hash_of(&item[..key_bytes]);
            if !beginning.is_of(hash) {
                return fault(Wrong::Order);
            }
            if bucket.tag(at) != tag_of(hash) {
                return fault(Wrong::Summary);
            }
            // Those before it have the tags of their keys: what is equal is among those with the same.
            let (mut alike, mut is_repeated) = (bucket.hits(hash) & !(u64::MAX << at), false);
            while alike != 0 {
                let other = &bucket.items()[alike.trailing_zeros() as usize * width..][..width];
                if other == item {
                    return fault(Wrong::Order);
                }
                is_repeated |= other[..key_bytes] == item[..key_bytes];
                alike &= alike - 1;
            }
            if is_repeated && self.each.asks_for_repeated() {
                self.each.repeated(item);
            }
        }
        self.each.items(bucket.items(), width);
        self.items += bucket.count() as u64;
        Ok(())
    }

    fn tree(&mut self, number: u32, page: &[u8], beginning: Beginning) -> Result<(), Fault> {
        let key_bytes = self.index.shape.key_bytes();
        let tree = self.index.tree(number);
        if tree.is_empty() {
            return Err(Fault { page: number, wrong: Wrong::Count });
        }
        tree.check_pages(&mut self.census, self.each)?;
        let pure = (page[PURE_AT] != 0).then(|| u64_at(page, HASH_AT));
        for item in tree.iter() {
            let hash = hash_of(&item[..key_bytes]);
            if !beginning.is_of(hash) || pure.is_some_and(|pure| pure != hash) {
                return Err(Fault { page: number, wrong: Wrong::Order });
            }
        }
        self.items += tree.len();
        Ok(())
    }
}
