//! The model: a schema, and for every table its records in a `BTreeMap`.

use super::rules::{Broken, Given, Refusal};
use super::values::{same, zero};
use dbgen_runtime::table::writer::ChangeKind;
use dbgen_schema::field_type::ScalarKind;
use dbgen_schema::{OnDelete, Schema, Type, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Ids from here on are nobody's: records stand under them whose id is not known yet.
pub const UNSEEN_MIN: u64 = 1 << 60;

/// A whole database, as plain maps.
#[derive(Debug, Clone)]
pub struct World {
    /// The schema.
    pub schema: Arc<Schema>,
    /// Its tables, in its order.
    pub tables: Vec<TableModel>,
    /// Transactions and edits so far.
    pub commit: u64,
    /// What was changed since the last publication: table, record, how.
    pub changes: Vec<(usize, u64, ChangeKind)>,
    /// Whether anything was written since the last publication, perhaps what leaves no change of a record.
    pub is_dirty: bool,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct TableModel {
    /// Its records.
    pub rows: BTreeMap<u64, Arc<Row>>,
    /// The last number given, by field.
    pub counters: BTreeMap<String, u64>,
    /// The commit of the last write of a whole column group.
    pub watermark: u64,
    /// For every slot its last generation: an id is given once.
    pub slots: BTreeMap<u32, u32>,
}

/// A record.
#[derive(Debug, Clone)]
pub struct Row {
    /// The commit that wrote it last.
    pub version: u64,
    /// Its values, in the schema's order.
    pub values: Vec<Value>,
}

impl World {
    /// An empty database.
    pub fn new(schema: &Schema) -> World {
        let tables = vec![TableModel::default(); schema.tables.len()];
        World { schema: Arc::new(schema.clone()), tables, commit: 0, changes: Vec::new(), is_dirty: false }
    }

    /// What a new record would hold, or why there can be none.
    pub fn draft(&self, table: usize, owner: Option<u64>, given: &[Given]) -> Result<Vec<Value>, Refusal> {
        let model = &self.schema.tables[table];
        let mut given = given.to_vec();
        let mut values = Vec::with_capacity(model.fields.len());
        for (at, field) in model.fields.iter().enumerate() {
            let value = match given.iter().find(|given| given.field == at) {
                Some(Given { broken: Some(_), .. }) => zero(&self.schema, &field.ty),
                Some(given) => given.value.clone(),
                None if field.auto_increment => Value::Int(0),
                None => match &field.default {
                    Some(default) => default.clone(),
                    None if field.nullable => Value::Null,
                    // The engine sees by itself that a reference is missing.
                    None if matches!(field.ty, Type::Ref(_)) => Value::Null,
                    None => {
                        given.push(Given { field: at, value: Value::Null, broken: Some(Broken::NotNull) });
                        zero(&self.schema, &field.ty)
                    }
                },
            };
            let is_misfit = given.iter().any(|given| given.field == at && given.broken.is_some());
            values.push(if field.auto_increment && same(&value, &Value::Int(0)) && !is_misfit {
                self.next_number(table, at).unwrap_or_else(|| {
                    given.retain(|given| given.field != at);
                    given.push(Given { field: at, value: Value::Null, broken: Some(Broken::OutOfRange) });
                    value
                })
            } else {
                value
            });
        }
        let mut broken = self.judge(table, &values, None, &given);
        let mut owner_breaks = |rule| broken.push(("_id".to_owned(), rule));
        match (owner, model.parent) {
            (None, None) => {}
            (None, Some(_)) => owner_breaks(Broken::NotNull),
            (Some(_), None) => owner_breaks(Broken::Type),
            (Some(id), Some(parent)) if !self.tables[parent.at()].rows.contains_key(&id) => {
                owner_breaks(Broken::Reference);
            }
            (Some(id), Some(_)) if self.tables[table].rows.contains_key(&id) => owner_breaks(Broken::Unique),
            _ => {}
        }
        broken.sort();
        if broken.is_empty() { Ok(values) } else { Err(Refusal::Invalid(broken)) }
    }

    /// The next number of a field; `None` if it has run out of them.
    fn next_number(&self, table: usize, field: usize) -> Option<Value> {
        let model = &self.schema.tables[table].fields[field];
        let next = i128::from(self.tables[table].counters.get(&model.name).copied().unwrap_or(0)) + 1;
        match &model.ty {
            Type::Scalar(scalar) => match scalar.desc().kind {
                ScalarKind::Int { max, .. } if next <= max => Some(Value::Int(next)),
                _ => None,
            },
            other => panic!("only numbers are counted, not {other:?}"),
        }
    }

    /// Puts a new record in, under the id that the engine gave it.
    #[track_caller]
    pub fn put(&mut self, table: usize, id: u64, values: Vec<Value>) {
        let is_component = self.schema.tables[table].parent.is_some();
        let (slot, generation) = (id as u32, (id >> 32) as u32);
        let last = self.tables[table].slots.entry(slot).or_default();
        // A component has its owner's id, and may come, go and come again.
        assert!(is_component || *last < generation, "id {id} was given before");
        *last = generation;
        self.put_unseen(table, id, values);
    }

    /// Puts a new record in under any id, be it one that stands for one that is not known yet.
    #[track_caller]
    pub fn put_unseen(&mut self, table: usize, id: u64, values: Vec<Value>) {
        let version = self.commit + 1;
        for (at, field) in self.schema.tables[table].fields.iter().enumerate().filter(|(_, f)| f.auto_increment) {
            let last = self.tables[table].counters.entry(field.name.clone()).or_default();
            if let Value::Int(given) = values[at]
                && given > i128::from(*last)
            {
                *last = given as u64;
            }
        }
        let before = self.tables[table].rows.insert(id, Arc::new(Row { version, values }));
        assert!(before.is_none(), "id {id} is in use");
        self.note(table, id, ChangeKind::Insert);
    }

    /// Gives records that stand under ids of nobody's those of the engine's records that hold the same.
    #[track_caller]
    pub fn name_unseen(&mut self, table: usize, engine: dbgen_runtime::DynTable<'_>) {
        let unseen: Vec<u64> = self.tables[table].rows.range(UNSEEN_MIN..).map(|(id, _)| *id).collect();
        for stand_in in unseen {
            let rows = &self.tables[table].rows;
            let row = rows[&stand_in].clone();
            let holds_it = |record: &dbgen_runtime::DynRecord<'_>| {
                let values = record.values();
                record.version() == row.version && values.iter().zip(&row.values).all(|(a, b)| same(a, b))
            };
            let found = engine.iter().find(|record| !rows.contains_key(&record.id().get()) && holds_it(record));
            let id = found.unwrap_or_else(|| panic!("no record holds {row:?}")).id().get();
            let rows = &mut self.tables[table].rows;
            rows.remove(&stand_in);
            rows.insert(id, row);
            self.tables[table].slots.insert(id as u32, (id >> 32) as u32);
            self.changes.iter_mut().filter(|change| change.1 == stand_in).for_each(|change| change.1 = id);
        }
    }

    /// Changes a record; says whether anything differs, or why it cannot be changed.
    pub fn update(&mut self, table: usize, id: u64, given: &[Given]) -> Result<bool, Refusal> {
        let Some(row) = self.tables[table].rows.get(&id).cloned() else { return Err(Refusal::NotFound) };
        let mut new = row.values.clone();
        for given in given.iter().filter(|given| given.broken.is_none()) {
            new[given.field] = given.value.clone();
        }
        self.become_(table, id, new, given)
    }

    /// Gives a record new content, whole: what is not given takes its default, but keys and numbers stay.
    pub fn replace(&mut self, table: usize, id: u64, given: &[Given]) -> Result<bool, Refusal> {
        let Some(row) = self.tables[table].rows.get(&id).cloned() else { return Err(Refusal::NotFound) };
        let mut given = given.to_vec();
        let mut new = row.values.clone();
        let schema = self.schema.clone();
        for (at, field) in schema.tables[table].fields.iter().enumerate() {
            match given.iter().find(|given| given.field == at) {
                Some(Given { broken: None, value, .. }) => new[at] = value.clone(),
                Some(_) => {}
                None if field.primary_key || field.auto_increment => {}
                None => match &field.default {
                    Some(default) => new[at] = default.clone(),
                    None if field.nullable || matches!(field.ty, Type::Ref(_)) => new[at] = Value::Null,
                    None => given.push(Given { field: at, value: Value::Null, broken: Some(Broken::NotNull) }),
                },
            }
        }
        self.become_(table, id, new, &given)
    }

    /// Lets a record hold `new`, if the rules allow it.
    fn become_(&mut self, table: usize, id: u64, new: Vec<Value>, given: &[Given]) -> Result<bool, Refusal> {
        let Some(row) = self.tables[table].rows.get(&id).cloned() else { return Err(Refusal::NotFound) };
        let broken = self.judge(table, &new, Some((id, &row.values)), given);
        if !broken.is_empty() {
            return Err(Refusal::Invalid(broken));
        }
        let blocking = self.judge_referred(table, id, &row.values, &new);
        if !blocking.is_empty() {
            return Err(Refusal::Restricted(blocking));
        }
        let differs = !row.values.iter().zip(&new).all(|(old, new)| same(old, new));
        if differs {
            self.write(table, id, new);
        }
        Ok(differs)
    }

    /// Writes a record without asking.
    pub fn write(&mut self, table: usize, id: u64, values: Vec<Value>) {
        let version = self.commit + 1;
        self.tables[table].rows.insert(id, Arc::new(Row { version, values }));
        self.note(table, id, ChangeKind::Update);
    }

    /// Deletes a record with all that its relations demand; says how many records went.
    pub fn delete(&mut self, table: usize, id: u64) -> Result<usize, Refusal> {
        if !self.tables[table].rows.contains_key(&id) {
            return Err(Refusal::NotFound);
        }
        let schema = self.schema.clone();
        let (mut going, mut next) = (vec![(table, id)], 0);
        let (mut nulled, mut restricting) = (Vec::new(), Vec::new());
        while let Some((table, id)) = going.get(next).copied() {
            next += 1;
            let values = self.tables[table].rows[&id].values.clone();
            let mut reach = |place| {
                if !going.contains(&place) {
                    going.push(place);
                }
            };
            let components =
                schema.tables.iter().enumerate().filter(|(_, t)| t.parent.is_some_and(|p| p.at() == table));
            components.filter(|(at, _)| self.tables[*at].rows.contains_key(&id)).for_each(|(at, _)| reach((at, id)));
            for relation in schema.relations.iter().filter(|relation| relation.to_table.at() == table) {
                let from = relation.from_table.at();
                for referrer in self.referrers(relation, id, &values) {
                    match relation.on_delete {
                        OnDelete::Restrict => restricting.push((relation.name.clone(), (from, referrer))),
                        OnDelete::Cascade => reach((from, referrer)),
                        OnDelete::SetNull => nulled.push((from, referrer, relation.from_field.at())),
                    }
                }
            }
        }
        let is_going: BTreeSet<(usize, u64)> = going.iter().copied().collect();
        let mut blocking = BTreeMap::new();
        for (relation, _) in restricting.iter().filter(|(_, place)| !is_going.contains(place)) {
            *blocking.entry(relation.clone()).or_default() += 1;
        }
        if !blocking.is_empty() {
            return Err(Refusal::Restricted(blocking));
        }
        for (table, id, field) in nulled.into_iter().filter(|(table, id, _)| !is_going.contains(&(*table, *id))) {
            let mut values = self.tables[table].rows[&id].values.clone();
            if !values[field].is_null() {
                values[field] = Value::Null;
                self.write(table, id, values);
            }
        }
        for (table, id) in &going {
            self.tables[*table].rows.remove(id);
            self.note(*table, *id, ChangeKind::Delete);
        }
        Ok(going.len())
    }

    fn note(&mut self, table: usize, id: u64, kind: ChangeKind) {
        self.changes.push((table, id, kind));
        self.is_dirty = true;
    }

    /// The version that a view shows of a record.
    pub fn version(&self, table: usize, id: u64) -> u64 {
        let table = &self.tables[table];
        table.rows[&id].version.max(table.watermark)
    }

    /// Position of the table of this name.
    #[track_caller]
    pub fn table(&self, name: &str) -> usize {
        self.schema.tables.iter().position(|table| table.name == name).unwrap_or_else(|| panic!("no table `{name}`"))
    }

    /// Records of all tables.
    pub fn len(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
