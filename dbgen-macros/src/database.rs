//! What `database! { … }` says.

use crate::ast::{Comma, Errors, docs};
use dbgen::names::{snake, unraw};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, LitStr, Path, Result, Token, bracketed};

/// The keys, as an example shows them.
const EXAMPLE: &str = "database! { name: Arena, tables: [Player, Guild], types: [Vec3, Class] }";
const KEYS: &[&str] = &["name", "version", "tables", "types", "runtime", "macros"];

/// The input of `database!`.
pub(crate) struct Database {
    pub(crate) docs: Option<String>,
    pub(crate) name: Name,
    pub(crate) version: Option<LitStr>,
    pub(crate) tables: Vec<Path>,
    pub(crate) types: Vec<Path>,
    /// Where generated code finds the runtime.
    pub(crate) runtime: Option<Path>,
    /// Where these macros find themselves.
    pub(crate) macros: Option<Path>,
}

/// `Arena` or `"arena"`.
pub(crate) enum Name {
    Ident(Ident),
    Text(LitStr),
}

impl Database {
    /// The schema's name.
    pub(crate) fn name(&self) -> String {
        match &self.name {
            Name::Ident(ident) => snake(&unraw(ident)),
            Name::Text(text) => text.value(),
        }
    }

    /// Everything that it lists: tables first.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.tables.iter().chain(&self.types)
    }

    /// The structs are told apart by the last part of their paths.
    fn refuse_namesakes(&self) -> Result<()> {
        let mut errors = Errors::default();
        let paths: Vec<&Path> = self.paths().collect();
        for (at, path) in paths.iter().enumerate() {
            let last = |path: &Path| path.segments.last().map(|last| last.ident.clone());
            let Some(first) = paths.iter().take(at).find(|other| last(other) == last(path)) else { continue };
            let shown = last(path).map(|it| it.to_string()).unwrap_or_default();
            let message = if first.to_token_stream().to_string() == path.to_token_stream().to_string() {
                format!("`{shown}` is listed twice: leave one out")
            } else {
                format!(
                    "two structs are called `{shown}`: rename one, and keep its table's name with `#[table(name = \"…\")]`"
                )
            };
            errors.push(Error::new_spanned(path, message));
        }
        errors.finish()
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Name::Ident(ident) => ident.to_tokens(tokens),
            Name::Text(text) => text.to_tokens(tokens),
        }
    }
}

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> Result<Name> {
        if input.peek(LitStr) { input.parse().map(Name::Text) } else { input.parse().map(Name::Ident) }
    }
}

/// What of the input is read so far.
#[derive(Default)]
struct Draft {
    name: Option<Name>,
    version: Option<LitStr>,
    tables: Vec<Path>,
    types: Vec<Path>,
    runtime: Option<Path>,
    macros: Option<Path>,
}

impl Parse for Database {
    fn parse(input: ParseStream<'_>) -> Result<Database> {
        let (database, errors) = Database::read(input);
        errors.finish()?;
        database.ok_or_else(|| input.error("no database"))
    }
}

impl Database {
    /// Reads all there is, and what is wrong with it. Without a name there is no database.
    pub(crate) fn read(input: ParseStream<'_>) -> (Option<Database>, Errors) {
        let mut errors = Errors::default();
        let docs = docs(&errors.or_default(Attribute::parse_outer(input)));
        let (mut draft, mut seen) = (Draft::default(), Vec::new());
        while !input.is_empty() {
            if errors.keep(draft.read(&mut seen, input)).is_none() {
                skip_to_comma(input);
            } else if !input.is_empty() {
                errors.keep(input.parse::<Token![,]>());
            }
        }
        let Draft { name, version, tables, types, runtime, macros } = draft;
        let Some(name) = name else {
            if !seen.iter().any(|key| key == "name") {
                errors.push(Error::new(Span::call_site(), format!("a database needs a name: `{EXAMPLE}`")));
            }
            return (None, errors);
        };
        let database = Database { docs, name, version, tables, types, runtime, macros };
        errors.keep(database.refuse_namesakes());
        (Some(database), errors)
    }
}

