//! From the shape of a schema to the checked model: every name resolved, every rule holding, every mistake reported.
//!
//! The steps, in this order because each needs those before it:
//!
//! 1. [`names`]: what is a name, and what is one too many
//! 2. [`types`]: composites and enums, with their fields ([`fields`], [`resolve`]); finite and in order
//! 3. tables' fields ([`fields`]), column groups, parents, timers, capacity ([`tables`])
//! 4. [`values`]: defaults and bounds, for which all types must be known
//! 5. [`indexes`] that are written or follow from a field's attributes
//! 6. [`relations`], then the indexes that follow from them and from timers, then which tables need which ([`order`])
//! 7. sizes of records
//!
//! A mistake never stops a later step. What could not be understood is marked unsound, and later steps say nothing about
//! it: one mistake, one diagnostic.

mod fields;
mod foreign;
mod graph;
mod indexes;
mod names;
mod order;
mod relations;
mod resolve;
mod tables;
mod types;
mod values;

use std::collections::HashMap;

use crate::diagnostic::{Finding, Report, code};
use crate::field_type::Type;
use crate::limits;
use crate::model::{CompositeIdx, EnumIdx, FieldIdx, Schema, TableIdx};
use crate::raw::RawSchema;
use crate::source::{At, Lines, Span, shown};

/// What to do about a record or type that is too large.
const LARGE_HELP: &str = "`text`, `bytes` and `list<...>` live outside the record and take 8 bytes in it";
/// The version of a schema that gives none.
const VERSION_DEFAULT: &str = "0.0.0";

/// Checks a whole schema. The result obeys the invariants of [`crate::model`] only if nothing was reported as an error.
pub(crate) fn check(mut raw: RawSchema, lines: &Lines, report: &mut Report) -> Schema {
    bound(&mut raw, report);
    names::check(&raw, report);
    let mut checker = Checker::new(&raw, lines, report);
    checker.version();
    checker.types();
    checker.tables();
    checker.values();
    checker.written_indexes();
    checker.relations();
    checker.following_indexes();
    checker.table_order();
    checker.sizes();
    checker.schema
}

/// Cuts lists that are longer than the limits, so that no later step has to look.
fn bound(raw: &mut RawSchema, report: &mut Report) {
    cut(&mut raw.composites, limits::COMPOSITES_MAX, "types", |it| &it.name.span, report);
    cut(&mut raw.enums, limits::ENUMS_MAX, "enums", |it| &it.name.span, report);
    cut(&mut raw.tables, limits::TABLES_MAX, "tables", |it| &it.name.span, report);
    for composite in &mut raw.composites {
        cut(&mut composite.fields, limits::FIELDS_MAX, "fields", |it| &it.name.span, report);
    }
    for enumeration in &mut raw.enums {
        cut(&mut enumeration.variants, limits::VARIANTS_MAX, "variants", |it| &it.name.span, report);
    }
    for table in &mut raw.tables {
        cut(&mut table.fields, limits::FIELDS_MAX, "fields", |it| &it.name.span, report);
        cut(&mut table.indexes, limits::INDEXES_MAX, "indexes", |it| &it.span, report);
        for fields in table.indexes.iter_mut().filter_map(|index| index.fields.as_mut()) {
            cut(fields, limits::INDEX_FIELDS_MAX, "fields of an index", |it| &it.span, report);
        }
    }
}

fn cut<T>(list: &mut Vec<T>, max: usize, what: &str, span: impl Fn(&T) -> &Span, report: &mut Report) {
    if let Some(first) = list.get(max) {
        let message = format!("{} {what}", list.len());
        report.push(Finding::error(code::TOO_MANY, span(first), message).label(format!("at most {max}")));
        list.truncate(max);
    }
}

/// What the name of a type stands for.
#[derive(Clone, Copy)]
enum TypeName {
    Composite(CompositeIdx),
    Enum(EnumIdx),
}

/// What is fully understood: only that can be measured, hold values or be indexed without reporting nonsense.
#[derive(Default)]
struct Sound {
    composites: Vec<bool>,
    enums: Vec<bool>,
    /// Per table, per field.
    fields: Vec<Vec<bool>>,
}

