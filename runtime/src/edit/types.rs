//! Edits of types: enums and composites.
//!
//! A type is used wherever its name stands: in fields of tables and composites, and in payloads. Its members' names stand
//! in defaults and bounds, which are values written in the schema. Whoever renames one renames it there, too.

use super::draft::{Definition, Draft, Member, members, merge, not_alterable};
use super::references::{element_type, is_set, rename_in_type, text, type_name};
use super::tables::Tables;
use crate::error::{Result, SchemaEditError, nearest};
use dbgen_schema::{Schema, Type};
use serde_json::{Map, Value as Json, json};

/// Whether a type is a list of variants or of fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Composite,
    Enum,
}

/// Another name for a member of a type.
struct NewName<'a> {
    of: &'a str,
    from: &'a str,
    to: &'a str,
}

impl Draft<'_> {
    fn type_of(&self, name: &str) -> Result<(Kind, usize)> {
        let place = |list: &[Definition]| list.iter().position(|it| it.name == name);
        let composite = place(&self.composites).map(|at| (Kind::Composite, at));
        composite.or_else(|| place(&self.enums).map(|at| (Kind::Enum, at))).ok_or_else(|| {
            let names = self.composites.iter().chain(&self.enums).map(|it| it.name.as_str());
            SchemaEditError::UnknownType { name: name.to_owned(), suggestion: nearest(name, names) }.into()
        })
    }

    fn definition(&mut self, (kind, at): (Kind, usize)) -> &mut Definition {
        match kind {
            Kind::Composite => &mut self.composites[at],
            Kind::Enum => &mut self.enums[at],
        }
    }

    fn type_and_member(&mut self, of: &str, member: &str) -> Result<(Kind, usize, usize)> {
        let (kind, at) = self.type_of(of)?;
        let definition = self.definition((kind, at));
        match definition.field(member) {
            Some(found) => Ok((kind, at, found)),
            None => {
                let suggestion = nearest(member, definition.names());
                let (name, member) = (of.to_owned(), member.to_owned());
                Err(SchemaEditError::UnknownMember { name, member, suggestion }.into())
            }
        }
    }

    pub(super) fn create_type(&mut self, name: &str, definition: &Json) -> Result<()> {
        if self.type_of(name).is_ok() {
            return Err(SchemaEditError::TypeExists { name: name.to_owned() }.into());
        }
        if definition.get("variants").is_some() {
            self.enums.push(Definition::new(name, None, definition, "variants"));
        } else {
            self.composites.push(Definition::new(name, None, definition, "fields"));
        }
        Ok(())
    }

    pub(super) fn alter_type(&mut self, name: &str, changes: &Json) -> Result<()> {
        let at = self.type_of(name)?;
        let changes = members(changes, name, |key| ["name", "description"].contains(&key))?;
        if let Some(description) = changes.get("description") {
            merge(&mut self.definition(at).json, "description", description);
        }
        let Some(to) = changes.get("name") else { return Ok(()) };
        let Some(to) = to.as_str() else { return Err(not_alterable(name, "name")) };
        if to == name {
            return Ok(());
        }
        if self.type_of(to).is_ok() {
            return Err(SchemaEditError::TypeExists { name: to.to_owned() }.into());
        }
        self.definition(at).name = to.to_owned();
        let fields = self.tables.iter_mut().chain(&mut self.composites).flat_map(|it| &mut it.fields);
        fields.for_each(|field| rename_in_type(&mut field.json, "type", name, to));
        let variants = self.enums.iter_mut().flat_map(|it| &mut it.fields);
        variants.for_each(|variant| rename_in_type(&mut variant.json, "payload", name, to));
        Ok(())
    }

    pub(super) fn drop_type(&mut self, name: &str) -> Result<()> {
        let (kind, at) = self.type_of(name)?;
        let by: Vec<String> = self.users(name);
        if !by.is_empty() {
            return Err(SchemaEditError::TypeUsed { name: name.to_owned(), by }.into());
        }
        match kind {
            Kind::Composite => drop(self.composites.remove(at)),
            Kind::Enum => drop(self.enums.remove(at)),
        }
        Ok(())
    }

    /// What is made of a type: fields as `table.field`, fields and variants of other types as `Type.member`.
    fn users(&self, name: &str) -> Vec<String> {
        let fields = self.tables.iter().chain(&self.composites).map(|it| (it, "type"));
        let all = fields.chain(self.enums.iter().map(|it| (it, "payload")));
        all.flat_map(|(definition, key)| {
            let uses = move |member: &&Member| type_name(text(&member.json, key)) == name;
            let path = move |member: &Member| format!("{}.{}", definition.name, text(&member.json, "name"));
            definition.fields.iter().filter(uses).map(path)
        })
        .collect()
    }

    pub(super) fn add_member(&mut self, of: &str, definition: &Json, tables: &Tables<'_>) -> Result<()> {
        let (kind, at) = self.type_of(of)?;
        let mut json = definition.clone();
        let owner = self.definition((kind, at));
        if kind == Kind::Enum {
            let last = owner.fields.iter().filter_map(|it| it.json.get("number")?.as_u64()).next_back();
            number_variant(&mut json, last.map_or(0, |last| last + 1));
        }
        let (name, origin) = (text(&json, "name").to_owned(), owner.origin);
        if owner.field(&name).is_some() {
            return Err(SchemaEditError::MemberExists { name: of.to_owned(), member: name }.into());
        }
        let is_valued = kind == Kind::Enum || json.get("default").is_some() || is_set(&json, "nullable");
        owner.fields.push(Member { origin: None, json });
        match origin {
            Some(origin) if !is_valued => self.check_unused(origin, &format!("{of}.{name}"), tables),
            _ => Ok(()),
        }
    }

    /// That no table has records with fields of a composite, which is to have a field more that has no value for them.
    fn check_unused(&self, composite: usize, field: &str, tables: &Tables<'_>) -> Result<()> {
        let schema = self.old.schema();
        for (at, table) in schema.tables.iter().enumerate() {
            let records = tables.view(at).version.len();
            if records > 0 && table.fields.iter().any(|field| holds(schema, &field.ty, composite)) {
                let (table, field) = (table.name.clone(), field.to_owned());
                return Err(SchemaEditError::DefaultRequired { table, field, records }.into());
            }
        }
        Ok(())
    }

    pub(super) fn alter_member(&mut self, of: &str, member: &str, changes: &Json) -> Result<()> {
        let (kind, at, found) = self.type_and_member(of, member)?;
        let what = format!("{of}.{member}");
        let definition = &mut self.definition((kind, at)).fields[found].json;
        let has_payload = definition.get("payload").is_some();
        // Stored values would change their meaning, or lack what comes with them.
        let alterable = |key: &str| match kind {
            Kind::Composite => !["id", "renamed_from"].contains(&key),
            Kind::Enum => key != "number" && (key != "payload" || has_payload),
        };
        let changes = members(changes, &what, alterable)?;
        for (key, value) in changes.iter().filter(|(key, _)| *key != "name") {
            merge(definition, key, value);
        }
        let Some(to) = changes.get("name") else { return Ok(()) };
        let Some(to) = to.as_str() else { return Err(not_alterable(&what, "name")) };
        if to == member {
            return Ok(());
        }
        if self.definition((kind, at)).field(to).is_some() {
            return Err(SchemaEditError::MemberExists { name: of.to_owned(), member: to.to_owned() }.into());
        }
        self.rename_in_values(&NewName { of, from: member, to });
        self.definition((kind, at)).fields[found].json["name"] = json!(to);
        Ok(())
    }

    pub(super) fn drop_member(&mut self, of: &str, member: &str) -> Result<()> {
        let (kind, at, found) = self.type_and_member(of, member)?;
        self.definition((kind, at)).fields.remove(found);
        Ok(())
    }

    /// Renames a member of a type in every value that the schema writes down.
    fn rename_in_values(&mut self, rename: &NewName<'_>) {
        let known = Known::of(self);
        for field in self.tables.iter_mut().chain(&mut self.composites).flat_map(|it| &mut it.fields) {
            let ty = text(&field.json, "type").to_owned();
            for key in ["default", "min", "max"] {
                if let Some(value) = field.json.get_mut(key) {
                    known.rename(&ty, value, rename);
                }
            }
        }
    }
}

