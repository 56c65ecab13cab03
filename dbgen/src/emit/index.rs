//! Lookups: a method of the table for every index, by its whole key and by a range of its last column.

use super::value::{argument_type, count, number};
use crate::plan::{Column, FieldPlan, IndexPlan, Plan, TablePlan};
use dbgen_schema::{Scalar, Type};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The lookups that an index offers.
pub(super) fn lookups(plan: &Plan<'_>, table: &TablePlan<'_>, index: &IndexPlan<'_>) -> TokenStream {
    let (by, many, range) = (by(plan, table, index), many(plan, table, index), range(plan, table, index));
    quote!(#by #many #range)
}

fn by(plan: &Plan<'_>, table: &TablePlan<'_>, index: &IndexPlan<'_>) -> TokenStream {
    let (name, at, record) = (&index.by, number(index.number), &table.record);
    let is_unique = index.index.unique;
    let columns = || index.columns.iter().map(|column| (&table.fields[column.field], column));
    let arguments = columns().map(|(field, _)| argument(plan, field, is_unique));
    let key =
        columns().fold(quote!(rt::Key::new()), |key, (field, column)| key_column(plan, &key, field, column, is_unique));
    let what = columns().map(|(field, _)| format!("`{}`", field.field.name)).collect::<Vec<_>>().join(", ");
    let (docs, returns, find) = if is_unique {
        let record_ref = &table.record_ref;
        (format!(" The record with this {what}."), quote!(Option<#record_ref<'v>>), quote!(find))
    } else {
        (format!(" The records with this {what}."), quote!(rt::Found<'v, #record>), quote!(find_all))
    };
    quote! {
        #[doc = #docs]
        #[inline]
        pub fn #name(self, #(#arguments),*) -> #returns {
            self.0.#find(#at, #key)
        }
    }
}

/// The lookup of many keys at once: an iterator of keys in, one of records out.
fn many(plan: &Plan<'_>, table: &TablePlan<'_>, index: &IndexPlan<'_>) -> Option<TokenStream> {
    let (name, at, record_ref) = (index.many.as_ref()?, number(index.number), &table.record_ref);
    let columns = || index.columns.iter().map(|column| (&table.fields[column.field], column));
    let names: Vec<_> = columns().map(|(field, _)| &field.name).collect();
    let (lifetimes, types): (Vec<_>, Vec<_>) = columns().map(|(field, _)| key_type(plan, &field.field.ty)).unzip();
    let lifetime = lifetimes.into_iter().find(|lifetime| !lifetime.is_empty());
    let key = free_name("key", "_", |free| names.contains(&free));
    let keys = free_name("Keys", "Given", |free| types.iter().any(|ty| ty.to_string().contains(&free.to_string())));
    let pushed = columns().fold(quote!(#key), |key, (field, column)| key_column(plan, &key, field, column, true));
    let (given, ty) = match (&names[..], &types[..]) {
        ([name], [ty]) => (quote!(#name), ty.clone()),
        _ => (quote!((#(#names),*)), quote!((#(#types),*))),
    };
    let (by, what) = (&index.by, columns().map(|(field, _)| format!("`{}`", field.field.name)).collect::<Vec<_>>());
    let docs = format!(
        " The records with each {} of these, each in the place of its key: what `{by}` gives, with many looked for",
        what.join(", ")
    );
    Some(quote! {
        #[doc = #docs]
        #[doc = " at once, so that memory is waited for together."]
        pub fn #name<#lifetime #keys: IntoIterator<Item = #ty>>(
            self,
            keys: #keys,
        ) -> impl Iterator<Item = Option<#record_ref<'v>>> + use<'v, #lifetime #keys> {
            self.0.find_many(#at, keys, |#key, #given| { #pushed; })
        }
    })
}

/// This name, or one that is longer by `more` as often as it takes until it is not taken.
fn free_name(name: &str, more: &str, is_taken: impl Fn(&Ident) -> bool) -> Ident {
    let mut free = format_ident!("{name}");
    while is_taken(&free) {
        free = format_ident!("{free}{more}");
    }
    free
}

/// A parameter for a column. One that may be null is looked up by an option, or by a value as it is.
fn argument(plan: &Plan<'_>, field: &FieldPlan<'_>, is_unique: bool) -> TokenStream {
    let (name, ty) = (&field.name, argument_type(plan, &field.field.ty));
    match &field.field.ty {
        _ if !field.field.nullable || is_unique => quote!(#name: #ty),
        Type::Str(_) | Type::Text | Type::Bytes => quote!(#name: Option<#ty>),
        _ => quote!(#name: impl Into<Option<#ty>>),
    }
}

/// `key` with one more column. In a unique index no column is looked up by null.
fn key_column(
    plan: &Plan<'_>,
    key: &TokenStream,
    field: &FieldPlan<'_>,
    column: &Column,
    is_unique: bool,
) -> TokenStream {
    let name = &field.name;
    if !field.field.nullable || (is_unique && !column.has_null_marker) {
        return push(plan, key, &field.field.ty, &quote!(#name));
    }
    if is_unique {
        return push(plan, &quote!(#key.some()), &field.field.ty, &quote!(#name));
    }
    if !column.has_null_marker {
        return quote!(#key.id_or_null(#name.into()));
    }
    if matches!(field.field.ty, Type::Text | Type::Bytes) {
        return quote!(#key.text_or_null(#name));
    }
    let given = if matches!(field.field.ty, Type::Str(_)) { quote!(#name) } else { quote!(#name.into()) };
    let (bytes, pushed) = (number(column.key_bytes), push(plan, &quote!(key), &field.field.ty, &quote!(value)));
    quote!(#key.nullable(#given, #bytes, |key, value| #pushed))
}

fn push(plan: &Plan<'_>, key: &TokenStream, ty: &Type, value: &TokenStream) -> TokenStream {
    match ty {
        Type::Str(n) => {
            let n = count(*n);
            quote!(#key.str::<#n>(#value))
        }
        Type::Text | Type::Bytes => quote!(#key.text(#value)),
        Type::FixedBytes(_) => quote!(#key.fixed_bytes(&#value)),
        Type::Ref(_) => quote!(#key.id(#value)),
        Type::Enum(idx) => {
            let number = format_ident!("u{}", plan.enums[idx.at()].tag_bytes * 8);
            quote!(#key.scalar(#value as #number))
        }
        _ => quote!(#key.scalar(#value)),
    }
}

fn range(plan: &Plan<'_>, table: &TablePlan<'_>, index: &IndexPlan<'_>) -> Option<TokenStream> {
    let name = index.range.as_ref()?;
    let (last, first) = index.columns.split_last()?;
    let field = &table.fields[last.field];
    if !has_useful_order(&field.field.ty) {
        return None;
    }
    let (at, record, ranged) = (number(index.number), &table.record, &field.name);
    let arguments = first.iter().map(|column| argument(plan, &table.fields[column.field], index.index.unique));
    let prefix = first.iter().fold(quote!(rt::Key::new()), |key, column| {
        key_column(plan, &key, &table.fields[column.field], column, index.index.unique)
    });
    let prefix = match (last.has_null_marker, first) {
        (true, _) => quote!(#prefix.some()),
        (false, []) => quote!(&#prefix),
        (false, _) => prefix,
    };
    let (lifetime, ty, value) = range_type(plan, &field.field.ty);
    let lifetime = (!lifetime.is_empty()).then(|| quote!(<'k>));
    let pushed = push(plan, &quote!(key), &field.field.ty, &value);
    let docs = format!(" The records whose `{}` lies in this range, in its order.", field.field.name);
    Some(quote! {
        #[doc = #docs]
        pub fn #name #lifetime(self, #(#arguments,)* #ranged: impl ::core::ops::RangeBounds<#ty>) -> rt::Found<'v, #record> {
            self.0.find_between(#at, #prefix, #ranged, |key, value| { #pushed; })
        }
    })
}

/// What ranges are over: the lifetime parameter that they need, the type, and `value` out of its reference.
fn range_type(plan: &Plan<'_>, ty: &Type) -> (TokenStream, TokenStream, TokenStream) {
    let (lifetime, key) = key_type(plan, ty);
    let value = if lifetime.is_empty() { quote!(*value) } else { quote!(value) };
    (lifetime, key, value)
}

/// A value of a column, as one of many that are given: the lifetime parameter that it needs, and its type.
fn key_type(plan: &Plan<'_>, ty: &Type) -> (TokenStream, TokenStream) {
    match ty {
        Type::Str(_) | Type::Text => (quote!('k,), quote!(&'k str)),
        Type::Bytes => (quote!('k,), quote!(&'k [u8])),
        ty => (quote!(), argument_type(plan, ty)),
    }
}

/// Whether a range of such values means something to people.
fn has_useful_order(ty: &Type) -> bool {
    match ty {
        Type::Scalar(scalar) => !matches!(scalar, Scalar::Bool | Scalar::Uuid),
        ty => matches!(ty, Type::Str(_) | Type::Text),
    }
}
