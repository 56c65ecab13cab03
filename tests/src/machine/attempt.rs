//! What happens inside a transaction: each operation is done to the model and to the engine, and both must say the same.

use super::Seen;
use super::rules::{Given, Refusal, agree, refusal};
use super::tape::Tape;
use super::values;
use super::world::{UNSEEN_MIN, World};
use dbgen_runtime::{Error, RecordId, Result, Transaction, Value};
use dbgen_schema::{Schema, TableIdx};
use std::sync::Arc;

/// Records of a table before new ones are refused by the machine itself: small worlds meet themselves more often.
const ROWS_MAX: usize = 24;

/// A reference to a record that no table has.
const NOBODY: Value = Value::Ref(1 << 32 | 4_000_000_001);

/// A transaction of both.
pub struct Attempt<'a, 'b> {
    /// The model, as the transaction has it.
    pub world: &'a mut World,
    /// Where choices come from.
    pub tape: &'a mut Tape<'b>,
    /// What has happened.
    pub seen: &'a mut Seen,
    /// Whether the generated code of the menagerie fits the schema.
    pub is_typed: bool,
}

impl Attempt<'_, '_> {
    /// Some operations, one after another.
    pub fn operations(&mut self, tx: &mut Transaction, count: usize, depth: usize) {
        for _ in 0..count {
            self.operation(tx, depth);
        }
    }

    fn operation(&mut self, tx: &mut Transaction, depth: usize) {
        match self.tape.below(32) {
            0..=6 => self.insert(tx),
            7..=10 => self.update(tx),
            11 => self.replace(tx),
            12..=13 => self.delete(tx),
            14..=15 => self.attach(tx),
            16 => self.detach(tx),
            17 => self.version(tx),
            18 => self.read_own(tx),
            19 => self.stale(tx),
            20 => self.rename_to_itself(tx),
            21 => match self.tape.below(3) {
                0 => self.insert_many(tx),
                1 => self.update_where(tx),
                _ => self.delete_where(tx),
            },
            22 if depth < 2 => self.nested(tx, depth),
            23 if depth < 2 => self.savepoints(tx, depth),
            24..=31 if self.is_typed => super::typed::operation(self, tx),
            _ => self.relink(tx),
        }
    }

    /// A table, any one.
    pub fn any_table(&mut self) -> usize {
        self.tape.below(self.world.tables.len())
    }

    /// A record of the table, if it has any.
    pub fn any_record(&mut self, table: usize) -> Option<u64> {
        let rows = &self.world.tables[table].rows;
        let at = self.tape.below(rows.len().max(1));
        rows.keys().nth(at).copied()
    }

    /// A table that has records, and one of them.
    pub fn any_place(&mut self) -> Option<(usize, u64)> {
        let tables = self.world.tables.len();
        let first = self.tape.below(tables);
        let table = (0..tables).map(|at| (first + at) % tables).find(|at| !self.world.tables[*at].rows.is_empty())?;
        Some((table, self.any_record(table)?))
    }

    /// The id of a record that is not there: one that was, or one that never will be.
    fn missing(&mut self, table: usize) -> u64 {
        let model = &self.world.tables[table];
        let slots = model.slots.len();
        let at = self.tape.below(slots.max(1));
        match model.slots.iter().nth(at).map(|(slot, generation)| u64::from(*generation) << 32 | u64::from(*slot)) {
            Some(id) if !model.rows.contains_key(&id) => id,
            Some(id) if id >> 32 > 1 => id - (1 << 32),
            _ => 1 << 32 | 4_000_000_000,
        }
    }

    /// A value for a field: one of its own; now and then a wrong one.
    pub fn given(&mut self, table: usize, field: usize, may_be_wrong: bool) -> Given {
        let schema = self.world.schema.clone();
        let model = &schema.tables[table].fields[field];
        let target = self.world.outgoing(table).find(|relation| relation.from_field.at() == field).cloned();
        let (world, tape) = (&*self.world, &mut *self.tape);
        let mut refs = |tape: &mut Tape<'_>, to: TableIdx| pick_ref(world, tape, to);
        if may_be_wrong && tape.one_in(30) {
            let (value, broken) = values::wrong(tape, &schema, model, &mut refs);
            return Given { field, value, broken: Some(broken) };
        }
        // What a value refers to mostly exists.
        if let Some((to, at)) = target.and_then(|relation| Some((relation.to_table.at(), relation.to_field?.at())))
            && !tape.one_in(8)
        {
            let rows = &world.tables[to].rows;
            let row = rows.values().nth(tape.below(rows.len().max(1)));
            let value = row.map(|row| row.values[at].clone());
            if let Some(value) = value.filter(|value| !value.is_null() || model.nullable) {
                return Given { field, value, broken: None };
            }
        }
        let value = match values::of_field(tape, &schema, model, &mut refs) {
            Value::Null if !model.nullable => NOBODY,
            value => value,
        };
        Given { field, value, broken: None }
    }

