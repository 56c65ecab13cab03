//! Enums whose variants carry nothing: a Rust enum, and its names and numbers.

use super::docs::described;
use super::literal::integer;
use crate::WrittenType;
use crate::plan::{EnumPlan, Plan};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// Everything for one enum.
pub(super) fn enumeration(plan: &Plan<'_>, it: &EnumPlan<'_>) -> TokenStream {
    if it.payload.is_some() {
        return super::payload::payload_enum(plan, it);
    }
    let declaration = match it.written {
        Some(written) => written_enum(it, written),
        None => declaration(it),
    };
    let (names, trait_impl, text) = (names(it), trait_impl(it), text(it));
    quote!(#declaration #names #trait_impl #text)
}

/// What a derive leaves to be said: the default, which is the first variant in every front end.
pub(super) fn written_enum(it: &EnumPlan<'_>, written: &WrittenType) -> TokenStream {
    let (name, import) = (&it.name, written.import(&it.name));
    let first = it.variants.first().map(|(first, _)| first);
    quote! {
        #import

        impl Default for #name {
            fn default() -> #name {
                #name::#first
            }
        }
    }
}

fn declaration(it: &EnumPlan<'_>) -> TokenStream {
    let name = &it.name;
    let docs = described(it.enumeration.description.as_deref(), &format!("The enum `{}`.", it.enumeration.name), &[]);
    let repr = format_ident!("u{}", it.tag_bytes * 8);
    let variants = it.variants.iter().enumerate().map(|(at, (name, variant))| {
        let docs = variant_docs(variant);
        let default = (at == 0).then(|| quote!(#[default]));
        let number = integer(variant.number.into());
        quote!(#docs #default #name = #number)
    });
    quote! {
        #docs
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        #[repr(#repr)]
        pub enum #name { #(#variants),* }
    }
}

/// The doc comment of a variant.
pub(super) fn variant_docs(variant: &dbgen_schema::Variant) -> TokenStream {
    described(variant.description.as_deref(), &format!("`{}`", variant.name), &[])
}

fn names(it: &EnumPlan<'_>) -> TokenStream {
    let (name, count) = (&it.name, super::value::number(it.variants.len()));
    let variants: Vec<_> = it.variants.iter().map(|(name, _)| name).collect();
    let texts = it.variants.iter().map(|(_, variant)| &variant.name);
    quote! {
        impl #name {
            /// Every variant, in the order of the schema.
            pub const ALL: [#name; #count] = [#(#name::#variants),*];

            /// The variant's name, as in the schema and in JSON.
            pub const fn name(self) -> &'static str {
                match self { #(#name::#variants => #texts),* }
            }
        }
    }
}

fn trait_impl(it: &EnumPlan<'_>) -> TokenStream {
    let (name, text, bytes) = (&it.name, &it.enumeration.name, super::value::number(it.tag_bytes));
    // Where the compiler says what an enum of the user's lacks.
    let place = it.written.map_or_else(|| name.clone(), |written| written.placed(name));
    let texts = it.variants.iter().map(|(_, variant)| &variant.name);
    let variants = it.variants.iter().map(|(name, _)| name);
    let numbers = it.variants.iter().map(|(_, variant)| integer(variant.number.into()));
    quote! {
        impl rt::Enumeration for #place {
            const NAME: &'static str = #text;
            const VARIANTS: &'static [&'static str] = &[#(#texts),*];
            const CELL_BYTES: usize = #bytes;

            fn from_number(number: u16) -> Option<#name> {
                match number {
                    #(#numbers => Some(#name::#variants),)*
                    _ => None,
                }
            }

            fn number(self) -> u16 {
                self as u16
            }
        }
    }
}

fn text(it: &EnumPlan<'_>) -> TokenStream {
    let name = &it.name;
    let texts = it.variants.iter().map(|(_, variant)| &variant.name);
    let variants = it.variants.iter().map(|(name, _)| name);
    quote! {
        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(rt::copied(self).name())
            }
        }

        impl ::core::str::FromStr for #name {
            type Err = rt::UnknownVariant;

            fn from_str(name: &str) -> Result<#name, rt::UnknownVariant> {
                match name {
                    #(#texts => Ok(#name::#variants),)*
                    _ => Err(rt::UnknownVariant::new::<#name>(name)),
                }
            }
        }
    }
}
