//! One schema, four ways: from a build script, `dbgen generate`, `schema!` and derives come the same items, token for token.
//! What is left to the author of a derive is left out of the comparison: the structs and enums themselves.

use crate::ast::{Item, Kind};
use crate::database::Database;
use crate::{expand, schema_file};
use dbgen::{Options, schema::Schema};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use syn::{DeriveInput, File, LitStr};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("the fixtures are there")
}

/// The module that derives make of a file of Rust, found as the macros find it.
fn derived(file: &File) -> TokenStream {
    let database = file.items.iter().find_map(|item| match item {
        syn::Item::Macro(it) if it.mac.path.is_ident("database") => Some(it.mac.tokens.clone()),
        _ => None,
    });
    let database: Database = syn::parse2(database.expect("a `database!`")).expect("it is right");
    let items: Vec<Item> = file.items.iter().filter_map(derive_of).map(|(kind, input)| item(kind, &input)).collect();
    // In the order of the lists, as the chain of macros brings them.
    let find = |path: &syn::Path| {
        let ident = &path.segments.last().expect("a path has a part").ident;
        items.iter().position(|item| item.ident == *ident).expect("what is listed is there")
    };
    let mut order: Vec<usize> = database.paths().map(find).collect();
    let mut slots: Vec<Option<Item>> = items.into_iter().map(Some).collect();
    let items: Vec<Item> = order.drain(..).filter_map(|at| slots[at].take()).collect();
    expand::module(&database, &items).unwrap_or_else(|error| panic!("{error}"))
}

fn item(kind: Kind, input: &DeriveInput) -> Item {
    Item::read(kind, input).unwrap_or_else(|error| panic!("{}: {error}", input.ident))
}

fn derive_of(item: &syn::Item) -> Option<(Kind, DeriveInput)> {
    let (attributes, tokens) = match item {
        syn::Item::Struct(it) => (&it.attrs, it.to_token_stream()),
        syn::Item::Enum(it) => (&it.attrs, it.to_token_stream()),
        _ => return None,
    };
    let derives = attributes.iter().filter(|it| it.path().is_ident("derive"));
    let derives: String =
        derives.filter_map(|it| it.meta.require_list().ok()).map(|it| it.tokens.to_string()).collect();
    let kind = derives.split(',').find_map(|derive| Kind::of(derive.trim()))?;
    Some((kind, syn::parse2(tokens).expect("a struct or an enum")))
}

/// The items of the one module of some tokens, without what the author of a derive writes, or imports.
fn items(module: &str, authors: &HashSet<String>) -> Vec<syn::Item> {
    let is_authors = |item: &syn::Item| match item {
        syn::Item::Struct(it) => authors.contains(&it.ident.to_string()),
        syn::Item::Enum(it) => authors.contains(&it.ident.to_string()),
        syn::Item::Use(it) => !it.to_token_stream().to_string().contains("__private as rt"),
        // That an author's type has what records need.
        syn::Item::Const(it) => it.to_token_stream().to_string().contains("rt :: is_held"),
        // Declared types of plain fields derive it; for those of an author it is written out.
        syn::Item::Impl(it) => {
            let of = it.trait_.as_ref().and_then(|(path, _)| path.segments.last());
            let is_default = of.is_some_and(|last| last.ident == "Default");
            is_default && authors.contains(&it.self_ty.to_token_stream().to_string()) && is_type(it)
        }
        _ => false,
    };
    let (_, items) = the_module(module).content.expect("it has items");
    items.into_iter().filter(|item| !is_authors(item)).collect()
}

fn the_module(text: &str) -> syn::ItemMod {
    let mut items = syn::parse_file(text).expect("generated code is Rust").items;
    match (items.pop(), items.as_slice()) {
        (Some(syn::Item::Mod(module)), []) => module,
        _ => panic!("one module"),
    }
}

/// An item as the formatter leaves it: it adds commas and braces, some only when it is asked again.
fn formatted(item: &syn::Item) -> String {
    let mut text = item.to_token_stream().to_string();
    loop {
        let next = prettyplease::unparse(&syn::parse_file(&text).expect("generated code is Rust"));
        if next == text {
            return text;
        }
        text = next;
    }
}

/// Whether a `Default` is that of a composite or an enum: that of a record calls `new`.
fn is_type(it: &syn::ItemImpl) -> bool {
    !it.to_token_stream().to_string().contains(":: new ()")
}

/// The structs and enums of a schema, as generated code calls them.
fn authors(derived: &str) -> HashSet<String> {
    let (_, items) = the_module(derived).content.expect("it has items");
    let uses = items.iter().filter_map(|item| match item {
        syn::Item::Use(it) => Some(it.tree.to_token_stream().to_string()),
        _ => None,
    });
    uses.filter(|path| path.starts_with("super"))
        .filter_map(|path| path.rsplit(' ').next().map(str::to_owned))
        .collect()
}

fn compare(json: &str, rust: &str) {
    let derived = derived(&syn::parse_file(&read(rust)).expect("the fixture is Rust")).to_string();
    let schema = Schema::from_file(root().join(json)).expect("it is a schema");
    let name = json.rsplit('/').next().unwrap_or_default();
    // What a build script writes, and `dbgen generate`.
    let generated = dbgen::generate(&schema, &Options::new().source_name(name)).expect("it compiles");
    let in_one_line = schema_file::expand(&root(), &LitStr::new(json, Span::call_site())).to_string();
    let (_, in_one_line) = in_one_line.split_once(';').expect("what tracks the file comes first");

    let authors = authors(&derived);
    let types = schema.tables.len() + schema.enums.len() + schema.composites.len();
    assert_eq!(authors.len(), types, "{rust} has the tables and types of {json}");
    let [of_derives, of_file, in_one_line] =
        [derived.as_str(), generated.as_str(), in_one_line].map(|it| items(it, &authors));
    assert_eq!((of_derives.len(), of_file.len()), (in_one_line.len(), in_one_line.len()));
    for ((of_derives, of_file), in_one_line) in of_derives.iter().zip(&of_file).zip(&in_one_line) {
        assert_same(&of_derives.to_token_stream().to_string(), &in_one_line.to_token_stream().to_string());
        assert_same(&formatted(of_derives), &formatted(of_file));
    }
}

/// Shows the first line that differs: items are long.
#[track_caller]
fn assert_same(a: &str, b: &str) {
    let lines = a.lines().zip(b.lines());
    lines.for_each(|(a, b)| assert_eq!(a, b));
    assert_eq!(a.len(), b.len(), "one goes on");
}

#[test]
fn the_zoo_is_the_same_four_ways() {
    compare("tests/fixtures/zoo.json", "tests/fixtures/zoo.rs");
}

#[test]
fn the_arena_is_the_same_four_ways() {
    compare("schemas/arena.json", "tests/fixtures/arena.rs");
}
