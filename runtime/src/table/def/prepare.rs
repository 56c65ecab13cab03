//! From a schema to what the engine asks about its tables: worked out once, when it is opened or edited.
//!
//! Each table by itself comes first, then the relations between them, then timers and components, and last what follows from
//! all of it: which fields are written without a look at anything else.

use super::{Bare, Column, FieldDef, IndexDef, RelationDef, TableDef, TextColumn, TimerDef, is_ref};
use crate::error::{Error, Result};
use crate::limits::{KEY_BYTES_MAX, TABLES_MAX};
use crate::record::guard::{self, Guard};
use crate::record::key::KeyKind;
use crate::record::plan::CellPlan;
use crate::table::index::IndexShape;
use crate::table::mask::MaskPlace;
use dbgen_schema::layout::{FieldLayout, table_layout};
use dbgen_schema::{Scalar, Schema, Value};

/// Prepares all tables of a schema.
pub fn prepare(schema: &Schema) -> Result<Vec<TableDef>> {
    if schema.tables.len() > TABLES_MAX {
        return Err(Error::Full { table: schema.name.clone(), what: "the number of tables", limit: TABLES_MAX });
    }
    let mut defs = Vec::with_capacity(schema.tables.len());
    for at in 0..schema.tables.len() {
        defs.push(table(schema, at)?);
    }
    for relation in &schema.relations {
        let relation = relation_def(schema, &defs, relation)?;
        defs[relation.to_table].incoming.push(relation.clone());
        defs[relation.from_table].outgoing.push(relation);
    }
    for (def, table) in defs.iter_mut().zip(&schema.tables) {
        def.timer = table.schedule.as_ref().and_then(|schedule| timer_def(def, schedule));
    }
    for at in 0..defs.len() {
        if let Some(owner) = defs[at].owner {
            defs[at].component_bit = defs[owner].components.len();
            defs[owner].components.push(at);
        }
    }
    for (def, table) in defs.iter_mut().zip(&schema.tables) {
        for at in 0..def.fields.len() {
            def.fields[at].row_bytes = def.layout.groups[def.fields[at].at.group].stride;
            def.fields[at].free = is_free(def, table, at);
            def.fields[at].alone = is_alone(def, at);
        }
    }
    for at in 0..defs.len() {
        defs[at].bare = bare(&defs, at);
    }
    Ok(defs)
}

fn table(schema: &Schema, at: usize) -> Result<TableDef> {
    let table = &schema.tables[at];
    let unsupported = |what: &str| Err(Error::Unsupported { what: what.to_owned(), table: table.name.clone() });
    let layout = table_layout(schema, table);
    let mut counters = 0;
    let fields =
        table.fields.iter().zip(&layout.fields).map(|(field, at)| field_def(schema, field, *at, &mut counters));
    let fields: Vec<FieldDef> = fields.collect();
    let mut indexes = Vec::with_capacity(table.indexes.len());
    for index in &table.indexes {
        let mut columns = Vec::with_capacity(index.fields.len());
        for field in &index.fields {
            let ty = &table.fields[field.at()].ty;
            let Some(kind) = KeyKind::of(schema, ty) else {
                return unsupported(&format!("the index `{}` on `{}`", index.name, table.fields[field.at()].name));
            };
            let at = layout.fields[field.at()];
            columns.push(Column {
                field: field.at(),
                kind,
                null_bit: at.null_bit,
                group_offset: layout.groups[at.group].image_offset,
                offset: at.image_offset,
                size: at.size,
            });
        }
        let (mut key_bytes, mut texts) = (0, Vec::new());
        for column in &columns {
            if column.kind == KeyKind::Text {
                texts.push(TextColumn {
                    key_at: key_bytes + usize::from(column.null_bit.is_some()),
                    field: column.field,
                });
            }
            key_bytes += column.key_bytes();
        }
        let Some(shape) = IndexShape::new(index.kind, key_bytes) else {
            return unsupported(&format!(
                "the index `{}` (a key of {key_bytes} bytes, at most {KEY_BYTES_MAX})",
                index.name
            ));
        };
        let (name, kind, unique) = (index.name.clone(), index.kind, index.unique);
        indexes.push(IndexDef { name, kind, unique, columns, shape, texts });
    }
    let fields_that = |has: fn(&FieldDef) -> bool| (0..fields.len()).filter(|at| has(&fields[*at])).collect();
    let ruled: Vec<usize> = fields_that(FieldDef::can_be_refused);
    let (mut guards, mut unguarded) = (Vec::new(), Vec::new());
    for at in &ruled {
        let field = &fields[*at];
        let group_offset = layout.groups[field.at.group].image_offset;
        if !field.guards(group_offset, &mut guards) {
            unguarded.push(*at);
        }
    }
    let (heap_fields, counted) = (fields_that(|field| field.has_heap), fields_that(|field| field.counter.is_some()));
    Ok(TableDef {
        name: table.name.clone(),
        at,
        since: 0,
        capacity: table.capacity as usize,
        layout,
        fields,
        ruled,
        guards,
        unguarded,
        counted,
        heap_fields,
        indexes,
        outgoing: Vec::new(),
        incoming: Vec::new(),
        counters,
        durability: table.durability,
        timer: None,
        owner: table.parent.map(|parent| parent.at()),
        components: Vec::new(),
        component_bit: 0,
        bare: None,
    })
}