impl Draft {
    fn read(&mut self, seen: &mut Vec<Ident>, input: ParseStream<'_>) -> Result<()> {
        let key = Ident::parse_any(input)?;
        if !KEYS.iter().any(|known| key == known) {
            return Err(unknown(&key));
        }
        if seen.contains(&key) {
            return Err(Error::new_spanned(&key, format!("`{key}` is given twice: leave one out")));
        }
        seen.push(key.clone());
        input.parse::<Token![:]>()?;
        match key.to_string().as_str() {
            "name" => self.name = Some(input.parse()?),
            "version" if !input.peek(LitStr) => return Err(input.error("a version is a string: `version: \"1.0.0\"`")),
            "version" => self.version = Some(input.parse()?),
            "tables" => self.tables = paths(input)?,
            "types" => self.types = paths(input)?,
            "runtime" => self.runtime = Some(input.call(Path::parse_mod_style)?),
            _ => self.macros = Some(input.call(Path::parse_mod_style)?),
        }
        Ok(())
    }
}

/// Leaves out the rest of what could not be read.
fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() {
        match input.parse::<TokenTree>() {
            Ok(TokenTree::Punct(it)) if it.as_char() == ',' => return,
            _ => {}
        }
    }
}

fn unknown(key: &Ident) -> Error {
    let near = dbgen::schema::diagnostic::nearest(&key.to_string(), KEYS.iter().copied());
    let message = match near {
        Some(near) => format!("`database!` has no `{key}`: did you mean `{near}`?"),
        None => format!("`database!` has no `{key}`: `{EXAMPLE}`"),
    };
    Error::new_spanned(key, message)
}

fn paths(input: ParseStream<'_>) -> Result<Vec<Path>> {
    if !input.peek(syn::token::Bracket) {
        return Err(input.error("a list in brackets: `[Player, Guild]`"));
    }
    let inside;
    bracketed!(inside in input);
    Ok(Comma::parse_terminated_with(&inside, Path::parse_mod_style)?.into_iter().collect())
}

/// A path as the generated module sees it, which stands one module further in.
pub(crate) fn from_inside(path: &Path) -> TokenStream {
    let first = path.segments.first().map(|first| first.ident.to_string()).unwrap_or_default();
    match first.as_str() {
        _ if path.leading_colon.is_some() => quote!(#path),
        "crate" => quote!(#path),
        "self" => {
            let rest = path.segments.iter().skip(1);
            quote!(super #(::#rest)*)
        }
        _ => quote!(super::#path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Database> {
        syn::parse_str(text)
    }

    #[test]
    fn what_it_says() {
        let database = parsed("/// A world\n name: BigArena, version: \"1.0.0\", tables: [Player, world::Guild,],");
        let database = database.expect("it is right");
        assert_eq!((database.name().as_str(), database.docs.as_deref()), ("big_arena", Some("A world")));
        assert_eq!((database.tables.len(), database.types.len()), (2, 0));
        assert_eq!(parsed("name: \"Arena\"").expect("it is right").name(), "Arena");
    }

    #[test]
    fn mistakes_say_what_to_do() {
        for (text, expected) in [
            ("tables: [Player]", "needs a name"),
            ("name: Arena, table: []", "did you mean `tables`?"),
            ("name: Arena, zzz: []", "has no `zzz`"),
            ("name: Arena, name: Arena", "given twice"),
            ("name: Arena, tables: Player", "a list in brackets"),
            ("name: Arena, tables: [Player, Player]", "is listed twice"),
            ("name: Arena, tables: [Player], types: [a::Player]", "two structs are called `Player`"),
        ] {
            let error = parsed(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn paths_are_seen_from_inside() {
        for (path, expected) in [
            ("Player", "super :: Player"),
            ("world::Player", "super :: world :: Player"),
            ("self::Player", "super :: Player"),
            ("super::Player", "super :: super :: Player"),
            ("crate::Player", "crate :: Player"),
        ] {
            let path: Path = syn::parse_str(path).expect("a path");
            assert_eq!(from_inside(&path).to_string(), expected);
        }
    }
}
