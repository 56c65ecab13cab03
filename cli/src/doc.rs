//! `dbgen doc`: a schema as Markdown, with an entity-relationship diagram that GitHub and other readers of mermaid draw.

use std::fmt::Write;
use std::path::PathBuf;

use dbgen_schema::write::type_text;
use dbgen_schema::{
    Composite, Enumeration, Field, Index, IndexKind, OnDelete, Relation, Schema, Table, TableIdx, Type,
};

use crate::failure::Failure;
use crate::input;
use crate::output::Output;

/// Write the documentation of a schema as Markdown, with a diagram of its tables
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The schema file, JSON or TOML
    file: PathBuf,
    /// Where to write; `-` is standard output
    #[arg(long, short, default_value = "-")]
    out: Output,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let schema = input::load(&arguments.file)?;
    arguments.out.write(&markdown(&schema))
}

/// The whole document.
fn markdown(schema: &Schema) -> String {
    let mut sections = vec![head(schema)];
    if !schema.tables.is_empty() {
        sections.push(format!("## Tables at a glance\n\n```mermaid\n{}```", diagram(schema)));
    }
    sections.extend((0..schema.tables.len()).map(|at| table(schema, TableIdx(at as u32))));
    if !schema.composites.is_empty() {
        sections.push("## Composite types".to_owned());
        sections.extend(schema.composites.iter().map(|it| composite(schema, it)));
    }
    if !schema.enums.is_empty() {
        sections.push("## Enums".to_owned());
        sections.extend(schema.enums.iter().map(|it| enumeration(schema, it)));
    }
    sections.join("\n\n") + "\n"
}

fn head(schema: &Schema) -> String {
    paragraphs([
        format!("# {}", schema.name),
        schema.description.clone().unwrap_or_default(),
        format!("Version {}. {} tables.", schema.version, schema.tables.len()),
    ])
}

/// Non-empty parts, an empty line between them.
fn paragraphs(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// One table: what it is, its fields, its indexes, and who refers to whom.
fn table(schema: &Schema, at: TableIdx) -> String {
    let table = &schema.tables[at.at()];
    paragraphs([
        format!("## `{}`", table.name),
        table.description.clone().unwrap_or_default(),
        table_facts(schema, table),
        fields(schema, table.fields.iter().map(|field| (field, field_facts(schema, at, field)))),
        list("Indexes", table.indexes.iter().map(|it| index(table, it))),
        list("Refers to", schema.relations.iter().filter(|it| it.from_table == at).map(|it| refers_to(schema, it))),
        list(
            "Referred to by",
            schema.relations.iter().filter(|it| it.to_table == at).map(|it| referred_by(schema, it)),
        ),
    ])
}

fn table_facts(schema: &Schema, table: &Table) -> String {
    let mut facts = vec![match table.durability {
        dbgen_schema::Durability::Log => "Every commit is logged.".to_owned(),
        dbgen_schema::Durability::Snapshot => "Kept in snapshots only.".to_owned(),
        dbgen_schema::Durability::None => "Gone after a restart.".to_owned(),
    }];
    if let Some(parent) = table.parent {
        facts.push(format!("A component: at most one record per record of `{}`.", schema.tables[parent.at()].name));
    }
    if let Some(schedule) = &table.schedule {
        let at = &table.fields[schedule.at.at()].name;
        facts.push(format!("A timer: calls `{}` at `{at}`.", schedule.procedure));
    }
    if table.capacity > 0 {
        facts.push(format!("Room for {} records is made at the start.", table.capacity));
    }
    facts.join(" ")
}

/// A Markdown table of fields; each comes with what is to be said of it beside its type.
fn fields<'a>(schema: &Schema, fields: impl Iterator<Item = (&'a Field, Vec<String>)>) -> String {
    let mut text = "| field | type | rules | description |\n|---|---|---|---|".to_owned();
    for (field, facts) in fields {
        let description = cell(field.description.as_deref().unwrap_or_default());
        let ty = cell(&type_name(schema, field));
        let _ = write!(text, "\n| `{}` | `{ty}` | {} | {description} |", field.name, cell(&facts.join(", ")));
    }
    text
}

fn type_name(schema: &Schema, field: &Field) -> String {
    let optional = if field.nullable { "?" } else { "" };
    format!("{}{optional}", type_text(schema, &field.ty))
}

/// What a field of a table is beside its type: keys, bounds, default, group.
fn field_facts(schema: &Schema, table: TableIdx, field: &Field) -> Vec<String> {
    let table = &schema.tables[table.at()];
    let mut facts = value_facts(schema, field);
    let flags = [
        (field.primary_key, "primary key"),
        (field.unique && !field.primary_key, "unique"),
        (field.auto_increment, "auto increment"),
    ];
    facts.splice(0..0, flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned()));
    if field.group > 0 {
        facts.push(format!("group `{}`", table.groups[field.group as usize]));
    }
    facts
}

/// What a field's value may be, and is when nobody gives one.
fn value_facts(schema: &Schema, field: &Field) -> Vec<String> {
    let bounds = [("default", &field.default), ("min", &field.min), ("max", &field.max)];
    bounds
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)))
        .map(|(name, value)| format!("{name} `{}`", dbgen_schema::json::encode(schema, &field.ty, value)))
        .collect()
}

