//! An item that a derive stands on, as far as the schema is concerned.
//!
//! Reading an item reports everything that is wrong with it alone (`attr`, `types`); what only the whole
//! database can tell, such as whether a table exists, is found when `write` has written the schema.

use crate::attr::{self, Place, Setting};
use crate::types;
use dbgen::names::unraw;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Lit, Meta, Result, Visibility};

/// Which derive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Table,
    Composite,
    Enumeration,
}

/// A struct or enum with one of the derives.
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) docs: Option<String>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) members: Vec<Member>,
}

/// A field of a struct, or a variant of an enum.
pub(crate) struct Member {
    pub(crate) ident: Ident,
    pub(crate) docs: Option<String>,
    pub(crate) settings: Vec<Setting>,
    /// The type of a field, or what a variant carries.
    pub(crate) ty: Option<syn::Type>,
    /// The number of a variant.
    pub(crate) number: Option<Expr>,
}

impl Kind {
    pub(crate) const fn derive(self) -> &'static str {
        match self {
            Kind::Table => "Table",
            Kind::Composite => "Composite",
            Kind::Enumeration => "Enumeration",
        }
    }

    /// What `database!` lists it under.
    pub(crate) const fn list(self) -> &'static str {
        match self {
            Kind::Table => "tables",
            Kind::Composite | Kind::Enumeration => "types",
        }
    }

    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Kind::Table => "a table",
            Kind::Composite => "a composite",
            Kind::Enumeration => "an enumeration",
        }
    }

    pub(crate) fn of(derive: &str) -> Option<Kind> {
        [Kind::Table, Kind::Composite, Kind::Enumeration].into_iter().find(|kind| kind.derive() == derive)
    }
}

impl Item {
    /// Reads an item.
    ///
    /// # Errors
    /// Everything that is wrong with it, combined.
    pub(crate) fn read(kind: Kind, input: &DeriveInput) -> Result<Item> {
        refuse_generics(input)?;
        let mut errors = Errors::default();
        let place = match kind {
            Kind::Table => Place::Table,
            Kind::Composite => Place::Composite,
            Kind::Enumeration => Place::Enumeration,
        };
        let settings = errors.or_default(attr::settings(&input.attrs, place));
        let is_cells = attr::find(&settings, "cells").is_some();
        let members = match (&input.data, kind) {
            (Data::Struct(data), Kind::Table | Kind::Composite) => {
                fields(kind, input, &data.fields, is_cells, &mut errors)?
            }
            (Data::Enum(data), Kind::Enumeration) => {
                data.variants.iter().filter_map(|it| errors.keep(variant(it))).collect()
            }
            (data, _) => return Err(wrong_shape(kind, input, data)),
        };
        if members.is_empty() && kind == Kind::Enumeration {
            errors.push(Error::new_spanned(&input.ident, "an enumeration needs a variant: the first is its default"));
        }
        errors.finish()?;
        let docs = docs(&input.attrs);
        Ok(Item { kind, ident: input.ident.clone(), vis: input.vis.clone(), docs, settings, members })
    }

    /// Its name in the schema.
    pub(crate) fn name(&self) -> String {
        let plain = unraw(&self.ident);
        attr::text(&self.settings, "name").unwrap_or_else(|| match self.kind {
            Kind::Table => dbgen::names::snake(&plain),
            Kind::Composite | Kind::Enumeration => plain,
        })
    }

    /// Whether it is a composite whose fields are cells.
    pub(crate) fn is_cells(&self) -> bool {
        attr::find(&self.settings, "cells").is_some()
    }

    /// The member with this identifier.
    pub(crate) fn member(&self, ident: &str) -> Option<&Member> {
        self.members.iter().find(|member| unraw(&member.ident) == ident)
    }
}

impl Member {
    /// Its name in the schema.
    pub(crate) fn name(&self, of: Kind) -> String {
        let plain = unraw(&self.ident);
        attr::text(&self.settings, "name").unwrap_or_else(|| match of {
            Kind::Enumeration => dbgen::names::snake(&plain),
            Kind::Table | Kind::Composite => plain,
        })
    }

    /// Where its name stands: the setting, or the identifier.
    pub(crate) fn name_tokens(&self) -> TokenStream {
        attr::find(&self.settings, "name").map_or_else(|| self.ident.to_token_stream(), |it| it.value_tokens())
    }
}

/// Gathers what is wrong, so that all of it is told at once.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn or_default<T: Default>(&mut self, result: Result<T>) -> T {
        self.keep(result).unwrap_or_default()
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

fn refuse_generics(input: &DeriveInput) -> Result<()> {
    if input.generics.params.is_empty() {
        return Ok(());
    }
    let message = format!(
        "`{}` is generic, and a schema knows no generics: write a struct for each type that it stands for",
        input.ident
    );
    Err(Error::new_spanned(&input.generics, message))
}

