//! The heap of a table: blocks for `text`, `bytes` and `list` values.
//!
//! ```text
//! heap:   | unit 0: unused | block | block | ...            units of 8 bytes
//! block:  in use: the value, zero-filled to the block's end
//!         free:   | next free block of the class u32, in units; 0 = none | old bytes |
//! ```
//!
//! Block sizes are 1, 2, 3, 4, 6, 8, 12, 16, 24, ... units: a block wastes at most a third. A block never changes its
//! class; a freed one goes to the head of its class's list (in the table's meta buffer) and is the next one given out.

use super::buffer::BufferMut;
use super::meta;
use super::rows::Rows;
use super::version::HEAP;
use crate::error::{Error, Result};
use crate::limits::{HEAP_BYTES_MAX, HEAP_UNIT_BYTES, HEAP_VALUE_BYTES_MAX};
use crate::record::heap_ref::HeapCell;

/// Number of size classes.
pub const CLASSES: usize = 48;

const _: () = assert!(class_units(CLASSES - 1) * HEAP_UNIT_BYTES >= HEAP_VALUE_BYTES_MAX);

/// Units of a block of this class: 1, 2, 3, 4, 6, 8, 12, ...
pub const fn class_units(class: usize) -> usize {
    match class {
        0 => 1,
        _ if class % 2 == 1 => 1 << class.div_ceil(2),
        _ => 3 << (class / 2 - 1),
    }
}

/// The smallest class that holds `len` bytes, which are at least one and at most the largest value.
pub fn class_of(len: usize) -> usize {
    let units = len.div_ceil(HEAP_UNIT_BYTES).max(1);
    if units == 1 {
        return 0;
    }
    // 2^k-1 < units <= 2^k: the class is 2^k, or the three quarters of it.
    let k = units.next_power_of_two().trailing_zeros() as usize;
    let three_quarters = 2 * (k - 1);
    if k >= 2 && units <= class_units(three_quarters) { three_quarters } else { 2 * k - 1 }
}

/// Units of the block of a value of `len` bytes, which is of [`class_of`] it.
#[inline]
pub fn block_units(len: usize) -> usize {
    let units = len.div_ceil(HEAP_UNIT_BYTES).max(1);
    let power = units.next_power_of_two();
    let three_quarters = power / 4 * 3;
    if units <= three_quarters { three_quarters } else { power }
}

/// Stores `bytes` and gives the cell that names them.
pub fn alloc(rows: &mut Rows<'_>, bytes: &[u8]) -> Result<HeapCell> {
    if bytes.is_empty() {
        return Ok(HeapCell::EMPTY);
    }
    let class = class_of(bytes.len());
    let block_bytes = class_units(class) * HEAP_UNIT_BYTES;
    let head = rows.meta().get(meta::HEAP_FREE + class) as u32;
    let offset = if head != 0 {
        let start = head as usize * HEAP_UNIT_BYTES;
        let mut heap = rows.buffer(HEAP);
        let next = u32::from_le_bytes([0, 1, 2, 3].map(|at| heap.bytes()[start + at]));
        let block = heap.edit(start, block_bytes);
        block[..bytes.len()].copy_from_slice(bytes);
        block[bytes.len()..].fill(0);
        rows.meta().set(meta::HEAP_FREE + class, next.into());
        head
    } else {
        append_block(rows, bytes, block_bytes)?
    };
    rows.meta().add(meta::HEAP_USED, block_bytes as i64);
    Ok(HeapCell { offset, len: bytes.len() as u32 })
}

/// Makes the heap longer by a block that holds `bytes`.
fn append_block(rows: &mut Rows<'_>, bytes: &[u8], block_bytes: usize) -> Result<u32> {
    let table = &rows.def.name;
    let mut heap = BufferMut::new(&mut rows.buffers[HEAP], rows.journal, HEAP as u32);
    if heap.is_empty() {
        heap.grow(HEAP_UNIT_BYTES);
    }
    let start = heap.len();
    if start + block_bytes > HEAP_BYTES_MAX {
        return Err(Error::Full { table: table.clone(), what: "the heap, in bytes,", limit: HEAP_BYTES_MAX });
    }
    heap.append(bytes);
    if block_bytes > bytes.len() {
        heap.grow(block_bytes - bytes.len());
    }
    Ok((start / HEAP_UNIT_BYTES) as u32)
}

/// Gives the block of a cell back.
pub fn free(rows: &mut Rows<'_>, cell: HeapCell) {
    if cell.len == 0 {
        return;
    }
    let class = class_of(cell.len as usize);
    let next = rows.meta().get(meta::HEAP_FREE + class) as u32;
    rows.buffer(HEAP).write(cell.offset as usize * HEAP_UNIT_BYTES, &next.to_le_bytes());
    rows.meta().set(meta::HEAP_FREE + class, cell.offset.into());
    rows.meta().add(meta::HEAP_USED, -((class_units(class) * HEAP_UNIT_BYTES) as i64));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_gets_the_smallest_class_that_holds_it() {
        for len in (1..5000).chain([1 << 20, (1 << 20) + 1, HEAP_VALUE_BYTES_MAX]) {
            let class = class_of(len);
            assert!(class_units(class) * HEAP_UNIT_BYTES >= len, "{len} in class {class}");
            assert!(class == 0 || class_units(class - 1) * HEAP_UNIT_BYTES < len, "{len} fits below class {class}");
            assert_eq!(block_units(len), class_units(class), "{len} in class {class}");
        }
        assert!((1..CLASSES).all(|class| class_units(class) > class_units(class - 1)));
    }
}
