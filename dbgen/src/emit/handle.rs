//! A table's handles: what a view gives to read it, and a transaction to write it.
//!
//! Both dereference to the runtime's handle, which has what is the same for all tables; here are the table's own
//! indexes and column groups.

use super::index::lookups;
use super::value::number;
use crate::plan::{GroupPlan, Plan, TablePlan};
use proc_macro2::TokenStream;
use quote::quote;

/// Both handles, and what makes lenses of them and of the record's views.
pub(super) fn handles(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (reader, writer, slices) = (reader(plan, table), writer(table), slices(table));
    let (record, names) = (&table.record, [&table.reader, &table.writer]);
    let getters = [&table.system.id].into_iter().chain(table.fields.iter().map(|field| &field.name));
    let (record_ref, record_mut) = (&table.record_ref, &table.record_mut);
    quote! {
        #reader
        #writer
        rt::lenses!(#record, #record_ref { #(#getters),* }, #record_mut, #(#names),*);
        #slices
    }
}

/// What joins and slices know of its column groups.
fn slices(table: &TablePlan<'_>) -> TokenStream {
    let (record, reader, slices, all) = (&table.record, &table.reader, &table.slices, &table.all_groups);
    let group = |group: &GroupPlan<'_>| {
        let (module, row, at) = (&table.module, &group.row, number(group.index));
        let name = &group.of_table;
        match &group.of_table_mut {
            Some(name_mut) => quote!(mut #name #name_mut: #module::#row = #at),
            None => quote!(#name: #module::#row = #at),
        }
    };
    let groups: Vec<TokenStream> = stored_groups(table).map(group).collect();
    let several = groups.len() > 1 && stored_groups(table).any(|group| group.of_table_mut.is_some());
    let all = several.then_some(all);
    quote!(rt::groups!(#record, #reader, #slices { #(#groups,)* } #all);)
}

fn reader(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (name, record) = (&table.reader, &table.record);
    let docs = format!(" The table `{}`, read.", table.table.name);
    let more = " `get`, `iter`, `len` and what else all tables have is at [`TableRef`](rt::TableRef).";
    let groups = stored_groups(table).map(|group| slice(table, group));
    let lookups = table.indexes.iter().map(|index| lookups(plan, table, index));
    quote! {
        #[doc = #docs]
        #[doc = ""]
        #[doc = #more]
        #[derive(Debug, Clone, Copy)]
        pub struct #name<'v>(rt::TableRef<'v, #record>);

        impl<'v> #name<'v> {
            #(#lookups)*
            #(#groups)*
        }
    }
}

fn writer(table: &TablePlan<'_>) -> TokenStream {
    let (name, record) = (&table.writer, &table.record);
    let docs = format!(" The table `{}`, written.", table.table.name);
    let more = " `insert`, `update`, `delete` and what else all tables have is at [`TableMut`](rt::TableMut).";
    let groups: Vec<_> = stored_groups(table).filter_map(|group| slice_mut(table, group)).collect();
    let groups = (!groups.is_empty()).then(|| quote!(impl<'t> #name<'t> { #(#groups)* }));
    quote! {
        #[doc = #docs]
        #[doc = ""]
        #[doc = #more]
        #[derive(Debug)]
        pub struct #name<'t>(rt::TableMut<'t, #record>);

        #groups
    }
}

/// The groups that take up room.
fn stored_groups<'p, 's>(table: &'p TablePlan<'s>) -> impl Iterator<Item = &'p GroupPlan<'s>> {
    table.groups.iter().filter(|group| group.layout.stride > 0)
}

fn slice(table: &TablePlan<'_>, group: &GroupPlan<'_>) -> TokenStream {
    let (module, row, name, at) = (&table.module, &group.row, &group.of_table, number(group.index));
    let docs = format!(" The group `{}` of all records, in the order in which they lie.", group.name);
    quote! {
        #[doc = #docs]
        pub fn #name(self) -> &'v [#module::#row] {
            self.0.group(#at)
        }
    }
}

fn slice_mut(table: &TablePlan<'_>, group: &GroupPlan<'_>) -> Option<TokenStream> {
    let (module, row) = (&table.module, &group.row);
    let name = group.of_table_mut.as_ref()?;
    let next = group.of_table_next.as_ref()?;
    let docs = format!(" The group `{}` of all records, to be changed at will.", group.name);
    let next_docs = format!(
        " Makes the group `{}` of all records anew: `next` reads the rows as they are and writes them **all** as they are \
         going to be. Nothing is copied.",
        group.name
    );
    Some(quote! {
        #[doc = #docs]
        pub fn #name(self) -> &'t mut [#module::#row] {
            self.0.group_mut::<#module::#row>()
        }

        #[doc = #next_docs]
        pub fn #next<R>(self, next: impl FnOnce(&[#module::#row], &mut [#module::#row]) -> R) -> R {
            self.0.group_next::<#module::#row, R>(next)
        }
    })
}
