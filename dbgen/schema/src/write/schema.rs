//! From the model back to a document of the language.

use std::fmt::Write;

use crate::field_type::Type;
use crate::json::{Int64, encode_as};
use crate::model::{
    Composite, Durability, Enumeration, Field, FieldIdx, IndexKind, OnDelete, Relation, Schema, StableId, Table,
    TableIdx, Variant,
};
use crate::value::Value;

use super::Doc;

/// How much is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Detail {
    All,
    /// Only what stored data and generated code depend on.
    Meaning,
}

pub(super) fn document(schema: &Schema, detail: Detail) -> Doc {
    let writer = Writer { schema, detail };
    let mut root = Members::new();
    root.add("name", &schema.name);
    if detail == Detail::All {
        root.add("version", &schema.version);
    }
    root.description(schema.description.as_ref(), detail);
    root.map("custom_types", schema.composites.iter().map(|it| (it.name.clone(), writer.composite(it))));
    root.map("enums", schema.enums.iter().map(|it| (it.name.clone(), writer.enumeration(it))));
    let tables = schema.tables.iter().enumerate();
    root.map("tables", tables.map(|(at, it)| (it.name.clone(), writer.table(TableIdx(at as u32), it))));
    root.list("relations", schema.relations.iter().filter(|it| it.written).map(|it| writer.relation(it)));
    root.into_doc()
}

/// The members of an object, as far as they have something to say.
struct Members(Vec<(String, Doc)>);

impl Members {
    fn new() -> Members {
        Members(Vec::new())
    }

    fn add(&mut self, key: &str, value: impl Into<Doc>) {
        self.0.push((key.to_string(), value.into()));
    }

    fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.add(key, true);
        }
    }

    fn some(&mut self, key: &str, value: Option<impl Into<Doc>>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }

    fn description(&mut self, description: Option<&String>, detail: Detail) {
        self.some("description", description.filter(|_| detail == Detail::All));
    }

    fn id(&mut self, id: StableId) {
        self.some("id", (id.0 != 0).then_some(id.0));
    }

    fn list(&mut self, key: &str, items: impl Iterator<Item = Doc>) {
        let items: Vec<Doc> = items.collect();
        self.some(key, (!items.is_empty()).then_some(Doc::List(items)));
    }

    fn map(&mut self, key: &str, members: impl Iterator<Item = (String, Doc)>) {
        let members: Vec<(String, Doc)> = members.collect();
        self.some(key, (!members.is_empty()).then_some(Doc::Object(members)));
    }

    fn into_doc(self) -> Doc {
        Doc::Object(self.0)
    }
}

struct Writer<'a> {
    schema: &'a Schema,
    detail: Detail,
}

