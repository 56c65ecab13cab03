//! A field's type, prepared for reading and writing its bytes: sizes and offsets worked out once.

use dbgen_schema::field_type::{Type, enum_tag_bytes, str_length_bytes};
use dbgen_schema::layout::{composite_layout, size_of};
use dbgen_schema::{Scalar, Schema, Value};

/// How the bytes of a cell are read and written.
#[derive(Debug, Clone)]
pub enum CellPlan {
    /// A scalar.
    Scalar(Scalar),
    /// `str<N>`.
    Str(u16),
    /// `bytes<N>`.
    FixedBytes(u16),
    /// `text`.
    Text,
    /// `bytes`.
    Bytes,
    /// `ref<table>`.
    Ref,
    /// `[T; N]`.
    Array {
        /// The element.
        element: Box<CellPlan>,
        /// How many.
        count: usize,
    },
    /// `list<T>`.
    List {
        /// The element.
        element: Box<CellPlan>,
    },
    /// An enum.
    Enum(EnumPlan),
    /// A composite.
    Composite(CompositePlan),
}

/// An enum, prepared.
#[derive(Debug, Clone)]
pub struct EnumPlan {
    /// Its number in the schema.
    pub at: usize,
    /// Its name, for errors.
    pub name: String,
    /// 1 or 2.
    pub tag_bytes: usize,
    /// Bytes of the cell: the tag and the longest payload.
    pub size: usize,
    /// Number and payload of every variant.
    pub variants: Vec<(u16, Option<CellPlan>)>,
}

/// A composite, prepared.
#[derive(Debug, Clone)]
pub struct CompositePlan {
    /// Its number in the schema.
    pub at: usize,
    /// Its name, for errors.
    pub name: String,
    /// Bytes of the cell.
    pub size: usize,
    /// Its fields.
    pub fields: Vec<MemberPlan>,
}

/// A field of a composite, prepared.
#[derive(Debug, Clone)]
pub struct MemberPlan {
    /// Bytes from the start of the composite.
    pub offset: usize,
    /// Its bit in the composite's bitmap, if it is nullable.
    pub null_bit: Option<u32>,
    /// Whether it may be null (a `ref` may without a bit).
    pub nullable: bool,
    /// NaN and infinities may be stored.
    pub allow_nan: bool,
    /// Smallest value allowed.
    pub min: Option<Value>,
    /// Largest value allowed.
    pub max: Option<Value>,
    /// Its type.
    pub plan: CellPlan,
}

impl CellPlan {
    /// Prepares `ty`.
    pub fn of(schema: &Schema, ty: &Type) -> CellPlan {
        let boxed = |ty: &Type| Box::new(CellPlan::of(schema, ty));
        match ty {
            Type::Scalar(scalar) => CellPlan::Scalar(*scalar),
            Type::Str(n) => CellPlan::Str(*n),
            Type::FixedBytes(n) => CellPlan::FixedBytes(*n),
            Type::Text => CellPlan::Text,
            Type::Bytes => CellPlan::Bytes,
            Type::Ref(_) => CellPlan::Ref,
            Type::Array(element, count) => CellPlan::Array { element: boxed(element), count: *count as usize },
            Type::List(element) => CellPlan::List { element: boxed(element) },
            Type::Enum(idx) => {
                let def = &schema.enums[idx.at()];
                let variant =
                    |v: &dbgen_schema::Variant| (v.number, v.payload.as_ref().map(|ty| CellPlan::of(schema, ty)));
                CellPlan::Enum(EnumPlan {
                    at: idx.at(),
                    name: def.name.clone(),
                    tag_bytes: enum_tag_bytes(def.variants.len()),
                    size: size_of(schema, ty),
                    variants: def.variants.iter().map(variant).collect(),
                })
            }
            Type::Composite(idx) => {
                let def = &schema.composites[idx.at()];
                let layout = composite_layout(schema, &def.fields);
                let member = |(field, at): (&dbgen_schema::Field, &dbgen_schema::layout::FieldLayout)| MemberPlan {
                    offset: at.offset,
                    null_bit: at.null_bit,
                    nullable: field.nullable,
                    allow_nan: field.allow_nan,
                    min: field.min.clone(),
                    max: field.max.clone(),
                    plan: CellPlan::of(schema, &field.ty),
                };
                let fields = def.fields.iter().zip(&layout.fields).map(member).collect();
                CellPlan::Composite(CompositePlan { at: idx.at(), name: def.name.clone(), size: layout.size, fields })
            }
        }
    }

