//! What holds for every schema: what passes the checks becomes Rust, and fast.

use crate::random::{self, Size};
use dbgen::{Options, generate};
use dbgen_schema::{Format, Schema, Source, Type};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn parse(text: String) -> Option<Schema> {
    Schema::parse(&Source { name: "random.json".to_owned(), text, format: Format::Json }).ok()
}

/// Says a name twice where Rust allows it once.
fn name_said_twice(items: &[syn::Item], module: &str) -> Option<String> {
    let mut types = BTreeSet::new();
    let mut methods = BTreeSet::new();
    for item in items {
        let declared = match item {
            syn::Item::Struct(it) => Some(&it.ident),
            syn::Item::Enum(it) => Some(&it.ident),
            syn::Item::Type(it) => Some(&it.ident),
            syn::Item::Mod(it) => Some(&it.ident),
            _ => None,
        };
        if let Some(name) = declared.filter(|name| !types.insert(name.to_string())) {
            return Some(format!("{module}::{name}"));
        }
        if let syn::Item::Impl(syn::ItemImpl { trait_: None, self_ty, items, .. }) = item {
            let owner = quote::quote!(#self_ty).to_string();
            let named = items.iter().filter_map(|it| match it {
                syn::ImplItem::Fn(it) => Some(&it.sig.ident),
                _ => None,
            });
            for name in named {
                if !methods.insert(format!("{owner}::{name}")) {
                    return Some(format!("{module}::{owner}::{name}"));
                }
            }
        }
        if let syn::Item::Mod(syn::ItemMod { ident, content: Some((_, items)), .. }) = item {
            let found = name_said_twice(items, &format!("{module}::{ident}"));
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_schema_becomes_rust_that_names_nothing_twice(seed: u64) {
        let size = Size { tables: 4, composites: 4, enums: 3, fields: 6 };
        let text = random::schema(seed, size);
        prop_assume!(parse(text.clone()).is_some());
        let schema = parse(text).expect("it was parsed once");
        let code = generate(&schema, &Options::new()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let file = syn::parse_file(&code).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(name_said_twice(&file.items, "crate"), None);
        prop_assert_eq!(generate(&schema, &Options::new()).expect("it was generated once"), code, "always the same");
    }
}

/// What a schema has of everything.
#[derive(Debug, Default)]
struct Counts {
    fields: usize,
    indexes: usize,
    /// Indexes by how many columns they have: one, two, three, more.
    columns: [usize; 4],
    /// Variants that carry a composite which holds a list.
    payloads_with_lists: usize,
}

impl Counts {
    fn of(schema: &Schema) -> Counts {
        let of_tables = schema.tables.iter().map(|table| table.fields.len());
        let fields = of_tables.chain(schema.composites.iter().map(|it| it.fields.len())).sum();
        let mut counts = Counts { fields, ..Counts::default() };
        for index in schema.tables.iter().flat_map(|table| &table.indexes) {
            counts.indexes += 1;
            counts.columns[index.fields.len().min(4) - 1] += 1;
        }
        let payloads = schema.enums.iter().flat_map(|it| &it.variants).filter_map(|variant| variant.payload.as_ref());
        let holds_list = |ty: &&Type| match ty {
            Type::Composite(idx) => {
                schema.composites[idx.at()].fields.iter().any(|field| matches!(field.ty, Type::List(_)))
            }
            _ => false,
        };
        counts.payloads_with_lists = payloads.filter(holds_list).count();
        counts
    }
}

/// A schema of the size of a shipping game's. The bars are for release builds on two cores; a debug build takes ten times as
/// long.
#[test]
fn a_schema_of_a_shipping_games_size_is_generated_in_half_a_second() {
    let size = Size { tables: 300, composites: 235, enums: 60, fields: 4 };
    let schema = (1..).find_map(|seed| parse(random::schema(seed, size))).expect("some seed is valid");
    assert_eq!((schema.tables.len(), schema.composites.len(), schema.enums.len()), (300, 235, 60));
    let counts = Counts::of(&schema);
    assert!(counts.fields >= 2000 && counts.indexes >= 130, "{counts:?}");
    assert!(counts.columns.iter().all(|count| *count >= 10) && counts.payloads_with_lists >= 5, "{counts:?}");

    #[allow(clippy::disallowed_methods, reason = "the time that it takes is what is tested")]
    let started = std::time::Instant::now();
    let code = generate(&schema, &Options::new()).expect("it is generated");
    let took = started.elapsed();
    println!("{counts:?}, {} lines, {} bytes in {took:?}", code.lines().count(), code.len());
    assert!(cfg!(debug_assertions) || took.as_millis() < 500, "{took:?}");
}
