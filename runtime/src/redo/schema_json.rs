//! A schema as JSON of its own language, to be stored and edited.
//!
//! Tables, types and relations stand in an order that means something: it is that of their numbers. The maps of `serde_json`
//! keep an order or not, by a feature that any crate of a build may turn on; so those whose order counts are lists here. What
//! a definition says is a map: its members are known by their keys alone.

use crate::error::{Error, Result};
use dbgen_schema::{Format, Schema, Source};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

/// A schema as JSON of its own language.
#[derive(Debug, Clone, Default, PartialEq, Serialize, serde::Deserialize)]
pub struct SchemaJson {
    /// What it says of itself: its name, its version, and so on.
    #[serde(flatten)]
    pub own: Map<String, Json>,
    /// The composites.
    #[serde(default)]
    pub custom_types: Named,
    /// The enums.
    #[serde(default)]
    pub enums: Named,
    /// The tables.
    #[serde(default)]
    pub tables: Named,
    /// The relations that are written down.
    #[serde(default)]
    pub relations: Vec<Json>,
}

/// Definitions by their names, in their order. There are few: they are looked for one by one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Named(Vec<(String, Json)>);

impl SchemaJson {
    /// A schema as JSON.
    pub(crate) fn of(schema: &Schema) -> Result<SchemaJson> {
        serde_json::from_str(&dbgen_schema::write::to_json_pretty(schema)).map_err(Error::abort)
    }

    /// The schema, parsed and checked; `name` is what mistakes in it are told of.
    ///
    /// # Errors
    /// [`Error::Schema`] with all that the checker finds.
    pub(crate) fn parse(&self, name: &str) -> Result<Schema> {
        let text = serde_json::to_string_pretty(self).map_err(Error::abort)?;
        let source = Source { name: name.to_owned(), text, format: Format::Json };
        Schema::parse(&source).map_err(|wrong| Error::Schema(Box::new(wrong)))
    }
}

impl Named {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, definition)| (name.as_str(), definition))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Json)> {
        self.0.iter_mut().map(|(name, definition)| (name.as_str(), definition))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.iter().find(|(own, _)| *own == name).map(|(_, definition)| definition)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.iter_mut().find(|(own, _)| *own == name).map(|(_, definition)| definition)
    }

    /// Adds a definition behind the others.
    pub(crate) fn push(&mut self, name: &str, definition: Json) {
        self.0.push((name.to_owned(), definition));
    }
}

impl FromIterator<(String, Json)> for Named {
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(definitions: I) -> Named {
        Named(definitions.into_iter().collect())
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Named, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Named;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("definitions by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Named, A::Error> {
                let mut named = Named::default();
                while let Some(member) = members.next_entry()? {
                    named.0.push(member);
                }
                Ok(named)
            }
        }
        from.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored with its tables in the order of their names, a database would find other records in them.
    #[test]
    fn a_stored_schema_keeps_the_order_of_what_has_a_number() {
        let text = r#"{
            "name": "order", "version": "1",
            "custom_types": {
                "Zone": { "fields": [{ "name": "x", "type": "f32" }] },
                "Area": { "fields": [{ "name": "y", "type": "f32" }, { "name": "a", "type": "f32" }] }
            },
            "enums": { "Sort": { "variants": ["b", "a"] }, "Kind": { "variants": ["d", "c"] } },
            "tables": {
                "zebra": { "fields": [{ "name": "b", "type": "Zone" }, { "name": "a", "type": "Sort" }] },
                "ape": { "fields": [{ "name": "c", "type": "ref<zebra>" }, { "name": "b", "type": "Area" }] },
                "mole": { "fields": [{ "name": "k", "type": "Kind" }] }
            }
        }"#;
        let source = Source { name: "order".to_owned(), text: text.to_owned(), format: Format::Json };
        let schema = Schema::parse(&source).unwrap();
        let stored = serde_json::to_string(&SchemaJson::of(&schema).unwrap()).unwrap();
        let back = serde_json::from_str::<SchemaJson>(&stored).unwrap().parse("it").unwrap();
        assert!(back.says_the_same(&schema));
        assert!(back.tables.iter().map(|table| table.name.as_str()).eq(["zebra", "ape", "mole"]));
    }
}
