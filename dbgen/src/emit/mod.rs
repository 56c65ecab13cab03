//! Emitters: the plan as Rust. Each writes one construct and decides nothing.

mod cells;
mod docs;
mod enumeration;
mod facade;
mod handle;
mod index;
mod literal;
mod payload;
mod record;
mod record_mut;
mod record_ref;
mod rows;
mod split;
mod value;

use crate::plan::{Plan, TablePlan};
use crate::{CODEGEN_ABI, Error};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// The whole module.
///
/// # Errors
/// What an emitter could not write: a bug of the generator.
pub(crate) fn module(plan: &Plan<'_>) -> Result<TokenStream, Error> {
    let (name, docs, runtime) = (&plan.facade.module, facade::module_docs(plan), plan.options.runtime()?);
    let abi = Literal::u32_unsuffixed(CODEGEN_ABI);
    let (facade, json) = (facade::facade(plan), facade::schema_json(plan)?);
    let enums = plan.enums.iter().map(|it| enumeration::enumeration(plan, it));
    let composites = plan.composites.iter().map(|it| cells::composite(plan, it));
    let tables = plan.tables.iter().map(|it| table(plan, it));
    Ok(quote! {
        #docs
        #[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
        pub mod #name {
            use #runtime::__private as rt;

            const _: () = rt::check_codegen_abi(#abi);

            #facade
            #(#enums)*
            #(#composites)*
            #(#tables)*
            #json
        }
    })
}

fn table(plan: &Plan<'_>, table: &TablePlan<'_>) -> TokenStream {
    let (record, record_ref) = (record::record(plan, table), record_ref::record_ref(plan, table));
    let (record_mut, handles) = (record_mut::record_mut(plan, table), handle::handles(plan, table));
    let rows = rows::rows(plan, table);
    quote!(#record #record_ref #record_mut #handles #rows)
}
