//! What is left of a database that does not compile: enough that one mistake gives one error.
//!
//! The names that a game uses stay there, as types that are themselves the reported error; the compiler asks nothing more of
//! such a type.

use crate::ast::{Item, Kind};
use crate::database::{Database, from_inside};
use crate::relay::{Found, Gathered};
use crate::write::Unlisted;
use dbgen::names::{ident, pascal, plural, snake, unraw};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
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
    let why = quote!(<#path as ::dbgen_runtime::__private::Broken>::Why);
    module(database, stubs, &Mistakes { why, ..Mistakes::default() })
}

/// The module of a database that is described wrong, so that nobody asked its items: the mistakes, the first as a type.
pub(crate) fn unread(database: &Database, error: Error) -> TokenStream {
    let (why, outside) = split(error);
    let stubs = database.paths().zip(kinds(database)).map(|(path, kind)| Stub::unknown(path, kind));
    module(database, stubs, &Mistakes { why, outside, ..Mistakes::default() })
}

/// What kind of things the lists hold, as far as they tell.
fn kinds(database: &Database) -> impl Iterator<Item = Kind> {
    database.tables.iter().map(|_| Kind::Table).chain(database.types.iter().map(|_| Kind::Composite))
}

/// The module of a database whose schema is wrong: the mistakes, the first as a type.
pub(crate) fn reporting(database: &Database, items: &[Item], error: Error) -> TokenStream {
    let stubs = database.paths().zip(items).map(|(path, item)| Stub::of(path, item));
    module(database, stubs, &Mistakes::of(database, items, error))
}

/// Mistakes, as they stand in what is left of a database.
#[derive(Default)]
struct Mistakes {
    /// The first, as a type.
    why: TokenStream,
    /// What the module holds beside it.
    inside: TokenStream,
    /// The others.
    outside: TokenStream,
}

impl Mistakes {
    /// A type that is not listed is a mistake only if there is such a type: one that cannot be found is reported where the
    /// struct names it, by the compiler, which then says nothing more of what is made of it.
    fn of(database: &Database, items: &[Item], error: Error) -> Mistakes {
        let (unlisted, paths) = (crate::write::unlisted(items), database.paths().collect::<Vec<_>>());
        let is_other = |error: &Error| {
            let message = error.to_string();
            !unlisted.iter().any(|it| it.message == message)
        };
        let others = error.into_iter().filter(is_other).reduce(|mut all, error| {
            all.combine(error);
            all
        });
        let found = unlisted.iter().filter_map(|it| Some((it, beside(paths.get(it.item)?, &it.named.alias)?)));
        let found: Vec<_> = found.enumerate().map(|(at, (it, path))| if_found(at, &path, it)).collect();
        let Some(((first, number), more)) = found.split_first() else {
            let (why, outside) = others.map(split).unwrap_or_default();
            return Mistakes { why, outside, ..Mistakes::default() };
        };
        let (traits, numbers): (Vec<_>, Vec<_>) = more.iter().cloned().unzip();
        Mistakes {
            why: quote!([(); #number]),
            inside: quote!(#first #(#traits const _: usize = #numbers;)*),
            outside: others.map(Error::into_compile_error).unwrap_or_default(),
        }
    }
}

/// A trait that no type has, and a number that is a mistake if there is a type under this path, because it lacks the trait.
fn if_found(at: usize, path: &Path, it: &Unlisted) -> (TokenStream, TokenStream) {
    let (path, message) = (from_inside(path), &it.message);
    let name = if at == 0 { format_ident!("Listed") } else { format_ident!("Listed{at}") };
    let is_argument = it.named.is_argument;
    let unwrap = format_ident!("Unwrap{at}");
    let unwrapped = is_argument.then(|| {
        quote! {
            trait #unwrap {
                type Inner;
            }
            impl<T> #unwrap for ::core::option::Option<T> {
                type Inner = T;
            }
        }
    });
    let ty = if is_argument { quote!(<#path as #unwrap>::Inner) } else { path };
    let ty = placed(ty, &it.named.ty);
    let listed = quote! {
        #unwrapped
        #[diagnostic::on_unimplemented(message = #message, label = "not of this database")]
        trait #name {
            const N: usize;
        }
        #[diagnostic::do_not_recommend]
        impl #name for () {
            const N: usize = 0;
        }
    };
    (listed, quote!(<#ty as #name>::N))
}

/// The path of something that stands beside an item.
fn beside(path: &Path, ident: &Ident) -> Option<Path> {
    let mut path = path.clone();
    let last = path.segments.last_mut()?;
    last.ident = ident.clone();
    Some(path)
}

/// Tokens that stand where others do, so that what is wrong with them is shown there.
fn placed(tokens: TokenStream, place: &impl ToTokens) -> TokenStream {
    let place: Vec<TokenTree> = place.to_token_stream().into_iter().collect();
    let start = place.first().map_or_else(Span::call_site, TokenTree::span);
    let end = place.last().map_or(start, TokenTree::span);
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.iter_mut().for_each(|token| token.set_span(start));
    if let Some(last) = tokens.last_mut() {
        last.set_span(end);
    }
    tokens.into_iter().collect()
}

/// The first of several mistakes, and the others.
fn split(error: Error) -> (TokenStream, TokenStream) {
    let mut all = error.into_iter();
    // As the length of an array an error makes the type erroneous; the compiler then reports nothing else about it.
    let first = all.next().map(|error| error.into_compile_error()).map(|error| quote!([(); #error]));
    let rest = all.map(|error| error.into_compile_error());
    (first.unwrap_or_else(|| quote!(())), quote!(#(#rest)*))
}

fn module<'a>(database: &Database, stubs: impl Iterator<Item = Stub<'a>>, mistakes: &Mistakes) -> TokenStream {
    let Mistakes { why, inside, outside } = mistakes;
    let (name, facade) = (ident(&snake(&database.name())), pascal(&database.name()));
    let (facade, schema) = (ident(&facade), format_ident!("{facade}Schema"));
    let mut names = HashSet::new();
    let stubs = stubs.filter(|stub| names.insert(stub.name.clone()));
    let items = stubs.map(|stub| if stub.kind == Kind::Table { table(&stub) } else { value(&stub) });
    quote! {
        #[allow(dead_code, unused_imports, unreachable_pub, non_upper_case_globals, private_interfaces)]
        pub mod #name {
            pub type Why = #why;
            #inside
            pub type #facade = Why;
            pub type #schema = Why;
            pub type View = Why;
            pub type Tx = Why;
            pub type Tick = Why;
            #(#items)*
        }
        #outside
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
