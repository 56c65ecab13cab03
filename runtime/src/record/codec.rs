//! Dynamic values to bytes and back: the other face of what generated code does with compile-time offsets.
//!
//! Writing checks that the value is of the type and says which [`Rule`] it breaks; bounds, uniqueness and references are
//! the engine's business (`apply.rs`), for both faces. Reading never fails: what was written was checked, and a damaged
//! byte yields some value of the type.

use super::heap_ref::{HeapCell, HeapRef};
use super::image::RecordImage;
use super::plan::{CellPlan, CompositePlan, EnumPlan};
use crate::error::Rule;
use crate::limits::{HEAP_UNIT_BYTES, HEAP_VALUE_BYTES_MAX};
use dbgen_schema::field_type::{ScalarKind, str_length_bytes};
use dbgen_schema::{Scalar, Value};

/// Where the values behind heap cells go.
pub trait HeapSink {
    /// Stores `bytes` and gives the cell that names them.
    fn put(&mut self, bytes: &[u8]) -> HeapCell;
}

/// A record image takes the heap values of one of its fields.
pub struct ImageSink<'a> {
    /// The image.
    pub image: &'a mut RecordImage,
    /// The field being written.
    pub field: usize,
}

impl HeapSink for ImageSink<'_> {
    fn put(&mut self, bytes: &[u8]) -> HeapCell {
        self.image.heap_value(self.field, bytes)
    }
}

/// The block of a list takes the heap values of its elements.
struct BlockSink<'a>(&'a mut Vec<u8>);

impl HeapSink for BlockSink<'_> {
    fn put(&mut self, bytes: &[u8]) -> HeapCell {
        if bytes.is_empty() {
            return HeapCell::EMPTY;
        }
        self.0.resize(self.0.len().next_multiple_of(HEAP_UNIT_BYTES), 0);
        let offset = (self.0.len() / HEAP_UNIT_BYTES) as u32;
        self.0.extend_from_slice(bytes);
        HeapCell { offset, len: bytes.len() as u32 }
    }
}

/// What a value breaks: the rule, and the innermost value that breaks it.
type Broken = (Rule, Value);

/// Writes `value` into `cell`, which is zeroed and as long as the plan's size.
pub fn write(plan: &CellPlan, value: &Value, cell: &mut [u8], heap: &mut dyn HeapSink) -> Result<(), Broken> {
    match (plan, value) {
        (_, Value::Null) => Err((Rule::NotNull, Value::Null)),
        (CellPlan::Scalar(scalar), value) => write_scalar(*scalar, value, cell),
        (CellPlan::Str(n), Value::Text(text)) => {
            let (max, head) = (*n as usize, str_length_bytes(*n));
            too_long(text.len(), max, value)?;
            cell[..head].copy_from_slice(&(text.len() as u16).to_le_bytes()[..head]);
            cell[head..head + text.len()].copy_from_slice(text.as_bytes());
            Ok(())
        }
        (CellPlan::FixedBytes(n), Value::Bytes(bytes)) if bytes.len() == *n as usize => {
            cell.copy_from_slice(bytes);
            Ok(())
        }
        (CellPlan::Text, Value::Text(text)) => put(heap, text.as_bytes(), value, cell),
        (CellPlan::Bytes, Value::Bytes(bytes)) => put(heap, bytes, value, cell),
        (CellPlan::Ref, Value::Ref(id)) => {
            cell.copy_from_slice(&id.to_le_bytes());
            Ok(())
        }
        (CellPlan::Array { element, count }, Value::List(values)) if values.len() == *count => {
            let size = element.size();
            for (at, value) in values.iter().enumerate() {
                write(element, value, &mut cell[at * size..(at + 1) * size], heap)?;
            }
            Ok(())
        }
        (CellPlan::List { element }, Value::List(values)) => {
            let block = list_block(element, values)?;
            put(heap, &block, value, cell)
        }
        (CellPlan::Enum(plan), Value::Enum(number, payload)) => write_enum(plan, *number, payload, value, cell, heap),
        (CellPlan::Composite(plan), Value::Struct(values)) if values.len() == plan.fields.len() => {
            write_composite(plan, values, cell, heap)
        }
        (plan, value) => Err(wrong_type(plan, value)),
    }
}

fn wrong_type(plan: &CellPlan, value: &Value) -> Broken {
    (Rule::Type { expected: plan.describe() }, value.clone())
}

fn too_long(got: usize, max: usize, value: &Value) -> Result<(), Broken> {
    if got > max { Err((Rule::TooLong { max, got }, value.clone())) } else { Ok(()) }
}

