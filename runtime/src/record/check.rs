//! Whether bytes are a value of their type: what writers guarantee and readers rely on, checked for bytes from elsewhere.

use super::codec;
use super::heap_ref::{HeapCell, HeapRef};
use super::image::PENDING;
use super::plan::CellPlan;
use dbgen_schema::field_type::ScalarKind;

/// Where heap cells point into.
#[derive(Debug, Clone, Copy)]
pub struct Heaps<'v> {
    /// The table's heap, or the block of the list that holds the cells.
    pub stored: HeapRef<'v>,
    /// The heap of a record image, for its pending cells.
    pub pending: HeapRef<'v>,
}

impl<'v> Heaps<'v> {
    /// No cell is pending.
    pub fn stored(heap: HeapRef<'v>) -> Heaps<'v> {
        Heaps { stored: heap, pending: HeapRef(&[]) }
    }
}

/// Checks that `cell` holds a value of its type, and that its heap cells name bytes that are there.
pub fn check_value(plan: &CellPlan, cell: &[u8], heap: Heaps<'_>) -> Result<(), String> {
    let utf8 = |bytes: &[u8]| std::str::from_utf8(bytes).map(drop).map_err(|error| format!("not UTF-8: {error}"));
    match plan {
        CellPlan::Scalar(scalar) if scalar.desc().kind == ScalarKind::Bool && cell[0] > 1 => {
            Err(format!("a bool of {}", cell[0]))
        }
        CellPlan::Str(n) => {
            let head = cell.len() - *n as usize;
            let len = if head == 1 { cell[0] as usize } else { u16::from_le_bytes([cell[0], cell[1]]) as usize };
            let (text, rest) = cell[head..].split_at_checked(len).ok_or_else(|| format!("a length of {len} of {n}"))?;
            if rest.iter().any(|byte| *byte != 0) {
                return Err("bytes behind the text".to_owned());
            }
            utf8(text)
        }
        CellPlan::Text => utf8(block(cell, heap)?),
        CellPlan::Bytes => block(cell, heap).map(drop),
        CellPlan::Array { element, .. } => {
            cell.chunks_exact(element.size().max(1)).try_for_each(|cell| check_value(element, cell, heap))
        }
        CellPlan::List { element } => check_list(element, block(cell, heap)?),
        CellPlan::Enum(plan) => {
            let number = plan.number(cell);
            match plan.variant(number) {
                None => Err(format!("variant {number} of `{}`", plan.name)),
                Some(None) => Ok(()),
                Some(Some(payload)) => {
                    check_value(payload, &cell[plan.tag_bytes..plan.tag_bytes + payload.size()], heap)
                }
            }
        }
        CellPlan::Composite(plan) => plan.fields.iter().try_for_each(|member| {
            if member.null_bit.is_some_and(|bit| codec::null_bit(cell, bit)) {
                return Ok(());
            }
            check_value(&member.plan, &cell[member.offset..member.offset + member.plan.size()], heap)
        }),
        CellPlan::Scalar(_) | CellPlan::FixedBytes(_) | CellPlan::Ref => Ok(()),
    }
}

fn check_list(element: &CellPlan, block: &[u8]) -> Result<(), String> {
    let Some((head, elements)) = block.split_at_checked(4) else {
        return if block.is_empty() { Ok(()) } else { Err("a list without a count".to_owned()) };
    };
    let count = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let size = element.size();
    if count.checked_mul(size).is_none_or(|bytes| bytes > elements.len()) {
        return Err(format!("a list of {count} in {} bytes", block.len()));
    }
    let cells = (0..count).map(|at| &elements[at * size..(at + 1) * size]);
    cells.into_iter().try_for_each(|cell| check_value(element, cell, Heaps::stored(HeapRef(block))))
}

fn block<'v>(cell: &[u8], heaps: Heaps<'v>) -> Result<&'v [u8], String> {
    let cell = HeapCell::from_bytes(cell);
    let len = cell.len & !PENDING;
    let heap = if len == cell.len { heaps.stored } else { heaps.pending };
    let bytes = heap.block(HeapCell { len, ..cell });
    if bytes.len() == len as usize { Ok(bytes) } else { Err(format!("{cell:?} lies outside of the heap")) }
}