    /// Bytes of the cell.
    pub fn size(&self) -> usize {
        match self {
            CellPlan::Scalar(scalar) => scalar.desc().size_bytes,
            CellPlan::Str(n) => str_length_bytes(*n) + *n as usize,
            CellPlan::FixedBytes(n) => *n as usize,
            CellPlan::Text | CellPlan::Bytes | CellPlan::List { .. } | CellPlan::Ref => 8,
            CellPlan::Array { element, count } => element.size() * count,
            CellPlan::Enum(plan) => plan.size,
            CellPlan::Composite(plan) => plan.size,
        }
    }

    /// Calls `found` with the offset of every heap cell in `cell`, which holds a value of this type.
    pub fn heap_cells(&self, cell: &[u8], at: usize, found: &mut impl FnMut(usize)) {
        match self {
            CellPlan::Text | CellPlan::Bytes | CellPlan::List { .. } => found(at),
            CellPlan::Array { element, count } if element.has_heap_cells() => {
                let size = element.size();
                (0..*count).for_each(|n| element.heap_cells(cell, at + n * size, found));
            }
            CellPlan::Composite(plan) => {
                for member in plan.fields.iter().filter(|member| member.plan.has_heap_cells()) {
                    member.plan.heap_cells(cell, at + member.offset, found);
                }
            }
            CellPlan::Enum(plan) => {
                if let Some(payload) = plan.payload(&cell[at..]) {
                    payload.heap_cells(cell, at + plan.tag_bytes, found);
                }
            }
            _ => {}
        }
    }

    /// Whether a value of this type is one heap cell and nothing else.
    #[inline]
    pub fn is_heap_cell(&self) -> bool {
        matches!(self, CellPlan::Text | CellPlan::Bytes | CellPlan::List { .. })
    }

    /// Whether a value of this type can hold heap cells.
    pub fn has_heap_cells(&self) -> bool {
        match self {
            CellPlan::Text | CellPlan::Bytes | CellPlan::List { .. } => true,
            CellPlan::Array { element, .. } => element.has_heap_cells(),
            CellPlan::Composite(plan) => plan.fields.iter().any(|member| member.plan.has_heap_cells()),
            CellPlan::Enum(plan) => {
                plan.variants.iter().any(|(_, payload)| payload.as_ref().is_some_and(CellPlan::has_heap_cells))
            }
            _ => false,
        }
    }

    /// What the type is called in an error.
    pub fn describe(&self) -> String {
        match self {
            CellPlan::Scalar(scalar) => scalar.desc().name.to_owned(),
            CellPlan::Str(n) => format!("str<{n}>"),
            CellPlan::FixedBytes(n) => format!("bytes<{n}>"),
            CellPlan::Text => "text".to_owned(),
            CellPlan::Bytes => "bytes".to_owned(),
            CellPlan::Ref => "a record id".to_owned(),
            CellPlan::Array { element, count } => format!("[{}; {count}]", element.describe()),
            CellPlan::List { element } => format!("list<{}>", element.describe()),
            CellPlan::Enum(plan) => plan.name.clone(),
            CellPlan::Composite(plan) => plan.name.clone(),
        }
    }
}

impl EnumPlan {
    /// The number in a cell.
    pub fn number(&self, cell: &[u8]) -> u16 {
        if self.tag_bytes == 1 { u16::from(cell[0]) } else { u16::from_le_bytes([cell[0], cell[1]]) }
    }

    /// The payload type of the variant with this number; `None` if there is no such variant.
    pub fn variant(&self, number: u16) -> Option<&Option<CellPlan>> {
        self.variants.iter().find(|(n, _)| *n == number).map(|(_, payload)| payload)
    }

    /// The payload type of the value in a cell.
    pub fn payload(&self, cell: &[u8]) -> Option<&CellPlan> {
        self.variant(self.number(cell))?.as_ref()
    }
}