    /// Values for a new record: all that it needs, and some of the rest.
    pub fn record(&mut self, table: usize, may_be_wrong: bool) -> Vec<Given> {
        let schema = self.world.schema.clone();
        let mut given = Vec::new();
        for (at, field) in schema.tables[table].fields.iter().enumerate() {
            let is_left_out = !field.is_required() && self.tape.one_in(3);
            let is_forgotten = may_be_wrong && self.tape.one_in(90);
            if !is_left_out && !is_forgotten {
                given.push(self.given(table, at, may_be_wrong));
            }
        }
        given
    }

    fn insert(&mut self, tx: &mut Transaction) {
        let table = self.any_table();
        if self.world.tables[table].rows.len() >= ROWS_MAX {
            return self.delete(tx);
        }
        // Few records can be made of a table of components without an owner: none.
        let given = self.record(table, true);
        let expected = self.world.draft(table, None, &given);
        let result = tx.insert_values(number(tx, &self.world.schema, table), &pairs(&given));
        self.seen.outcome("insert", &result);
        if let Some((id, values)) = agree(result, expected) {
            self.world.put(table, id.get(), values);
        }
    }

    fn update(&mut self, tx: &mut Transaction) {
        let Some((table, id)) = self.any_place() else { return };
        let fields = self.world.schema.tables[table].fields.len();
        let mut given: Vec<Given> = Vec::new();
        for _ in 0..=self.tape.below(3) {
            let at = self.tape.below(fields);
            if given.iter().all(|given| given.field != at) {
                given.push(self.given(table, at, true));
            }
        }
        self.update_with(tx, table, id, &given, "update");
    }

    /// Writes fields of a record.
    pub fn update_with(&mut self, tx: &mut Transaction, table: usize, id: u64, given: &[Given], kind: &'static str) {
        let result = tx.update_values(number(tx, &self.world.schema, table), record_id(id), &pairs(given));
        let expected = self.world.update(table, id, given);
        self.seen.outcome(kind, &result);
        agree(result, expected);
    }

    /// What a record holds is given to it again: nothing changes, not even its version.
    fn rename_to_itself(&mut self, tx: &mut Transaction) {
        let Some((table, id)) = self.any_place() else { return };
        let row = self.world.tables[table].rows[&id].clone();
        let all = row.values.iter().enumerate();
        let given: Vec<Given> = all.map(|(field, value)| Given { field, value: value.clone(), broken: None }).collect();
        self.update_with(tx, table, id, &given, "update to the same");
    }

    fn replace(&mut self, tx: &mut Transaction) {
        let Some((table, id)) = self.any_place() else { return };
        let given = self.record(table, true);
        let result = tx.replace_values(number(tx, &self.world.schema, table), record_id(id), &pairs(&given));
        let expected = self.world.replace(table, id, &given);
        self.seen.outcome("replace", &result);
        agree(result, expected);
    }

    fn delete(&mut self, tx: &mut Transaction) {
        let Some((table, id)) = self.any_place() else { return };
        let result = tx.delete_record(number(tx, &self.world.schema, table), record_id(id));
        let nulled = self.world.changes.len();
        let expected = self.world.delete(table, id);
        self.seen.outcome("delete", &result);
        if let Some((gone, expected)) = agree(result, expected) {
            assert_eq!(gone, expected, "so many records went");
            let changes = &self.world.changes[nulled..];
            if changes.iter().any(|(.., kind)| *kind == dbgen_runtime::table::writer::ChangeKind::Update) {
                self.seen.kind("delete: set null");
            }
            if gone > 1 {
                self.seen.kind("delete: cascade");
            }
            if gone > 3 {
                self.seen.kind("delete: cascade over depth");
            }
        }
    }

    fn attach(&mut self, tx: &mut Transaction) {
        let schema = self.world.schema.clone();
        let components: Vec<usize> =
            (0..schema.tables.len()).filter(|at| schema.tables[*at].parent.is_some()).collect();
        if components.is_empty() {
            return;
        }
        let table = self.tape.of(&components);
        let parent = schema.tables[table].parent.map_or(0, |parent| parent.at());
        let owner = if self.tape.one_in(8) { Some(self.missing(parent)) } else { self.any_record(parent) };
        let Some(owner) = owner else { return self.insert(tx) };
        let given = self.record(table, true);
        let expected = self.world.draft(table, Some(owner), &given);
        let result = tx.attach_values(number(tx, &schema, table), record_id(owner), &pairs(&given));
        self.seen.outcome("attach", &result);
        if let Some(((), values)) = agree(result, expected) {
            self.world.put(table, owner, values);
        }
    }

