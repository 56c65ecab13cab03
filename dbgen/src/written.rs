//! What stands in Rust already: the structs and enums that the derives of `dbgen-macros` stand on.
//!
//! Generated code names them instead of declaring them. Everything else is generated as for a schema file.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};

/// The types of a schema that are written in Rust, each list in the order of the schema.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// One per enum of the schema.
    pub enums: Vec<WrittenType>,
    /// One per composite of the schema.
    pub composites: Vec<WrittenType>,
    /// The record of every table of the schema.
    pub tables: Vec<WrittenType>,
}

/// A struct or enum that is written in Rust.
#[derive(Debug, Clone)]
pub struct WrittenType {
    /// Where generated code finds it, seen from the generated module: `super::world::Player`.
    pub path: TokenStream,
    /// What its author called its fields or variants, in the order of the schema.
    pub members: Vec<Ident>,
    /// A composite whose fields are cells, so that rows hold it as it is.
    pub is_cells: bool,
}

impl WrittenType {
    /// Makes the type known in the generated module under the name that generated code uses.
    pub(crate) fn import(&self, name: &Ident) -> TokenStream {
        let path = &self.path;
        let last = path.clone().into_iter().last();
        let is_same = last.is_some_and(|last| last.to_token_stream().to_string() == name.to_string());
        let renamed = (!is_same).then(|| quote!(as #name));
        quote!(pub use #path #renamed;)
    }

    /// What the author called this member.
    pub(crate) fn member(&self, at: usize) -> Option<&Ident> {
        self.members.get(at)
    }
}
