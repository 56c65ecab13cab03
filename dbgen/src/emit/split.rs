//! Composites that cannot be the same in rows and in records, because something in them may be null, lies in a heap or
//! depends on a variant: a record struct, a cell struct, and a view.

use super::cells::{cells_attributes, composite_docs, layout, member_docs};
use super::literal::default_of_field;
use super::payload::encode_arguments;
use super::value::view_field_type;
use super::value::{cell_type, count, encode_field, number, own_field, read_field, record_field_type, uses_image};
use crate::plan::{CompositePlan, Plan};
use dbgen_schema::Scalar;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// Everything for one composite of three types.
pub(super) fn split_composite(plan: &Plan<'_>, it: &CompositePlan<'_>) -> TokenStream {
    let Some((cell, view)) = &it.split else { return quote!() };
    let (record, default) = (record(plan, it), default_impl(plan, it));
    let (encode, cell_struct) = (encode(plan, it, cell), cell_struct(plan, it, cell));
    let (view, vector) = (view_struct(plan, it, cell, view), it.vector_of.map(|scalar| vector(plan, it, cell, scalar)));
    quote!(#record #default #encode #cell_struct #vector #view)
}

fn record(plan: &Plan<'_>, it: &CompositePlan<'_>) -> TokenStream {
    let (name, names, docs) = (&it.name, &it.fields, composite_docs(it));
    if let Some(written) = it.written {
        let (import, place) = (written.import(name), written.placed(name));
        return quote!(#import const _: () = rt::is_held::<#place>(););
    }
    let fields = || it.composite.fields.iter();
    let copy = fields().all(|field| plan.is_copy(&field.ty)).then(|| quote!(Copy,));
    let members = fields().zip(names).map(|(field, name)| {
        let (docs, ty) = (member_docs(field), record_field_type(plan, field));
        quote!(#docs pub #name: #ty)
    });
    quote! {
        #docs
        #[derive(Debug, Clone, #copy PartialEq)]
        pub struct #name { #(#members),* }
    }
}

fn default_impl(plan: &Plan<'_>, it: &CompositePlan<'_>) -> TokenStream {
    let (name, names) = (&it.name, &it.fields);
    let defaults = it.composite.fields.iter().map(|field| default_of_field(plan, field));
    quote! {
        impl Default for #name {
            fn default() -> #name {
                #name { #(#names: #defaults),* }
            }
        }
    }
}

fn encode(plan: &Plan<'_>, it: &CompositePlan<'_>, cell: &Ident) -> TokenStream {
    let (name, names) = (&it.name, &it.fields);
    let nulls = nulls_value(it);
    let values = it.composite.fields.iter().zip(names);
    let values = values.map(|(field, name)| encode_field(plan, field, &quote!(field), &quote!(self.#name)));
    let arguments = encode_arguments(it.composite.fields.iter().any(|field| uses_image(plan, &field.ty)));
    quote! {
        impl #name {
            fn encode(&self, #arguments) -> #cell {
                #cell { #nulls #(#names: #values),* }
            }
        }
    }
}

fn nulls_value(it: &CompositePlan<'_>) -> Option<TokenStream> {
    let bits = it.fields.iter().zip(&it.layout.fields).filter_map(|(name, layout)| Some((layout.null_bit?, name)));
    (it.layout.null_bytes > 0).then(|| nulls(&it.nulls, bits))
}

/// The bitmap of a struct literal: which fields of `self` are none.
fn nulls<'p>(nulls: &Ident, bits: impl Iterator<Item = (u32, &'p Ident)>) -> TokenStream {
    let value = null_bits(bits);
    quote!(#nulls: #value,)
}

/// The value of a bitmap: which fields of `self` are none.
pub(super) fn null_bits<'p>(bits: impl Iterator<Item = (u32, &'p Ident)>) -> TokenStream {
    let bits = bits.map(|(bit, name)| {
        let bit = count(bit);
        quote!(.with(#bit, self.#name.is_none()))
    });
    quote!(rt::cell::Nulls::NONE #(#bits)*)
}

fn cell_struct(plan: &Plan<'_>, it: &CompositePlan<'_>, cell: &Ident) -> TokenStream {
    let docs = format!(" [`{}`] as it lies in a row.", it.name);
    let (derives, public) = match it.vector_of {
        Some(_) => (quote!(PartialEq, Default,), quote!(pub)),
        None => (quote!(), quote!()),
    };
    let attributes = cells_attributes(plan, &derives);
    let nulls = (it.layout.null_bytes > 0).then(|| {
        let (nulls, bytes) = (&it.nulls, number(it.layout.null_bytes));
        quote!(#nulls: rt::cell::Nulls<#bytes>,)
    });
    let members = it.composite.fields.iter().zip(&it.fields).map(|(field, name)| {
        let ty = cell_type(plan, &field.ty, &quote!());
        let docs = it.vector_of.is_some().then(|| member_docs(field));
        quote!(#docs #public #name: #ty)
    });
    let offsets: Vec<_> = it.fields.iter().zip(it.layout.fields.iter().map(|field| field.offset)).collect();
    let layout = layout(cell, it.layout.size, &offsets);
    quote! {
        #[doc = #docs]
        #attributes
        pub struct #cell { #nulls #(#members),* }
        #layout
    }
}

/// A struct of plain numbers that was written in Rust: its cell computes in its place, in slices of rows.
fn vector(plan: &Plan<'_>, it: &CompositePlan<'_>, cell: &Ident, scalar: Scalar) -> TokenStream {
    let (name, names) = (&it.name, &it.fields);
    let (new, vector) = (super::cells::new(plan, it), super::cells::vector(it, scalar));
    quote! {
        #new
        #vector

        impl From<#name> for #cell {
            #[inline]
            fn from(value: #name) -> #cell {
                #cell::new(#(value.#names),*)
            }
        }

        impl From<#cell> for #name {
            #[inline]
            fn from(cell: #cell) -> #name {
                #name { #(#names: cell.#names.get()),* }
            }
        }
    }
}

fn view_struct(plan: &Plan<'_>, it: &CompositePlan<'_>, cell: &Ident, view: &Ident) -> TokenStream {
    let docs = format!(" A [`{}`], read in place.", it.name);
    let (name, to_record, names) = (&it.name, &it.to_record, &it.fields);
    let getters = it.composite.fields.iter().zip(names).zip(&it.layout.fields).map(|((field, name), layout)| {
        let (docs, ty) = (member_docs(field), view_field_type(plan, field));
        let null = layout.null_bit.map(|bit| (&it.nulls, bit));
        let body = read_field(plan, field, name, null, &quote!(self.cell), &quote!(self.heap));
        quote!(#docs pub fn #name(self) -> #ty { #body })
    });
    let owned = it.composite.fields.iter().zip(names);
    let owned = owned.map(|(field, name)| own_field(plan, field, &quote!(self.#name())));
    quote! {
        #[doc = #docs]
        #[derive(Clone, Copy)]
        pub struct #view<'v> {
            cell: &'v #cell,
            heap: rt::HeapRef<'v>,
        }

        impl<'v> #view<'v> {
            #(#getters)*

            /// A copy that borrows nothing.
            pub fn #to_record(self) -> #name {
                #name { #(#names: #owned),* }
            }
        }

        rt::shown!(#view { #(#names),* });

        impl rt::cell::Tailed for #cell {
            type View<'v> = #view<'v>;

            fn view<'v>(&'v self, heap: rt::HeapRef<'v>) -> #view<'v> {
                #view { cell: self, heap }
            }
        }
    }
}
