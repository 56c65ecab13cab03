//! The shapes of enums and composites: one Rust type, or three.

use crate::names::{Scope, pascal, snake};
use crate::{Written, WrittenType};
use dbgen_schema::field_type::{ScalarKind, enum_tag_bytes};
use dbgen_schema::layout::{CompositeLayout, composite_layout, needs_null_bit, size_of};
use dbgen_schema::{Composite, Enumeration, Scalar, Schema, Type, Variant};
use proc_macro2::Ident;

/// An enum, planned.
#[derive(Debug)]
pub(crate) struct EnumPlan<'s> {
    /// What is planned.
    pub enumeration: &'s Enumeration,
    /// The Rust enum: `Class`.
    pub name: Ident,
    /// Its variants, in the order of the schema.
    pub variants: Vec<(Ident, &'s Variant)>,
    /// Bytes of a variant's number: 1 or 2.
    pub tag_bytes: usize,
    /// What is needed if a variant carries something.
    pub payload: Option<PayloadPlan>,
    /// Set if the enum is written already.
    pub written: Option<&'s WrittenType>,
}

/// What an enum with payloads needs besides itself.
#[derive(Debug)]
pub(crate) struct PayloadPlan {
    /// The cell: `ActionCell`.
    pub cell: Ident,
    /// The enum that reads in place: `ActionRef<'v>`.
    pub view: Ident,
    /// Whether that borrows anything.
    pub view_borrows: bool,
    /// Bytes of the longest payload.
    pub bytes: usize,
}

impl<'s> EnumPlan<'s> {
    pub(super) fn new(
        schema: &'s Schema,
        at: usize,
        name: Ident,
        written: Option<&'s Written>,
        types: &mut Scope,
    ) -> EnumPlan<'s> {
        let (it, written) = (&schema.enums[at], written.and_then(|written| written.enums.get(at)));
        let mut scope = Scope::with_taken(&["ALL", "Self"]);
        let variants = it.variants.iter().enumerate().map(|(at, variant)| {
            let own = written.and_then(|written| written.member(at)).cloned();
            (own.unwrap_or_else(|| scope.claim(&[&pascal(&variant.name)])), variant)
        });
        let variants = variants.collect();
        let payloads = || it.variants.iter().filter_map(|variant| variant.payload.as_ref());
        let payload = payloads().next().is_some().then(|| PayloadPlan {
            cell: types.claim(&[&format!("{name}Cell"), &format!("{name}EnumCell")]),
            view: types.claim(&[&format!("{name}Ref"), &format!("{name}EnumRef")]),
            view_borrows: payloads().any(|ty| view_borrows(schema, ty)),
            bytes: payloads().map(|ty| size_of(schema, ty)).max().unwrap_or(0),
        });
        let tag_bytes = enum_tag_bytes(it.variants.len());
        EnumPlan { enumeration: it, name, variants, tag_bytes, payload, written }
    }
}

/// How a composite becomes Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One type, the same in rows and in records: a struct of cells.
    Cells,
    /// A record struct, a cell struct and a view.
    Split,
}

/// A composite, planned.
#[derive(Debug)]
pub(crate) struct CompositePlan<'s> {
    /// What is planned.
    pub composite: &'s Composite,
    /// The Rust struct: `Vec3`.
    pub name: Ident,
    /// Its fields, in the order of the schema.
    pub fields: Vec<Ident>,
    /// The bitmap at the head of its cell struct, if it needs one.
    pub nulls: Ident,
    /// The method of its view that gives the owned struct: `to_record`.
    pub to_record: Ident,
    /// Where they lie.
    pub layout: CompositeLayout,
    /// The names of the cell and of the view, if they are types of their own: `ItemStackCell`, `ItemStackRef`.
    pub split: Option<(Ident, Ident)>,
    /// The one number that all fields are, so that it, or its cell, computes like a vector.
    pub vector_of: Option<Scalar>,
    /// Set if the struct is written already.
    pub written: Option<&'s WrittenType>,
}

