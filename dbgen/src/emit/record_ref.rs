//! A record, read in place.

use super::cells::member_docs;
use super::value::{number, own_field, read_field, view_field_type};
use crate::plan::{Plan, TablePlan};
use proc_macro2::TokenStream;
use quote::quote;

/// The struct and its getters.
pub(super) fn record_ref(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (name, docs) = (&table.record_ref, format!(" A record of `{}`, read in place.", table.table.name));
    let (system, getters, groups) = (system(plan, table), getters(plan, table), groups(table));
    quote! {
        #[doc = #docs]
        #[derive(Clone, Copy)]
        pub struct #name<'v>(rt::RecordRef<'v>);

        impl<'v> #name<'v> {
            #system
            #getters
            #groups
        }
    }
}

fn system(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (record, names) = (&table.record, &table.system);
    let (id, version, to_record, check) = (&names.id, &names.version, &names.to_record, &names.check);
    let members = table.fields.iter().map(|field| {
        let name = &field.name;
        let owned = own_field(plan, field.field, &quote!(self.#name()));
        quote!(#name: #owned)
    });
    quote! {
        /// The record's id.
        pub fn #id(self) -> rt::Id<#record> {
            self.0.id()
        }

        /// The commit that wrote the record last.
        pub fn #version(self) -> u64 {
            self.0.version()
        }

        /// Checks from the bytes that every field holds a value of its type.
        ///
        /// # Errors
        /// The first field that does not, by its name.
        pub fn #check(self) -> Result<(), rt::Fault> {
            self.0.check()
        }

        /// A copy that borrows nothing.
        pub fn #to_record(self) -> #record {
            #record { #(#members),* }
        }
    }
}

fn getters(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let getters = table.fields.iter().map(|field| {
        let (docs, name, ty) = (member_docs(field.field), &field.name, view_field_type(plan, field.field));
        let row = &table.group_of(field).of_record;
        let null = field.layout.null_bit.map(|bit| (&table.nulls, bit));
        let body = read_field(plan, field.field, name, null, &quote!(self.#row()), &quote!(self.0.heap()));
        quote! {
            #docs
            #[inline]
            pub fn #name(self) -> #ty { #body }
        }
    });
    quote!(#(#getters)*)
}

fn groups(table: &TablePlan<'_>) -> TokenStream {
    let module = &table.module;
    let groups = table.groups.iter().filter(|group| group.layout.stride > 0).map(|group| {
        let (name, row, at) = (&group.of_record, &group.row, number(group.index));
        let docs = format!(" The record's row in the group `{}`.", group.name);
        quote! {
            #[doc = #docs]
            #[inline]
            pub fn #name(self) -> &'v #module::#row {
                self.0.group(#at)
            }
        }
    });
    quote!(#(#groups)*)
}