fn field_def(schema: &Schema, field: &dbgen_schema::Field, at: FieldLayout, counters: &mut usize) -> FieldDef {
    let plan = CellPlan::of(schema, &field.ty);
    let rules = guard::Rules { allow_nan: field.allow_nan, min: &field.min, max: &field.max };
    let (by_itself, mut guards) = (FieldLayout { image_offset: 0, null_bit: None, ..at }, Vec::new());
    let is_guarded = guard::field_guards(&plan, by_itself, 0, field.nullable, rules, &mut guards);
    let counter = field.auto_increment.then(|| {
        *counters += 1;
        *counters - 1
    });
    FieldDef {
        name: field.name.clone(),
        at,
        row_bytes: 0,
        has_heap: plan.has_heap_cells(),
        is_ruled: plan.is_ruled(field.allow_nan),
        plan,
        nullable: field.nullable,
        immutable: field.primary_key,
        allow_nan: field.allow_nan,
        min: field.min.clone(),
        max: field.max.clone(),
        cell_guards: is_guarded.then_some(guards),
        default: match &field.default {
            Some(value) => Some(value.clone()),
            None if field.nullable => Some(Value::Null),
            None => None,
        },
        counter,
        free: false,
        alone: false,
    }
}

fn timer_def(def: &TableDef, schedule: &dbgen_schema::Schedule) -> Option<TimerDef> {
    let at = schedule.at.at();
    // The model promises an index on the field.
    let by_time = |index: &IndexDef| index.is_ordered() && index.columns.len() == 1 && index.columns[0].field == at;
    let index = def.indexes.iter().position(by_time)?;
    let every = schedule.every.map(|field| field.at());
    Some(TimerDef { at, index, every, procedure: schedule.procedure.clone() })
}

fn relation_def(schema: &Schema, defs: &[TableDef], relation: &dbgen_schema::Relation) -> Result<RelationDef> {
    let (from, to) = (relation.from_table.at(), relation.to_table.at());
    let missing = |table: usize| Error::Unsupported {
        what: format!("the relation `{}` without an index on its field", relation.name),
        table: schema.tables[table].name.clone(),
    };
    // A hash finds whole keys only, and of a unique index the field must be all.
    let led_by = |table: usize, field: usize, unique: bool| {
        let fits = |index: &IndexDef| index.columns.len() == 1 || (!unique && index.is_ordered());
        let led = |index: &IndexDef| index.columns[0].field == field && (!unique || index.unique) && fits(index);
        defs[table].indexes.iter().position(led)
    };
    let to_value = match relation.to_field {
        None => None,
        Some(field) => Some((led_by(to, field.at(), true).ok_or_else(|| missing(to))?, field.at())),
    };
    Ok(RelationDef {
        name: relation.name.clone(),
        from_table: from,
        from_field: relation.from_field.at(),
        from_index: led_by(from, relation.from_field.at(), false).ok_or_else(|| missing(from))?,
        to_table: to,
        to_value,
        on_delete: relation.on_delete,
    })
}