    fn detach(&mut self, tx: &mut Transaction) {
        let schema = self.world.schema.clone();
        let components: Vec<usize> =
            (0..schema.tables.len()).filter(|at| schema.tables[*at].parent.is_some()).collect();
        let Some(table) = (!components.is_empty()).then(|| self.tape.of(&components)) else { return };
        let Some(id) = self.any_record(table) else { return };
        let result = tx.delete_record(number(tx, &schema, table), record_id(id));
        let expected = self.world.delete(table, id);
        self.seen.outcome("detach", &result);
        agree(result, expected);
    }

    /// Several records, all or none.
    fn insert_many(&mut self, tx: &mut Transaction) {
        let table = self.any_table();
        if self.world.tables[table].rows.len() >= ROWS_MAX {
            return;
        }
        // The ids are known afterwards only: meanwhile the model has records under ids of nobody's.
        let (mut trial, mut rows, mut drafts) = (self.world.clone(), Vec::new(), Vec::new());
        for at in 0..1 + self.tape.below(5) as u64 {
            let given = self.record(table, false);
            rows.push(pairs(&given));
            if let Ok(values) = trial.draft(table, None, &given) {
                trial.put_unseen(table, UNSEEN_MIN + at, values.clone());
                drafts.push(values);
            }
        }
        let result = tx.insert_many(number(tx, &self.world.schema, table), rows.iter().map(Vec::as_slice));
        self.seen.outcome("insert many", &result);
        assert_eq!(result.is_ok(), drafts.len() == rows.len(), "{result:?}");
        for (id, values) in result.unwrap_or_default().into_iter().zip(drafts) {
            self.world.put(table, id.get(), values);
        }
    }

    /// Some fields of all records that a condition picks, all or none.
    fn update_where(&mut self, tx: &mut Transaction) {
        let Some((table, _)) = self.any_place() else { return };
        let field = self.tape.below(self.world.schema.tables[table].fields.len().max(1));
        if self.world.schema.tables[table].fields.is_empty() {
            return;
        }
        let given = [self.given(table, field, false)];
        let bit = 1 << self.tape.below(3);
        let picked: Vec<u64> = self.world.tables[table].rows.keys().copied().filter(|id| id & bit == 0).collect();
        let mut trial = self.world.clone();
        let expected: Result<Vec<bool>, Refusal> = picked.iter().map(|id| trial.update(table, *id, &given)).collect();
        let number = number(tx, &self.world.schema, table);
        let result = tx.update_where(number, |record| record.id().get() & bit == 0, &pairs(&given));
        self.seen.outcome("update where", &result);
        assert_eq!(result.is_ok(), expected.is_ok(), "{result:?}, {expected:?}");
        if let Ok(count) = result {
            assert_eq!(count, picked.len());
            *self.world = trial;
        }
    }

    /// All records that a condition picks go, or none.
    fn delete_where(&mut self, tx: &mut Transaction) {
        let Some((table, _)) = self.any_place() else { return };
        let bit = 1 << self.tape.below(3);
        // Which of two goes first is the order of their rows.
        let number = number(tx, &self.world.schema, table);
        let order = tx
            .read_table(number)
            .expect("it is there")
            .iter()
            .map(|record| record.id().get())
            .filter(|id| id & bit == 0);
        let (order, mut trial, mut gone) = (order.collect::<Vec<u64>>(), self.world.clone(), 0);
        let mut expected = Ok(());
        for id in order {
            match trial.delete(table, id) {
                Ok(count) => gone += count,
                // One before it has taken it along.
                Err(Refusal::NotFound) => {}
                Err(refusal) => {
                    expected = Err(refusal);
                    break;
                }
            }
        }
        let result = tx.delete_where(number, |record| record.id().get() & bit == 0);
        self.seen.outcome("delete where", &result);
        if let Some((count, ())) = agree(result, expected) {
            assert_eq!(count, gone, "so many records went");
            *self.world = trial;
        }
    }

    fn version(&mut self, tx: &mut Transaction) {
        let Some((table, id)) = self.any_place() else { return };
        let (number, current) = (number(tx, &self.world.schema, table), self.world.version(table, id));
        tx.expect_version(number, record_id(id), current).expect("it is at that version");
        let other = tx.expect_version(number, record_id(id), current + 1).expect_err("it is not at that version");
        assert!(matches!(other, Error::VersionMismatch { current: said, .. } if said == current), "{other}");
        self.seen.kind("expect version");
    }