/// The types of a draft, as far as values of them have to be understood: per type its members with their types.
struct Known {
    composites: Vec<(String, Vec<(String, String)>)>,
    enums: Vec<(String, Vec<(String, String)>)>,
}

impl Known {
    fn of(draft: &Draft<'_>) -> Known {
        let all = |list: &[Definition], key: &str| {
            let member = |it: &Member| (text(&it.json, "name").to_owned(), text(&it.json, key).to_owned());
            list.iter().map(|it| (it.name.clone(), it.fields.iter().map(member).collect())).collect()
        };
        Known { composites: all(&draft.composites, "type"), enums: all(&draft.enums, "payload") }
    }

    fn rename(&self, ty: &str, value: &mut Json, rename: &NewName<'_>) {
        if let (Some(element), Json::Array(values)) = (element_type(ty), &mut *value) {
            return values.iter_mut().for_each(|value| self.rename(element, value, rename));
        }
        let find = |list: &'_ [(String, Vec<(String, String)>)]| list.iter().position(|(name, _)| name == ty.trim());
        let is_it = |name: &str| rename.of == ty.trim() && name == rename.from;
        match value {
            // A variant without a payload.
            Json::String(name) if is_it(name) && find(&self.enums).is_some() => *name = rename.to.to_owned(),
            // Fields of a composite, or a variant over its payload.
            Json::Object(object) => {
                let Some((_, known)) = find(&self.composites)
                    .map(|at| &self.composites[at])
                    .or_else(|| find(&self.enums).map(|at| &self.enums[at]))
                else {
                    return;
                };
                let inside = |(name, mut value): (String, Json)| {
                    if let Some((_, ty)) = known.iter().find(|(own, _)| *own == name) {
                        self.rename(ty, &mut value, rename);
                    }
                    (if is_it(&name) { rename.to.to_owned() } else { name }, value)
                };
                *object = std::mem::take(object).into_iter().map(inside).collect::<Map<String, Json>>();
            }
            _ => {}
        }
    }
}