impl FieldDef {
    /// Whether a value of the field by itself can break a rule: one that must be given has a bit or an id to be null with.
    fn can_be_refused(&self) -> bool {
        let can_be_null = self.at.null_bit.is_some() || matches!(self.plan, CellPlan::Ref);
        self.is_ruled || self.min.is_some() || self.max.is_some() || (can_be_null && !self.nullable)
    }

    /// Appends guards for its rules; `false` if not all of them have one.
    fn guards(&self, group_offset: usize, guards: &mut Vec<Guard>) -> bool {
        let rules = guard::Rules { allow_nan: self.allow_nan, min: &self.min, max: &self.max };
        guard::field_guards(&self.plan, self.at, group_offset, self.nullable, rules, guards)
    }
}

/// Where owners note the components of a table of which nothing is asked but that they belong to a record, and from which
/// nothing follows.
fn bare(defs: &[TableDef], at: usize) -> Option<Bare> {
    let def = &defs[at];
    let nothing_asked = def.ruled.is_empty() && def.outgoing.is_empty() && def.counters == 0;
    let nothing_follows = def.incoming.is_empty() && def.components.is_empty() && def.indexes.is_empty();
    let is_bare = nothing_asked && nothing_follows && def.heap_fields.is_empty();
    let owner = def.owner.filter(|_| is_bare)?;
    Some(Bare { owner, mask: MaskPlace::new(&defs[owner], def.component_bit) })
}

/// Whether nothing but the field's own rules concerns a new value of it.
fn is_alone(def: &TableDef, at: usize) -> bool {
    let field = &def.fields[at];
    let in_index = def.indexes.iter().any(|index| index.columns.iter().any(|column| column.field == at));
    let in_relation = def.outgoing.iter().any(|relation| relation.from_field == at)
        || def.incoming.iter().any(|relation| relation.to_value.is_some_and(|(_, field)| field == at));
    !in_index && !in_relation && !field.immutable && !field.has_heap && !is_ref(field)
}

/// Whether any bytes may be written into the field without a check.
fn is_free(def: &TableDef, table: &dbgen_schema::Table, at: usize) -> bool {
    let field = &table.fields[at];
    let in_index = def.indexes.iter().any(|index| index.columns.iter().any(|column| column.field == at));
    let in_relation = def.outgoing.iter().any(|relation| relation.from_field == at)
        || def.incoming.iter().any(|relation| relation.to_value.is_some_and(|(_, field)| field == at));
    let ruled = field.min.is_some() || field.max.is_some() || field.primary_key || field.nullable;
    !in_index && !in_relation && !ruled && is_plain(&def.fields[at].plan)
}

/// Whether every bit pattern is a value of the type. Floats count: a NaN written by game code in a hot loop is its own
/// business; JSON shows it as a string.
fn is_plain(plan: &CellPlan) -> bool {
    match plan {
        CellPlan::Scalar(scalar) => *scalar != Scalar::Bool,
        CellPlan::FixedBytes(_) => true,
        CellPlan::Array { element, .. } => is_plain(element),
        CellPlan::Composite(plan) => plan
            .fields
            .iter()
            .all(|member| !member.nullable && member.min.is_none() && member.max.is_none() && is_plain(&member.plan)),
        CellPlan::Str(_)
        | CellPlan::Text
        | CellPlan::Bytes
        | CellPlan::Ref
        | CellPlan::List { .. }
        | CellPlan::Enum(_) => false,
    }
}
