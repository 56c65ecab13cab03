//! What is left of a database that does not compile: enough that one mistake gives one error.
//!
//! The names that a game uses stay there, as types that are themselves the reported error; the compiler asks nothing more of
//! such a type.

use crate::ast::{Item, Kind};
use crate::database::{Database, from_inside};
use crate::relay::{Found, Gathered};
use dbgen::names::{ident, pascal, plural, snake, unraw};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::HashSet;
use syn::{Error, Generics, Path};

/// What a derive leaves of an item that it cannot use: its mistakes, the first as a type.
pub(crate) fn broken(ident: &Ident, generics: &Generics, error: Error) -> TokenStream {
    if !generics.params.is_empty() {
        return error.into_compile_error();
    }
    let (first, rest) = split(error);
    quote! {
        impl ::dbgen_runtime::__private::Broken for #ident {
            type Why = #first;
        }
        #rest
    }
}

/// What stands for a type of the database, and what generated code would call it.
struct Stub<'a> {
    path: &'a Path,
    kind: Kind,
    name: String,
}

impl<'a> Stub<'a> {
    fn of(path: &'a Path, item: &Item) -> Stub<'a> {
        Stub { path, kind: item.kind, name: pascal(&item.name()) }
    }

    /// For one that is known by its path alone.
    fn unknown(path: &'a Path, kind: Kind) -> Stub<'a> {
        let last = path.segments.last().map(|last| unraw(&last.ident)).unwrap_or_default();
        Stub { path, kind, name: pascal(&last) }
    }
}

/// The module of a database some of whose items are broken, which was reported there.
pub(crate) fn silent(gathered: &Gathered) -> TokenStream {
    let database = &gathered.database;
    let found = || gathered.items.iter().zip(database.paths());
    let broken = found().find(|(found, _)| matches!(found, Found::Broken { is_generic: false }));
    // What is generic cannot be named without its parameters, so there is no type to hand the error on.
    let Some((_, broken)) = broken else { return TokenStream::new() };
    let path = from_inside(broken);
    let stubs = found().zip(kinds(database)).map(|((found, path), kind)| match found {
        Found::Item(item) => Stub::of(path, item),
        Found::Broken { .. } => Stub::unknown(path, kind),
    });
    module(database, stubs, &quote!(<#path as ::dbgen_runtime::__private::Broken>::Why), &quote!())
}

/// The module of a database that is described wrong, so that nobody asked its items: the mistakes, the first as a type.
pub(crate) fn unread(database: &Database, error: Error) -> TokenStream {
    let (first, rest) = split(error);
    let stubs = database.paths().zip(kinds(database)).map(|(path, kind)| Stub::unknown(path, kind));
    module(database, stubs, &first, &rest)
}

/// What kind of things the lists hold, as far as they tell.
fn kinds(database: &Database) -> impl Iterator<Item = Kind> {
    database.tables.iter().map(|_| Kind::Table).chain(database.types.iter().map(|_| Kind::Composite))
}

/// The module of a database whose schema is wrong: the mistakes, the first as a type.
pub(crate) fn reporting(database: &Database, items: &[Item], error: Error) -> TokenStream {
    let (first, rest) = split(error);
    let stubs = database.paths().zip(items).map(|(path, item)| Stub::of(path, item));
    module(database, stubs, &first, &rest)
}

/// The first of several mistakes, and the others.
fn split(error: Error) -> (TokenStream, TokenStream) {
    let mut all = error.into_iter();
    // As the length of an array an error makes the type erroneous; the compiler then reports nothing else about it.
    let first = all.next().map(|error| error.into_compile_error()).map(|error| quote!([(); #error]));
    let rest = all.map(|error| error.into_compile_error());
    (first.unwrap_or_else(|| quote!(())), quote!(#(#rest)*))
}

fn module<'a>(
    database: &Database,
    stubs: impl Iterator<Item = Stub<'a>>,
    why: &TokenStream,
    rest: &TokenStream,
) -> TokenStream {
    let (name, facade) = (ident(&snake(&database.name())), pascal(&database.name()));
    let (facade, schema) = (ident(&facade), format_ident!("{facade}Schema"));
    let mut names = HashSet::new();
    let stubs = stubs.filter(|stub| names.insert(stub.name.clone()));
    let items = stubs.map(|stub| if stub.kind == Kind::Table { table(&stub) } else { value(&stub) });
    quote! {
        #[allow(dead_code, unused_imports, unreachable_pub, non_upper_case_globals, private_interfaces)]
        pub mod #name {
            pub type Why = #why;
            pub type #facade = Why;
            pub type #schema = Why;
            pub type View = Why;
            pub type Tx = Why;
            pub type Tick = Why;
            #(#items)*
        }
        #rest
    }
}

fn value(stub: &Stub<'_>) -> TokenStream {
    let (path, own) = (from_inside(stub.path), ident(&stub.name));
    quote! {
        pub(super) use #path as #own;
        impl ::core::default::Default for #own {
            fn default() -> #own {
                loop {}
            }
        }
        impl #own {
            pub const new: Why = loop {};
        }
    }
}

fn table(stub: &Stub<'_>) -> TokenStream {
    let (path, own, many) = (from_inside(stub.path), ident(&stub.name), plural(&stub.name));
    let (many_mut, many, name) = (format_ident!("{many}Mut"), ident(&many), &stub.name);
    let [patch, record_ref, record_mut] = ["Patch", "Ref", "Mut"].map(|suffix| format_ident!("{name}{suffix}"));
    quote! {
        pub(super) use #path as #own;
        impl #own {
            pub const new: Why = loop {};
        }
        pub type #patch = Why;
        pub type #record_ref<'v> = (&'v (), Why);
        pub type #record_mut<'v> = (&'v (), Why);
        pub type #many<'v> = (&'v (), Why);
        pub type #many_mut<'v> = (&'v (), Why);
    }
}