/// Whether a type is, or holds, the composite.
fn holds(schema: &Schema, ty: &Type, composite: usize) -> bool {
    match ty {
        Type::Composite(idx) => {
            let fields = &schema.composites[idx.at()].fields;
            idx.at() == composite || fields.iter().any(|field| holds(schema, &field.ty, composite))
        }
        Type::Enum(idx) => {
            let payloads = schema.enums[idx.at()].variants.iter().filter_map(|variant| variant.payload.as_ref());
            payloads.into_iter().any(|ty| holds(schema, ty, composite))
        }
        Type::Array(element, _) | Type::List(element) => holds(schema, element, composite),
        _ => false,
    }
}

/// Writes every variant of an enum's definition as an object with its number, so that it keeps it whatever becomes of its
/// neighbours.
pub(crate) fn number_variants(definition: &mut Json) {
    let mut next = 0;
    for variant in definition.get_mut("variants").and_then(Json::as_array_mut).into_iter().flatten() {
        number_variant(variant, next);
        next = variant.get("number").and_then(Json::as_u64).map_or(next, |number| number + 1);
    }
}

fn number_variant(variant: &mut Json, next: u64) {
    if let Some(name) = variant.as_str() {
        *variant = json!({ "name": name });
    }
    if let Some(members) = variant.as_object_mut() {
        members.entry("number").or_insert_with(|| json!(next));
    }
}