    /// A transaction reads its own writes, in tables and through indexes.
    fn read_own(&mut self, tx: &mut Transaction) {
        let table = self.any_table();
        let own = tx.read_table(number(tx, &self.world.schema, table)).expect("it is there");
        super::compare::table(self.world, table, own);
        super::lookups::random(self.world, table, self.tape, own, self.seen);
        self.seen.kind("read own writes");
    }

    fn stale(&mut self, tx: &mut Transaction) {
        let table = self.any_table();
        let (id, number) = (record_id(self.missing(table)), number(tx, &self.world.schema, table));
        let results = [
            tx.delete_record(number, id).map(drop),
            tx.update_values(number, id, &[]),
            tx.replace_values(number, id, &[]),
            tx.read_table(number).and_then(|table| table.get(id)).map(drop),
            tx.expect_version(number, id, 1),
        ];
        for result in results {
            let error = result.expect_err("the record is not there");
            assert!(matches!(error, Error::NotFound { .. }), "{error}");
        }
        self.seen.kind("a record that is not there");
    }

    /// References between records of one table are what random values seldom make: chains and rings.
    fn relink(&mut self, tx: &mut Transaction) {
        let schema = self.world.schema.clone();
        let to_itself = schema.relations.iter().filter(|r| r.from_table == r.to_table && r.to_field.is_none());
        let to_itself: Vec<_> = to_itself.map(|r| (r.from_table.at(), r.from_field.at())).collect();
        if to_itself.is_empty() {
            return;
        }
        let (table, field) = self.tape.of(&to_itself);
        let (Some(from), Some(to)) = (self.any_record(table), self.any_record(table)) else { return };
        let given = [Given { field, value: Value::Ref(to), broken: None }];
        self.update_with(tx, table, from, &given, if from == to { "refer to itself" } else { "refer to a neighbour" });
    }

    fn nested(&mut self, tx: &mut Transaction, depth: usize) {
        let before = self.world.clone();
        let (count, fails) = (1 + self.tape.below(4), self.tape.one_in(2));
        let result = tx.nested(|tx| {
            self.operations(tx, count, depth + 1);
            if fails { Err(Error::abort("only this part")) } else { Ok(()) }
        });
        assert_eq!(result.is_err(), fails);
        self.seen.kind(if fails { "nested: undone" } else { "nested: kept" });
        if fails {
            *self.world = before;
        }
    }

    /// Goes back to a savepoint, and again to the same one or to one before it.
    fn savepoints(&mut self, tx: &mut Transaction, depth: usize) {
        let (first, at_first) = (tx.savepoint(), self.world.clone());
        let count = 1 + self.tape.below(3);
        self.operations(tx, count, depth + 1);
        let (second, at_second) = (tx.savepoint(), self.world.clone());
        let count = 1 + self.tape.below(3);
        self.operations(tx, count, depth + 1);
        if self.tape.one_in(2) {
            tx.rollback_to(&second);
            *self.world = at_second;
            self.seen.kind("savepoint: back to the last");
            self.operations(tx, 1, depth + 1);
        }
        if self.tape.one_in(2) {
            tx.rollback_to(&first);
            *self.world = at_first.clone();
            self.seen.kind("savepoint: back to the one before");
            self.operations(tx, 1, depth + 1);
            if self.tape.one_in(2) {
                tx.rollback_to(&first);
                *self.world = at_first;
                self.seen.kind("savepoint: twice");
            }
        }
    }
}

/// A record to refer to: mostly one that is there, nothing if there is none.
fn pick_ref(world: &World, tape: &mut Tape<'_>, to: TableIdx) -> Value {
    let rows = &world.tables[to.at()].rows;
    let at = tape.below(rows.len().max(1));
    match rows.keys().nth(at) {
        _ if tape.one_in(40) => NOBODY,
        Some(id) => Value::Ref(*id),
        None => Value::Null,
    }
}

/// The number of the model's table in the transaction.
#[track_caller]
pub fn number(tx: &Transaction, schema: &Arc<Schema>, table: usize) -> dbgen_runtime::TableNo {
    tx.open_table(&schema.tables[table].name).expect("the table is there")
}

/// The id with this number.
#[track_caller]
pub fn record_id(id: u64) -> RecordId {
    RecordId::from_u64(id).expect("ids of the model come from the engine")
}

/// Values as the dynamic face takes them.
pub fn pairs(given: &[Given]) -> Vec<(usize, Value)> {
    given.iter().map(|given| (given.field, given.value.clone())).collect()
}

/// How an operation ended, as a word.
pub fn ending<R>(result: &Result<R>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(error) => match refusal(error) {
            Refusal::NotFound => "not found",
            Refusal::Restricted(_) => "restricted",
            Refusal::Invalid(_) => "invalid",
        },
    }
}
