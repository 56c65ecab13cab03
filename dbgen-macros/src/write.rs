//! Items as a schema: what the derives found, in the schema's own language.

use crate::ast::{Errors, Item, Kind, Member};
use crate::attr::{self, Setting, Value};
use crate::database::Database;
use crate::text::Json;
use crate::types::{self, NamedType, Names};
use crate::value;
use dbgen::names::unraw;
use dbgen::schema::diagnostic::nearest;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Result};

/// The schema of a database.
///
/// # Errors
/// What is wrong with names between items, combined.
pub(crate) fn schema(database: &Database, items: &[Item]) -> Result<Json> {
    let mut errors = Errors::default();
    let mut root = Json::object(&database.name);
    root.add("name", &database.name, Json::text(database.name(), &database.name));
    root.add_some("version", &database.version, database.version.as_ref().map(|it| Json::text(it.value(), it)));
    root.add_some("description", TokenStream::new(), description(database.docs.as_deref()));
    let mut writer = Writer { items, errors: &mut errors, relations: Vec::new() };
    writer.refuse_namesakes();
    let mut sections = [Json::object(quote!()), Json::object(quote!()), Json::object(quote!())];
    for item in items {
        let written = writer.item(item);
        let [composites, enums, tables] = &mut sections;
        let section = match item.kind {
            Kind::Composite => composites,
            Kind::Enumeration => enums,
            Kind::Table => tables,
        };
        section.add(item.name(), item.name_tokens(), written);
    }
    let relations = Json::list(writer.relations, quote!());
    errors.finish()?;
    for (key, section) in ["custom_types", "enums", "tables"].into_iter().zip(sections) {
        root.add(key, quote!(), section);
    }
    root.add("relations", quote!(), relations);
    Ok(root)
}

fn description(docs: Option<&str>) -> Option<Json> {
    docs.map(|docs| Json::text(docs, quote!()))
}

struct Writer<'a> {
    items: &'a [Item],
    errors: &'a mut Errors,
    relations: Vec<Json>,
}

/// Settings whose values are names, as they are.
const NAMES: &[&str] = &["group", "on_delete", "renamed_from", "durability"];

