//! Types: from Rust's to the schema's.
//!
//! | in a record | in a composite of cells | in the schema |
//! |---|---|---|
//! | `i8` … `u64`, `f32`, `f64`, `bool` | `I8` … `Bool` | the same |
//! | `Timestamp`, `Duration`, `Uuid` | the cells of these names | `timestamp`, `duration`, `uuid` |
//! | `Str<16>` | `Str<16>`, `LongStr<300>` | `str<16>` |
//! | `Text`, `Blob`, `Vec<T>` | | `text`, `bytes`, `list<T>` |
//! | `Bytes<32>` | `FixedBytes<32>` | `bytes<32>` |
//! | `[T; 8]` | `Array<T, 8>` | `[T; 8]` |
//! | `Id<Guild>` | | `ref<guild>` |
//! | `Option<T>` | | `T`, nullable |
//! | `Vec3`, `Class` | `Vec3`, `Enum<Class>` | by their names |
//!
//! A derive reads types as they are written. An alias or a constant as a length means nothing to it.

use crate::ast::Item;
use dbgen::names::unraw;
use dbgen::schema::field_type::SCALARS;
use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident};
use std::cell::RefCell;
use syn::{Error, Expr, GenericArgument, Ident, Lit, PathArguments, Result, Type};

/// A piece of a type's text, and where it comes from.
pub(crate) type Piece = (String, TokenStream);

/// What the names of a type mean.
pub(crate) trait Names {
    /// The schema's name of this composite or enum.
    fn value(&self, ident: &Ident) -> Result<String>;
    /// The schema's name of this table.
    fn table(&self, ident: &Ident) -> Result<String>;
    /// Told of every type of the user's before its name is asked for: the last part of its path, and all of it.
    fn meet(&self, _ident: &Ident, _ty: &Type, _is_table: bool) {}
}

/// A type of the user's that an item names.
pub(crate) struct NamedType {
    /// The last part of its path.
    pub(crate) ident: Ident,
    /// As it is written.
    pub(crate) ty: Type,
    /// Whether it stands in an `Id`.
    pub(crate) is_table: bool,
    /// Whether it stands in angle brackets where it is met first.
    pub(crate) is_argument: bool,
    /// The alias that a derive leaves for it beside the item: of the type, or of an `Option` of it if it is an argument.
    pub(crate) alias: Ident,
}

/// Every type of the user's that an item names, each once.
pub(crate) fn named_types(item: &Item) -> Vec<NamedType> {
    let mut types = RefCell::default();
    for ty in item.members.iter().filter_map(|member| member.ty.as_ref()) {
        let met = Met { item: &item.ident, has_arguments: has_arguments(ty), types };
        // What is wrong with the type is reported by whoever asks for it.
        let _ = pieces(nullable(ty).1, item.is_cells(), &met);
        types = met.types;
    }
    types.into_inner()
}

/// Whether a type, or the one in its array, has angle brackets.
fn has_arguments(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => has_arguments(&group.elem),
        Type::Paren(paren) => has_arguments(&paren.elem),
        Type::Array(array) => has_arguments(&array.elem),
        ty => parts(ty).is_some_and(|(_, arguments)| !arguments.is_empty()),
    }
}

/// Gathers types of the user's.
struct Met<'a> {
    item: &'a Ident,
    has_arguments: bool,
    types: RefCell<Vec<NamedType>>,
}

impl Names for Met<'_> {
    fn value(&self, ident: &Ident) -> Result<String> {
        AnyName.value(ident)
    }

    fn table(&self, ident: &Ident) -> Result<String> {
        AnyName.table(ident)
    }

    fn meet(&self, ident: &Ident, ty: &Type, is_table: bool) {
        let mut types = self.types.borrow_mut();
        if ident != "Self" && !types.iter().any(|named| named.ident == *ident) {
            // At the place of the item: what the compiler says of a type that it cannot find, and what it suggests, is then the
            // same for the alias as for the item, and so said once.
            let alias = format_ident!("__dbgen_{}_{}", unraw(self.item), unraw(ident), span = self.item.span());
            types.push(NamedType {
                ident: ident.clone(),
                ty: ty.clone(),
                is_table,
                is_argument: self.has_arguments,
                alias,
            });
        }
    }
}

/// Takes every name as it is: whether it exists is asked later.
struct AnyName;

impl Names for AnyName {
    fn value(&self, ident: &Ident) -> Result<String> {
        Ok(unraw(ident))
    }

    fn table(&self, ident: &Ident) -> Result<String> {
        Ok(unraw(ident))
    }
}

/// Whether a field may have this type, as far as it alone can tell.
pub(crate) fn check(ty: &Type, is_cells: bool) -> Result<()> {
    let (_, ty) = nullable(ty);
    pieces(ty, is_cells, &AnyName).map(drop)
}

/// The same for what a variant carries.
pub(crate) fn check_inside(ty: &Type) -> Result<()> {
    pieces(ty, false, &AnyName).map(drop)
}

