//! One value of each type: its three Rust types, and the ways between them.
//!
//! | type | in a record | in a row | read in place |
//! |---|---|---|---|
//! | `i32` | `i32` | `rt::cell::I32` | `i32` |
//! | `str<16>` | `String` | `rt::cell::Str<16>` | `&str` |
//! | `text` | `String` | `rt::cell::Text` | `&str` |
//! | `Class`, an enum | `Class` | `rt::cell::Enum<Class>` | `Class` |
//! | `Action`, an enum with payloads | `Action` | `ActionCell` | `ActionRef` |
//! | `Vec3`, a composite of cells | `Vec3` | `Vec3` | `&Vec3` |
//! | `ItemStack`, any other composite | `ItemStack` | `ItemStackCell` | `ItemStackRef` |
//! | `ref<guild>` | `rt::Id<Guild>` | `rt::cell::Ref<Guild>` | `rt::Id<Guild>` |
//! | `[u16; 8]` | `[u16; 8]` | `rt::cell::Array<rt::cell::U16, 8>` | `[u16; 8]` |
//! | `list<u16>` | `Vec<u16>` | `rt::cell::List<rt::cell::U16>` | `&[rt::cell::U16]` |
//! | `list<text>` | `Vec<String>` | `rt::cell::TailedList<rt::cell::Text>` | `rt::cell::Elements<Text>` |
//!
//! [`encode`] goes from record to row, [`read`] from row to view, [`own`] from view to record.

