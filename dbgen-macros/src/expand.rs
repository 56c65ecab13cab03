//! From the items of a database to its generated module.

use crate::ast::{Errors, Item, Kind};
use crate::database::{Database, from_inside};
use crate::fallback;
use crate::relay::Gathered;
use crate::text::Text;
use crate::write;
use dbgen::schema::diagnostic::Diagnostic;
use dbgen::schema::{Diagnostics, Format, Parsed, Severity, Source};
use dbgen::{Options, Reach, Written, WrittenType};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Error, Result, Visibility};

/// What the end of the chain expands to.
pub(crate) fn database(gathered: TokenStream) -> TokenStream {
    let gathered = match Gathered::read(gathered) {
        Ok(gathered) => gathered,
        Err(error) => return error.into_compile_error(),
    };
    if gathered.is_broken() {
        return fallback::silent(&gathered);
    }
    let (database, items) = gathered.into_items();
    let module = crate::relay::check_lists(&database, &items).and_then(|()| module(&database, &items));
    module.unwrap_or_else(|error| fallback::reporting(&database, &items, error))
}

/// The module of a database.
///
/// # Errors
/// Everything that is wrong with its schema, at the places of the items.
pub(crate) fn module(database: &Database, items: &[Item]) -> Result<TokenStream> {
    let text = Text::of(&write::schema(database, items)?);
    let source = Source { name: "database!".to_owned(), text: text.text.clone(), format: Format::Json };
    let parsed = Parsed::of(&source);
    let Some(schema) = parsed.schema else { return Err(errors(&parsed.diagnostics, &text)) };
    let mut options = Options::new();
    if let Some(runtime) = &database.runtime {
        options = options.runtime_path(runtime.to_token_stream().to_string());
    }
    let module = dbgen::expand_written(&schema, &options, &written(database, items));
    let module = module.map_err(|error| Error::new_spanned(&database.name, error))?;
    let warnings =
        parsed.diagnostics.iter().map(|it| crate::warning::warning(&message(it), text.at(&it.span).cloned()));
    Ok(quote!(#module #(#warnings)*))
}

/// The mistakes of the schema, each at the tokens that it was made of.
fn errors(mistakes: &Diagnostics, text: &Text) -> Error {
    let mut errors = Errors::default();
    for mistake in mistakes.iter().filter(|mistake| mistake.severity == Severity::Error) {
        let message = message(mistake);
        errors.push(match text.at(&mistake.span) {
            Some(tokens) => Error::new_spanned(tokens, message),
            None => Error::new(proc_macro2::Span::call_site(), message),
        });
    }
    errors.finish().err().unwrap_or_else(|| Error::new(proc_macro2::Span::call_site(), "the schema is not valid"))
}

fn message(mistake: &Diagnostic) -> String {
    let label = if mistake.label.is_empty() { String::new() } else { format!(": {}", mistake.label) };
    let help = mistake.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    in_rust(&format!("{}{label}{help}", mistake.message))
}

/// The checker speaks the schema's language; this says the same as the user of a derive writes it.
const PHRASES: &[(&str, &str)] = &[
    ("`\"nullable\": true` beside the type", "`Option<…>` around the type"),
    ("`\"nullable\": true`", "`Option<…>`"),
    ("add `Option<…>` to the field", "make the field an `Option<…>`"),
    ("make it `\"unique\": true` or the primary key", "give it `#[field(unique)]` or `#[field(primary_key)]`"),
    ("`\"indexes\": [{ \"fields\": [\"a\", \"b\"], \"unique\": true }]`", "`#[table(index(a, b, unique))]`"),
    ("`\"fields\": [\"class\", \"hp\"]`", "`index(class, hp)`"),
    ("`ref<table>`", "`Id<…>`"),
    ("a `ref`", "an `Id`"),
    ("`str<N>`", "`Str<N>`"),
    ("`ref`", "`Id`"),
    ("`list<...>`", "`Vec<…>`"),
    ("`text`", "`Text`"),
    ("`bytes<N>`", "`Bytes<N>`"),
    ("`bytes`", "`Blob`"),
    ("`timestamp`", "`Timestamp`"),
    ("`duration`", "`Duration`"),
];

fn in_rust(message: &str) -> String {
    PHRASES.iter().fold(message.to_owned(), |message, (schema, rust)| message.replace(schema, rust))
}

fn written(database: &Database, items: &[Item]) -> Written {
    let of = |kind: Kind| {
        let ours = items.iter().zip(database.paths()).filter(|(item, _)| item.kind == kind);
        let written = ours.map(|(item, path)| WrittenType {
            path: from_inside(path),
            ident: item.ident.clone(),
            members: item.members.iter().map(|member| member.ident.clone()).collect(),
            is_cells: item.is_cells(),
            reach: reach(&item.vis),
        });
        written.collect()
    };
    Written { enums: of(Kind::Enumeration), composites: of(Kind::Composite), tables: of(Kind::Table) }
}

/// How far generated items that speak of a type may reach: as far as the type.
fn reach(visibility: &Visibility) -> Reach {
    match visibility {
        Visibility::Public(_) => Reach::Public,
        Visibility::Restricted(it) if it.path.is_ident("crate") => Reach::Crate,
        Visibility::Restricted(_) | Visibility::Inherited => Reach::Module,
    }
}
