//! The attributes: `#[table(…)]`, `#[field(…)]`, `#[composite(…)]`, `#[enumeration(…)]`, `#[variant(…)]`.
//!
//! All have one grammar, a list of settings: `unique`, `capacity = 1000`, `index(class, hp)`. What may be set where, and to
//! what, is [`Place::keys`]; the words are those of the schema language.

use crate::ast::{Comma, Errors};
use dbgen::schema::diagnostic::nearest;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Expr, Lit, Meta, Result, Token, bracketed, parenthesized};

/// One setting.
pub(crate) struct Setting {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// What stands behind the key.
pub(crate) enum Value {
    /// Nothing: `unique`.
    Flag,
    /// `= 5`
    Expr(Expr),
    /// `(class, hp)`
    Group(Vec<Setting>),
}

/// Where an attribute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Table,
    Field,
    Composite,
    CompositeField,
    Enumeration,
    Variant,
    Schedule,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Flag,
    /// A string.
    Text,
    /// A name: a string, or an identifier as it is.
    Name,
    /// A number.
    Number,
    /// Any value of the field's type.
    Value,
    /// A list of fields, and settings of the index.
    Index,
    /// Settings of a place of their own.
    Group(Place),
}

type Key = (&'static str, Shape);

impl Place {
    /// The attribute.
    const fn attribute(self) -> &'static str {
        match self {
            Place::Table => "table",
            Place::Field | Place::CompositeField => "field",
            Place::Composite => "composite",
            Place::Enumeration => "enumeration",
            Place::Variant => "variant",
            Place::Schedule => "schedule",
        }
    }

    const fn keys(self) -> &'static [Key] {
        use Shape::{Flag, Group, Index, Name, Number, Text, Value};
        match self {
            Place::Table => &[
                ("name", Text),
                ("capacity", Number),
                ("durability", Name),
                ("parent", Name),
                ("schedule", Group(Place::Schedule)),
                ("index", Index),
                ("renamed_from", Name),
                ("id", Number),
            ],
            Place::Field => &[
                ("name", Text),
                ("unique", Flag),
                ("primary_key", Flag),
                ("indexed", Flag),
                ("auto_increment", Flag),
                ("default", Value),
                ("min", Value),
                ("max", Value),
                ("allow_nan", Flag),
                ("group", Name),
                ("foreign_key", Name),
                ("on_delete", Name),
                ("relation", Name),
                ("renamed_from", Name),
                ("id", Number),
            ],
            Place::Composite => &[("name", Text), ("cells", Flag)],
            Place::CompositeField => {
                &[("name", Text), ("default", Value), ("min", Value), ("max", Value), ("allow_nan", Flag)]
            }
            Place::Enumeration => &[("name", Text)],
            Place::Variant => &[("name", Text), ("number", Number)],
            Place::Schedule => &[("at", Name), ("every", Name), ("procedure", Name)],
        }
    }
}

impl Setting {
    /// The expression behind the key.
    pub(crate) fn expr(&self) -> Option<&Expr> {
        match &self.value {
            Value::Expr(expr) => Some(expr),
            Value::Flag | Value::Group(_) => None,
        }
    }

    /// The tokens behind the key, or the key.
    pub(crate) fn value_tokens(&self) -> TokenStream {
        self.expr().map_or_else(|| self.key.to_token_stream(), ToTokens::to_token_stream)
    }

    /// All of its tokens.
    pub(crate) fn tokens(&self) -> TokenStream {
        let key = &self.key;
        match &self.value {
            Value::Flag => quote!(#key),
            Value::Expr(expr) => quote!(#key = #expr),
            Value::Group(settings) => {
                let last = settings.last().map(Setting::tokens);
                quote!(#key #last)
            }
        }
    }

    /// Whether this flag is set: `unique`, `unique = true`, but not `unique = false`.
    pub(crate) fn is_set(&self) -> bool {
        match &self.value {
            Value::Expr(Expr::Lit(lit)) => !matches!(&lit.lit, Lit::Bool(it) if !it.value),
            _ => true,
        }
    }
}

/// The first setting with this key.
pub(crate) fn find<'a>(settings: &'a [Setting], key: &str) -> Option<&'a Setting> {
    settings.iter().find(|setting| setting.key == key && setting.is_set())
}

/// The text of this key: of a string, or of an identifier or path as it is.
pub(crate) fn text(settings: &[Setting], key: &str) -> Option<String> {
    text_of(find(settings, key)?.expr()?)
}

/// The text of a string, an identifier or a path: `Guild::name` is `Guild.name`.
pub(crate) fn text_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        Expr::Path(path) => {
            let parts = path.path.segments.iter().map(|part| part.ident.unraw().to_string());
            Some(parts.collect::<Vec<_>>().join("."))
        }
        _ => None,
    }
}

