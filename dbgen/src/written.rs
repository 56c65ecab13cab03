//! What stands in Rust already: the structs and enums that the derives of `dbgen-macros` stand on.
//!
//! Generated code names them instead of declaring them. Everything else is generated as for a schema file, but that items
//! which speak of a type reach no further than the type, as the compiler demands.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
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
    /// Its name where its author wrote it.
    pub ident: Ident,
    /// What its author called its fields or variants, in the order of the schema.
    pub members: Vec<Ident>,
    /// A composite whose fields are cells, so that rows hold it as it is.
    pub is_cells: bool,
    /// How far it can be seen.
    pub reach: Reach,
}

/// How far an item can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// In the module around the generated one.
    Module,
    /// In the crate.
    Crate,
    /// Everywhere.
    Public,
}

impl Written {
    fn all(&self) -> impl Iterator<Item = &WrittenType> {
        self.enums.iter().chain(&self.composites).chain(&self.tables)
    }

    /// The module is seen as far as anything in it.
    pub(crate) fn reach_of_module(&self) -> Reach {
        self.all().map(|it| it.reach).max().unwrap_or(Reach::Public)
    }

    /// The reach of every piece that [`items`](crate::emit::items) makes. What stands for the whole database speaks of all
    /// types.
    pub(crate) fn reach_of_pieces(&self) -> impl Iterator<Item = Reach> {
        let least = self.all().map(|it| it.reach).min().unwrap_or(Reach::Public);
        let types = self.enums.iter().chain(&self.composites).map(|it| it.reach);
        let tables = self.tables.iter().flat_map(|it| [it.reach; crate::emit::PIECES_OF_TABLE]);
        [least; crate::emit::PIECES_BEFORE].into_iter().chain(types).chain(tables)
    }
}

impl WrittenType {
    /// Makes the type known in the generated module under the name that generated code uses, and in the module around it,
    /// where the path may be a private import: no further.
    pub(crate) fn import(&self, name: &Ident) -> TokenStream {
        let path = &self.path;
        let last = path.clone().into_iter().last();
        let is_same = last.is_some_and(|last| *name == last.to_token_stream().to_string());
        let renamed = (!is_same).then(|| quote!(as #name));
        quote!(pub(super) use #path #renamed;)
    }

    /// Its name in the generated module, standing where its author wrote it: what the compiler has against the type is said
    /// there.
    pub(crate) fn placed(&self, name: &Ident) -> Ident {
        let mut placed = name.clone();
        placed.set_span(self.ident.span());
        placed
    }

    /// What the author called this member.
    pub(crate) fn member(&self, at: usize) -> Option<&Ident> {
        self.members.get(at)
    }
}

impl Reach {
    /// The tokens, which stand `depth` modules below the one around the generated module, with every `pub` as far as this.
    pub(crate) fn narrowed(self, tokens: TokenStream, depth: usize) -> TokenStream {
        if self == Reach::Public {
            return tokens;
        }
        // `mod player { … }`: whether the word stood one or two tokens before.
        let (mut out, mut mod_before) = (TokenStream::new(), [false; 2]);
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let is_restricted =
                matches!(tokens.peek(), Some(TokenTree::Group(it)) if it.delimiter() == Delimiter::Parenthesis);
            let [is_named_module, is_module_named_next] = mod_before;
            mod_before = [is_module_named_next, matches!(&token, TokenTree::Ident(ident) if ident == "mod")];
            match token {
                TokenTree::Ident(ident) if ident == "pub" && !is_restricted => out.extend(self.visibility(depth)),
                TokenTree::Group(group) => {
                    let is_module = group.delimiter() == Delimiter::Brace && is_named_module;
                    let inner = self.narrowed(group.stream(), depth + usize::from(is_module));
                    let mut inner = Group::new(group.delimiter(), inner);
                    inner.set_span(group.span());
                    out.extend([TokenTree::Group(inner)]);
                }
                token => out.extend([token]),
            }
        }
        out
    }

    fn visibility(self, depth: usize) -> TokenStream {
        match (self, depth) {
            (Reach::Public, _) => quote!(pub),
            (Reach::Crate, _) => quote!(pub(crate)),
            (Reach::Module, 0) => quote!(),
            (Reach::Module, 1) => quote!(pub(super)),
            (Reach::Module, depth) => {
                let more = (1..depth).map(|_| quote!(::super));
                quote!(pub(in super #(#more)*))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_items_reach_no_further_than_what_they_speak_of() {
        let tokens = || quote!(pub struct Players(rt::View); pub mod player { pub(super) a: u8, pub b: u8 });
        let narrowed = |reach: Reach| reach.narrowed(tokens(), 1).to_string();
        assert_eq!(narrowed(Reach::Public), tokens().to_string());
        let in_crate =
            quote!(pub(crate) struct Players(rt::View); pub(crate) mod player { pub(super) a: u8, pub(crate) b: u8 });
        assert_eq!(narrowed(Reach::Crate), in_crate.to_string());
        let in_module = quote!(pub(super) struct Players(rt::View); pub(super) mod player { pub(super) a: u8, pub(in super::super) b: u8 });
        assert_eq!(narrowed(Reach::Module), in_module.to_string());
        assert_eq!(Reach::Module.narrowed(quote!(pub mod arena), 0).to_string(), "mod arena");
    }
}
