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
//! Nothing is remembered between expansions, so it works whatever the order in which the compiler expands, and tokens keep
//! their places: a mistake that shows only in the end is reported at the user's item.

use crate::ast::{Errors, Item, Kind, essence};
use crate::database::Database;
use dbgen::names::unraw;
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
        Ok(_) => relay(&input.ident, &quote!(#derive), essence(&input).to_token_stream()),
        Err(error) => {
            let (ident, generics) = (&input.ident, &input.generics);
            let relay = relay(ident, &quote!(Broken), quote!(#ident #generics));
            let reported = crate::fallback::broken(ident, generics, error);
            quote!(#relay #reported)
        }
    }
}

/// The macro that hands on an item.
fn relay(ident: &Ident, what: &TokenStream, item: TokenStream) -> TokenStream {
    let name = format_ident!("__dbgen_{}", unraw(ident));
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #name {
            ([[$($next:tt)*] $($rest:tt)*] $found:tt) => {
                $($next)*! { [$($rest)*] { $found { #what #item } } }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub(crate) use #name as #ident;
    }
}

/// What `database!` expands to: the first of the chain.
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
    let last = match &database.macros {
        Some(path) => quote!(#path::__database),
        None => quote!(::dbgen_macros::__database),
    };
    let all: Vec<TokenStream> = database.paths().map(|path| quote!(#path)).chain([last]).collect();
    let Some((first, rest)) = all.split_first() else { return TokenStream::new() };
    quote!(#first! { [#([#rest])*] { #input } })
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
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let [_, TokenTree::Group(all)] = trees.as_slice() else {
            return Err(Error::new(Span::call_site(), "use `database!`"));
        };
        let (mut rest, mut items) = (all.stream(), Vec::new());
        while let Some((before, item)) = pair(&rest) {
            items.push(syn::parse2(at_call_site(item))?);
            rest = before;
        }
        items.reverse();
        Ok(Gathered { database: syn::parse2(at_call_site(rest))?, items })
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