impl Writer<'_> {
    fn item(&mut self, item: &Item) -> Json {
        let mut object = Json::object(&item.ident);
        object.add_some("description", quote!(), description(item.docs.as_deref()));
        let members: Vec<Json> = item.members.iter().map(|member| self.member(item, member)).collect();
        let key = if item.kind == Kind::Enumeration { "variants" } else { "fields" };
        object.add(key, &item.ident, Json::list(members, &item.ident));
        if item.kind == Kind::Table {
            self.table(item, &mut object);
        }
        object
    }

    fn table(&mut self, item: &Item, object: &mut Json) {
        let mut indexes = Vec::new();
        for setting in &item.settings {
            let key = setting.key.to_string();
            match (key.as_str(), &setting.value) {
                ("index", Value::Group(settings)) => indexes.push(index(item, setting, settings)),
                ("schedule", Value::Group(settings)) => {
                    object.add("schedule", &setting.key, schedule(item, setting, settings))
                }
                ("parent", Value::Expr(expr)) => {
                    let parent = self.parent(item, expr);
                    object.add_some("parent_table", &setting.key, parent.map(|name| Json::text(name, expr)));
                }
                ("name", _) => {}
                (key, _) => object.add_some(key, &setting.key, self.plain(setting)),
            }
        }
        object.add("indexes", quote!(), Json::list(indexes, quote!()));
    }

    fn member(&mut self, item: &Item, member: &Member) -> Json {
        let mut object = Json::object(&member.ident);
        object.add("name", member.name_tokens(), Json::text(member.name(item.kind), member.name_tokens()));
        object.add_some("description", quote!(), description(member.docs.as_deref()));
        if let Some(ty) = &member.ty {
            let (is_nullable, inner) = types::nullable(ty);
            let is_nullable = is_nullable && item.kind != Kind::Enumeration;
            let names = DatabaseNames { items: self.items, within: &item.ident };
            if let Some(pieces) = self.errors.keep(types::pieces(inner, item.is_cells(), &names)) {
                let key = if item.kind == Kind::Enumeration { "payload" } else { "type" };
                object.add(key, ty, Json::pieces(pieces, inner));
            }
            if is_nullable {
                object.add("nullable", ty, Json::raw("true", ty));
            }
            self.refuse_mixed_cells(item, inner);
        }
        if let Some(number) = &member.number {
            let number = self.errors.keep(value::json(number, self.items));
            object.add_some("number", &member.number, number);
        }
        self.settings(item, member, &mut object);
        object
    }

    fn settings(&mut self, item: &Item, member: &Member, object: &mut Json) {
        let relation = attr::find(&member.settings, "relation");
        for setting in member.settings.iter().filter(|setting| setting.is_set()) {
            let key = setting.key.to_string();
            match (key.as_str(), &setting.value) {
                ("name" | "relation" | "number", _) => {}
                ("on_delete", _) if relation.is_some() => {}
                ("default", Value::Flag) => {
                    let zero = self.zero(item, member, setting);
                    object.add_some("default", &setting.key, zero);
                }
                ("foreign_key", Value::Expr(expr)) => {
                    object.add("foreign_key", &setting.key, Json::text(self.path(expr), expr));
                }
                (key, _) => object.add_some(key, &setting.key, self.plain(setting)),
            }
        }
        if let Some(relation) = relation {
            let named = self.relation(item, member, relation);
            self.relations.extend(named);
        }
    }

    /// The value of `#[field(default)]`.
    fn zero(&mut self, item: &Item, member: &Member, setting: &Setting) -> Option<Json> {
        let (is_nullable, inner) = types::nullable(member.ty.as_ref()?);
        if is_nullable {
            let message = "an `Option` is nothing anyway: leave out `default`, or give it a value";
            self.errors.push(Error::new_spanned(&setting.key, message));
            return None;
        }
        let names = DatabaseNames { items: self.items, within: &item.ident };
        let pieces = types::pieces(inner, item.is_cells(), &names).ok()?;
        let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let zero = self.errors.keep(crate::zero::zero(&text, self.items, &names, &setting.key))?;
        if zero.is_none() {
            let message = "a reference has no default: leave out `default`, or make it an `Option`";
            self.errors.push(Error::new_spanned(&setting.key, message));
        }
        zero
    }

    /// A relation with a name of its own stands among the schema's relations.
    fn relation(&mut self, item: &Item, member: &Member, relation: &Setting) -> Option<Json> {
        let ident = &member.ident;
        let to = match (attr::find(&member.settings, "foreign_key"), &member.ty) {
            (Some(key), _) => self.path(key.expr()?),
            (None, Some(ty)) => {
                let names = DatabaseNames { items: self.items, within: &item.ident };
                let pieces = types::pieces(types::nullable(ty).1, false, &names).ok()?;
                let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
                let Some(table) = text.strip_prefix("ref<").and_then(|rest| rest.strip_suffix('>')) else {
                    let message = "only a reference is a relation: give the field the type `Id<…>`, or a `foreign_key`";
                    self.errors.push(Error::new_spanned(relation.tokens(), message));
                    return None;
                };
                table.to_owned()
            }
            (None, None) => return None,
        };
        let mut object = Json::object(relation.tokens());
        object.add("name", &relation.key, Json::text(attr::text_of(relation.expr()?)?, relation.expr()));
        object.add("from", ident, Json::text(format!("{}.{}", item.name(), member.name(item.kind)), ident));
        object.add("to", &member.ty, Json::text(to, &member.ty));
        if let Some(rule) = attr::find(&member.settings, "on_delete") {
            object.add_some("on_delete", &rule.key, self.plain(rule));
        }
        Some(object)
    }

    /// A setting that the schema language knows by the same key.
    fn plain(&mut self, setting: &Setting) -> Option<Json> {
        match &setting.value {
            Value::Flag => Some(Json::raw("true", &setting.key)),
            Value::Expr(expr) if NAMES.iter().any(|key| setting.key == key) => {
                attr::text_of(expr).map(|text| Json::text(text, expr))
            }
            Value::Expr(expr) => self.errors.keep(value::json(expr, self.items)),
            Value::Group(_) => None,
        }
    }

    /// `Guild::name` or `"guild.name"`, as the schema writes it.
    fn path(&self, expr: &syn::Expr) -> String {
        let text = attr::text_of(expr).unwrap_or_default();
        let Some((table, field)) = text.rsplit_once('.') else { return text };
        let table = table.rsplit('.').next().unwrap_or(table);
        let Some(item) = self.items.iter().find(|item| item.kind == Kind::Table && item.ident == table) else {
            return text;
        };
        let field = item.member(field).map_or_else(|| field.to_owned(), |member| member.name(Kind::Table));
        format!("{}.{field}", item.name())
    }

    /// The schema's name of the table that an attribute names by its struct, or in quotes.
    fn parent(&mut self, item: &Item, expr: &syn::Expr) -> Option<String> {
        let syn::Expr::Path(path) = expr else { return attr::text_of(expr) };
        let names = DatabaseNames { items: self.items, within: &item.ident };
        self.errors.keep(names.table(&path.path.segments.last()?.ident))
    }

    /// No two tables, and no two types, have one name.
    fn refuse_namesakes(&mut self) {
        for (at, item) in self.items.iter().enumerate() {
            let is_namesake = |other: &&Item| other.kind.list() == item.kind.list() && other.name() == item.name();
            if let Some(first) = self.items.iter().take(at).find(is_namesake) {
                let message =
                    format!("`{}` and `{}` are both called `{}`: rename one", first.ident, item.ident, item.name());
                self.errors.push(Error::new_spanned(item.name_tokens(), message));
            }
        }
    }

    /// What lies in a row as it is can hold nothing that does not.
    fn refuse_mixed_cells(&mut self, item: &Item, ty: &syn::Type) {
        if item.kind != Kind::Composite || !item.is_cells() {
            return;
        }
        let plain = self.items.iter().filter(|other| {
            let has_payload = other.members.iter().any(|member| member.ty.is_some());
            (other.kind == Kind::Composite && !other.is_cells()) || (other.kind == Kind::Enumeration && has_payload)
        });
        for other in plain {
            if mentions(ty.to_token_stream(), &other.ident) {
                let message = format!(
                    "a composite of cells holds cells, and `{}` is none: give it `#[composite(cells)]` too, or take it from `{}`",
                    other.ident, item.ident
                );
                self.errors.push(Error::new_spanned(ty, message));
            }
        }
    }
}

