//! How `database!` comes to know items that it does not see.
//!
//! A derive sees its own item and nothing else, and `database!` sees the names alone. So every derive leaves a macro beside
//! its item, under the item's name (macros have names of their own, so `use world::Player` brings both), which hands on the
//! item's tokens:
//!
//! ```text
//! database! { name: Arena, tables: [Player, Guild] }
//!   Player! { [[Guild] [__database]] { name: Arena, … } }
//!     Guild! { [[__database]] { { name: Arena, … } { Table pub struct Player … } } }
//!       __database! { [] { { { name: Arena, … } { Table pub struct Player … } } { Table pub struct Guild … } } }
//! ```
//!
//! What was found so far is one pair of braces, which the compiler hands on without looking into it: were it a list, each of
//! 300 tables would copy all before it.
//!
//! Every link of a chain is one level of recursion to the compiler, which stops at 128. So a long list is gathered by several
//! chains; each ends in a macro that hands on all of its items at once, and the last chain goes through those:
//!
//! ```text
//! database! { name: Arena, tables: [Player, Guild, … 300 more] }
//!   Player! { [[Guild] … [__part]] { __dbgen_part_arena_0 } }    … macro_rules! __dbgen_part_arena_0
//!   Spell! { [[Quest] … [__part]] { __dbgen_part_arena_1 } }     … macro_rules! __dbgen_part_arena_1
//!   __dbgen_part_arena_0! { [[__dbgen_part_arena_1] [__database]] { name: Arena, … } }
//! ```
//!
//! Nothing is remembered between expansions, so it works whatever the order in which the compiler expands, and tokens keep
//! their places: a mistake that shows only in the end is reported at the user's item.

use crate::ast::{Errors, Item, Kind, essence};
use crate::database::Database;
use dbgen::names::{snake, unraw};
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{DeriveInput, Error, Generics, Result};