impl<'s> CompositePlan<'s> {
    pub(super) fn new(
        schema: &'s Schema,
        at: usize,
        name: Ident,
        form: Form,
        written: Option<&'s Written>,
        types: &mut Scope,
    ) -> CompositePlan<'s> {
        let (it, written) = (&schema.composites[at], written.and_then(|written| written.composites.get(at)));
        let mut scope = Scope::default();
        let fields = it.fields.iter().enumerate();
        let fields = fields.map(|(at, field)| match written.and_then(|written| written.member(at)) {
            Some(own) => scope.claim_own(own),
            None => scope.claim(&[&snake(&field.name)]),
        });
        let fields = fields.collect();
        let nulls = scope.claim(&["nulls", "null_bits"]);
        let to_record = scope.claim(&["to_record", "to_owned_record"]);
        let split = (form == Form::Split).then(|| {
            let cell = types.claim(&[&format!("{name}Cell"), &format!("{name}TypeCell")]);
            (cell, types.claim(&[&format!("{name}Ref"), &format!("{name}TypeRef")]))
        });
        let (vector_of, layout) = (vector_of(it), composite_layout(schema, &it.fields));
        CompositePlan { composite: it, name, fields, nulls, to_record, layout, split, vector_of, written }
    }

    /// Whether there is one type only, the same in rows and in records.
    pub(crate) fn is_cells(&self) -> bool {
        self.split.is_none()
    }

    /// The struct in a row.
    pub(crate) fn cell(&self) -> &Ident {
        self.split.as_ref().map_or(&self.name, |(cell, _)| cell)
    }
}

/// The number that all fields of a composite are, if it is one.
fn vector_of(it: &Composite) -> Option<Scalar> {
    let scalar_of = |ty: &Type| match ty {
        Type::Scalar(scalar) => Some(*scalar),
        _ => None,
    };
    let first = scalar_of(&it.fields.first()?.ty)?;
    let is_number = matches!(first.desc().kind, ScalarKind::Int { .. } | ScalarKind::Float { .. });
    (is_number && it.fields.iter().all(|field| scalar_of(&field.ty) == Some(first) && !field.nullable)).then_some(first)
}

/// The form of every composite. One that is written in Rust is cells if its author made it so.
pub(super) fn forms(schema: &Schema, written: Option<&Written>) -> Vec<Form> {
    let is_cells = |(at, it): (usize, &Composite)| match written.and_then(|written| written.composites.get(at)) {
        Some(written) => written.is_cells,
        None => composite_is_cells(schema, it),
    };
    let form = |is_cells| if is_cells { Form::Cells } else { Form::Split };
    schema.composites.iter().enumerate().map(is_cells).map(form).collect()
}

/// Composites form no cycle, so asking the composites of fields ends.
fn composite_is_cells(schema: &Schema, it: &Composite) -> bool {
    it.fields.iter().all(|field| !needs_null_bit(field) && is_cells(schema, &field.ty))
}

fn is_cells(schema: &Schema, ty: &Type) -> bool {
    match ty {
        Type::Scalar(_) | Type::Str(_) | Type::FixedBytes(_) | Type::Ref(_) => true,
        Type::Enum(idx) => schema.enums[idx.at()].variants.iter().all(|variant| variant.payload.is_none()),
        Type::Composite(idx) => composite_is_cells(schema, &schema.composites[idx.at()]),
        Type::Array(element, _) => is_cells(schema, element),
        Type::Text | Type::Bytes | Type::List(_) => false,
    }
}

/// Whether reading a value of this type in place borrows.
fn view_borrows(schema: &Schema, ty: &Type) -> bool {
    match ty {
        Type::Scalar(_) | Type::Ref(_) => false,
        Type::Enum(idx) => {
            let payloads = schema.enums[idx.at()].variants.iter().filter_map(|variant| variant.payload.as_ref());
            payloads.into_iter().any(|ty| view_borrows(schema, ty))
        }
        Type::Array(element, _) => view_borrows(schema, element),
        Type::Str(_) | Type::FixedBytes(_) | Type::Text | Type::Bytes | Type::List(_) | Type::Composite(_) => true,
    }
}
