//! The heap: every block is named by exactly one cell or is on exactly one list of free blocks.

use crate::limits::HEAP_UNIT_BYTES;
use crate::record::heap_ref::HeapCell;
use crate::table::heap::{CLASSES, block_units, class_units};
use crate::table::meta;
use crate::table::version::{HEAP, META, TableView};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which units of a heap belong to something: a bit each.
pub(super) struct Blocks {
    taken: Vec<AtomicU64>,
    units: usize,
}

impl Blocks {
    pub(super) fn new(heap_bytes: usize) -> Blocks {
        let units = heap_bytes / HEAP_UNIT_BYTES;
        let mut taken = Vec::new();
        taken.resize_with(units.div_ceil(64), AtomicU64::default);
        Blocks { taken, units }
    }

    /// Takes a block; an error if some of it belongs to another.
    fn take(&self, first: usize, units: usize) -> Result<(), String> {
        let mut taker = Taker::new(self);
        taker.take(first, units).and_then(|()| taker.flush())
    }

    fn taken(&self) -> usize {
        self.taken.iter().map(|word| word.load(Ordering::Relaxed).count_ones() as usize).sum()
    }
}

/// Takes blocks for one thread. Blocks that were stored one after another lie side by side: as long as they do they are one
/// run of units, which is shared with the other threads when it ends.
pub(super) struct Taker<'b> {
    of: &'b Blocks,
    /// The units that were taken here and not shared yet.
    run: Range<usize>,
}

impl<'b> Taker<'b> {
    pub(super) fn new(of: &'b Blocks) -> Taker<'b> {
        Taker { of, run: 0..0 }
    }

    /// Takes the block that a cell names, if it names one.
    #[inline]
    pub(super) fn take_cell(&mut self, cell: HeapCell) -> Result<(), String> {
        match cell.len {
            0 => Ok(()),
            len => self.take(cell.offset as usize, block_units(len as usize)),
        }
    }

    /// Takes a block; an error if it lies outside of the heap, or, at this or a later one, if some of it belongs to another.
    #[inline(always)]
    fn take(&mut self, first: usize, units: usize) -> Result<(), String> {
        let end = first.saturating_add(units);
        // Unit 0 is nobody's: a run that ends there is none.
        if first == self.run.end && first != 0 && end <= self.of.units {
            self.run.end = end;
            return Ok(());
        }
        self.take_elsewhere(first..end)
    }

    /// The same for a block that does not lie behind the last one.
    #[inline(never)]
    fn take_elsewhere(&mut self, block: Range<usize>) -> Result<(), String> {
        if block.start == 0 || block.end > self.of.units {
            return Err(format!("the heap block at unit {} lies outside of the heap", block.start));
        }
        self.flush()?;
        self.run = block;
        Ok(())
    }

    /// Shares what was taken.
    pub(super) fn flush(&mut self) -> Result<(), String> {
        let Range { start: mut at, end } = std::mem::take(&mut self.run);
        while at < end {
            let (first, len) = (at % 64, (64 - at % 64).min(end - at));
            let bits = (u64::MAX >> (64 - len)) << first;
            let twice = bits & self.of.taken[at / 64].fetch_or(bits, Ordering::Relaxed);
            if twice != 0 {
                let unit = at - first + twice.trailing_zeros() as usize;
                return Err(format!("the heap unit {unit} belongs to two"));
            }
            at += len;
        }
        Ok(())
    }
}

/// Blocks in use and free ones must tile the heap.
pub(super) fn check_heap(view: TableView<'_>, blocks: &Blocks) -> Result<(), String> {
    let meta = &view.version.buffers[META];
    let heap = view.version.buffers[HEAP].bytes();
    let used = blocks.taken() * HEAP_UNIT_BYTES;
    if used as u64 != meta::get(meta, meta::HEAP_USED) {
        return Err(format!("cells name {used} bytes of heap, {} are in use", meta::get(meta, meta::HEAP_USED)));
    }
    for class in 0..CLASSES {
        let mut next = meta::get(meta, meta::HEAP_FREE + class) as usize;
        while next != 0 {
            // A block that was seen before is taken already: a ring ends here.
            blocks.take(next, class_units(class)).map_err(|what| format!("free blocks of class {class}: {what}"))?;
            let start = next * HEAP_UNIT_BYTES;
            let link =
                heap.get(start..start + 4).ok_or_else(|| format!("free block {next} lies outside of the heap"))?;
            next = u32::from_le_bytes([link[0], link[1], link[2], link[3]]) as usize;
        }
    }
    // The first unit is nobody's: an offset of 0 is none.
    let (taken, expected) = (blocks.taken(), blocks.units.saturating_sub(1));
    if taken == expected { Ok(()) } else { Err(format!("{taken} units of heap belong to something, not {expected}")) }
}
