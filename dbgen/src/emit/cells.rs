//! Structs of cells: composites that are the same in rows and in records, and what all packed structs have in common.

use super::docs::described;
use super::literal::cell_literal;
use super::value::{Place, cell_type, encode, number, record_field_type};
use crate::plan::{CompositePlan, Plan};
use dbgen_schema::field_type::ScalarKind;
use dbgen_schema::{Field, Scalar, Type};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// Everything for one composite.
pub(super) fn composite(plan: &Plan<'_>, it: &CompositePlan<'_>) -> TokenStream {
    if !it.is_cells() {
        return super::split::split_composite(plan, it);
    }
    let (declaration, default) = (declaration(plan, it), default_impl(plan, it));
    let (new, vector) = (new(plan, it), it.vector_of.map(|scalar| vector(it, scalar)));
    quote!(#declaration #default #new #vector)
}

/// What makes a struct a run of cells: derives and representation.
pub(super) fn cells_attributes(plan: &Plan<'_>, derives: &TokenStream) -> TokenStream {
    let bytemuck = format!("{}::__private::bytemuck", plan.options.runtime_text());
    quote! {
        #[derive(Debug, Clone, Copy, #derives rt::Pod, rt::Zeroable)]
        #[bytemuck(crate = #bytemuck)]
        #[repr(C)]
    }
}

/// The proof that the compiler lays a struct out as the engine does.
pub(super) fn layout(name: &Ident, size: usize, offsets: &[(&Ident, usize)]) -> TokenStream {
    let size = number(size);
    let fields = offsets.iter().map(|(field, at)| {
        let at = number(*at);
        quote!(#field at #at)
    });
    quote!(rt::layout!(#name is #size, #(#fields),*);)
}

/// The doc comment of a composite's or a row's field.
pub(super) fn member_docs(field: &Field) -> TokenStream {
    described(field.description.as_deref(), &format!("`{}`", field.name), &[])
}

/// The doc comment of a composite.
pub(super) fn composite_docs(it: &CompositePlan<'_>) -> TokenStream {
    described(it.composite.description.as_deref(), &format!("The composite `{}`.", it.composite.name), &[])
}

fn declaration(plan: &Plan<'_>, it: &CompositePlan<'_>) -> TokenStream {
    let (name, docs) = (&it.name, composite_docs(it));
    let has_defaults = it.composite.fields.iter().any(|field| field.default.is_some());
    let default = (!has_defaults).then(|| quote!(Default,));
    let attributes = cells_attributes(plan, &quote!(PartialEq, #default));
    let members = it.composite.fields.iter().zip(&it.fields).map(|(field, name)| {
        let (docs, ty) = (member_docs(field), cell_type(plan, &field.ty, &quote!()));
        quote!(#docs pub #name: #ty)
    });
    let offsets: Vec<_> = it.fields.iter().zip(it.layout.fields.iter().map(|field| field.offset)).collect();
    let layout = layout(name, it.layout.size, &offsets);
    if let Some(written) = it.written {
        let import = written.import(name);
        return quote!(#import #layout);
    }
    quote! {
        #docs
        #attributes
        pub struct #name { #(#members),* }
        #layout
    }
}

fn default_impl(plan: &Plan<'_>, it: &CompositePlan<'_>) -> Option<TokenStream> {
    let is_derived = it.written.is_none() && it.composite.fields.iter().all(|field| field.default.is_none());
    (!is_derived).then(|| {
        let (name, names) = (&it.name, &it.fields);
        let values = it.composite.fields.iter().map(|field| cell_literal(plan, &field.ty, field.default.as_ref()));
        quote! {
            impl Default for #name {
                fn default() -> #name {
                    #name { #(#names: #values),* }
                }
            }
        }
    })
}

pub(super) fn new(plan: &Plan<'_>, it: &CompositePlan<'_>) -> TokenStream {
    let (name, names) = (it.cell(), &it.fields);
    let fields = || it.composite.fields.iter();
    let is_const = fields().all(|field| matches!(field.ty, Type::Scalar(_)));
    let constness = is_const.then(|| quote!(const));
    let types = fields().map(|field| match &field.ty {
        ty if plan.is_value(ty) => record_field_type(plan, field),
        ty => cell_type(plan, ty, &quote!()),
    });
    let values = fields().zip(names).map(|(field, name)| match &field.ty {
        ty if plan.is_value(ty) => encode(plan, ty, &quote!(0), &Place::Field(&quote!(#name))),
        _ => quote!(#name),
    });
    let members = names
        .iter()
        .zip(values)
        .map(|(name, value)| if *name == value.to_string() { quote!(#name) } else { quote!(#name: #value) });
    quote! {
        impl #name {
            /// From its parts.
            #[inline]
            pub #constness fn new(#(#names: #types),*) -> #name {
                #name { #(#members),* }
            }
        }
    }
}

/// Arithmetic for a composite whose fields are all one number.
pub(super) fn vector(it: &CompositePlan<'_>, scalar: Scalar) -> TokenStream {
    let (name, fields) = (it.cell(), &it.fields);
    let (native, cell) = (format_ident!("{}", scalar.desc().rust), format_ident!("{}", scalar.desc().cell));
    let is_signed = match scalar.desc().kind {
        ScalarKind::Int { min, .. } => min < 0,
        _ => true,
    };
    let sign = if is_signed { quote!(signed) } else { quote!(unsigned) };
    let count = number(fields.len());
    quote!(rt::vector!(#sign #native #cell, #count, #name { #(#fields),* });)
}
