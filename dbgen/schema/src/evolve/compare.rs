//! Two versions side by side: which table, field and variant of one is which of the other, and what changed of it.

use crate::field_type::{Type, enum_tag_bytes};
use crate::lock::{Ids, Lock};
use crate::model::{Composite, Durability, Enumeration, Field, FieldIdx, Schema, Table, TableIdx, Variant};
use crate::write::type_text;

use super::Change;
use super::rules::{self, Rule};
use super::types::Types;

pub(super) fn compare(old: &Schema, new: &Schema, lock: Option<&Lock>) -> Vec<Change> {
    let pairs = pair(&old.tables, &new.tables);
    let mut tables = vec![None; old.tables.len()];
    for (new_at, old_at) in pairs.iter().enumerate() {
        if let Some(old_at) = old_at {
            tables[*old_at] = Some(TableIdx(new_at as u32));
        }
    }
    let mut comparer = Comparer { types: Types { old, new, tables: &tables }, lock, changes: Vec::new() };
    comparer.database();
    comparer.types_by_name(&old.composites, &new.composites, |it| &it.name, Comparer::composite);
    comparer.types_by_name(&old.enums, &new.enums, |it| &it.name, Comparer::enumeration);
    for (new_at, old_at) in pairs.into_iter().enumerate() {
        comparer.table(old_at.map(|at| TableIdx(at as u32)), TableIdx(new_at as u32));
    }
    for (at, _) in tables.iter().enumerate().filter(|(_, new)| new.is_none()) {
        comparer.push(&rules::TABLE_REMOVED, &old.tables[at].name, "the table is gone", 0);
    }
    comparer.changes
}

/// What has a stable id, a name, and perhaps another name before.
pub(super) trait Named {
    /// 0 = none.
    fn id(&self) -> u32;
    fn name(&self) -> &str;
    fn renamed_from(&self) -> Option<&str>;
}

macro_rules! named {
    ($($type:ty),*) => {$(
        impl Named for $type {
            fn id(&self) -> u32 { self.id.0 }
            fn name(&self) -> &str { &self.name }
            fn renamed_from(&self) -> Option<&str> { self.renamed_from.as_deref() }
        }
    )*};
}
named!(Table, Field);

/// For each of the new ones, which of the old ones it was.
pub(super) fn pair<T: Named>(old: &[T], new: &[T]) -> Vec<Option<usize>> {
    let with_id = |id: u32| old.iter().position(|old| id != 0 && old.id() == id);
    let with_name = |name: &str, id: u32| old.iter().position(|old| old.name() == name && (id == 0 || old.id() == 0));
    new.iter()
        .map(|new| {
            with_id(new.id())
                .or_else(|| with_name(new.name(), new.id()))
                .or_else(|| with_name(new.renamed_from()?, new.id()))
        })
        .collect()
}

pub(super) struct Comparer<'a> {
    pub(super) types: Types<'a>,
    lock: Option<&'a Lock>,
    changes: Vec<Change>,
}

impl<'a> Comparer<'a> {
    pub(super) fn push(&mut self, rule: &'static Rule, path: &str, detail: impl Into<String>, line: u32) {
        self.changes.push(Change { rule, path: path.to_string(), detail: detail.into(), line });
    }

    fn database(&mut self) {
        let (old, new) = (self.types.old, self.types.new);
        if old.name != new.name {
            let detail = format!("the database `{}` is called `{}`", old.name, new.name);
            self.push(&rules::DATABASE_RENAMED, &new.name, detail, 0);
        }
        if old.description != new.description || old.version != new.version {
            self.push(&rules::DOCS_CHANGED, &new.name, "version or description", 0);
        }
    }

    /// Composites and enums are the same if their names are.
    fn types_by_name<T>(
        &mut self,
        old: &'a [T],
        new: &'a [T],
        name: impl Fn(&T) -> &str,
        compare: impl Fn(&mut Self, &T, &T),
    ) {
        for ty in new {
            match old.iter().find(|old| name(old) == name(ty)) {
                Some(old) => compare(self, old, ty),
                None => self.push(&rules::TYPE_ADDED, name(ty), "a new type", 0),
            }
        }
        for ty in old.iter().filter(|old| !new.iter().any(|new| name(new) == name(old))) {
            self.push(&rules::TYPE_REMOVED, name(ty), "the type is gone", 0);
        }
    }

