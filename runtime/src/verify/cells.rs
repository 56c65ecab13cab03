//! Whether the cells of a table are values of their types: field by field, over many rows, so that what a field's type
//! asks for is decided once. Most ask for nothing: any bits are a number.

use super::blocks::{Blocks, Taker};
use crate::cell::ahead::fetch_soon;
use crate::cell::wide::equal_bytes;
use crate::limits::HEAP_UNIT_BYTES;
use crate::record::check::{Heaps, check_value};
use crate::record::codec::{le_u64, null_bit};
use crate::record::heap_ref::{HeapCell, HeapRef};
use crate::record::plan::CellPlan;
use crate::table::def::{FieldDef, is_ref};
use crate::table::version::TableView;
use dbgen_schema::field_type::ScalarKind;
use std::ops::Range;

/// How far ahead of a text lines are asked for: texts that came together lie together.
const AHEAD_BYTES: usize = 2048;

/// What is wrong, and in which row.
type Wrong = (usize, String);

/// Checks the cells of a field in some rows, and takes the heap blocks that they name.
pub(super) fn check(view: TableView<'_>, field: &FieldDef, rows: Range<usize>, blocks: &Blocks) -> Result<(), Wrong> {
    let last = rows.end.saturating_sub(1);
    let heap = view.version.heap();
    let mut blocks = Taker::new(blocks);
    let checked = match &field.plan {
        CellPlan::Str(n) => match n {
            16..=32 => each(view, field, rows, |cell| check_str(cell, *n, is_ascii_before_zeros::<2>)),
            33..=64 => each(view, field, rows, |cell| check_str(cell, *n, is_ascii_before_zeros::<4>)),
            _ => each(view, field, rows, |cell| check_str(cell, *n, is_ascii_before_zeros_by_word)),
        },
        CellPlan::Text => each(view, field, rows, |cell| {
            let block = HeapCell::from_bytes(cell);
            fetch_soon(heap.0, block.offset as usize * HEAP_UNIT_BYTES + AHEAD_BYTES);
            let text = heap.block(block);
            if text.len() != block.len as usize || !is_ascii(text) {
                check_value(&field.plan, cell, Heaps::stored(heap))?;
            }
            blocks.take_cell(block)
        }),
        plan if asks_for_nothing(plan) => {
            // A reference to nothing is zeros, and nothing else is null without a bit.
            let can_be_wrong = field.at.null_bit.is_some() || (is_ref(field) && !field.nullable);
            if can_be_wrong { each(view, field, rows, |_| Ok(())) } else { Ok(()) }
        }
        plan => each(view, field, rows, |cell| {
            check_value(plan, cell, Heaps::stored(heap))?;
            let mut taken = Ok(());
            plan.heap_cells(cell, 0, &mut |at| {
                if taken.is_ok() {
                    taken = blocks.take_cell(HeapCell::from_bytes(&cell[at..]));
                }
            });
            taken
        }),
    };
    checked.and_then(|()| blocks.flush().map_err(|what| (last, what)))
}

/// Checks the cell of a field in one row, whoever else names its heap blocks.
pub(super) fn check_one(view: TableView<'_>, field: &FieldDef, row: usize) -> Result<(), Wrong> {
    let heap = Heaps::stored(view.version.heap());
    each(view, field, row..row + 1, |cell| check_value(&field.plan, cell, heap))
}

/// Some rows of the column group of a field, with their numbers.
pub(super) fn rows<'v>(
    view: TableView<'v>,
    field: &FieldDef,
    rows: Range<usize>,
) -> impl Iterator<Item = (usize, &'v [u8])> {
    let stride = view.def.layout.groups[field.at.group].stride;
    let bytes = &view.group_bytes(field.at.group)[rows.start * stride..rows.end * stride];
    rows.zip(bytes.chunks_exact(stride))
}

/// Whether a value of the type may be any bits.
fn asks_for_nothing(plan: &CellPlan) -> bool {
    match plan {
        CellPlan::Scalar(scalar) => scalar.desc().kind != ScalarKind::Bool,
        CellPlan::FixedBytes(_) | CellPlan::Ref => true,
        CellPlan::Array { element, .. } => asks_for_nothing(element),
        CellPlan::Composite(plan) => plan.fields.iter().all(|member| asks_for_nothing(&member.plan)),
        _ => false,
    }
}

/// Calls `check` for the cell of a field in every row in which it is not null, and checks those that are.
fn each(
    view: TableView<'_>,
    field: &FieldDef,
    range: Range<usize>,
    mut check: impl FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), Wrong> {
    let (at, is_ref) = (field.at, is_ref(field));
    let can_be_null = at.null_bit.is_some() || is_ref;
    for (row, bytes) in rows(view, field, range) {
        let cell = &bytes[at.offset..at.offset + at.size];
        let is_null = || at.null_bit.map_or(is_ref && le_u64(cell) == 0, |bit| null_bit(bytes, bit));
        let checked = if can_be_null && is_null() { check_null(field, cell) } else { check(cell) };
        if let Err(what) = checked {
            return Err((row, what));
        }
    }
    Ok(())
}

