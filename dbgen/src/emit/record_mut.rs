//! A record, written in place: a setter per field that may change.

use super::value::{Place, argument_type, cell_argument, encode, number};
use crate::plan::{FieldPlan, Plan, Setter, TablePlan};
use dbgen_schema::Type;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The struct and its setters.
pub(super) fn record_mut(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (name, record_ref) = (&table.record_mut, &table.record_ref);
    let docs = format!(" A record of `{}`, written in place.", table.table.name);
    let setters = table.fields.iter().filter_map(|field| setter(plan, field));
    quote! {
        #[doc = #docs]
        #[derive(Debug)]
        pub struct #name<'t>(rt::RecordMut<'t>);

        impl #name<'_> {
            /// The record as it is now.
            pub fn view(&self) -> #record_ref<'_> {
                #record_ref(self.0.read())
            }

            #(#setters)*
        }
    }
}

fn setter(plan: &Plan<'_>, field: &FieldPlan<'_>) -> Option<TokenStream> {
    let (it, at) = (field.field, number(field.index));
    let docs = format!(" Sets `{}`.", it.name);
    let (name, value) = (&field.setter_name, argument_name(field));
    let ty = argument_type(plan, &it.ty);
    let ty = if it.nullable { quote!(Option<#ty>) } else { ty };
    let argument = cell_argument(plan, &it.ty);
    let write = match field.setter {
        Setter::None => return None,
        Setter::Write => {
            let cell = encode(plan, &it.ty, &quote!(#at), &Place::Field(&quote!(#value)));
            quote!(write #argument (#at, &#cell))
        }
        Setter::Set => set(plan, field, &value),
        Setter::Encode => {
            let cell = encode(plan, &it.ty, &quote!(#at), &Place::Borrowed(&value));
            let cell = if it.nullable { quote!(#value.map(|#value| #cell)) } else { quote!(Some(#cell)) };
            quote!(set_cell #argument (#at, |image| #cell))
        }
    };
    if field.setter == Setter::Write {
        return Some(quote! {
            #[doc = #docs]
            pub fn #name(&mut self, #value: #ty) {
                self.0.#write;
            }
        });
    }
    let docs = format!(" Sets `{}`, unless a rule of the table forbids it.", it.name);
    Some(quote! {
        #[doc = #docs]
        pub fn #name(&mut self, #value: #ty) -> rt::Result<()> {
            self.0.#write
        }
    })
}

/// A setter by cell that the engine checks.
fn set(plan: &Plan<'_>, field: &FieldPlan<'_>, value: &proc_macro2::Ident) -> TokenStream {
    let (it, at, argument) = (field.field, number(field.index), cell_argument(plan, &field.field.ty));
    if !it.nullable || matches!(it.ty, Type::Ref(_)) {
        let cell = encode(plan, &it.ty, &quote!(#at), &Place::Field(&quote!(#value)));
        return quote!(set #argument (#at, Some(&#cell)));
    }
    let cell = encode(plan, &it.ty, &quote!(#at), &Place::Field(&quote!(#value)));
    if *value == cell.to_string() {
        return quote!(set #argument (#at, #value.as_ref()));
    }
    quote!(set #argument (#at, #value.map(|#value| #cell).as_ref()))
}

/// The parameter is called as the field, unless the setter needs the name.
fn argument_name(field: &FieldPlan<'_>) -> proc_macro2::Ident {
    if field.name == "image" { format_ident!("value") } else { field.name.clone() }
}
