//! A table's rows: the module with a struct per column group.

use super::cells::{cells_attributes, layout, member_docs};
use super::value::{cell_type, number};
use crate::plan::{GroupPlan, Plan, TablePlan};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The module of a table's rows.
pub(super) fn rows(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (module, docs) = (&table.module, format!(" Rows of the table `{}`, as they lie in memory.", table.table.name));
    let groups = table.groups.iter().filter(|group| group.layout.stride > 0).map(|group| row(plan, table, group));
    quote! {
        #[doc = #docs]
        pub mod #module {
            use super::rt;
            #(#groups)*
        }
    }
}

fn row(plan: &Plan<'_>, table: &TablePlan<'_>, group: &GroupPlan<'_>) -> TokenStream {
    let (name, docs) = (&group.row, format!(" The group `{}` of a record.", group.name));
    let attributes = cells_attributes(plan, &quote!());
    let nulls = (group.layout.null_bytes > 0).then(|| {
        let (nulls, bytes) = (&table.nulls, number(group.layout.null_bytes));
        quote!(pub(super) #nulls: rt::cell::Nulls<#bytes>,)
    });
    let members = table.fields_of(group.index).map(|field| {
        let (docs, name) = (member_docs(field.field), &field.name);
        let ty = cell_type(plan, &field.field.ty, &quote!(super::));
        quote!(#docs pub #name: #ty)
    });
    let offsets: Vec<_> = table.fields_of(group.index).map(|field| (&field.name, field.layout.offset)).collect();
    let layout = layout(name, group.layout.stride, &offsets);
    let lanes = group.lanes.map(|scalar| {
        let cell = format_ident!("{}", scalar.desc().cell);
        quote!(impl rt::Lanes for #name { type Lane = rt::cell::#cell; })
    });
    quote! {
        #[doc = #docs]
        #attributes
        pub struct #name { #nulls #(#members),* }
        #layout
        #lanes
    }
}