    fn composite(&mut self, old: &Composite, new: &Composite) {
        self.docs(&new.name, old.description.as_ref(), new.description.as_ref(), 0);
        let pairs = pair(&old.fields, &new.fields);
        let locked = self.lock.and_then(|lock| lock.composites.iter().find(|it| it.name == new.name));
        for (field, old_at) in new.fields.iter().zip(&pairs) {
            let path = format!("{}.{}", new.name, field.name);
            match old_at.and_then(|at| old.fields.get(at)) {
                Some(old) => self.field(&path, old, field),
                None if self.reused(&path, &field.name, field.id.0, locked.map(|it| &it.fields), field.line) => {}
                None => self.field_added(&path, field),
            }
        }
        self.fields_removed(&new.name, &old.fields, &pairs);
        if !pairs.iter().flatten().is_sorted() {
            self.push(&rules::FIELDS_REORDERED, &new.name, "fields in another order", 0);
        }
    }

    fn enumeration(&mut self, old: &Enumeration, new: &Enumeration) {
        self.docs(&new.name, old.description.as_ref(), new.description.as_ref(), 0);
        let (old_bytes, new_bytes) = (enum_tag_bytes(old.variants.len()), enum_tag_bytes(new.variants.len()));
        if old_bytes != new_bytes {
            let detail = format!("a value takes {new_bytes} bytes, not {old_bytes}");
            self.push(&rules::ENUM_RESIZED, &new.name, detail, 0);
        }
        let retired =
            self.lock.and_then(|lock| lock.enums.iter().find(|it| it.name == new.name)).map(|it| &it.variants);
        for variant in &new.variants {
            self.variant(old, &new.name, variant, retired);
        }
        let gone = old
            .variants
            .iter()
            .filter(|old| !new.variants.iter().any(|new| new.number == old.number || new.name == old.name));
        for variant in gone {
            let path = format!("{}.{}", new.name, variant.name);
            self.push(&rules::VARIANT_REMOVED, &path, format!("the variant with number {} is gone", variant.number), 0);
        }
    }

    fn variant(&mut self, old: &Enumeration, owner: &str, new: &Variant, locked: Option<&Ids>) {
        let path = format!("{owner}.{}", new.name);
        if let Some(before) = old.variants.iter().find(|old| old.name == new.name && old.number != new.number) {
            let detail = format!("its number was {} and is {}", before.number, new.number);
            self.push(&rules::VARIANT_RENUMBERED, &path, detail, 0);
            return;
        }
        let Some(before) = old.variants.iter().find(|old| old.number == new.number) else {
            if !self.reused(&path, &new.name, new.number.into(), locked, 0) {
                self.push(&rules::VARIANT_ADDED, &path, "a new variant", 0);
            }
            return;
        };
        if before.name != new.name {
            let detail = format!("`{}` is called `{}`", before.name, new.name);
            self.push(&rules::VARIANT_RENAMED, &path, detail, 0);
        }
        self.docs(&path, before.description.as_ref(), new.description.as_ref(), 0);
        match (&before.payload, &new.payload) {
            (None, Some(_)) => self.push(&rules::PAYLOAD_ADDED, &path, "the variant has a payload", 0),
            (Some(_), None) => self.push(&rules::PAYLOAD_REMOVED, &path, "the variant has no payload any more", 0),
            (Some(old), Some(new)) => self.type_change(&path, old, new, 0),
            (None, None) => {}
        }
    }

    fn table(&mut self, old: Option<TableIdx>, new: TableIdx) {
        let table = &self.types.new.tables[new.at()];
        let Some(old_idx) = old else {
            let locked = self.lock.map(Lock::table_ids);
            if !self.reused(&table.name, &table.name, table.id.0, locked.as_ref(), table.line) {
                self.push(&rules::TABLE_ADDED, &table.name, "a new table", table.line);
            }
            return;
        };
        let before = &self.types.old.tables[old_idx.at()];
        if before.name != table.name {
            let detail = format!("`{}` is called `{}`", before.name, table.name);
            self.push(&rules::TABLE_RENAMED, &table.name, detail, table.line);
        }
        self.docs(&table.name, before.description.as_ref(), table.description.as_ref(), table.line);
        self.table_attributes(before, table);
        let pairs = pair(&before.fields, &table.fields);
        self.table_fields(before, table, &pairs);
        self.indexes(before, table, &pairs);
        self.references(old_idx, new, &pairs);
    }