fn wrong_shape(kind: Kind, input: &DeriveInput, data: &Data) -> Error {
    let message = match (kind, data) {
        (Kind::Enumeration, Data::Struct(_)) => "an enumeration is an enum: derive `Composite` on a struct",
        (Kind::Enumeration, _) => "an enumeration is an enum, not a union",
        (_, Data::Enum(_)) if kind == Kind::Table => {
            "a table is a struct with named fields: derive `Enumeration` on an enum"
        }
        (_, Data::Enum(_)) => "a composite is a struct with named fields: derive `Enumeration` on an enum",
        (Kind::Table, _) => "a table is a struct with named fields, not a union: use an enum with payloads in a field",
        (Kind::Composite, _) => "a composite is a struct with named fields, not a union: use an enum with payloads",
    };
    let keyword = match data {
        Data::Struct(data) => data.struct_token.to_token_stream(),
        Data::Enum(data) => data.enum_token.to_token_stream(),
        Data::Union(data) => data.union_token.to_token_stream(),
    };
    let ident = &input.ident;
    Error::new_spanned(quote!(#keyword #ident), message)
}

fn fields(
    kind: Kind,
    input: &DeriveInput,
    fields: &Fields,
    is_cells: bool,
    errors: &mut Errors,
) -> Result<Vec<Member>> {
    let named = match fields {
        Fields::Named(named) => &named.named,
        Fields::Unnamed(unnamed) => {
            let message = "its fields need names, which become those of the schema: `struct Guild { name: Str<24> }`";
            return Err(Error::new_spanned(unnamed, message));
        }
        // A mark says all by being there.
        Fields::Unit if kind == Kind::Table => return Ok(Vec::new()),
        Fields::Unit => {
            let message = format!("`{}` has no fields: `struct {} {{ … }}`", input.ident, input.ident);
            return Err(Error::new_spanned(&input.ident, message));
        }
    };
    Ok(named.iter().filter_map(|it| errors.keep(field(kind, input, it, is_cells))).collect())
}

fn field(kind: Kind, of: &DeriveInput, field: &Field, is_cells: bool) -> Result<Member> {
    let Some(ident) = &field.ident else { return Err(Error::new_spanned(field, "a field without a name")) };
    let place = if kind == Kind::Table { Place::Field } else { Place::CompositeField };
    let mut errors = Errors::default();
    if matches!(field.vis, Visibility::Inherited) && !matches!(of.vis, Visibility::Inherited) {
        let message = format!(
            "`{ident}` is private, but generated code must reach it wherever it reaches `{}`: write `pub {ident}`",
            of.ident
        );
        errors.push(Error::new_spanned(ident, message));
    }
    errors.keep(types::check(&field.ty, is_cells));
    let settings = errors.or_default(attr::settings(&field.attrs, place));
    errors.finish()?;
    let (docs, ty) = (docs(&field.attrs), Some(field.ty.clone()));
    Ok(Member { ident: ident.clone(), docs, settings, ty, number: None })
}

fn variant(variant: &syn::Variant) -> Result<Member> {
    let ident = &variant.ident;
    let mut errors = Errors::default();
    let settings = errors.or_default(attr::settings(&variant.attrs, Place::Variant));
    let ty = match &variant.fields {
        Fields::Unit => None,
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first().map(|field| field.ty.clone()),
        fields => {
            let message = format!(
                "a variant carries one value: derive `Composite` on a struct of these fields, and write `{ident}(ThatStruct)`"
            );
            errors.push(Error::new_spanned(fields, message));
            None
        }
    };
    if let Some(ty) = &ty {
        errors.keep(types::check_inside(ty));
    }
    if ident == "ALL" {
        errors.push(Error::new_spanned(ident, "`ALL` is the list of all variants: give this one another name"));
    }
    errors.finish()?;
    let number = variant.discriminant.as_ref().map(|(_, number)| number.clone());
    let number = number.or_else(|| attr::find(&settings, "number").and_then(|it| it.expr().cloned()));
    Ok(Member { ident: ident.clone(), docs: docs(&variant.attrs), settings, ty, number })
}

/// The doc comment, as a description.
pub(crate) fn docs(attributes: &[Attribute]) -> Option<String> {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(it) if it.path.is_ident("doc") => match &it.value {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let lines = lines.iter().flat_map(|text| text.split('\n')).map(|line| line.strip_prefix(' ').unwrap_or(line));
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// What of an item [`Item::read`] needs: the rest of its attributes belongs to others.
pub(crate) fn essence(input: &DeriveInput) -> DeriveInput {
    let mut input = input.clone();
    let ours = |attribute: &Attribute| {
        ["doc", "table", "field", "composite", "enumeration", "variant"].iter().any(|it| attribute.path().is_ident(it))
    };
    let keep = |attributes: &mut Vec<Attribute>| attributes.retain(ours);
    keep(&mut input.attrs);
    let of_fields = |fields: &mut Fields| fields.iter_mut().for_each(|field| keep(&mut field.attrs));
    match &mut input.data {
        Data::Struct(data) => of_fields(&mut data.fields),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                keep(&mut variant.attrs);
                of_fields(&mut variant.fields);
            }
        }
        Data::Union(_) => {}
    }
    input
}

/// A list as `a, b, c`.
pub(crate) type Comma<T> = Punctuated<T, syn::Token![,]>;
