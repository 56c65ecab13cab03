//! Where every byte of a record lies.
//!
//! One rule serves generated code and tables made at run time; generated files assert the same numbers.
//!
//! ```text
//! a group's row:  | null bitmap | field | field | ... |      alignment 1, no padding, fields in schema order
//! a composite:    | null bitmap | field | field | ... |      the same rule, nested
//! an enum:        | number u8 or u16 | payload, as long as the longest variant's, zero-filled |
//! str<N>:         | length u8 (u16 if N > 255) | N bytes, the unused ones zero |
//! text bytes list:| offset u32 in 8-byte units | length u32 in bytes |      both 0 = empty
//! ```
//!
//! The bitmap has one bit per nullable field of the group, in schema order, bit 0 of byte 0 first; 1 = null. A nullable
//! `ref` has no bit: id 0 is null. It is as long as its bits need: none at all without nullable fields. Zeroed memory is a
//! valid row: every bit clear, every number 0.
//!
//! **Record image**: the rows of all groups of one record, one after another in the order of the groups. The engine takes
//! and gives whole records in this form.

use crate::field_type::{HEAP_CELL_BYTES, REF_BYTES, Type, enum_tag_bytes, str_length_bytes};
use crate::model::{Field, FieldIdx, Schema, Table};

/// Where a field lies in its group's row (or in its composite).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldLayout {
    /// The column group.
    pub group: usize,
    /// Bytes from the start of the group's row.
    pub offset: usize,
    /// Bytes from the start of the record image.
    pub image_offset: usize,
    /// Bytes of the cell.
    pub size: usize,
    /// The field's bit in the bitmap at the head of the group's row; `None` = not nullable, or a `ref`.
    pub null_bit: Option<u32>,
}

/// One column group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupLayout {
    /// Bytes of a row.
    pub stride: usize,
    /// Bytes of the bitmap at its head.
    pub null_bytes: usize,
    /// Bytes from the start of the record image to this group's row.
    pub image_offset: usize,
    /// Its fields, in schema order.
    pub fields: Vec<FieldIdx>,
}

/// Where everything in a table's records lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLayout {
    /// One per column group, in the order of [`Table::groups`].
    pub groups: Vec<GroupLayout>,
    /// One per field, in the order of [`Table::fields`].
    pub fields: Vec<FieldLayout>,
    /// Bytes of a record image: the sum of the strides.
    pub image_bytes: usize,
}

/// Where everything in a composite lies; `image_offset` equals `offset`, `group` is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeLayout {
    /// Bytes of the bitmap at its head.
    pub null_bytes: usize,
    /// One per field.
    pub fields: Vec<FieldLayout>,
    /// Bytes of the whole.
    pub size: usize,
}

/// Whether a nullable field of this type takes a bit in the bitmap.
pub fn needs_null_bit(field: &Field) -> bool {
    field.nullable && !matches!(field.ty, Type::Ref(_))
}

/// Bytes of a cell of this type.
pub fn size_of(schema: &Schema, ty: &Type) -> usize {
    match ty {
        Type::Scalar(scalar) => scalar.desc().size_bytes,
        Type::Str(n) => str_length_bytes(*n) + *n as usize,
        Type::FixedBytes(n) => *n as usize,
        Type::Text | Type::Bytes | Type::List(_) => HEAP_CELL_BYTES,
        Type::Array(element, n) => size_of(schema, element).saturating_mul(*n as usize),
        Type::Enum(idx) => {
            let variants = &schema.enums[idx.at()].variants;
            let payload = variants.iter().filter_map(|v| v.payload.as_ref()).map(|ty| size_of(schema, ty)).max();
            enum_tag_bytes(variants.len()) + payload.unwrap_or(0)
        }
        Type::Composite(idx) => composite_layout(schema, &schema.composites[idx.at()].fields).size,
        Type::Ref(_) => REF_BYTES,
    }
}

/// Lays out the fields of a composite.
pub fn composite_layout(schema: &Schema, fields: &[Field]) -> CompositeLayout {
    let mut row = RowLayout::new(fields.iter());
    let fields = fields.iter().map(|field| row.place(schema, field, 0, 0)).collect();
    CompositeLayout { null_bytes: row.null_bytes, fields, size: row.size }
}

/// Lays out a table.
pub fn table_layout(schema: &Schema, table: &Table) -> TableLayout {
    let mut fields = vec![None; table.fields.len()];
    let mut groups = Vec::with_capacity(table.groups.len());
    let mut image_offset = 0;
    for group in 0..table.groups.len() {
        let members: Vec<FieldIdx> = (0..table.fields.len())
            .filter(|at| table.fields[*at].group as usize == group)
            .map(|at| FieldIdx(at as u32))
            .collect();
        let mut row = RowLayout::new(members.iter().map(|idx| &table.fields[idx.at()]));
        for idx in &members {
            fields[idx.at()] = Some(row.place(schema, &table.fields[idx.at()], group, image_offset));
        }
        groups.push(GroupLayout { stride: row.size, null_bytes: row.null_bytes, image_offset, fields: members });
        image_offset += row.size;
    }
    // Every field names one of the table's groups (an invariant of the model), so none was skipped.
    TableLayout { groups, fields: fields.into_iter().flatten().collect(), image_bytes: image_offset }
}

/// A row being laid out: fields are placed one after another behind the bitmap.
struct RowLayout {
    null_bytes: usize,
    next_null_bit: u32,
    size: usize,
}

impl RowLayout {
    fn new<'a>(fields: impl Iterator<Item = &'a Field>) -> RowLayout {
        let null_bytes = fields.filter(|field| needs_null_bit(field)).count().div_ceil(8);
        RowLayout { null_bytes, next_null_bit: 0, size: null_bytes }
    }

    fn place(&mut self, schema: &Schema, field: &Field, group: usize, group_image_offset: usize) -> FieldLayout {
        let null_bit = needs_null_bit(field).then(|| {
            self.next_null_bit += 1;
            self.next_null_bit - 1
        });
        let size = size_of(schema, &field.ty);
        let offset = self.size;
        self.size = self.size.saturating_add(size);
        FieldLayout { group, offset, image_offset: group_image_offset + offset, size, null_bit }
    }
}