/// Checks the cell of a field that is null.
fn check_null(field: &FieldDef, cell: &[u8]) -> Result<(), String> {
    match cell.iter().all(|byte| *byte == 0) {
        _ if !field.nullable => Err("null, and it must not be".to_owned()),
        true => Ok(()),
        false => Err("null, with a value behind it".to_owned()),
    }
}

/// Checks a `str<N>`: a short one of ASCII here, others as any value.
#[inline]
fn check_str(cell: &[u8], n: u16, is_ascii_before_zeros: impl Fn(&[u8], usize) -> bool) -> Result<(), String> {
    if let [len, text @ ..] = cell
        && text.len() == usize::from(n)
        && usize::from(*len) <= text.len()
        && is_ascii_before_zeros(text, usize::from(*len))
    {
        return Ok(());
    }
    check_value(&CellPlan::Str(n), cell, Heaps::stored(HeapRef(&[])))
}

/// The bits that no byte of ASCII has.
const NO_ASCII: u128 = u128::from_ne_bytes([0x80; 16]);

/// Whether a text is ASCII: sixteen bytes at a time, of which the last may overlap those before.
#[inline]
fn is_ascii(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<16>() else { return text.is_ascii() };
    let blocks = text.as_chunks::<16>().0.iter().chain([last]);
    blocks.fold(0, |all, block| all | u128::from_ne_bytes(*block)) & NO_ASCII == 0
}

/// Whether the first `len` bytes are ASCII and the others zero: whatever `len` is, all of them are looked at, in so many blocks
/// of sixteen bytes, of which the last may overlap each other. `false` for less than a block, or more bytes than there are bits
/// in a word.
#[inline]
fn is_ascii_before_zeros<const BLOCKS: usize>(bytes: &[u8], len: usize) -> bool {
    let Some(last) = bytes.len().checked_sub(16).filter(|last| *last <= 16 * (BLOCKS - 1).min(3)) else { return false };
    let (mut zeros, mut all) = (0, 0);
    for at in (0..BLOCKS).map(|block| (16 * block).min(last)) {
        let Some(block) = bytes[at..].first_chunk() else { return false };
        zeros |= u64::from(equal_bytes(block, 0)) << at;
        all |= u128::from_ne_bytes(*block);
    }
    let behind = (u64::MAX >> (48 - last)) & u64::MAX.checked_shl(len as u32).unwrap_or(0);
    zeros & behind == behind && all & NO_ASCII == 0
}

/// The same, eight bytes at a time.
fn is_ascii_before_zeros_by_word(bytes: &[u8], len: usize) -> bool {
    const NO_ASCII: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    let (mut wrong, mut left) = (0, len);
    for word in words {
        // The bytes of the text come first: they are the low ones.
        let behind = u64::MAX.checked_shl(8 * left.min(8) as u32).unwrap_or(0);
        wrong |= u64::from_le_bytes(*word) & (behind | NO_ASCII);
        left = left.saturating_sub(8);
    }
    let (text, zeros) = rest.split_at(left.min(rest.len()));
    wrong == 0 && text.is_ascii() && zeros.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::{is_ascii, is_ascii_before_zeros, is_ascii_before_zeros_by_word};

    /// What all ways say, as far as they have one of so many bytes.
    #[track_caller]
    fn all_ways(bytes: &[u8], len: usize) -> bool {
        let expected = is_ascii_before_zeros_by_word(bytes, len);
        assert_eq!(is_ascii_before_zeros::<2>(bytes, len), expected && (16..=32).contains(&bytes.len()), "{bytes:?}");
        assert_eq!(is_ascii_before_zeros::<4>(bytes, len), expected && (16..=64).contains(&bytes.len()), "{bytes:?}");
        expected
    }

    #[test]
    fn a_text_is_ascii_and_what_lies_behind_it_is_zero() {
        for width in 0..=80 {
            for len in 0..=width {
                let mut bytes = vec![b'x'; len];
                bytes.resize(width, 0);
                assert!(all_ways(&bytes, len) && is_ascii(&bytes), "{len} of {width}");
                for at in 0..width {
                    let mut other = bytes.clone();
                    other[at] = 0x80;
                    assert!(!all_ways(&other, len) && !is_ascii(&other), "{len} of {width}, {at}");
                    other[at] = b'y';
                    assert_eq!(all_ways(&other, len), at < len, "{len} of {width}, {at}");
                }
            }
        }
    }
}