/// The type inside an `Option`, and whether it is in one.
pub(crate) fn nullable(ty: &Type) -> (bool, &Type) {
    match parts(ty) {
        Some((head, arguments)) if head == "Option" => match arguments.as_slice() {
            [GenericArgument::Type(inner)] => (true, inner),
            _ => (false, ty),
        },
        _ => (false, ty),
    }
}

/// The text of a type in the schema language.
///
/// # Errors
/// The first part of it that no field can have.
pub(crate) fn pieces(ty: &Type, is_cells: bool, names: &dyn Names) -> Result<Vec<Piece>> {
    let mut out = Vec::new();
    Writer { names, is_cells, out: &mut out }.ty(ty)?;
    Ok(out)
}

struct Writer<'a> {
    names: &'a dyn Names,
    is_cells: bool,
    out: &'a mut Vec<Piece>,
}

impl Writer<'_> {
    fn say(&mut self, text: impl Into<String>, at: &impl ToTokens) {
        self.out.push((text.into(), at.to_token_stream()));
    }

    fn ty(&mut self, ty: &Type) -> Result<()> {
        match ty {
            Type::Group(group) => self.ty(&group.elem),
            Type::Paren(paren) => self.ty(&paren.elem),
            Type::Array(array) if !self.is_cells => {
                let length = number(&array.len)?;
                self.array(ty, &array.elem, &length, &array.len)
            }
            _ => match parts(ty) {
                Some((head, arguments)) => self.path(ty, head, &arguments),
                None => Err(no_type(ty)),
            },
        }
    }

    fn array(&mut self, whole: &Type, element: &Type, length: &str, at: &impl ToTokens) -> Result<()> {
        self.say("[", whole);
        self.ty(element)?;
        self.say("; ", whole);
        self.say(length, at);
        self.say("]", whole);
        Ok(())
    }

    fn path(&mut self, whole: &Type, head: &Ident, arguments: &[&GenericArgument]) -> Result<()> {
        let name = unraw(head);
        if self.is_cells {
            return self.cell(whole, head, &name, arguments);
        }
        match (name.as_str(), arguments) {
            ("Option", _) => Err(Error::new_spanned(
                whole,
                "`Option` may only be the whole type of a field: leave it out, or put it into a composite's field",
            )),
            ("Str" | "Bytes", [length]) => {
                let length = argument_number(length)?;
                self.say(format!("{}<{length}>", name.to_lowercase()), whole);
                Ok(())
            }
            ("Str", []) => Err(Error::new_spanned(whole, "say how many bytes it may have: `Str<16>`")),
            ("Bytes", []) => {
                Err(Error::new_spanned(whole, "say how many bytes it has, `Bytes<16>`, or use `Blob` for any number"))
            }
            ("Text", []) => self.word("text", whole),
            ("Blob", []) => self.word("bytes", whole),
            ("Vec", [GenericArgument::Type(element)]) => {
                self.say("list<", whole);
                self.ty(element)?;
                self.say(">", whole);
                Ok(())
            }
            ("Id", [GenericArgument::Type(table)]) => match parts(table) {
                Some((ident, arguments)) if arguments.is_empty() => {
                    self.names.meet(ident, table, true);
                    let table = self.names.table(ident)?;
                    self.say("ref<", whole);
                    self.say(table, ident);
                    self.say(">", whole);
                    Ok(())
                }
                _ => Err(Error::new_spanned(table, "`Id` takes the record of a table: `Id<Guild>`")),
            },
            ("Id", []) => Err(Error::new_spanned(whole, "say which table it refers to: `Id<Guild>`")),
            _ => self.plain(whole, head, &name, arguments),
        }
    }

    /// A scalar, or a type of the user's.
    fn plain(&mut self, whole: &Type, head: &Ident, name: &str, arguments: &[&GenericArgument]) -> Result<()> {
        if let Some(scalar) = SCALARS.iter().find(|scalar| scalar.rust == name) {
            return match whole {
                Type::Path(path) if is_of_std(&path.path) => Err(Error::new_spanned(whole, of_std(name))),
                _ => self.word(scalar.name, whole),
            };
        }
        if let Some((_, instead)) = FOREIGN.iter().find(|(foreign, _)| *foreign == name) {
            let shown = whole.to_token_stream().to_string();
            let shown = [" < ", " :: ", " >", " ,"].iter().fold(shown, |text, it| text.replace(it, it.trim()));
            return Err(Error::new_spanned(whole, format!("`{shown}` is no type of a schema: use {instead}")));
        }
        if !arguments.is_empty() {
            let message =
                format!("`{name}<…>` is no type of a schema: derive `Composite` on a struct without parameters");
            return Err(Error::new_spanned(whole, message));
        }
        self.names.meet(head, whole, false);
        let name = self.names.value(head)?;
        self.word(name, head)
    }

    fn word(&mut self, text: impl Into<String>, at: &impl ToTokens) -> Result<()> {
        self.say(text, at);
        Ok(())
    }

    fn cell(&mut self, whole: &Type, head: &Ident, name: &str, arguments: &[&GenericArgument]) -> Result<()> {
        if let Some(scalar) = SCALARS.iter().find(|scalar| scalar.cell == name) {
            return self.word(scalar.name, whole);
        }
        match (name, arguments) {
            ("Str" | "LongStr", [length]) => self.word(format!("str<{}>", argument_number(length)?), whole),
            ("FixedBytes", [length]) => self.word(format!("bytes<{}>", argument_number(length)?), whole),
            ("Array", [GenericArgument::Type(element), length]) => {
                let number = argument_number(length)?;
                self.array(whole, element, &number, length)
            }
            ("Enum" | "Enum16", [GenericArgument::Type(inner)]) => match parts(inner) {
                Some((ident, arguments)) if arguments.is_empty() => {
                    self.names.meet(ident, inner, false);
                    let name = self.names.value(ident)?;
                    self.word(name, ident)
                }
                _ => Err(no_type(inner)),
            },
            (_, []) if !is_native(name) => {
                self.names.meet(head, whole, false);
                let name = self.names.value(head)?;
                self.word(name, head)
            }
            _ => Err(Error::new_spanned(
                whole,
                "a composite of `cells` holds cells: `cell::F32`, `cell::Str<16>`, `cell::Array<cell::U16, 8>`; \
                 leave out `cells` to use plain types",
            )),
        }
    }
}