fn put(heap: &mut dyn HeapSink, bytes: &[u8], value: &Value, cell: &mut [u8]) -> Result<(), Broken> {
    too_long(bytes.len(), HEAP_VALUE_BYTES_MAX, value)?;
    cell.copy_from_slice(&heap.put(bytes).to_bytes());
    Ok(())
}

fn write_scalar(scalar: Scalar, value: &Value, cell: &mut [u8]) -> Result<(), Broken> {
    let out_of_range =
        |min: i128, max: i128| Err((Rule::OutOfRange { min: Value::Int(min), max: Value::Int(max) }, value.clone()));
    match (scalar.desc().kind, value) {
        (ScalarKind::Int { min, max }, Value::Int(v)) if *v < min || *v > max => return out_of_range(min, max),
        (ScalarKind::Timestamp | ScalarKind::Duration, Value::Int(v)) if i64::try_from(*v).is_err() => {
            return out_of_range(i64::MIN.into(), i64::MAX.into());
        }
        // Two's complement: the low bytes of the wide number are the narrow number.
        (ScalarKind::Int { .. } | ScalarKind::Timestamp | ScalarKind::Duration, Value::Int(v)) => {
            let size = cell.len();
            cell.copy_from_slice(&v.to_le_bytes()[..size]);
        }
        (ScalarKind::Float { bits: 32 }, Value::Float(v)) => {
            let narrow = *v as f32;
            if narrow.is_infinite() && v.is_finite() {
                let (min, max) = (Value::from(f32::MIN), Value::from(f32::MAX));
                return Err((Rule::OutOfRange { min, max }, value.clone()));
            }
            cell.copy_from_slice(&narrow.to_le_bytes());
        }
        (ScalarKind::Float { .. }, Value::Float(v)) => cell.copy_from_slice(&v.to_le_bytes()),
        (ScalarKind::Float { .. }, Value::Int(v)) => return write_scalar(scalar, &Value::Float(*v as f64), cell),
        (ScalarKind::Bool, Value::Bool(v)) => cell[0] = u8::from(*v),
        (ScalarKind::Uuid, Value::Bytes(v)) if v.len() == 16 => cell.copy_from_slice(v),
        _ => return Err(wrong_type(&CellPlan::Scalar(scalar), value)),
    }
    Ok(())
}

fn write_enum(
    plan: &EnumPlan,
    number: u16,
    payload: &Option<Box<Value>>,
    value: &Value,
    cell: &mut [u8],
    heap: &mut dyn HeapSink,
) -> Result<(), Broken> {
    let wrong = || (Rule::Type { expected: plan.name.clone() }, value.clone());
    let expected = plan.variant(number).ok_or_else(wrong)?;
    cell[..plan.tag_bytes].copy_from_slice(&number.to_le_bytes()[..plan.tag_bytes]);
    match (expected, payload) {
        (None, None) => Ok(()),
        (Some(plan_of), Some(payload)) => {
            let size = plan_of.size();
            write(plan_of, payload, &mut cell[plan.tag_bytes..plan.tag_bytes + size], heap)
        }
        _ => Err(wrong()),
    }
}

fn write_composite(
    plan: &CompositePlan,
    values: &[Value],
    cell: &mut [u8],
    heap: &mut dyn HeapSink,
) -> Result<(), Broken> {
    for (member, value) in plan.fields.iter().zip(values) {
        if value.is_null() && member.nullable {
            if let Some(bit) = member.null_bit {
                set_null_bit(cell, bit, true);
            }
        } else {
            let end = member.offset + member.plan.size();
            write(&member.plan, value, &mut cell[member.offset..end], heap)?;
        }
    }
    Ok(())
}

fn list_block(element: &CellPlan, values: &[Value]) -> Result<Vec<u8>, Broken> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let size = element.size();
    let mut block = vec![0; 4 + values.len() * size];
    block[..4].copy_from_slice(&(values.len() as u32).to_le_bytes());
    let mut cell = vec![0; size];
    for (at, value) in values.iter().enumerate() {
        cell.fill(0);
        write(element, value, &mut cell, &mut BlockSink(&mut block))?;
        block[4 + at * size..4 + (at + 1) * size].copy_from_slice(&cell);
    }
    Ok(block)
}

/// Reads the value in `cell`. Heap cells are followed in `heap`.
#[inline]
pub fn read(plan: &CellPlan, cell: &[u8], heap: HeapRef<'_>) -> Value {
    match plan {
        CellPlan::Scalar(scalar) => read_scalar(*scalar, cell),
        plan => read_other(plan, cell, heap),
    }
}

