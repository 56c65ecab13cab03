//! How a schema is compiled: everything that is not in the schema.

use crate::Error;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;

/// How a schema is compiled.
#[derive(Debug, Clone, Default)]
pub struct Options {
    runtime: Option<String>,
    source_name: Option<String>,
    attributes: Vec<(String, String)>,
    serde: bool,
}

impl Options {
    /// The defaults: the runtime is `::dbgen_runtime`.
    pub fn new() -> Options {
        Options::default()
    }

    /// Where generated code finds the runtime, for those who re-export or rename it: `::my_engine::dbgen_runtime`.
    pub fn runtime_path(mut self, path: impl Into<String>) -> Options {
        self.runtime = Some(path.into());
        self
    }

    /// The file that the schema comes from, as doc comments name it: `arena.json`.
    pub fn source_name(mut self, name: impl Into<String>) -> Options {
        self.source_name = Some(name.into());
        self
    }

    /// An attribute for the record of a table: `#[derive(Hash)]`. The table is named as in the schema; `*` is every one.
    pub fn table_attribute(mut self, table: impl Into<String>, attribute: impl Into<String>) -> Options {
        self.attributes.push((table.into(), attribute.into()));
        self
    }

    /// Whether records, patches, composites and enums implement serde's `Serialize` and `Deserialize`.
    pub fn derive_serde(mut self, derive: bool) -> Options {
        self.serde = derive;
        self
    }

    pub(crate) fn has_serde(&self) -> bool {
        self.serde
    }

    /// Whether everything that is Rust in here parses.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.runtime()?;
        for (_, attribute) in &self.attributes {
            syn::Attribute::parse_outer.parse_str(attribute).map_err(|_| Error::Configuration {
                setting: "table_attribute",
                given: attribute.clone(),
                expected: "an attribute, such as `#[derive(Hash)]`",
            })?;
        }
        Ok(())
    }

    pub(crate) fn runtime(&self) -> Result<TokenStream, Error> {
        let path = self.runtime_text();
        let parsed: syn::Path = syn::parse_str(path).map_err(|_| Error::Configuration {
            setting: "runtime_path",
            given: path.to_owned(),
            expected: "a path, such as `::dbgen_runtime`",
        })?;
        Ok(quote!(#parsed))
    }

    pub(crate) fn runtime_text(&self) -> &str {
        self.runtime.as_deref().unwrap_or("::dbgen_runtime")
    }

    /// The attributes for the record of this table, as far as they parse (see [`Options::check`]).
    pub(crate) fn table_attributes(&self, table: &str) -> Vec<syn::Attribute> {
        let ours = self.attributes.iter().filter(|(name, _)| name == table || name == "*");
        ours.flat_map(|(_, text)| syn::Attribute::parse_outer.parse_str(text).unwrap_or_default()).collect()
    }

    /// Where something stands in the schema, as a sentence for a doc comment.
    pub(crate) fn origin(&self, line: u32) -> Vec<String> {
        let name = self.source_name.as_ref().filter(|_| line > 0);
        name.map(|name| format!("Declared in `{name}:{line}`.")).into_iter().collect()
    }

    /// The header's words on where the schema comes from.
    pub(crate) fn header_source(&self) -> String {
        self.source_name.as_ref().map(|name| format!(" from {name}")).unwrap_or_default()
    }
}