/// The last part of a path, and what stands in its angle brackets.
fn parts(ty: &Type) -> Option<(&Ident, Vec<&GenericArgument>)> {
    let Type::Path(path) = ty else { return None };
    if path.qself.is_some() {
        return None;
    }
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::None => Some((&last.ident, Vec::new())),
        PathArguments::AngleBracketed(arguments) => Some((&last.ident, arguments.args.iter().collect())),
        PathArguments::Parenthesized(_) => None,
    }
}

fn is_of_std(path: &syn::Path) -> bool {
    path.segments.first().is_some_and(|first| first.ident == "std" || first.ident == "core") && path.segments.len() > 1
}

fn of_std(name: &str) -> String {
    format!("this is the standard library's `{name}`: use `dbgen_runtime::{name}`")
}

fn is_native(name: &str) -> bool {
    SCALARS.iter().any(|scalar| scalar.rust == name) || ["Text", "Blob", "Bytes", "String"].contains(&name)
}

/// A length.
fn number(expr: &Expr) -> Result<String> {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(number) => Ok(number.base10_digits().to_owned()),
            lit => Err(Error::new_spanned(lit, "a length is a number: `8`")),
        },
        Expr::Group(group) => number(&group.expr),
        expr => {
            Err(Error::new_spanned(expr, "write the number itself: the schema is made before constants have values"))
        }
    }
}

fn argument_number(argument: &GenericArgument) -> Result<String> {
    match argument {
        GenericArgument::Const(expr) => number(expr),
        other => {
            Err(Error::new_spanned(other, "write the number itself: the schema is made before constants have values"))
        }
    }
}

fn no_type(ty: &Type) -> Error {
    let message = match ty {
        Type::Reference(_) | Type::Ptr(_) => "a record owns what it holds: use `Str<16>`, `Text` or `Vec<…>`",
        Type::Tuple(_) => "a tuple has no names: derive `Composite` on a struct with these fields",
        Type::Slice(_) => "say how many there are, `[u8; 4]`, or use `Vec<…>`",
        _ => "no type of a schema: use a number, `Str<16>`, `Text`, `Vec<…>`, or a type with a derive",
    };
    Error::new_spanned(ty, message)
}

/// What people write in Rust, and what to write here.
const FOREIGN: &[(&str, &str)] = &[
    ("String", "`Str<16>` for at most 16 bytes in the row itself, or `Text` for any length"),
    ("str", "`Str<16>` for at most 16 bytes in the row itself, or `Text` for any length"),
    ("char", "`Str<4>`"),
    ("usize", "`u64`, which is the same on every machine"),
    ("isize", "`i64`, which is the same on every machine"),
    ("u128", "`Bytes<16>`"),
    ("i128", "`Bytes<16>`"),
    ("Box", "the type itself"),
    ("Rc", "the type itself"),
    ("Arc", "the type itself"),
    ("Cow", "`Str<16>`, `Text` or `Vec<…>`"),
    ("RefCell", "the type itself: a transaction is what changes records"),
    ("Cell", "the type itself: a transaction is what changes records"),
    ("Mutex", "the type itself: a transaction is what changes records"),
    ("RwLock", "the type itself: a transaction is what changes records"),
    ("HashMap", "a table of its own, with an `Id` of this one"),
    ("BTreeMap", "a table of its own, with an `Id` of this one"),
    ("HashSet", "`Vec<…>`, or a table of its own"),
    ("BTreeSet", "`Vec<…>`, or a table of its own"),
    ("VecDeque", "`Vec<…>`"),
    ("SystemTime", "`Timestamp`"),
    ("Instant", "`Timestamp`"),
    ("RecordId", "`Id<Guild>`, which says which table it refers to"),
];

/// What a misspelt type may have been meant to be.
pub(crate) const WORDS: &[&str] = &[
    "Timestamp",
    "Duration",
    "Uuid",
    "Str",
    "Text",
    "Bytes",
    "Blob",
    "Vec",
    "Id",
    "bool",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
    "f32",
    "f64",
];