/// What a derive expands to.
pub(crate) fn derive(kind: Kind, input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let derive = Ident::new(kind.derive(), Span::call_site());
    match Item::read(kind, &input) {
        Ok(item) => {
            let relay = relay(&input.ident, &quote!(#derive), essence(&input).to_token_stream());
            let aliases = aliases(&item);
            quote!(#relay #aliases)
        }
        Err(error) => {
            let (ident, generics) = (&input.ident, &input.generics);
            let relay = relay(ident, &quote!(Broken), quote!(#ident #generics));
            let reported = crate::fallback::broken(ident, generics, error);
            quote!(#relay #reported)
        }
    }
}

/// The macro that hands on an item, under the item's name.
fn relay(ident: &Ident, what: &TokenStream, item: TokenStream) -> TokenStream {
    let name = format_ident!("__dbgen_{}", unraw(ident));
    let macro_rules = hands_on(&name, &quote!(#what #item));
    quote! {
        #macro_rules
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub(crate) use #name as #ident;
    }
}

/// The macro that calls the next of its chain with this beside what was found before.
fn hands_on(name: &Ident, tokens: &TokenStream) -> TokenStream {
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #name {
            ([[$($next:tt)*] $($rest:tt)*] $found:tt) => {
                $($next)*! { [$($rest)*] { $found { #tokens } } }
            };
        }
    }
}

/// Aliases of the types that an item names and that no one can find but from where the item stands: `database!` asks them
/// whether there is such a type at all (see `fallback`).
fn aliases(item: &Item) -> TokenStream {
    let aliases = crate::types::named_types(item).into_iter().map(|named| {
        let (alias, ty) = (named.alias, named.ty);
        // In angle brackets as in the item: what the compiler says of a type that is none is then the same twice, and so
        // said once.
        let ty = if named.is_argument { quote!(::core::option::Option<#ty>) } else { quote!(#ty) };
        quote! {
            #[doc(hidden)]
            #[allow(dead_code, non_camel_case_types, private_interfaces)]
            pub(crate) type #alias = #ty;
        }
    });
    aliases.collect()
}

/// As many items as one chain has. Recursion ends at 128 levels; some are left for where the database stands.
const CHAIN_ITEMS_MAX: usize = 64;

/// What `database!` expands to: the first of the chain, or of each.
pub(crate) fn database(input: TokenStream) -> TokenStream {
    let (database, errors) = match Parser::parse2(|input: ParseStream<'_>| Ok(Database::read(input)), input.clone()) {
        Ok(read) => read,
        Err(error) => return error.into_compile_error(),
    };
    let database = match (database, errors.finish()) {
        (Some(database), Ok(())) => database,
        (Some(database), Err(error)) => return crate::fallback::unread(&database, error),
        (None, error) => return error.err().map(Error::into_compile_error).unwrap_or_default(),
    };
    let macros = match &database.macros {
        Some(path) => quote!(#path),
        None => quote!(::dbgen_macros),
    };
    let items: Vec<TokenStream> = database.paths().map(ToTokens::to_token_stream).collect();
    if items.len() <= CHAIN_ITEMS_MAX {
        return chain(&items, &quote!(#macros::__database), &input);
    }
    let parts = items.chunks(CHAIN_ITEMS_MAX);
    let names: Vec<Ident> =
        (0..parts.len()).map(|at| format_ident!("__dbgen_part_{}_{at}", snake(&database.name()))).collect();
    let parts = parts.zip(&names).map(|(items, name)| chain(items, &quote!(#macros::__part), &quote!(#name)));
    let names = names.iter().map(ToTokens::to_token_stream).collect::<Vec<_>>();
    let all = chain(&names, &quote!(#macros::__database), &input);
    quote!(#(#parts)* #all)
}

/// Calls the first of these macros, which calls the next, and so on to the last, which is given all that they hand on.
fn chain(macros: &[TokenStream], last: &TokenStream, seed: &TokenStream) -> TokenStream {
    let all: Vec<&TokenStream> = macros.iter().chain([last]).collect();
    let Some((first, rest)) = all.split_first() else { return TokenStream::new() };
    quote!(#first! { [#([#rest])*] { #seed } })
}

/// What a chain ends with that gathered a part of the items: the macro that hands on all of them.
pub(crate) fn part(tokens: TokenStream) -> TokenStream {
    let Some((name, _)) = unwound(tokens.clone()) else { return use_database().into_compile_error() };
    let name: Ident = match syn::parse2(name) {
        Ok(name) => name,
        Err(error) => return error.into_compile_error(),
    };
    hands_on(&name, &quote!(Part { #tokens }))
}

/// What a chain began with, and what its macros handed on, in their order.
fn unwound(tokens: TokenStream) -> Option<(TokenStream, Vec<TokenStream>)> {
    let [_, TokenTree::Group(all)] = &tokens.into_iter().collect::<Vec<TokenTree>>()[..] else { return None };
    let (mut rest, mut found) = (all.stream(), Vec::new());
    while let Some((before, item)) = pair(&rest) {
        match part_of(&item) {
            Some(part) => found.extend(unwound(part)?.1.into_iter().rev()),
            None => found.push(item),
        }
        rest = before;
    }
    found.reverse();
    Some((rest, found))
}

/// What [`part`] handed on.
fn part_of(item: &TokenStream) -> Option<TokenStream> {
    let mut tokens = item.clone().into_iter();
    match (tokens.next()?, tokens.next()?) {
        (TokenTree::Ident(word), TokenTree::Group(part)) if word == "Part" => Some(part.stream()),
        _ => None,
    }
}

fn use_database() -> Error {
    Error::new(Span::call_site(), "use `database!`")
}

/// What the chain gathered.
pub(crate) struct Gathered {
    pub(crate) database: Database,
    pub(crate) items: Vec<Found>,
}

/// An item of the chain.
pub(crate) enum Found {
    Item(Box<Item>),
    /// Its derive reported what is wrong with it.
    Broken {
        is_generic: bool,
    },
}

impl Gathered {
    /// Reads what the last of the chain is called with: `[] { { { database } { item } } { item } }`.
    ///
    /// # Errors
    /// If it is anything else, which people can only do on purpose.
    pub(crate) fn read(tokens: TokenStream) -> Result<Gathered> {
        let (database, items) = unwound(tokens).ok_or_else(use_database)?;
        let items = items.into_iter().map(|item| syn::parse2(at_call_site(item))).collect::<Result<_>>()?;
        Ok(Gathered { database: syn::parse2(at_call_site(database))?, items })
    }
}

/// The contents of two pairs of braces, if that is all there is.
fn pair(tokens: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    let mut tokens = tokens.clone().into_iter();
    let mut braces = || match tokens.next() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    };
    let pair = (braces()?, braces()?);
    tokens.next().is_none().then_some(pair)
}

impl Parse for Found {
    fn parse(input: ParseStream<'_>) -> Result<Found> {
        let what: Ident = input.parse()?;
        match Kind::of(&what.to_string()) {
            Some(kind) => Item::read(kind, &input.parse()?).map(Box::new).map(Found::Item),
            None => {
                input.parse::<Ident>()?;
                Ok(Found::Broken { is_generic: !input.parse::<Generics>()?.params.is_empty() })
            }
        }
    }
}

impl Gathered {
    /// Whether the derive of an item found it wrong.
    pub(crate) fn is_broken(&self) -> bool {
        self.items.iter().any(|found| matches!(found, Found::Broken { .. }))
    }

    /// The items that are as they should be, in the order of the lists.
    pub(crate) fn into_items(self) -> (Database, Vec<Item>) {
        let items = self.items.into_iter().filter_map(|found| match found {
            Found::Item(item) => Some(*item),
            Found::Broken { .. } => None,
        });
        (self.database, items.collect())
    }
}

/// Whether every item stands under the list of its kind.
///
/// # Errors
/// One for each that does not.
pub(crate) fn check_lists(database: &Database, items: &[Item]) -> Result<()> {
    let mut errors = Errors::default();
    let lists = database.tables.iter().map(|_| "tables").chain(database.types.iter().map(|_| "types"));
    for ((item, path), list) in items.iter().zip(database.paths()).zip(lists) {
        if item.kind.list() != list {
            let message = format!("`{}` is {}: list it under `{}`", item.ident, item.kind.noun(), item.kind.list());
            errors.push(Error::new_spanned(path, message));
        }
    }
    errors.finish()
}

/// Tokens whose places are the user's, but whose names mean what they mean where the macro is used.
fn at_call_site(tokens: TokenStream) -> TokenStream {
    let resolved = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            let mut inner = proc_macro2::Group::new(group.delimiter(), at_call_site(group.stream()));
            inner.set_span(group.span().resolved_at(Span::call_site()));
            return TokenTree::Group(inner);
        }
        token.set_span(token.span().resolved_at(Span::call_site()));
        token
    };
    tokens.into_iter().map(resolved).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a macro with this definition expands to, if it is called with what stands in the call.
    fn handed_on(definition: &TokenStream, found: TokenStream) -> TokenStream {
        let text = definition.to_string();
        let (_, inside) = text.split_once("$ found {").expect("it hands on what was found");
        let end = inside.rfind("} } } } ;").expect("the braces end");
        let item: TokenStream = inside[..end].parse().expect("balanced");
        quote!({ #found { #item } })
    }

    #[test]
    fn what_several_chains_gathered_is_one_list_in_the_order_of_the_lists() {
        let item =
            |at: usize| format!("Table pub struct T{at} {{ pub x: u8 }}").parse::<TokenStream>().expect("tokens");
        let mut all = quote!({ name: Arena, tables: [] });
        for chunk in [0..3, 3..5, 5..6] {
            let mut found = quote!({ __dbgen_part_arena_0 });
            for at in chunk {
                let item = item(at);
                found = quote!({ #found { #item } });
            }
            all = handed_on(&part(quote!([] #found)), all);
        }
        let gathered = Gathered::read(quote!([] #all)).unwrap_or_else(|error| panic!("{error}"));
        let names = gathered.into_items().1.into_iter().map(|item| item.ident.to_string()).collect::<Vec<_>>();
        assert_eq!(names, ["T0", "T1", "T2", "T3", "T4", "T5"]);
    }
}