fn list(head: &str, items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.map(|item| format!("- {item}")).collect();
    if items.is_empty() { String::new() } else { format!("{head}:\n\n{}", items.join("\n")) }
}

fn index(table: &Table, index: &Index) -> String {
    let fields: Vec<_> = index.fields.iter().map(|field| format!("`{}`", table.fields[field.at()].name)).collect();
    let unique = if index.unique { "unique, " } else { "" };
    let kind = match index.kind {
        IndexKind::Btree => "ordered",
        IndexKind::Hash => "hash",
    };
    format!("`{}` over {}: {unique}{kind}", index.name, fields.join(", "))
}

fn refers_to(schema: &Schema, relation: &Relation) -> String {
    let target = &schema.tables[relation.to_table.at()];
    let key = relation.to_field.map_or_else(String::new, |field| format!(".{}", target.fields[field.at()].name));
    let field = &schema.tables[relation.from_table.at()].fields[relation.from_field.at()].name;
    format!("`{}{key}` by `{field}`; {}", target.name, on_delete(relation.on_delete))
}

fn referred_by(schema: &Schema, relation: &Relation) -> String {
    let from = &schema.tables[relation.from_table.at()];
    format!("`{}.{}`", from.name, from.fields[relation.from_field.at()].name)
}

fn on_delete(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::Restrict => "what is referred to cannot be deleted",
        OnDelete::Cascade => "deleted with what it refers to",
        OnDelete::SetNull => "null once what it refers to is deleted",
    }
}

fn composite(schema: &Schema, composite: &Composite) -> String {
    paragraphs([
        format!("### `{}`", composite.name),
        composite.description.clone().unwrap_or_default(),
        fields(schema, composite.fields.iter().map(|field| (field, value_facts(schema, field)))),
    ])
}

fn enumeration(schema: &Schema, enumeration: &Enumeration) -> String {
    let variants = enumeration.variants.iter().map(|variant| {
        let payload =
            variant.payload.as_ref().map_or_else(String::new, |ty| format!(" with a `{}`", type_text(schema, ty)));
        let description = variant.description.as_deref().map_or_else(String::new, |text| format!(": {}", line(text)));
        format!("- `{}` ({}){payload}{description}", variant.name, variant.number)
    });
    paragraphs([
        format!("### `{}`", enumeration.name),
        enumeration.description.clone().unwrap_or_default(),
        variants.collect::<Vec<_>>().join("\n"),
    ])
}

/// Text on one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text that may stand in a cell of a Markdown table.
fn cell(text: &str) -> String {
    line(text).replace('|', "\\|")
}

/// The diagram. Names are quoted: mermaid has words of its own, and tables may be called so.
fn diagram(schema: &Schema) -> String {
    let mut text = "erDiagram\n".to_owned();
    for (at, table) in schema.tables.iter().enumerate() {
        let _ = writeln!(text, "    \"{}\" {{", table.name);
        for field in &table.fields {
            let _ = writeln!(text, "        {}", diagram_field(schema, TableIdx(at as u32), field));
        }
        text.push_str("    }\n");
    }
    for table in &schema.tables {
        if let Some(parent) = table.parent {
            let _ =
                writeln!(text, "    \"{}\" ||--o| \"{}\" : \"component\"", schema.tables[parent.at()].name, table.name);
        }
    }
    for relation in &schema.relations {
        let _ = writeln!(text, "    {}", diagram_relation(schema, relation));
    }
    text
}

fn diagram_field(schema: &Schema, table: TableIdx, field: &Field) -> String {
    let fields = &schema.tables[table.at()].fields;
    let refers =
        schema.relations.iter().any(|it| it.from_table == table && fields[it.from_field.at()].name == field.name);
    let keys = [(field.primary_key, "PK"), (refers, "FK"), (field.unique && !field.primary_key, "UK")];
    let keys: Vec<_> = keys.into_iter().filter(|(set, _)| *set).map(|(_, key)| key).collect();
    format!("{} {} {}", diagram_type(schema, &field.ty), field.name, keys.join(", ")).trim_end().to_owned()
}

/// A type in the letters that a mermaid attribute may have: `str(16)`, `u16[8]`, `list(Vec3)`.
fn diagram_type(schema: &Schema, ty: &Type) -> String {
    match ty {
        Type::Array(element, count) => format!("{}[{count}]", diagram_type(schema, element)),
        Type::List(element) => format!("list({})", diagram_type(schema, element)),
        _ => type_text(schema, ty).replace('<', "(").replace('>', ")"),
    }
}

fn diagram_relation(schema: &Schema, relation: &Relation) -> String {
    let from = &schema.tables[relation.from_table.at()];
    let field = &from.fields[relation.from_field.at()];
    let many = if field.unique { "|o" } else { "}o" };
    let one = if field.nullable { "o|" } else { "||" };
    let to = &schema.tables[relation.to_table.at()].name;
    format!("\"{}\" {many}--{one} \"{to}\" : \"{}\"", from.name, relation.name)
}