use crate::plan::Plan;
use dbgen_schema::field_type::str_length_bytes;
use dbgen_schema::layout::needs_null_bit;
use dbgen_schema::{EnumIdx, Field, Type};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// The type of a record's field.
pub(super) fn record_type(plan: &Plan<'_>, ty: &Type) -> TokenStream {
    match ty {
        Type::Scalar(scalar) => native(scalar.desc().rust),
        Type::Str(_) | Type::Text => quote!(String),
        Type::FixedBytes(n) => {
            let n = count(*n);
            quote!([u8; #n])
        }
        Type::Bytes => quote!(Vec<u8>),
        Type::Array(element, n) => {
            let (element, n) = (record_type(plan, element), count(*n));
            quote!([#element; #n])
        }
        Type::List(element) => {
            let element = record_type(plan, element);
            quote!(Vec<#element>)
        }
        Type::Enum(_) | Type::Composite(_) => named(plan, ty),
        Type::Ref(idx) => {
            let table = &plan.records[idx.at()];
            quote!(rt::Id<#table>)
        }
    }
}

/// The type of a cell, for a place where the types of the module are found behind `scope` (`super::` or nothing).
pub(super) fn cell_type(plan: &Plan<'_>, ty: &Type, scope: &TokenStream) -> TokenStream {
    match ty {
        Type::Scalar(scalar) => {
            let cell = format_ident!("{}", scalar.desc().cell);
            quote!(rt::cell::#cell)
        }
        Type::Str(n) => {
            let (cell, n) = (str_cell(*n), count(*n));
            quote!(rt::cell::#cell<#n>)
        }
        Type::FixedBytes(n) => {
            let n = count(*n);
            quote!(rt::cell::FixedBytes<#n>)
        }
        Type::Text => quote!(rt::cell::Text),
        Type::Bytes => quote!(rt::cell::Bytes),
        Type::Array(element, n) => {
            let (element, n) = (cell_type(plan, element, scope), count(*n));
            quote!(rt::cell::Array<#element, #n>)
        }
        Type::List(element) => {
            let list = list_cell(plan, element);
            let element = cell_type(plan, element, scope);
            quote!(rt::cell::#list<#element>)
        }
        Type::Enum(idx) => match &plan.enums[idx.at()].payload {
            Some(payload) => {
                let cell = &payload.cell;
                quote!(#scope #cell)
            }
            None => {
                let (cell, name) = (enum_cell(plan, *idx), &plan.enums[idx.at()].name);
                quote!(rt::cell::#cell<#scope #name>)
            }
        },
        Type::Composite(idx) => {
            let cell = plan.composites[idx.at()].cell();
            quote!(#scope #cell)
        }
        Type::Ref(idx) => {
            let table = &plan.records[idx.at()];
            quote!(rt::cell::Ref<#scope #table>)
        }
    }
}

/// The type of a value read in place, borrowing for `'v`.
pub(super) fn view_type(plan: &Plan<'_>, ty: &Type) -> TokenStream {
    match ty {
        Type::Str(_) | Type::Text => quote!(&'v str),
        Type::FixedBytes(n) => {
            let n = count(*n);
            quote!(&'v [u8; #n])
        }
        Type::Bytes => quote!(&'v [u8]),
        Type::Array(element, n) if !plan.is_value(ty) => {
            let n = count(*n);
            if plan.is_cells(element) && matches!(**element, Type::Composite(_)) {
                let element = named(plan, element);
                return quote!(&'v [#element; #n]);
            }
            let element = view_type(plan, element);
            quote!([#element; #n])
        }
        Type::List(element) => {
            let cell = cell_type(plan, element, &quote!());
            if plan.is_cells(element) { quote!(&'v [#cell]) } else { quote!(rt::cell::Elements<'v, #cell>) }
        }
        Type::Enum(idx) => match &plan.enums[idx.at()].payload {
            Some(payload) => {
                let (view, lifetime) = (&payload.view, payload.view_borrows.then(|| quote!(<'v>)));
                quote!(#view #lifetime)
            }
            None => named(plan, ty),
        },
        Type::Composite(idx) => match &plan.composites[idx.at()].split {
            Some((_, view)) => quote!(#view<'v>),
            None => {
                let name = named(plan, ty);
                quote!(&'v #name)
            }
        },
        Type::Scalar(_) | Type::Array(..) | Type::Ref(_) => record_type(plan, ty),
    }
}

/// A value of a record, as an expression.
pub(super) enum Place<'a> {
    /// A field: `self.hp`.
    Field(&'a TokenStream),
    /// A variable that holds a reference.
    Borrowed(&'a Ident),
}

impl Place<'_> {
    fn by_copy(&self) -> TokenStream {
        match self {
            Place::Field(field) => quote!(#field),
            Place::Borrowed(name) => quote!(*#name),
        }
    }

    fn by_ref(&self) -> TokenStream {
        match self {
            Place::Field(field) => quote!(&#field),
            Place::Borrowed(name) => quote!(#name),
        }
    }

    fn receiver(&self) -> TokenStream {
        match self {
            Place::Field(field) => quote!(#field),
            Place::Borrowed(name) => quote!(#name),
        }
    }
}

/// The cell for a value. What needs room or may not fit goes through `image`, under the name of `field`.
pub(super) fn encode(plan: &Plan<'_>, ty: &Type, field: &TokenStream, place: &Place<'_>) -> TokenStream {
    let (by_copy, by_ref, receiver) = (place.by_copy(), place.by_ref(), place.receiver());
    match ty {
        Type::Scalar(scalar) => {
            let cell = format_ident!("{}", scalar.desc().cell);
            quote!(rt::cell::#cell::new(#by_copy))
        }
        Type::Str(n) => {
            let (call, n) = (if str_length_bytes(*n) == 1 { quote!(str) } else { quote!(long_str) }, count(*n));
            quote!(image.#call::<#n>(#field, #by_ref))
        }
        Type::FixedBytes(_) => quote!(rt::cell::FixedBytes::new(#by_copy)),
        Type::Text => quote!(image.text(#field, #by_ref)),
        Type::Bytes => quote!(image.bytes(#field, #by_ref)),
        Type::Ref(_) => quote!(rt::cell::Ref::new(#by_copy)),
        Type::Array(..) if plan.is_value(ty) => quote!(rt::cell::Array::copied(#by_ref)),
        Type::Array(..) if plan.is_copy(ty) && is_array_of_composites(ty) => quote!(rt::cell::Array::of(#by_copy)),
        Type::Array(element, _) => {
            let item = format_ident!("item");
            let element = encode(plan, element, field, &Place::Borrowed(&item));
            quote!(rt::cell::Array::of(#receiver.each_ref().map(|item| #element)))
        }
        Type::List(element) => {
            let item = format_ident!("item");
            let (call, cell) = (list_call(plan, element), encode(plan, element, field, &Place::Borrowed(&item)));
            let item_type = cell_argument(plan, element).map(|_| cell_type(plan, element, &quote!()));
            let item_type = item_type.map(|cell| quote!(-> #cell));
            let cell = if item_type.is_some() { quote!({ #cell }) } else { cell };
            let image = if uses_image(plan, element) { quote!(image) } else { quote!(_) };
            quote!(image.#call(#field, #by_ref, |#image, item| #item_type #cell))
        }
        Type::Enum(idx) if plan.enums[idx.at()].payload.is_none() => {
            let cell = enum_cell(plan, *idx);
            quote!(rt::cell::#cell::of(#by_ref))
        }
        Type::Composite(_) if plan.is_cells(ty) => by_copy,
        Type::Enum(_) | Type::Composite(_) => quote!(#receiver.encode(#field, image)),
    }
}

/// The cell as a generic argument, where [`encode`] leaves open what elements an array has: a call that is not told by its
/// surroundings says it.
pub(super) fn cell_argument(plan: &Plan<'_>, ty: &Type) -> Option<TokenStream> {
    let is_open = match ty {
        Type::Array(..) => plan.is_value(ty),
        Type::List(element) => cell_argument(plan, element).is_some(),
        _ => false,
    };
    is_open.then(|| {
        let cell = cell_type(plan, ty, &quote!());
        quote!(::<#cell>)
    })
}

/// Whether encoding a value of this type says `image`.
pub(super) fn uses_image(plan: &Plan<'_>, ty: &Type) -> bool {
    match ty {
        Type::Scalar(_) | Type::FixedBytes(_) | Type::Ref(_) => false,
        Type::Str(_) | Type::Text | Type::Bytes | Type::List(_) => true,
        Type::Array(element, _) => uses_image(plan, element),
        Type::Enum(idx) => plan.enums[idx.at()].payload.is_some(),
        Type::Composite(_) => !plan.is_cells(ty),
    }
}

/// The view of a cell that lives for `'v`. `cell` is a place; `heap` is what its heap cells point into.
pub(super) fn read(plan: &Plan<'_>, ty: &Type, cell: &TokenStream, heap: &TokenStream) -> TokenStream {
    match ty {
        Type::Scalar(_) => quote!(#cell.get()),
        Type::Str(_) => quote!(#cell.as_str()),
        Type::FixedBytes(_) => quote!(#cell.as_array()),
        Type::Text => quote!(#heap.text(#cell)),
        Type::Bytes => quote!(#heap.bytes(#cell)),
        Type::Ref(_) => quote!(#cell.id()),
        Type::Array(..) if plan.is_value(ty) => quote!(#cell.get()),
        Type::Array(..) if is_array_of_composites(ty) && plan.is_cells(ty) => quote!(#cell.as_array()),
        Type::Array(element, _) => {
            let element = read_borrowed(plan, element, heap);
            quote!(#cell.each_ref().map(|cell| #element))
        }
        Type::List(element) => {
            let call = if plan.is_cells(element) { quote!(slice) } else { quote!(elements) };
            quote!(#heap.#call(#cell))
        }
        Type::Enum(idx) if plan.enums[idx.at()].payload.is_none() => quote!(#cell.get()),
        Type::Composite(_) if plan.is_cells(ty) => quote!(&#cell),
        Type::Enum(_) | Type::Composite(_) => quote!(#heap.view(&#cell)),
    }
}

/// The view of a cell that is behind the reference `cell`.
pub(super) fn read_borrowed(plan: &Plan<'_>, ty: &Type, heap: &TokenStream) -> TokenStream {
    match ty {
        Type::Text | Type::Bytes | Type::List(_) => read(plan, ty, &quote!(*cell), heap),
        Type::Composite(_) if plan.is_cells(ty) => quote!(cell),
        Type::Composite(_) => quote!(#heap.view(cell)),
        Type::Enum(idx) if plan.enums[idx.at()].payload.is_some() => quote!(#heap.view(cell)),
        ty => read(plan, ty, &quote!(cell), heap),
    }
}

/// The record's value from a view.
pub(super) fn own(plan: &Plan<'_>, ty: &Type, view: &TokenStream) -> TokenStream {
    match ty {
        Type::Scalar(_) | Type::Ref(_) => quote!(#view),
        Type::Str(_) | Type::Text => quote!(#view.to_owned()),
        Type::Bytes => quote!(#view.to_vec()),
        Type::FixedBytes(_) => quote!(*#view),
        Type::Array(..) if plan.is_value(ty) => quote!(#view),
        Type::Array(..) if is_array_of_composites(ty) && plan.is_cells(ty) => quote!(*#view),
        Type::Array(element, _) => {
            let element = own(plan, element, &quote!(item));
            quote!(#view.map(|item| #element))
        }
        Type::List(element) if plan.is_cells(element) => own_slice(plan, element, view),
        Type::List(element) => {
            let element = own(plan, element, &quote!(item));
            quote!(#view.iter().map(|item| #element).collect())
        }
        Type::Enum(idx) if plan.enums[idx.at()].payload.is_none() => quote!(#view),
        Type::Composite(_) if plan.is_cells(ty) => quote!(*#view),
        Type::Composite(idx) => {
            let to_record = &plan.composites[idx.at()].to_record;
            quote!(#view.#to_record())
        }
        Type::Enum(_) => quote!(#view.to_record()),
    }
}

/// A list's values from a slice of their cells.
fn own_slice(plan: &Plan<'_>, element: &Type, view: &TokenStream) -> TokenStream {
    if matches!(element, Type::Composite(_)) {
        return quote!(#view.to_vec());
    }
    let read = read_borrowed(plan, element, &quote!());
    let element = if plan.is_value(element) && !matches!(element, Type::FixedBytes(_)) {
        read
    } else {
        own(plan, element, &read)
    };
    quote!(#view.iter().map(|cell| #element).collect())
}

/// The type of a field in a record.
pub(super) fn record_field_type(plan: &Plan<'_>, field: &Field) -> TokenStream {
    optional(field, record_type(plan, &field.ty))
}

/// The type of a field read in place.
pub(super) fn view_field_type(plan: &Plan<'_>, field: &Field) -> TokenStream {
    optional(field, view_type(plan, &field.ty))
}

fn optional(field: &Field, ty: TokenStream) -> TokenStream {
    if field.nullable { quote!(Option<#ty>) } else { ty }
}

/// The cell for a field of `self`.
pub(super) fn encode_field(plan: &Plan<'_>, field: &Field, number: &TokenStream, value: &TokenStream) -> TokenStream {
    if !needs_null_bit(field) {
        return encode(plan, &field.ty, number, &Place::Field(value));
    }
    let name = format_ident!("value");
    let cell = encode(plan, &field.ty, number, &Place::Borrowed(&name));
    quote!(rt::cell::or_zero(#value.as_ref(), |value| #cell))
}

/// A field of `row`, read in place. `null` names the row's bitmap and the field's bit in it, if it has one.
pub(super) fn read_field(
    plan: &Plan<'_>,
    field: &Field,
    name: &Ident,
    null: Option<(&Ident, u32)>,
    row: &TokenStream,
    heap: &TokenStream,
) -> TokenStream {
    let Some((nulls, bit)) = null else {
        let is_id = matches!(field.ty, Type::Ref(_)) && field.nullable;
        return if is_id { quote!(#row.#name.get()) } else { read(plan, &field.ty, &quote!(#row.#name), heap) };
    };
    let (bit, value) = (count(bit), read(plan, &field.ty, &quote!(row.#name), heap));
    let is_borrow = matches!(field.ty, Type::Composite(_)) && plan.is_cells(&field.ty);
    let then = if is_borrow { quote!(then_some(#value)) } else { quote!(then(|| #value)) };
    quote! {
        let row = #row;
        (!row.#nulls.is_null(#bit)).#then
    }
}

/// A record's field from its view.
pub(super) fn own_field(plan: &Plan<'_>, field: &Field, view: &TokenStream) -> TokenStream {
    if !field.nullable {
        return own(plan, &field.ty, view);
    }
    let value = quote!(value);
    let owned = own(plan, &field.ty, &value).to_string();
    if owned == "value" {
        return view.clone();
    }
    if owned == "* value" {
        return quote!(#view.copied());
    }
    let owned = own(plan, &field.ty, &value);
    quote!(#view.map(|value| #owned))
}

/// What an index or a setter takes for a value of this type, borrowing for as long as the call.
pub(super) fn argument_type(plan: &Plan<'_>, ty: &Type) -> TokenStream {
    match ty {
        Type::Str(_) | Type::Text => quote!(&str),
        Type::Bytes => quote!(&[u8]),
        Type::List(element) => {
            let element = record_type(plan, element);
            quote!(&[#element])
        }
        ty if plan.is_copy(ty) => record_type(plan, ty),
        ty => {
            let record = record_type(plan, ty);
            quote!(&#record)
        }
    }
}

/// A number without a suffix.
pub(super) fn count(n: impl Into<u64>) -> Literal {
    Literal::u64_unsuffixed(n.into())
}

/// A position without a suffix.
pub(super) fn number(n: usize) -> Literal {
    Literal::usize_unsuffixed(n)
}

fn native(rust: &str) -> TokenStream {
    let name = format_ident!("{rust}");
    let is_primitive = rust.starts_with(|c: char| c.is_ascii_lowercase());
    if is_primitive { quote!(#name) } else { quote!(rt::#name) }
}

/// The name of an enum or a composite.
fn named(plan: &Plan<'_>, ty: &Type) -> TokenStream {
    let name = match ty {
        Type::Enum(idx) => &plan.enums[idx.at()].name,
        Type::Composite(idx) => &plan.composites[idx.at()].name,
        _ => return quote!(),
    };
    quote!(#name)
}

pub(super) fn str_cell(n: u16) -> Ident {
    format_ident!("{}", if str_length_bytes(n) == 1 { "Str" } else { "LongStr" })
}

fn enum_cell(plan: &Plan<'_>, idx: EnumIdx) -> Ident {
    format_ident!("{}", if plan.enums[idx.at()].tag_bytes == 1 { "Enum" } else { "Enum16" })
}

fn list_cell(plan: &Plan<'_>, element: &Type) -> Ident {
    format_ident!("{}", if plan.is_cells(element) { "List" } else { "TailedList" })
}

fn list_call(plan: &Plan<'_>, element: &Type) -> Ident {
    format_ident!("{}", if plan.is_cells(element) { "list" } else { "tailed_list" })
}

fn is_array_of_composites(ty: &Type) -> bool {
    matches!(ty, Type::Array(element, _) if matches!(**element, Type::Composite(_)))
}
