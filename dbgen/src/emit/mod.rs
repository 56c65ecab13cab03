//! Emitters: the plan as Rust. Each writes one construct and decides nothing.

mod cells;
mod docs;
mod enumeration;
pub(crate) mod facade;
mod handle;
mod index;
mod literal;
mod payload;
mod record;
mod record_mut;
mod record_ref;
mod rows;
mod serialize;
mod split;
mod value;

use crate::CODEGEN_ABI;
use crate::plan::{Plan, TablePlan};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// What stands in front of the module's braces. A table without fields, a mark on its owner, has nothing to encode.
pub(crate) fn head(plan: &Plan<'_>) -> TokenStream {
    let (name, docs) = (&plan.facade.module, facade::module_docs(plan));
    quote! {
        #docs
        #[allow(unused, unreachable_pub, clippy::all, clippy::pedantic)]
        pub mod #name
    }
}

/// The module's items, in pieces of a few that belong together, each section made when it is asked for. What is missing is
/// the last item, [`facade::schema_json`].
pub(crate) fn items<'p, 's>(
    plan: &'p Plan<'s>,
    runtime: &TokenStream,
) -> impl Iterator<Item = TokenStream> + use<'p, 's> {
    let runtime = runtime.clone();
    (0..sections(plan)).flat_map(move |at| section(plan, &runtime, at))
}

/// How many sections there are: the one before all others, then one per enum, composite and table.
pub(crate) fn sections(plan: &Plan<'_>) -> usize {
    1 + plan.enums.len() + plan.composites.len() + plan.tables.len()
}

/// The pieces of one section.
pub(crate) fn section(plan: &Plan<'_>, runtime: &TokenStream, at: usize) -> Vec<TokenStream> {
    let Some(at) = at.checked_sub(1) else { return before(plan, runtime).into() };
    if let Some(it) = plan.enums.get(at) {
        let (items, serde) = (enumeration::enumeration(plan, it), serialize::of_enum(plan, it));
        return vec![quote!(#items #serde)];
    }
    let at = at - plan.enums.len();
    if let Some(it) = plan.composites.get(at) {
        let (items, serde) = (cells::composite(plan, it), serialize::of_composite(plan, it));
        return vec![quote!(#items #serde)];
    }
    plan.tables.get(at - plan.composites.len()).map(|it| table(plan, it).into()).unwrap_or_default()
}

fn before(plan: &Plan<'_>, runtime: &TokenStream) -> [TokenStream; PIECES_BEFORE] {
    let abi = Literal::u32_unsuffixed(CODEGEN_ABI);
    let prelude = quote! {
        use #runtime::__private as rt;

        const _: () = rt::check_codegen_abi(#abi);
    };
    [prelude, facade::facade(plan)]
}

/// The pieces before those of enums, composites and tables: the prelude and the facade.
pub(crate) const PIECES_BEFORE: usize = 2;

/// The pieces of a table; enums and composites are one each.
pub(crate) const PIECES_OF_TABLE: usize = 5;

fn table(plan: &Plan<'_>, it: &TablePlan<'_>) -> [TokenStream; PIECES_OF_TABLE] {
    let (record, record_ref) = (record::record(plan, it), record_ref::record_ref(plan, it));
    let (record_mut, handles) = (record_mut::record_mut(plan, it), handle::handles(plan, it));
    let serde = serialize::of_table(plan, it);
    [quote!(#record #serde), record_ref, record_mut, handles, rows::rows(plan, it)]
}
