//! serde's traits, for who asks for them: the runtime's `typed::form` is told the cell of every field, and knows the rest.

use super::literal::default_of_field;
use super::value::{cell_type, number};
use crate::plan::{CompositePlan, EnumPlan, Plan, TablePlan};
use dbgen_schema::{Field, Type};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// For an enum.
pub(super) fn of_enum(plan: &Plan<'_>, it: &EnumPlan<'_>) -> Option<TokenStream> {
    let (name, text) = (&it.name, &it.enumeration.name);
    let Some(payload) = plan.options.has_serde().then_some(it.payload.as_ref())? else {
        return Some(quote!(rt::serde_enum!(#name);));
    };
    let cell = &payload.cell;
    let names = it.variants.iter().map(|(_, of)| &of.name);
    let variants = || it.variants.iter().enumerate();
    let units = variants().filter(|(_, (_, of))| of.payload.is_none()).map(|(at, (variant, of))| {
        let (at, text) = (number(at), &of.name);
        quote!(#at #variant #text;)
    });
    let carriers = variants().filter_map(|(at, (variant, of))| {
        let (at, text, cell) = (number(at), &of.name, cell_type(plan, of.payload.as_ref()?, &quote!()));
        Some(quote!(#at #variant #text as #cell;))
    });
    Some(quote! {
        rt::serde_payload!(#name is #text [#(#names),*]; { #(#units)* } { #(#carriers)* });
        rt::serde_cell!(#cell of #name);
    })
}

/// For a composite.
pub(super) fn of_composite(plan: &Plan<'_>, it: &CompositePlan<'_>) -> Option<TokenStream> {
    plan.options.has_serde().then(|| {
        let (name, cell, text) = (&it.name, it.cell(), &it.composite.name);
        let members = it.composite.fields.iter().zip(&it.fields).enumerate();
        let members = members.map(|(at, (field, name))| member(plan, at, field, name, &quote!(field)));
        quote! {
            rt::serde_fields!(#name is #text, skips [], blank #name::default(); #(#members)*);
            rt::serde_cell!(#cell of #name);
        }
    })
}

/// For a record and its patch. What the server adds to a record may stand there.
pub(super) fn of_table(plan: &Plan<'_>, table: &TablePlan<'_>) -> Option<TokenStream> {
    plan.options.has_serde().then(|| {
        let (record, patch, text) = (&table.record, &table.patch, &table.table.name);
        let members = |how: TokenStream| {
            let member = move |it: &crate::plan::FieldPlan<'_>| member(plan, it.index, it.field, &it.name, &how);
            table.fields.iter().map(member).collect::<Vec<_>>()
        };
        let (fields, given) = (members(quote!(field)), members(quote!(given)));
        let (names, blanks) = (
            table.fields.iter().map(|field| &field.name),
            table.fields.iter().map(|field| default_of_field(plan, field.field)),
        );
        quote! {
            rt::serde_fields!(
                #record is #text, skips ["_id", "_version"], blank #record { #(#names: #blanks),* }; #(#fields)*
            );
            rt::serde_fields!(
                #patch is #text, skips ["_id", "_version"], blank #patch::default(); #(#given)*
            );
        }
    })
}

fn member(plan: &Plan<'_>, at: usize, field: &Field, name: &Ident, how: &TokenStream) -> TokenStream {
    let (at, text, cell) = (number(at), &field.name, cell_type(plan, &field.ty, &quote!()));
    let may_miss = how.to_string() == "given" || field.default.is_some() || field.nullable || field.auto_increment;
    // A reference has a null of its own.
    let is_optional = field.nullable && !matches!(field.ty, Type::Ref(_));
    let cell = if is_optional { quote!(rt::form::Nullable<#cell>) } else { cell };
    quote!(#how #at #name #text #may_miss as #cell;)
}
