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

/// The module's items, in pieces of a few that belong together, each made when it is asked for: a formatter that is done
/// with one piece before the next is made works in a small piece of memory, which is most of its speed. What is missing is
/// the last item, [`facade::schema_json`].
pub(crate) fn items<'p, 's>(
    plan: &'p Plan<'s>,
    runtime: &TokenStream,
) -> impl Iterator<Item = TokenStream> + use<'p, 's> {
    let abi = Literal::u32_unsuffixed(CODEGEN_ABI);
    let prelude = quote! {
        use #runtime::__private as rt;

        const _: () = rt::check_codegen_abi(#abi);
    };
    let enums = plan.enums.iter().map(|it| enumeration::enumeration(plan, it));
    let composites = plan.composites.iter().map(|it| cells::composite(plan, it));
    let tables = plan.tables.iter().flat_map(|it| table(plan, it));
    let before: [TokenStream; PIECES_BEFORE] = [prelude, facade::facade(plan)];
    before.into_iter().chain(enums).chain(composites).chain(tables)
}

/// The pieces before those of enums, composites and tables: the prelude and the facade.
pub(crate) const PIECES_BEFORE: usize = 2;

/// The pieces of a table; enums and composites are one each.
pub(crate) const PIECES_OF_TABLE: usize = 5;

fn table(plan: &Plan<'_>, it: &TablePlan<'_>) -> [TokenStream; PIECES_OF_TABLE] {
    let (record, record_ref) = (record::record(plan, it), record_ref::record_ref(plan, it));
    let (record_mut, handles) = (record_mut::record_mut(plan, it), handle::handles(plan, it));
    [record, record_ref, record_mut, handles, rows::rows(plan, it)]
}