fn mentions(tokens: TokenStream, ident: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(it) => it == *ident,
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), ident),
        _ => false,
    })
}

/// The schema's name of a field that an attribute of its table names.
fn field_name(item: &Item, name: String) -> String {
    item.member(&name).map_or(name, |member| member.name(Kind::Table))
}

fn index(item: &Item, setting: &Setting, settings: &[Setting]) -> Json {
    let has_field = |name: &str| item.member(name).is_some();
    let mut object = Json::object(setting.tokens());
    let mut fields = Vec::new();
    let mut field = |it: &Setting| fields.push(Json::text(field_name(item, unraw(&it.key)), &it.key));
    let mut is_unique = None;
    for it in settings {
        match &it.value {
            Value::Flag if it.key == "unique" && !has_field("unique") => is_unique = Some(it),
            Value::Expr(_) if it.key == "unique" => is_unique = it.is_set().then_some(it),
            Value::Flag => field(it),
            Value::Group(more) => more.iter().for_each(&mut field),
            Value::Expr(expr) => {
                let text = attr::text_of(expr).map(|text| Json::text(text, expr));
                object.add_some(&it.key.to_string(), &it.key, text);
            }
        }
    }
    object.add("fields", setting.tokens(), Json::list(fields, setting.tokens()));
    object.add_some("unique", quote!(), is_unique.map(|it| Json::raw("true", &it.key)));
    object
}

fn schedule(item: &Item, setting: &Setting, settings: &[Setting]) -> Json {
    let mut object = Json::object(setting.tokens());
    for it in settings {
        let text = it.expr().and_then(attr::text_of);
        let text = if it.key == "procedure" { text } else { text.map(|name| field_name(item, name)) };
        object.add_some(&it.key.to_string(), &it.key, text.map(|text| Json::text(text, it.expr())));
    }
    object
}

impl Item {
    fn name_tokens(&self) -> TokenStream {
        attr::find(&self.settings, "name").map_or_else(|| self.ident.to_token_stream(), Setting::value_tokens)
    }
}

/// A type that an item names and that the database does not list: a mistake of its author's, if there is such a type at all.
/// Where there is none, the compiler says so.
pub(crate) struct Unlisted {
    /// The position of the item.
    pub(crate) item: usize,
    /// The type.
    pub(crate) named: NamedType,
    /// What is wrong, as [`schema`] says it.
    pub(crate) message: String,
}

/// Every type that is not listed, each once for every item that names it.
pub(crate) fn unlisted(items: &[Item]) -> Vec<Unlisted> {
    let of_item = |(at, item): (usize, &Item)| {
        let names = DatabaseNames { items, within: &item.ident };
        let absent = types::named_types(item).into_iter().filter(|named| names.find(&named.ident).is_none());
        let absent = absent.map(|named| {
            let message = names.unknown(&named.ident, named.is_table).to_string();
            Unlisted { item: at, named, message }
        });
        absent.collect::<Vec<_>>()
    };
    items.iter().enumerate().flat_map(of_item).collect()
}

