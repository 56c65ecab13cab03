//! Enums whose variants carry something: a Rust enum for records, a cell of number and payload, and an enum that reads
//! in place.

use super::cells::{cells_attributes, layout};
use super::docs::described;
use super::enumeration::variant_docs;
use super::literal::{integer, zero};
use super::value::{
    Place, cell_argument, cell_type, count, encode, own, read_borrowed, record_type, uses_image, view_type,
};
use crate::WrittenType;
use crate::plan::{EnumPlan, PayloadPlan, Plan};
use dbgen_schema::Type;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// Everything for one enum with payloads.
pub(super) fn payload_enum(plan: &Plan<'_>, it: &EnumPlan<'_>) -> TokenStream {
    let Some(payload) = &it.payload else { return quote!() };
    let declaration = match it.written {
        Some(written) => written_enum(plan, it, written),
        None => declaration(plan, it),
    };
    let (name, encode) = (name(it), encode_impl(plan, it, payload));
    let (cell, view) = (cell(plan, it, payload), view(plan, it, payload));
    quote!(#declaration #name #encode #cell #view)
}

fn payload_types<'p>(it: &'p EnumPlan<'_>) -> impl Iterator<Item = &'p Type> {
    it.variants.iter().filter_map(|(_, variant)| variant.payload.as_ref())
}

fn written_enum(plan: &Plan<'_>, it: &EnumPlan<'_>, written: &WrittenType) -> TokenStream {
    let is_unit = it.variants.first().is_some_and(|(_, first)| first.payload.is_none());
    if is_unit {
        let (items, place) = (super::enumeration::written_enum(it, written), written.placed(&it.name));
        return quote!(#items const _: () = rt::is_held::<#place>(););
    }
    let (import, default_impl) = (written.import(&it.name), default_impl(plan, it));
    let place = written.placed(&it.name);
    quote!(#import #default_impl const _: () = rt::is_held::<#place>();)
}

fn declaration(plan: &Plan<'_>, it: &EnumPlan<'_>) -> TokenStream {
    let name = &it.name;
    let docs = described(it.enumeration.description.as_deref(), &format!("The enum `{}`.", it.enumeration.name), &[]);
    let copy = payload_types(it).all(|ty| plan.is_copy(ty)).then(|| quote!(Copy,));
    let is_unit = it.variants.first().is_some_and(|(_, first)| first.payload.is_none());
    let variants = it.variants.iter().enumerate().map(|(at, (name, variant))| {
        let docs = variant_docs(variant);
        let default = (is_unit && at == 0).then(|| quote!(#[default]));
        let payload = variant.payload.as_ref().map(|ty| record_type(plan, ty)).map(|ty| quote!((#ty)));
        quote!(#docs #default #name #payload)
    });
    let default = if is_unit { quote!(, Default) } else { quote!() };
    let default_impl = default_impl(plan, it);
    quote! {
        #docs
        #[derive(Debug, Clone, #copy PartialEq #default)]
        pub enum #name { #(#variants),* }
        #default_impl
    }
}

/// The default of an enum whose first variant carries something: that variant with a zero.
fn default_impl(plan: &Plan<'_>, it: &EnumPlan<'_>) -> Option<TokenStream> {
    let (name, (variant, first)) = (&it.name, it.variants.first()?);
    let zero = zero(plan, first.payload.as_ref()?);
    Some(quote! {
        impl Default for #name {
            fn default() -> #name {
                #name::#variant(#zero)
            }
        }
    })
}

fn name(it: &EnumPlan<'_>) -> TokenStream {
    let name = &it.name;
    let texts = it.variants.iter().map(|(_, variant)| &variant.name);
    let patterns = it.variants.iter().map(|(variant, of)| {
        let rest = of.payload.is_some().then(|| quote!((..)));
        quote!(#name::#variant #rest)
    });
    quote! {
        impl #name {
            /// The variant's name, as in the schema and in JSON.
            pub const fn name(&self) -> &'static str {
                match self { #(#patterns => #texts),* }
            }
        }
    }
}

fn encode_impl(plan: &Plan<'_>, it: &EnumPlan<'_>, payload: &PayloadPlan) -> TokenStream {
    let (name, cell, number_cell) = (&it.name, &payload.cell, number_cell(it));
    let value = format_ident!("value");
    let arms = it.variants.iter().map(|(variant, of)| {
        let number = integer(of.number.into());
        match &of.payload {
            None => quote!(#name::#variant => (#number, Default::default())),
            Some(ty) => {
                let payload = encode(plan, ty, &quote!(field), &Place::Borrowed(&value));
                let argument = cell_argument(plan, ty);
                let payload = if payload.to_string() == "* value" { quote!(value) } else { quote!(&#payload) };
                quote!(#name::#variant(value) => (#number, rt::cell::FixedBytes::holding #argument (#payload)))
            }
        }
    });
    let arguments = encode_arguments(payload_types(it).any(|ty| uses_image(plan, ty)));
    quote! {
        impl #name {
            fn encode(&self, #arguments) -> #cell {
                let (number, payload) = match self { #(#arms),* };
                #cell { number: rt::cell::#number_cell::new(number), payload }
            }
        }
    }
}

/// What `encode` takes besides `self`; the names only if they are used.
pub(super) fn encode_arguments(used: bool) -> TokenStream {
    let (field, image) = if used { (quote!(field), quote!(image)) } else { (quote!(_), quote!(_)) };
    quote!(#field: usize, #image: &mut rt::RecordImage)
}

fn number_cell(it: &EnumPlan<'_>) -> proc_macro2::Ident {
    format_ident!("U{}", it.tag_bytes * 8)
}

fn cell(plan: &Plan<'_>, it: &EnumPlan<'_>, payload: &PayloadPlan) -> TokenStream {
    let (cell, number, bytes) = (&payload.cell, number_cell(it), super::value::number(payload.bytes));
    let docs = format!(" [`{}`] as it lies in a row: its number, then room for the longest payload.", it.name);
    let attributes = cells_attributes(plan, &quote!());
    let size = it.tag_bytes + payload.bytes;
    let layout = layout(cell, size, &[]);
    quote! {
        #[doc = #docs]
        #attributes
        pub struct #cell {
            number: rt::cell::#number,
            payload: rt::cell::FixedBytes<#bytes>,
        }
        #layout
    }
}

fn view(plan: &Plan<'_>, it: &EnumPlan<'_>, payload: &PayloadPlan) -> TokenStream {
    let (name, view) = (&it.name, &payload.view);
    let docs = format!(" [`{name}`], read in place.");
    let (lifetime, anonymous) = if payload.view_borrows { (quote!(<'v>), quote!(<'_>)) } else { (quote!(), quote!()) };
    let variants = it.variants.iter().map(|(variant, of)| {
        let docs = variant_docs(of);
        let payload = of.payload.as_ref().map(|ty| view_type(plan, ty)).map(|ty| quote!((#ty)));
        quote!(#docs #variant #payload)
    });
    let owned = it.variants.iter().map(|(variant, of)| match &of.payload {
        None => quote!(#view::#variant => #name::#variant),
        Some(ty) => {
            let value = own(plan, ty, &quote!(value));
            quote!(#view::#variant(value) => #name::#variant(#value))
        }
    });
    let tailed = tailed_impl(plan, it, payload, &lifetime);
    quote! {
        #[doc = #docs]
        #[derive(Debug, Clone, Copy)]
        pub enum #view #lifetime { #(#variants),* }

        impl #view #anonymous {
            /// A copy that borrows nothing.
            pub fn to_record(self) -> #name {
                match self { #(#owned),* }
            }
        }

        #tailed
    }
}

fn tailed_impl(plan: &Plan<'_>, it: &EnumPlan<'_>, payload: &PayloadPlan, lifetime: &TokenStream) -> TokenStream {
    let (cell, view) = (&payload.cell, &payload.view);
    let arm = |(variant, of): &(proc_macro2::Ident, &dbgen_schema::Variant)| match &of.payload {
        None => quote!(#view::#variant),
        Some(ty) => {
            let (cell, value) = (cell_type(plan, ty, &quote!()), read_borrowed(plan, ty, &quote!(heap)));
            quote!({ let cell = self.payload.held::<#cell>(); #view::#variant(#value) })
        }
    };
    let numbers = it.variants.iter().skip(1).map(|(_, of)| count(of.number));
    let arms = it.variants.iter().skip(1).map(arm);
    let first = it.variants.first().map(arm);
    let heap = if payload_types(it).all(|ty| plan.is_cells(ty)) { quote!(_) } else { quote!(heap) };
    let body = if it.variants.len() == 1 {
        quote!(#first)
    } else {
        quote!(match self.number.get() { #(#numbers => #arms,)* _ => #first })
    };
    quote! {
        impl rt::cell::Tailed for #cell {
            type View<'v> = #view #lifetime;

            fn view<'v>(&'v self, #heap: rt::HeapRef<'v>) -> #view #lifetime {
                #body
            }
        }
    }
}
