//! A table's records: the plain struct, its patch, and its ways to and from bytes.

use super::docs::described;
use super::literal::default_of_field;
use super::split::null_bits;
use super::value::{encode_field, number, record_field_type, uses_image};
use crate::plan::{FieldPlan, GroupPlan, Plan, TablePlan};
use dbgen_schema::{Type, Value};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};

/// The record, its constructor, its patch and the trait that makes it a table.
pub(super) fn record(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let declaration = match table.written {
        Some(written) => written.import(&table.record),
        None => declaration(plan, table),
    };
    let (new, patch, table_impl) = (new(plan, table), patch(plan, table), table_impl(plan, table));
    quote!(#declaration #new #table_impl #patch)
}

fn declaration(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let name = &table.record;
    let docs = described(
        table.table.description.as_deref(),
        &format!("A record of `{}`.", table.table.name),
        &plan.options.origin(table.table.line),
    );
    let attributes = plan.options.table_attributes(&table.table.name);
    let copy = table.fields.iter().all(|field| plan.is_copy(&field.field.ty)).then(|| quote!(Copy,));
    let members = table.fields.iter().map(|field| {
        let (docs, name, ty) = (field_docs(field), &field.name, record_field_type(plan, field.field));
        quote!(#docs pub #name: #ty)
    });
    quote! {
        #docs
        #[derive(Debug, Clone, #copy PartialEq)]
        #(#attributes)*
        pub struct #name { #(#members),* }
    }
}

/// The doc comment of a field: its description, and what the schema demands of it.
pub(super) fn field_docs(field: &FieldPlan<'_>) -> TokenStream {
    let rules = rules(field);
    let more: Vec<String> = (!rules.is_empty()).then(|| format!("{}.", rules.join(", "))).into_iter().collect();
    described(field.field.description.as_deref(), &format!("`{}`", field.field.name), &more)
}

fn rules(field: &FieldPlan<'_>) -> Vec<String> {
    let it = field.field;
    let mut rules = Vec::new();
    if it.primary_key {
        rules.push("Primary key: unique, never changes".to_owned());
    } else if it.unique {
        rules.push("Unique".to_owned());
    }
    if it.auto_increment {
        rules.push("0 takes the next number".to_owned());
    }
    match (&it.min, &it.max) {
        (Some(min), Some(max)) => rules.push(format!("From {} to {}", shown(min), shown(max))),
        (Some(min), None) => rules.push(format!("At least {}", shown(min))),
        (None, Some(max)) => rules.push(format!("At most {}", shown(max))),
        (None, None) => {}
    }
    if let Type::Str(n) = it.ty {
        rules.push(format!("At most {n} bytes"));
    }
    let lower = |rule: &String| rule[..1].to_lowercase() + &rule[1..];
    let rest = rules.iter().skip(1).map(lower);
    rules.first().cloned().into_iter().chain(rest).collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        _ => "the bound of the schema".to_owned(),
    }
}

fn new(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let name = &table.record;
    let required = || table.fields.iter().filter(|field| field.required);
    let arguments = required().map(|field| {
        let (name, ty) = (&field.name, record_field_type(plan, field.field));
        let ty = if takes_into(&field.field.ty) { quote!(impl Into<#ty>) } else { ty };
        quote!(#name: #ty)
    });
    let members = table.fields.iter().map(|field| {
        let name = &field.name;
        match (field.required, takes_into(&field.field.ty)) {
            (true, true) => quote!(#name: #name.into()),
            (true, false) => quote!(#name),
            (false, _) => {
                let value = default_of_field(plan, field.field);
                quote!(#name: #value)
            }
        }
    });
    let default = required().next().is_none().then(|| {
        quote! {
            impl Default for #name {
                fn default() -> #name { #name::new() }
            }
        }
    });
    quote! {
        impl #name {
            /// A record with the fields that it cannot do without; the rest as the schema says, or zero, empty, nothing.
            pub fn new(#(#arguments),*) -> #name {
                #name { #(#members),* }
            }
        }
        #default
    }
}

fn takes_into(ty: &Type) -> bool {
    matches!(ty, Type::Str(_) | Type::Text | Type::Bytes)
}

fn patch(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (patch, docs) =
        (&table.patch, format!(" Some fields of a [`{}`]; what is `None` stays as it is.", table.record));
    let members = table.fields.iter().map(|field| {
        let (name, ty) = (&field.name, record_field_type(plan, field.field));
        let docs = format!(" The new `{}`.", field.field.name);
        quote!(#[doc = #docs] pub #name: Option<#ty>)
    });
    let names = table.fields.iter().map(|field| &field.name);
    quote! {
        #[doc = #docs]
        #[derive(Default)]
        pub struct #patch { #(#members),* }

        rt::patch!(#patch { #(#names),* });
    }
}

fn table_impl(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (record, patch) = (&table.record, &table.patch);
    let (record_ref, record_mut, to_record) = (&table.record_ref, &table.record_mut, &table.system.to_record);
    let desc = desc(plan, table);
    let groups = table.groups.iter().filter(|group| group.layout.stride > 0);
    let groups = groups.map(|group| encode_group(plan, table, group));
    let names = table.fields.iter().map(|field| &field.name);
    let component = table.table.parent.map(|parent| {
        let parent = &plan.records[parent.at()];
        quote!(rt::component!(#record of #parent, #record_ref);)
    });
    quote! {
        impl rt::Table for #record {
            const DESC: &'static rt::TableDesc = &#desc;
            type Ref<'v> = #record_ref<'v>;
            type Mut<'t> = #record_mut<'t>;
            type Patch = #patch;

            #[inline]
            fn encode(&self, image: &mut rt::RecordImage) {
                #(#groups)*
            }

            fn decode(record: #record_ref<'_>) -> #record {
                record.#to_record()
            }

            fn apply(patch: #patch, record: &mut #record) {
                rt::patched!(patch => record { #(#names),* });
            }
        }

        #component
    }
}

/// The table's descriptor, a constant.
fn desc(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (index, name) = (number(table.index), &table.table.name);
    let groups = table.groups.iter().map(|group| {
        let (name, bytes) = (group.name, number(group.layout.stride));
        quote!((#name, #bytes))
    });
    let fields = table.fields.iter().map(|field| {
        let (name, ty) = (&field.field.name, dbgen_schema::write::type_text(plan.schema, &field.field.ty));
        let (group, offset) = (number(field.layout.group), number(field.layout.offset));
        let is = if field.field.nullable { quote!(nullable) } else { quote!(required) };
        quote!(rt::FieldDesc::#is(#name, #ty, #group, #offset))
    });
    let indexes = table.indexes.iter().map(|index| {
        let (name, fields) = (&index.index.name, index.columns.iter().map(|column| number(column.field)));
        let is = if index.index.unique { quote!(unique) } else { quote!(of) };
        quote!(rt::IndexDesc::#is(#name, &[#(#fields),*]))
    });
    quote! {
        rt::TableDesc {
            index: #index,
            name: #name,
            groups: &[#(#groups),*],
            fields: &[#(#fields),*],
            indexes: &[#(#indexes),*],
        }
    }
}

/// Writes the row of a group where it is going to lie, field by field: a row that is put together first is read back in other
/// pieces than it was written in, for which a processor waits until all stores before have reached the cache.
fn encode_group(plan: &Plan<'_>, table: &TablePlan<'_>, group: &GroupPlan<'_>) -> TokenStream {
    let (module, row) = (&table.module, &group.row);
    let fields = || table.fields_of(group.index);
    let bits = fields().filter_map(|field| Some((field.layout.null_bit?, &field.name)));
    let nulls = (group.layout.null_bytes > 0).then(|| {
        let (name, bits) = (&table.nulls, null_bits(bits));
        quote!(row.#name = #bits;)
    });
    let cell = |field: &FieldPlan<'_>| {
        let (name, at) = (&field.name, number(field.index));
        encode_field(plan, field.field, &quote!(#at), &quote!(self.#name))
    };
    // What may need the image's heap comes before the row, which is in the image too.
    let ahead = |field: &&FieldPlan<'_>| uses_image(plan, &field.field.ty);
    let cells = fields().filter(ahead).map(|field| {
        let (name, cell) = (cell_name(field), cell(field));
        quote!(let #name = #cell;)
    });
    let writes = fields().map(|field| {
        let name = &field.name;
        let cell = if ahead(&field) { cell_name(field).into_token_stream() } else { cell(field) };
        quote!(row.#name = #cell;)
    });
    quote! {
        #(#cells)*
        if let Some(row) = image.next_group::<#module::#row>() { #nulls #(#writes)* }
    }
}

/// A name for the cell of a field that no field has.
fn cell_name(field: &FieldPlan<'_>) -> Ident {
    format_ident!("cell_{}", field.index)
}
