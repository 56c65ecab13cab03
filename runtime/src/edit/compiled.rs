//! What generated code was compiled for, and so must stay.
//!
//! Generated code knows tables and indexes by their numbers, and fields by constant offsets. Fields that no rule concerned
//! when it was compiled it writes without asking, whole column groups of them as slices: an index or a rule that came
//! later would not see those writes.

use crate::catalog::{Catalog, Compiled};
use crate::error::{Error, Result, SchemaEditError};
use crate::table::def::TableDef;
use dbgen_schema::{Composite, Enumeration, Field, Index, Relation, Schema, Table};

/// Checks that the catalog still has everything that generated code relies on.
pub(super) fn check(catalog: &Catalog) -> Result<()> {
    let Some(compiled) = catalog.compiled() else { return Ok(()) };
    for (at, table) in compiled.schema.tables.iter().enumerate() {
        let Some(now) = catalog.schema().tables.get(at).filter(|now| now.name == table.name) else {
            return stays(table.name.clone());
        };
        check_table(table, now, &compiled.tables[at], &catalog.tables()[at])?;
    }
    check_types(&compiled.schema, catalog.schema())?;
    check_relations(compiled, catalog.schema())
}

fn compiled(what: String) -> Error {
    SchemaEditError::Compiled { what }.into()
}

fn stays<T>(what: String) -> Result<T> {
    Err(compiled(what))
}

/// Generated code has the types by their numbers, its variants as those of a Rust enum, its fields at constant offsets:
/// only what they are called in documentation may change, and what is taken for a field that is left out.
fn check_types(was: &Schema, is: &Schema) -> Result<()> {
    for (at, composite) in was.composites.iter().enumerate() {
        let same = |now: &&Composite| {
            let pairs = composite.fields.iter().zip(&now.fields);
            now.name == composite.name && now.fields.len() == composite.fields.len() && pairs.clone().all(is_same_part)
        };
        is.composites.get(at).filter(same).ok_or_else(|| compiled(composite.name.clone()))?;
    }
    for (at, enumeration) in was.enums.iter().enumerate() {
        let shape = |it: &Enumeration| {
            let variants = it.variants.iter().map(|it| (it.name.clone(), it.number, it.payload.clone()));
            (it.name.clone(), variants.collect::<Vec<_>>())
        };
        let same = |now: &&Enumeration| shape(now) == shape(enumeration);
        is.enums.get(at).filter(same).ok_or_else(|| compiled(enumeration.name.clone()))?;
    }
    Ok(())
}

fn is_same_part((was, is): (&Field, &Field)) -> bool {
    let rules = |field: &Field| (field.nullable, field.allow_nan, field.min.clone(), field.max.clone());
    was.name == is.name && was.ty == is.ty && rules(was) == rules(is)
}

fn check_table(was: &Table, is: &Table, was_def: &TableDef, is_def: &TableDef) -> Result<()> {
    for (at, field) in was.fields.iter().enumerate() {
        if !is.fields.get(at).is_some_and(|now| is_same_field(field, now)) {
            return stays(format!("{}.{}", was.name, field.name));
        }
    }
    for (at, index) in was.indexes.iter().enumerate() {
        if !is.indexes.get(at).is_some_and(|now| is_same_index(index, now)) {
            return stays(format!("{}.{}", was.name, index.name));
        }
    }
    let same_groups = was_def.layout.groups.iter().zip(&is_def.layout.groups).all(|(was, is)| was == is);
    if was.parent != is.parent || was.schedule != is.schedule || was.groups.len() > is.groups.len() || !same_groups {
        return stays(was.name.clone());
    }
    check_free(was_def, is_def)
}

/// What may change of a field is what only the engine looks at.
fn is_same_field(was: &Field, is: &Field) -> bool {
    let shape = |field: &Field| (field.nullable, field.primary_key, field.auto_increment, field.unique, field.indexed);
    was.name == is.name && was.ty == is.ty && was.group == is.group && shape(was) == shape(is)
}

fn is_same_index(was: &Index, is: &Index) -> bool {
    was.name == is.name && was.fields == is.fields && was.kind == is.kind && was.unique == is.unique
}

/// Fields that compiled code writes without asking: an index that refuses nothing may be added to those that it writes one
/// by one, as the engine keeps it then; nothing else can.
fn check_free(was: &TableDef, is: &TableDef) -> Result<()> {
    for (at, field) in was.fields.iter().enumerate().filter(|(at, field)| field.free && !is.fields[*at].free) {
        let ruled = is.fields[at].min.is_some() || is.fields[at].max.is_some();
        let is_in = |fields: &[crate::table::def::Column]| fields.iter().any(|column| column.field == at);
        let in_unique = is.indexes.iter().any(|index| index.unique && is_in(&index.columns));
        let in_relation = is.outgoing.iter().any(|relation| relation.from_field == at)
            || is.incoming.iter().any(|relation| relation.to_value.is_some_and(|(_, field)| field == at));
        if ruled || in_unique || in_relation || was.group_is_free(field.at.group) {
            return Err(SchemaEditError::WrittenUnchecked { table: was.name.clone(), field: field.name.clone() }.into());
        }
    }
    Ok(())
}

fn check_relations(compiled: &Compiled, now: &Schema) -> Result<()> {
    let is_same = |was: &Relation, is: &Relation| {
        let ends = |it: &Relation| (it.from_table, it.from_field, it.to_table, it.to_field, it.on_delete);
        ends(was) == ends(is)
    };
    match compiled.schema.relations.iter().find(|was| !now.relations.iter().any(|is| is_same(was, is))) {
        Some(gone) => stays(gone.name.clone()),
        None => Ok(()),
    }
}