fn read_other(plan: &CellPlan, cell: &[u8], heap: HeapRef<'_>) -> Value {
    match plan {
        CellPlan::Scalar(scalar) => read_scalar(*scalar, cell),
        CellPlan::Str(n) => {
            let head = str_length_bytes(*n);
            let len = if head == 1 { cell[0] as usize } else { u16::from_le_bytes([cell[0], cell[1]]) as usize };
            text(&cell[head..head + len.min(*n as usize)])
        }
        CellPlan::FixedBytes(_) => Value::Bytes(cell.to_vec()),
        CellPlan::Text => text(heap.block(HeapCell::from_bytes(cell))),
        CellPlan::Bytes => Value::Bytes(heap.block(HeapCell::from_bytes(cell)).to_vec()),
        CellPlan::Ref => match le_u64(cell) {
            0 => Value::Null,
            id => Value::Ref(id),
        },
        CellPlan::Array { element, .. } => {
            Value::List(cell.chunks_exact(element.size().max(1)).map(|cell| read(element, cell, heap)).collect())
        }
        CellPlan::List { element } => read_list(element, heap.block(HeapCell::from_bytes(cell))),
        CellPlan::Enum(plan) => {
            let payload = plan
                .payload(cell)
                .map(|payload| Box::new(read(payload, &cell[plan.tag_bytes..plan.tag_bytes + payload.size()], heap)));
            Value::Enum(plan.number(cell), payload)
        }
        CellPlan::Composite(plan) => Value::Struct(
            plan.fields
                .iter()
                .map(|member| {
                    if member.null_bit.is_some_and(|bit| null_bit(cell, bit)) {
                        return Value::Null;
                    }
                    read(&member.plan, &cell[member.offset..member.offset + member.plan.size()], heap)
                })
                .collect(),
        ),
    }
}

fn read_list(element: &CellPlan, block: &[u8]) -> Value {
    let Some((head, elements)) = block.split_at_checked(4) else { return Value::List(Vec::new()) };
    let count = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let cells = elements.chunks_exact(element.size().max(1)).take(count);
    Value::List(cells.map(|cell| read(element, cell, HeapRef(block))).collect())
}

#[inline]
fn read_scalar(scalar: Scalar, cell: &[u8]) -> Value {
    // The layout says how long the cell is; each length is a load of its own.
    let small = |at: usize| cell.get(at).copied().unwrap_or(0);
    let unsigned = |len: usize| match len {
        1 => small(0).into(),
        2 => u16::from_le_bytes([small(0), small(1)]).into(),
        4 => cell.first_chunk().map_or(0, |wide| u32::from_le_bytes(*wide)).into(),
        _ => cell.first_chunk().map_or(0, |wide| u64::from_le_bytes(*wide)),
    };
    match scalar {
        Scalar::U8 => Value::Int(unsigned(1).into()),
        Scalar::U16 => Value::Int(unsigned(2).into()),
        Scalar::U32 => Value::Int(unsigned(4).into()),
        Scalar::U64 => Value::Int(unsigned(8).into()),
        Scalar::I8 => Value::Int((unsigned(1) as i8).into()),
        Scalar::I16 => Value::Int((unsigned(2) as i16).into()),
        Scalar::I32 => Value::Int((unsigned(4) as i32).into()),
        Scalar::I64 | Scalar::Timestamp | Scalar::Duration => Value::Int((unsigned(8) as i64).into()),
        Scalar::F32 => Value::from(f32::from_bits(unsigned(4) as u32)),
        Scalar::F64 => Value::Float(f64::from_bits(unsigned(8))),
        Scalar::Bool => Value::Bool(unsigned(1) != 0),
        Scalar::Uuid => Value::Bytes(cell.to_vec()),
    }
}

fn text(bytes: &[u8]) -> Value {
    Value::Text(String::from_utf8_lossy(bytes).into_owned())
}

#[inline]
pub(crate) fn le_u64(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(wide)
}

/// Whether the bit is set in the bitmap at the head of `row`.
#[inline]
pub fn null_bit(row: &[u8], bit: u32) -> bool {
    row[bit as usize / 8] >> (bit % 8) & 1 == 1
}

/// Sets or clears the bit in the bitmap at the head of `row`.
#[inline]
pub fn set_null_bit(row: &mut [u8], bit: u32, null: bool) {
    let mask = 1 << (bit % 8);
    let byte = &mut row[bit as usize / 8];
    *byte = if null { *byte | mask } else { *byte & !mask };
}