/// The names of one database, as one of its items sees them.
struct DatabaseNames<'a> {
    items: &'a [Item],
    within: &'a Ident,
}

impl DatabaseNames<'_> {
    fn find(&self, ident: &Ident) -> Option<&Item> {
        let ident = if ident == "Self" { self.within } else { ident };
        self.items.iter().find(|item| item.ident == *ident)
    }

    fn unknown(&self, ident: &Ident, tables: bool) -> Error {
        let (what, list) = if tables { ("a table", "tables") } else { ("a composite or an enumeration", "types") };
        let names =
            self.items.iter().filter(|item| (item.kind == Kind::Table) == tables).map(|item| item.ident.to_string());
        let names: Vec<String> = names.collect();
        let words = types::WORDS.iter().copied().filter(|_| !tables);
        let near = nearest(&ident.to_string(), names.iter().map(String::as_str).chain(words)).map(str::to_owned);
        let message = match near {
            Some(near) => format!("`{ident}` is not {what} of this database: did you mean `{near}`?"),
            None => format!(
                "`{ident}` is not {what} of this database: derive `{}` on it and add it to `{list}` of `database!`",
                if tables { "Table" } else { "Composite` or `Enumeration" }
            ),
        };
        Error::new_spanned(ident, message)
    }
}

impl Names for DatabaseNames<'_> {
    fn value(&self, ident: &Ident) -> Result<String> {
        match self.find(ident) {
            Some(item) if item.kind == Kind::Table => {
                let message = format!("`{ident}` is a table: refer to one of its records with `Id<{ident}>`");
                Err(Error::new_spanned(ident, message))
            }
            Some(item) => Ok(item.name()),
            None => Err(self.unknown(ident, false)),
        }
    }

    fn table(&self, ident: &Ident) -> Result<String> {
        match self.find(ident) {
            Some(item) if item.kind == Kind::Table => Ok(item.name()),
            Some(item) => {
                let message = format!("`{ident}` is {}, not a table of this database", item.kind.noun());
                Err(Error::new_spanned(ident, message))
            }
            None => Err(self.unknown(ident, true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    fn item(kind: Kind, text: &str) -> Item {
        let input = syn::parse_str(text).expect("an item");
        Item::read(kind, &input).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_default_without_a_value_is_zero() {
        let items = [
            item(
                Kind::Composite,
                "pub struct Point { pub x: f32, #[field(default = 2)] pub y: u8, pub z: Option<u8> }",
            ),
            item(Kind::Enumeration, "pub enum Act { Go(Point), Wait }"),
            item(Kind::Enumeration, "pub enum Mood { #[variant(name = \"fine\")] Good, Bad }"),
            item(
                Kind::Table,
                "pub struct T { #[field(default)] pub a: [Point; 2], #[field(default)] pub b: Act, #[field(default)] pub c: \
                 Mood, #[field(default)] pub d: Bytes<3>, #[field(default)] pub e: Timestamp, #[field(default)] pub f: \
                 Vec<Str<4>>, #[field(default)] pub g: Text, #[field(default)] pub h: bool, #[field(default)] pub i: Uuid }",
            ),
        ];
        let database = syn::parse_str("name: Zero, tables: [T], types: [Point, Act, Mood]").expect("it is right");
        let text = Text::of(&schema(&database, &items).unwrap_or_else(|error| panic!("{error}"))).text;
        let point = "{\"x\": 0,\n\"y\": 2,\n\"z\": null}";
        let day_one = "\"1970-01-01T00:00:00Z\"";
        let nil = "\"00000000-0000-0000-0000-000000000000\"";
        let all = [format!("[{point}, {point}]"), format!("{{\"go\": {point}}}"), "\"fine\"".to_owned()];
        let rest = ["\"AAAA\"", day_one, "[]", "\"\"", "false", nil].map(str::to_owned);
        let (_, mut after) = text.split_once("\"tables\"").expect("it has tables");
        for expected in all.iter().chain(&rest) {
            let (_, rest) = after.split_once("\"default\": ").expect("every field has one");
            assert!(rest.starts_with(expected.as_str()), "{expected}: {rest}");
            after = rest;
        }
        let source =
            dbgen::schema::Source { name: "zero".to_owned(), text: text.clone(), format: dbgen::schema::Format::Json };
        assert!(dbgen::schema::Schema::parse(&source).is_ok(), "{text}");
    }
}