impl Sound {
    fn ty(&self, ty: &Type) -> bool {
        match ty {
            Type::Composite(idx) => self.composites.get(idx.at()).copied().unwrap_or(false),
            Type::Enum(idx) => self.enums.get(idx.at()).copied().unwrap_or(false),
            Type::Array(element, _) | Type::List(element) => self.ty(element),
            _ => true,
        }
    }

    fn field(&self, table: TableIdx, field: FieldIdx) -> bool {
        self.fields.get(table.at()).and_then(|fields| fields.get(field.at())).copied().unwrap_or(false)
    }
}

/// The schema while it is being made; its lists run beside those of `raw`, index for index.
struct Checker<'a> {
    raw: &'a RawSchema,
    lines: &'a Lines,
    report: &'a mut Report,
    types: HashMap<&'a str, TypeName>,
    tables: HashMap<&'a str, TableIdx>,
    sound: Sound,
    /// Composites, each behind those it holds.
    composites_in_order: Vec<CompositeIdx>,
    /// Per table.
    index_names: Vec<names::Scope>,
    schema: Schema,
}

impl<'a> Checker<'a> {
    fn new(raw: &'a RawSchema, lines: &'a Lines, report: &'a mut Report) -> Checker<'a> {
        let mut types = HashMap::new();
        for (at, composite) in raw.composites.iter().enumerate() {
            let idx = CompositeIdx(at as u32);
            types.entry(composite.name.value.as_str()).or_insert(TypeName::Composite(idx));
        }
        for (at, enumeration) in raw.enums.iter().enumerate() {
            types.entry(enumeration.name.value.as_str()).or_insert(TypeName::Enum(EnumIdx(at as u32)));
        }
        let mut tables = HashMap::new();
        for (at, table) in raw.tables.iter().enumerate() {
            tables.entry(table.name.value.as_str()).or_insert(TableIdx(at as u32));
        }
        let schema = Schema {
            name: raw.name.as_ref().map_or_else(String::new, |name| name.value.clone()),
            version: raw.version.as_ref().map_or_else(|| VERSION_DEFAULT.to_string(), |version| version.value.clone()),
            description: raw.description.clone(),
            composites: Vec::with_capacity(raw.composites.len()),
            enums: Vec::with_capacity(raw.enums.len()),
            tables: Vec::with_capacity(raw.tables.len()),
            relations: Vec::new(),
        };
        let (sound, composites_in_order, index_names) = (Sound::default(), Vec::new(), Vec::new());
        Checker { raw, lines, report, types, tables, sound, composites_in_order, index_names, schema }
    }

    fn version(&mut self) {
        let Some(version) = &self.raw.version else { return };
        let strange = version.value.chars().any(|c| c.is_control() || c.is_whitespace());
        if version.value.is_empty() || version.value.len() > limits::VERSION_BYTES_MAX || strange {
            let message = format!("`{}` is no version", shown(&version.value));
            let finding = Finding::error(code::INVALID_VERSION, &version.span, message);
            self.report.push(finding.help("write it like `1.0.0`"));
        }
    }

    /// The table of this name; reports that there is none.
    fn table_named(&mut self, name: &At<String>) -> Option<TableIdx> {
        if let Some(idx) = self.tables.get(name.value.as_str()) {
            return Some(*idx);
        }
        let tables = self.raw.tables.iter().map(|table| table.name.value.as_str());
        let help = self.report.did_you_mean_or_list(&name.value, tables);
        let message = format!("unknown table `{}`", shown(&name.value));
        let finding = Finding::error(code::UNKNOWN_TABLE, &name.span, message).label("not a table of this schema");
        self.report.push(finding.help_if(help));
        None
    }

    /// The field of this name; reports that the table has none.
    fn field_named(&mut self, table: TableIdx, name: &At<String>) -> Option<FieldIdx> {
        let table = &self.raw.tables[table.at()];
        if let Some(at) = table.fields.iter().position(|field| field.name.value == name.value) {
            return Some(FieldIdx(at as u32));
        }
        let fields = table.fields.iter().map(|field| field.name.value.as_str());
        let help = self.report.did_you_mean_or_list(&name.value, fields);
        let message = format!("the table `{}` has no field `{}`", shown(&table.name.value), shown(&name.value));
        let finding = Finding::error(code::UNKNOWN_FIELD, &name.span, message).label("not a field of that table");
        self.report.push(finding.help_if(help));
        None
    }
}