impl Writer<'_> {
    fn composite(&self, composite: &Composite) -> Doc {
        let mut members = Members::new();
        members.description(composite.description.as_ref(), self.detail);
        let fields = composite.fields.iter().map(|field| {
            let mut members = self.field(field);
            members.some("renamed_from", field.renamed_from.as_ref().filter(|_| self.detail == Detail::All));
            members.into_doc()
        });
        members.add("fields", Doc::List(fields.collect()));
        members.into_doc()
    }

    fn enumeration(&self, enumeration: &Enumeration) -> Doc {
        let mut members = Members::new();
        members.description(enumeration.description.as_ref(), self.detail);
        let mut next = 0;
        let variants = enumeration.variants.iter().map(|variant| {
            let number = (variant.number != next).then_some(variant.number);
            next = variant.number.saturating_add(1);
            self.variant(variant, number)
        });
        members.add("variants", Doc::List(variants.collect()));
        members.into_doc()
    }

    /// Its name alone, if there is nothing else to say.
    fn variant(&self, variant: &Variant, number: Option<u16>) -> Doc {
        let description = variant.description.as_ref().filter(|_| self.detail == Detail::All);
        if number.is_none() && variant.payload.is_none() && description.is_none() {
            return Doc::from(&variant.name);
        }
        let mut members = Members::new();
        members.add("name", &variant.name);
        members.some("number", number);
        members.some("payload", variant.payload.as_ref().map(|ty| Doc::Text(type_text(self.schema, ty))));
        members.some("description", description);
        members.into_doc()
    }

    fn table(&self, idx: TableIdx, table: &Table) -> Doc {
        let mut members = Members::new();
        members.id(table.id);
        members.description(table.description.as_ref(), self.detail);
        members.some("renamed_from", table.renamed_from.as_ref().filter(|_| self.detail == Detail::All));
        members.some("parent_table", table.parent.map(|parent| &self.schema.tables[parent.at()].name));
        members.some("capacity", (table.capacity != 0).then_some(table.capacity));
        members.some("durability", (table.durability != Durability::Log).then_some(table.durability.as_str()));
        members.some("require_if_match", table.require_if_match.then_some(true));
        if let Some(schedule) = &table.schedule {
            let mut inner = Members::new();
            inner.add("at", &table.fields[schedule.at.at()].name);
            inner.some("every", schedule.every.map(|every| &table.fields[every.at()].name));
            inner.add("procedure", &schedule.procedure);
            members.add("schedule", inner.into_doc());
        }
        let fields = (0..table.fields.len()).map(|at| self.table_field(idx, table, FieldIdx(at as u32)));
        members.add("fields", Doc::List(fields.collect()));
        members.list(
            "indexes",
            table.indexes.iter().filter(|index| index.written).map(|index| {
                let mut inner = Members::new();
                inner.add("name", &index.name);
                let names = index.fields.iter().map(|field| Doc::from(&table.fields[field.at()].name));
                inner.add("fields", Doc::List(names.collect()));
                inner.some("kind", (index.kind != IndexKind::Btree).then_some(index.kind.as_str()));
                inner.flag("unique", index.unique);
                inner.into_doc()
            }),
        );
        members.into_doc()
    }

    /// What fields of tables and composites have in common.
    fn field(&self, field: &Field) -> Members {
        let mut members = Members::new();
        members.id(field.id);
        members.add("name", &field.name);
        members.add("type", Doc::Text(type_text(self.schema, &field.ty)));
        members.flag("nullable", field.nullable);
        members.some("default", field.default.as_ref().map(|value| self.value(&field.ty, value)));
        members.some("min", field.min.as_ref().map(|value| self.value(&field.ty, value)));
        members.some("max", field.max.as_ref().map(|value| self.value(&field.ty, value)));
        members.flag("allow_nan", field.allow_nan);
        members.description(field.description.as_ref(), self.detail);
        members
    }

    fn table_field(&self, table_idx: TableIdx, table: &Table, idx: FieldIdx) -> Doc {
        let field = &table.fields[idx.at()];
        let mut members = self.field(field);
        members.flag("unique", field.unique);
        members.flag("primary_key", field.primary_key);
        members.flag("indexed", field.indexed);
        members.flag("auto_increment", field.auto_increment);
        members.some("group", (field.group != 0).then(|| &table.groups[field.group as usize]));
        let implied = self
            .schema
            .relations
            .iter()
            .find(|relation| !relation.written && relation.from_table == table_idx && relation.from_field == idx);
        if let Some(relation) = implied {
            members.some("foreign_key", relation.to_field.map(|_| Doc::Text(self.target(relation))));
            members.some("on_delete", on_delete_word(relation));
        }
        members.some("renamed_from", field.renamed_from.as_ref().filter(|_| self.detail == Detail::All));
        members.into_doc()
    }

    fn relation(&self, relation: &Relation) -> Doc {
        let from = &self.schema.tables[relation.from_table.at()];
        let mut members = Members::new();
        members.add("name", &relation.name);
        members.add("from", Doc::Text(format!("{}.{}", from.name, from.fields[relation.from_field.at()].name)));
        members.add("to", Doc::Text(self.target(relation)));
        members.some("on_delete", on_delete_word(relation));
        members.into_doc()
    }

    fn target(&self, relation: &Relation) -> String {
        let table = &self.schema.tables[relation.to_table.at()];
        match relation.to_field {
            Some(field) => format!("{}.{}", table.name, table.fields[field.at()].name),
            None => table.name.clone(),
        }
    }

    fn value(&self, ty: &Type, value: &Value) -> Doc {
        Doc::from_json(&encode_as(self.schema, ty, value, Int64::Number))
    }
}

fn on_delete_word(relation: &Relation) -> Option<&'static str> {
    (relation.on_delete != OnDelete::Restrict).then_some(relation.on_delete.as_str())
}

/// A type as it is written in a schema: `list<[u16; 8]>`.
pub fn type_text(schema: &Schema, ty: &Type) -> String {
    let mut text = String::new();
    write_type(schema, ty, &mut text);
    text
}

fn write_type(schema: &Schema, ty: &Type, text: &mut String) {
    // Writing to a string cannot fail.
    let _ = match ty {
        Type::Scalar(scalar) => write!(text, "{}", scalar.desc().name),
        Type::Str(n) => write!(text, "str<{n}>"),
        Type::FixedBytes(n) => write!(text, "bytes<{n}>"),
        Type::Text => write!(text, "text"),
        Type::Bytes => write!(text, "bytes"),
        Type::Enum(idx) => write!(text, "{}", schema.enums[idx.at()].name),
        Type::Composite(idx) => write!(text, "{}", schema.composites[idx.at()].name),
        Type::Ref(idx) => write!(text, "ref<{}>", schema.tables[idx.at()].name),
        Type::Array(element, n) => {
            text.push('[');
            write_type(schema, element, text);
            write!(text, "; {n}]")
        }
        Type::List(element) => {
            text.push_str("list<");
            write_type(schema, element, text);
            write!(text, ">")
        }
    };
}