/// Reads the settings of a place from an item's attributes.
///
/// # Errors
/// Everything that is wrong with them, combined.
pub(crate) fn settings(attributes: &[Attribute], place: Place) -> Result<Vec<Setting>> {
    let mut errors = Errors::default();
    let mut settings = Vec::new();
    for attribute in attributes.iter().filter(|it| it.path().is_ident(place.attribute())) {
        match &attribute.meta {
            Meta::List(list) => match list.parse_args_with(Comma::<Setting>::parse_terminated) {
                Ok(more) => settings.extend(more),
                Err(error) => errors.push(error),
            },
            meta => {
                let name = place.attribute();
                let example = if place == Place::Table { "capacity = 1000" } else { "…" };
                let message = format!("settings stand in parentheses: `#[{name}({example})]`");
                errors.push(Error::new_spanned(meta, message));
            }
        }
    }
    check(&settings, place, &mut errors);
    errors.finish()?;
    Ok(settings)
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Setting> {
        if let Ok(quoted) = input.fork().parse::<syn::LitStr>() {
            let message = format!("written without quotes: `{}`", quoted.value());
            return Err(Error::new(input.span(), message));
        }
        let key = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Expr(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let inside;
            parenthesized!(inside in input);
            Value::Group(Comma::parse_terminated(&inside)?.into_iter().collect())
        } else if input.peek(syn::token::Bracket) {
            // Clippy takes what is in parentheses for attributes, and a field of two indexes for the same one twice.
            let inside;
            bracketed!(inside in input);
            Value::Group(Comma::parse_terminated(&inside)?.into_iter().collect())
        } else {
            Value::Flag
        };
        Ok(Setting { key, value })
    }
}

fn check(settings: &[Setting], place: Place, errors: &mut Errors) {
    for (at, setting) in settings.iter().enumerate() {
        let name = setting.key.to_string();
        let Some((_, shape)) = place.keys().iter().find(|(key, _)| *key == name) else {
            errors.push(unknown(setting, place));
            continue;
        };
        let is_again = settings.iter().take(at).any(|it| it.key == setting.key);
        if is_again && *shape != Shape::Index {
            errors.push(Error::new_spanned(&setting.key, format!("`{name}` is set twice: leave one out")));
            continue;
        }
        errors.keep(check_shape(setting, *shape));
    }
}

fn check_shape(setting: &Setting, shape: Shape) -> Result<()> {
    let key = &setting.key;
    let expected = match (shape, &setting.value) {
        (Shape::Flag, Value::Flag) | (Shape::Value, Value::Expr(_)) => return Ok(()),
        (Shape::Value, Value::Flag) if key == "default" => return Ok(()),
        (Shape::Flag, Value::Expr(Expr::Lit(lit))) if matches!(lit.lit, Lit::Bool(_)) => return Ok(()),
        (Shape::Text, Value::Expr(Expr::Lit(lit))) if matches!(lit.lit, Lit::Str(_)) => return Ok(()),
        (Shape::Name, Value::Expr(expr)) if text_of(expr).is_some() => return Ok(()),
        (Shape::Number, Value::Expr(Expr::Lit(lit))) if matches!(lit.lit, Lit::Int(_)) => return Ok(()),
        (Shape::Index, Value::Group(settings)) => return check_index(settings),
        (Shape::Group(place), Value::Group(settings)) => return check_group(settings, place),
        (Shape::Flag, _) => format!("`{key}` takes no value: it is set by being there"),
        (Shape::Value, _) => format!("`{key}` takes a value: `{key} = 0`"),
        (Shape::Text, _) => format!("`{key}` takes a string: `{key} = \"…\"`"),
        (Shape::Name, _) => format!("`{key}` takes a name: `{key} = \"…\"`"),
        (Shape::Number, _) => format!("`{key}` takes a number: `{key} = 1000`"),
        (Shape::Index, _) => "an index lists its fields: `index(class, hp)`".to_owned(),
        (Shape::Group(_), _) => {
            "a schedule says when and what: `schedule(at = fires_at, procedure = \"despawn\")`".to_owned()
        }
    };
    Err(Error::new_spanned(setting.tokens(), expected))
}

/// Settings of an index beside its fields.
const OF_INDEX: &[&str] = &["name", "kind"];

fn check_index(settings: &[Setting]) -> Result<()> {
    let mut errors = Errors::default();
    for setting in settings {
        let is_known = match &setting.value {
            Value::Flag => true,
            Value::Group(fields) => setting.key == "fields" && fields.iter().all(|it| matches!(it.value, Value::Flag)),
            Value::Expr(Expr::Lit(lit)) if setting.key == "unique" => matches!(lit.lit, Lit::Bool(_)),
            Value::Expr(expr) => OF_INDEX.iter().any(|it| setting.key == it) && text_of(expr).is_some(),
        };
        if !is_known {
            let message =
                "an index takes its fields, `unique`, `name = \"…\"` and `kind = \"hash\"`: `index(class, hp, unique)`";
            errors.push(Error::new_spanned(setting.tokens(), message));
        }
    }
    errors.finish()
}

fn check_group(settings: &[Setting], place: Place) -> Result<()> {
    let mut errors = Errors::default();
    check(settings, place, &mut errors);
    errors.finish()
}

fn unknown(setting: &Setting, place: Place) -> Error {
    let (key, attribute) = (setting.key.to_string(), place.attribute());
    let names = || place.keys().iter().map(|(name, _)| *name);
    let elsewhere = [Place::Table, Place::Field].into_iter().find(|other| {
        *other != place && other.attribute() != attribute && other.keys().iter().any(|(name, _)| *name == key)
    });
    let message = match (nearest(&key, names()), elsewhere) {
        (Some(near), _) => format!("`{attribute}` has no `{key}`: did you mean `{near}`?"),
        (None, Some(other)) => {
            format!("`{attribute}` has no `{key}`: it belongs to `#[{}(…)]`", other.attribute())
        }
        (None, None) if place == Place::CompositeField => {
            format!("a field of a composite has no `{key}`: only the fields of a table do; it takes {}", list(names()))
        }
        (None, None) => format!("`{attribute}` has no `{key}`: it takes {}", list(names())),
    };
    Error::new_spanned(&setting.key, message)
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