    fn table_attributes(&mut self, old: &Table, new: &Table) {
        let parent = old.parent.map(|parent| self.types.tables.get(parent.at()).copied().flatten());
        if parent != new.parent.map(Some) {
            self.push(&rules::PARENT_CHANGED, &new.name, "another parent table", new.line);
        }
        let rank = |durability| match durability {
            Durability::None => 0,
            Durability::Snapshot => 1,
            Durability::Log => 2,
        };
        if old.durability != new.durability {
            let lowered = rank(new.durability) < rank(old.durability);
            let rule = if lowered { &rules::DURABILITY_LOWERED } else { &rules::DURABILITY_RAISED };
            let detail = format!("`{}` becomes `{}`", old.durability.as_str(), new.durability.as_str());
            self.push(rule, &new.name, detail, new.line);
        }
        if old.capacity != new.capacity {
            let detail = format!("room for {} records, not {}", new.capacity, old.capacity);
            self.push(&rules::CAPACITY_CHANGED, &new.name, detail, new.line);
        }
        if old.require_if_match != new.require_if_match {
            let word = if new.require_if_match { "required" } else { "not required any more" };
            self.push(&rules::IF_MATCH_CHANGED, &new.name, format!("`If-Match` is {word}"), new.line);
        }
        if timer(old) != timer(new) {
            self.push(&rules::SCHEDULE_CHANGED, &new.name, "another schedule", new.line);
        }
    }

    fn table_fields(&mut self, old: &Table, new: &Table, pairs: &[Option<usize>]) {
        let locked = self.lock.and_then(|lock| lock.tables.iter().find(|it| it.id == new.id.0)).map(|it| &it.fields);
        for (field, old_at) in new.fields.iter().zip(pairs) {
            let path = format!("{}.{}", new.name, field.name);
            let Some(before) = old_at.and_then(|at| old.fields.get(at)) else {
                if !self.reused(&path, &field.name, field.id.0, locked, field.line) {
                    self.field_added(&path, field);
                }
                continue;
            };
            self.field(&path, before, field);
            let group = |table: &Table, field: &Field| table.groups.get(field.group as usize).cloned();
            if let (Some(old), Some(new)) = (group(old, before), group(new, field))
                && old != new
            {
                self.push(&rules::GROUP_CHANGED, &path, format!("from group `{old}` to `{new}`"), field.line);
            }
        }
        self.fields_removed(&new.name, &old.fields, pairs);
        if !pairs.iter().flatten().is_sorted() {
            self.push(&rules::FIELDS_REORDERED, &new.name, "fields in another order", new.line);
        }
    }

    fn field(&mut self, path: &str, old: &Field, new: &Field) {
        if old.name != new.name {
            self.push(&rules::FIELD_RENAMED, path, format!("`{}` is called `{}`", old.name, new.name), new.line);
        }
        self.docs(path, old.description.as_ref(), new.description.as_ref(), new.line);
        self.type_change(path, &old.ty, &new.ty, new.line);
        // Values of another kind cannot be compared.
        if self.types.change(&old.ty, &new.ty) != Some(&rules::TYPE_CHANGED) {
            self.constraints(path, old, new);
        }
    }

    fn field_added(&mut self, path: &str, field: &Field) {
        let rule = if field.is_required() { &rules::FIELD_REQUIRED } else { &rules::FIELD_ADDED };
        let detail = if field.is_required() { "a new field without a default" } else { "a new field" };
        self.push(rule, path, detail, field.line);
    }

    fn fields_removed(&mut self, owner: &str, old: &[Field], pairs: &[Option<usize>]) {
        for (_, field) in old.iter().enumerate().filter(|(at, _)| !pairs.contains(&Some(*at))) {
            self.push(&rules::FIELD_REMOVED, &format!("{owner}.{}", field.name), "the field is gone", 0);
        }
    }

    fn type_change(&mut self, path: &str, old: &Type, new: &Type, line: u32) {
        if let Some(rule) = self.types.change(old, new) {
            let (old, new) = (type_text(self.types.old, old), type_text(self.types.new, new));
            self.push(rule, path, format!("`{old}` becomes `{new}`"), line);
        }
    }

    fn docs(&mut self, path: &str, old: Option<&String>, new: Option<&String>, line: u32) {
        if old != new {
            self.push(&rules::DOCS_CHANGED, path, "another description", line);
        }
    }

    /// Whether the id belonged to something else that is gone; says so.
    fn reused(&mut self, path: &str, name: &str, id: u32, locked: Option<&Ids>, line: u32) -> bool {
        let before = locked.and_then(|locked| locked.retired.get(&id)).filter(|before| *before != name);
        if let Some(before) = before {
            let detail = format!("the id {id} belonged to `{before}`");
            self.push(&rules::ID_REUSED, path, detail, line);
        }
        before.is_some()
    }
}

/// A schedule by the names of its fields.
fn timer(table: &Table) -> Option<(&str, Option<&str>, &str)> {
    let schedule = table.schedule.as_ref()?;
    let name = |idx: FieldIdx| table.fields[idx.at()].name.as_str();
    Some((name(schedule.at), schedule.every.map(name), &schedule.procedure))
}
