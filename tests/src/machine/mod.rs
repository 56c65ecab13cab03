//! A state machine: random operations on a database and on plain maps, compared after every step.
//!
//! ```text
//!   tape ──► step ──► engine: transactions, edits, ticks, views ──┐
//!   (seed,     │                                                  ├── compared: outcome, rows, versions, indexes,
//!    bytes)    └────► World: `BTreeMap`s of plain values ─────────┘   references, heap, list of changes, raw bytes
//! ```
//!
//! The engine is never asked what is right: [`rules`] says it again, record by record, by looking at all the others.
//! The model only takes over the ids that the engine gives, and checks that none is given twice.
//!
//! One interpreter serves three masters: tests shrink tapes of bytes ([`tape`]), the program `machine` runs hundreds of
//! thousands of steps from a seed, and a fuzzer mutates whatever bytes lead to new code. A world is small on purpose, so
//! that records meet.

pub mod attempt;
pub mod compare;
pub mod convert;
pub mod edits;
pub mod lookups;
pub mod rules;
pub mod schemas;
pub mod tape;
pub mod type_edits;
pub mod typed;
pub mod values;
pub mod verdict;
pub mod world;

use attempt::{Attempt, ending};
use convert::Menagerie;
use dbgen_runtime::clock::ManualClock;
use dbgen_runtime::table::writer::ChangeKind;
use dbgen_runtime::{__private, Database, Dynamic, Error, Result, Stepper, TableNo, Transaction, View};
use dbgen_schema::{Schema, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::{LazyLock, Once, mpsc};
use std::time::Duration;
use tape::Tape;
use world::World;

/// The panic that is part of the plan.
#[derive(Debug)]
pub struct OnPurpose;

/// Which kinds of operation have happened, and how they ended.
#[derive(Debug, Clone, Default)]
pub struct Seen(pub BTreeMap<String, u64>);

impl Seen {
    /// Counts a kind.
    pub fn kind(&mut self, kind: &str) {
        match self.0.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(kind.to_owned(), 1)),
        }
    }

    /// Counts a kind with its ending.
    pub fn outcome<R>(&mut self, kind: &str, result: &Result<R>) {
        self.outcome_word(kind, ending(result));
    }

    /// Counts a kind with its ending.
    pub fn outcome_word(&mut self, kind: &str, ending: &str) {
        self.kind(&format!("{kind}: {ending}"));
    }

    /// Takes over what another one has counted.
    pub fn add(&mut self, other: &Seen) {
        for (kind, count) in &other.0 {
            *self.0.entry(kind.clone()).or_default() += count;
        }
    }

    /// The kinds, endings aside.
    pub fn kinds(&self) -> Vec<&str> {
        let endings = ["done", "not found", "restricted", "invalid", "refused", "broken by records"];
        let mut kinds: Vec<&str> = self
            .0
            .keys()
            .map(|name| match name.rsplit_once(": ") {
                Some((kind, ending)) if endings.contains(&ending) => kind,
                _ => name.as_str(),
            })
            .collect();
        kinds.dedup();
        kinds
    }
}

/// A database, the model of it, and views that must not change.
pub struct Machine {
    /// The database.
    pub db: Database,
    /// What it must hold.
    pub world: World,
    /// What has happened.
    pub seen: Seen,
    /// Whether generated code fits.
    pub is_typed: bool,
    clock: ManualClock,
    stepper: Stepper<Dynamic>,
    stuck: Stuck,
    held: Vec<(View, World)>,
    /// The commit that views show.
    shown: u64,
    /// What was told as changed, with the commit before which it was not: as far back as `told_from`.
    told: Vec<(u64, String, u64, ChangeKind)>,
    told_from: u64,
    /// What the edit at hand renames.
    renamed: Option<verdict::Renamed>,
    /// The world with what the edit at hand makes of its values, before it has made it.
    reshaped: Option<World>,
}

impl Default for Machine {
    fn default() -> Self {
        Machine::new()
    }
}

/// Takes the steps that the bytes choose, on a new machine: what a fuzzer calls, and what replays its finds.
pub fn replay(bytes: &[u8]) {
    const STEPS_MAX: usize = 300;
    quiet_about_plans();
    let (mut machine, mut tape) = (Machine::new(), Tape::Bytes(bytes));
    for _ in 0..STEPS_MAX {
        if matches!(tape, Tape::Bytes([])) {
            break;
        }
        machine.step(&mut tape);
    }
}

/// Panics that are part of the plan say nothing from now on.
pub fn quiet_about_plans() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let say = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<OnPurpose>() {
                say(info);
            }
        }));
    });
}

/// The arguments of the procedure that alarms call: the alarm itself.
#[derive(Deserialize, JsonSchema)]
struct Ring {
    _id: u64,
    label: String,
}

/// The schema that generated code was made from.
pub fn compiled_schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let db = Menagerie::builder().open().expect("the menagerie opens");
        let view = db.as_dynamic().read();
        view.schema().clone()
    });
    &SCHEMA
}

impl Machine {
    /// An empty menagerie.
    pub fn new() -> Machine {
        let clock = ManualClock::new();
        let db = Menagerie::builder().clock(clock.clone()).open().expect("the menagerie opens").as_dynamic();
        Machine::of(db, clock, true)
    }

    /// The machine with another schema, which the dynamic face alone drives.
    ///
    /// # Errors
    /// Whatever is wrong with the schema.
    pub fn with_schema(path: &str) -> Result<Machine> {
        let clock = ManualClock::new();
        let db = Database::builder().schema_file(path).clock(clock.clone()).open()?;
        Ok(Machine::of(db, clock, false))
    }

    /// The machine with a schema by chance, which the dynamic face alone drives.
    ///
    /// # Errors
    /// What is wrong with the schema: nothing should be.
    pub fn by_chance(tape: &mut Tape<'_>) -> Result<Machine> {
        let clock = ManualClock::new();
        let db = Database::builder().schema_json(&schemas::random(tape)).clock(clock.clone()).open()?;
        Ok(Machine::of(db, clock, false))
    }

    fn of(db: Database, clock: ManualClock, is_typed: bool) -> Machine {
        let world = World::new(db.read().schema());
        let stepper = db.tick_loop(60.0).procedure("ring", ring).stepped().expect("the loop starts");
        Machine {
            db,
            world,
            seen: Seen::default(),
            is_typed,
            clock,
            stepper,
            stuck: Stuck::default(),
            held: Vec::new(),
            shown: 0,
            told: Vec::new(),
            told_from: 0,
            renamed: None,
            reshaped: None,
        }
    }

    /// Takes a step and compares everything.
    pub fn step(&mut self, tape: &mut Tape<'_>) {
        match tape.below(26) {
            0..=15 => self.transaction(tape),
            16..=17 => self.look_up(tape),
            18 => self.hold(),
            19 => self.release(tape),
            20 => self.tick(tape),
            21 => self.client(tape),
            22 => self.reentrant(),
            23 => edits::random(self, tape),
            _ => type_edits::random(self, tape),
        }
        compare::view(&self.world, &self.db.read(), self.is_typed);
    }

    /// The bytes of every buffer.
    pub fn buffers(&self) -> Vec<Vec<Vec<u8>>> {
        __private::buffers(&self.db).expect("no transaction runs")
    }

    /// A transaction of some operations, and nothing else.
    pub fn transaction(&mut self, tape: &mut Tape<'_>) {
        let before = self.buffers();
        let mut world = self.world.clone();
        let (count, end) = (1 + tape.below(6), tape.below(8));
        let (seen, is_typed, db) = (&mut self.seen, self.is_typed, &self.db);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            db.transact(|tx: &mut Transaction| {
                let mut attempt = Attempt { world: &mut world, tape, seen, is_typed };
                attempt.operations(tx, count, 0);
                match end {
                    6 => Err(Error::abort("changed my mind")),
                    7 => panic_any(OnPurpose),
                    _ => Ok(()),
                }
            })
        }));
        match outcome {
            Ok(Ok(())) => {
                world.commit += u64::from(world.is_dirty);
                self.world = world;
                self.seen.kind("transaction: committed");
                self.published();
                return;
            }
            Ok(Err(error)) => {
                assert_eq!(error.to_string(), "changed my mind");
                self.seen.kind("transaction: rolled back");
            }
            Err(payload) if payload.is::<OnPurpose>() => self.seen.kind("transaction: panicked"),
            Err(payload) => resume_unwind(payload),
        }
        assert!(self.buffers() == before, "a failed transaction leaves every byte as it was");
    }

    /// Something was published, if anything was written: what changed is told.
    fn published(&mut self) {
        let before = self.shown;
        if std::mem::take(&mut self.world.is_dirty) {
            self.shown = self.world.commit;
        }
        assert_eq!(self.db.read().commit(), self.shown, "the commit that views show");
        let mut expected = std::mem::take(&mut self.world.changes);
        let sorted = |changes: &mut Vec<(usize, u64, ChangeKind)>| {
            changes.sort_by_key(|(table, id, kind)| (*table, *id, *kind as u8));
        };
        sorted(&mut expected);
        let mut told = Vec::new();
        for at in 0..self.world.tables.len() {
            // What is too long ago is said to be so; an edit of a table forgets.
            let changes = __private::changes_since(&self.db, at, before).expect("no transaction runs");
            match changes {
                Some(changes) => told.extend(changes.iter().map(|change| (at, change.id.get(), change.kind))),
                None => expected.retain(|(table, ..)| *table != at),
            }
        }
        sorted(&mut told);
        assert_eq!(told, expected, "what changed since commit {before}");
        self.remember(before, &told);
    }

    /// What changed since some time ago is all that was told since, or it is said to be too long ago.
    fn remember(&mut self, before: u64, told: &[(usize, u64, ChangeKind)]) {
        const TOLD_MAX: usize = 300;
        let names = |at: usize| self.world.schema.tables[at].name.clone();
        self.told.extend(told.iter().map(|(at, id, kind)| (before, names(*at), *id, *kind)));
        if self.told.len() > TOLD_MAX {
            let gone = self.told[self.told.len() - TOLD_MAX].0;
            self.told_from = gone + 1;
            self.told.retain(|(before, ..)| *before > gone);
        }
        let Some(since) = self.told.first().map(|(before, ..)| (*before).max(self.told_from)) else { return };
        for (at, table) in self.world.schema.tables.iter().enumerate() {
            let Some(changes) = __private::changes_since(&self.db, at, since).expect("no transaction runs") else {
                continue;
            };
            let mut changes: Vec<_> = changes.iter().map(|change| (change.id.get(), change.kind as u8)).collect();
            let all = self.told.iter().filter(|(before, name, ..)| *before >= since && *name == table.name);
            let mut expected: Vec<_> = all.map(|(_, _, id, kind)| (*id, *kind as u8)).collect();
            changes.sort_unstable();
            expected.sort_unstable();
            assert_eq!(changes, expected, "what changed in `{}` since commit {since}", table.name);
        }
    }

    /// A table has another name, or is another one: what was told of it is not asked again.
    fn forget_told(&mut self) {
        self.told.clear();
        self.told_from = self.shown;
    }

    fn look_up(&mut self, tape: &mut Tape<'_>) {
        let view = self.db.read();
        let table = tape.below(self.world.tables.len());
        let engine = view.open_table(&self.world.schema.tables[table].name).expect("the table is there");
        for _ in 0..4 {
            lookups::random(&self.world, table, tape, engine, &mut self.seen);
        }
        if self.is_typed {
            typed::lookup(&self.world, &view, tape, &mut self.seen);
        }
    }

    /// Keeps the view of now, to be looked at again much later.
    fn hold(&mut self) {
        const HELD_MAX: usize = 6;
        if self.held.len() == HELD_MAX {
            self.held.remove(0);
        }
        self.held.push((self.db.read(), self.world.clone()));
        self.seen.kind("view: held");
    }

    fn release(&mut self, tape: &mut Tape<'_>) {
        for (view, world) in &self.held {
            compare::view(world, view, self.is_typed);
        }
        if !self.held.is_empty() {
            self.held.remove(tape.below(self.held.len()));
            self.seen.kind("view: let go");
        }
    }

    /// Time passes: alarms ring.
    fn tick(&mut self, tape: &mut Tape<'_>) {
        self.clock.advance(Duration::from_millis(tape.of(&[17, 0, 500, 4_000])));
        let now_us = dbgen_runtime::clock::Clock::wall_us(&self.clock);
        let tick = self.stepper.step().expect("a tick");
        let rung = self.ring(tick, now_us);
        self.seen.kind("tick");
        if rung > 0 {
            self.seen.kind("tick: alarms");
        }
        self.published();
    }

    /// A transaction through the queue.
    fn client(&mut self, tape: &mut Tape<'_>) {
        let Some(table) = self.world.schema.table("bell").map(|(idx, _)| idx.at()) else { return };
        let fails = tape.one_in(3);
        let given = {
            let mut world = self.world.clone();
            let mut attempt = Attempt { world: &mut world, tape, seen: &mut self.seen, is_typed: false };
            attempt.record(table, false)
        };
        let expected = self.world.draft(table, None, &given);
        let (sender, receiver) = mpsc::channel();
        let (values, number) = (attempt::pairs(&given), TableNoOf(table).number(&self.db.read()));
        self.db
            .enqueue(
                move |tx| {
                    let id = tx.insert_values(number, &values)?;
                    if fails { Err(Error::abort("changed my mind")) } else { Ok(id) }
                },
                move |result| drop(sender.send(result)),
            )
            .expect("the queue has room");
        let tick = self.stepper.step().expect("a tick");
        let result = receiver.try_recv().expect("it was answered");
        match result {
            Err(Error::Aborted(_)) if fails && expected.is_ok() => self.seen.kind("client: rolled back"),
            result => {
                if let Some((committed, values)) = rules::agree(result, expected) {
                    self.world.put(table, committed.value.get(), values);
                    self.world.commit += 1;
                    assert_eq!(committed.commit, self.world.commit);
                    self.seen.kind("client: committed");
                }
            }
        }
        // Alarms that fell due meanwhile rang in the same tick.
        self.ring(tick, dbgen_runtime::clock::Clock::wall_us(&self.clock));
        self.published();
    }

    /// Lets the model's alarms ring, and takes over the ids of what they left behind.
    fn ring(&mut self, tick: u64, now_us: i64) -> usize {
        self.stuck.begin(self.db.read().schema_version());
        let rung = alarms(&mut self.world, &mut self.stuck, tick, now_us);
        self.stuck.waiting.retain(|_, retry| retry.tick > tick);
        if rung > 0 {
            let bell = self.world.table("bell");
            self.world.name_unseen(bell, self.db.read().open_table("bell").expect("the table is there"));
        }
        rung
    }

    fn reentrant(&mut self) {
        let inner = self.db.transact(|_| self.db.transact(|_| Ok(())));
        assert!(matches!(inner, Err(Error::Reentrant)));
        assert!(matches!(self.db.transact(|_| self.db.stats()), Err(Error::Reentrant)));
        self.seen.kind("transaction inside another");
    }
}

/// A table by its place.
struct TableNoOf(usize);

impl TableNoOf {
    fn number(&self, view: &View) -> TableNo {
        view.tables().nth(self.0).expect("the table is there").number()
    }
}

/// What an alarm does: it rings, and some do more.
fn ring(tx: &mut Transaction, args: Ring) -> Result<()> {
    let (bell, alarm) = (tx.open_table("bell")?, tx.open_table("alarm")?);
    tx.insert_values(bell, &[(0, args.label.as_str().into()), (1, args._id.into())])?;
    match args.label.as_bytes().first() {
        Some(b'b') => Err(Error::abort("a dud")),
        Some(0xf0) => panic_any(OnPurpose),
        Some(0) => tx.delete_record(alarm, attempt::record_id(args._id)).map(drop),
        _ => Ok(()),
    }
}

/// Alarms that others keep from going, by their ids: they are tried again, in fewer and fewer ticks.
#[derive(Default)]
struct Stuck {
    waiting: BTreeMap<u64, Retry>,
    /// An edit may have taken away what was in the way.
    schema_version: u64,
}

/// When an alarm is tried again that was due at some time, and after how many ticks.
struct Retry {
    at_us: i64,
    after: u64,
    tick: u64,
}

impl Stuck {
    fn begin(&mut self, schema_version: u64) {
        if self.schema_version != schema_version {
            *self = Stuck { schema_version, ..Stuck::default() };
        }
    }

    fn waits(&self, id: u64, at_us: i64, tick: u64) -> bool {
        self.waiting.get(&id).is_some_and(|retry| retry.at_us == at_us && retry.tick > tick)
    }

    fn add(&mut self, id: u64, at_us: i64, tick: u64) {
        let before = self.waiting.get(&id).filter(|retry| retry.at_us == at_us);
        let after = before.map_or(64, |retry| (2 * retry.after).min(4096));
        self.waiting.insert(id, Retry { at_us, after, tick: tick + after });
    }
}

/// The same in the model; says how many rang.
fn alarms(world: &mut World, stuck: &mut Stuck, tick: u64, now_us: i64) -> usize {
    let (Some((alarm, model)), Some((bell, _))) = (world.schema.table("alarm"), world.schema.table("bell")) else {
        return 0;
    };
    let schedule = model.schedule.clone().expect("alarms are timers");
    let (alarm, bell) = (alarm.at(), bell.at());
    let time = |value: &Value| if let Value::Int(us) = value { Some(*us as i64) } else { None };
    let mut rung = 0;
    loop {
        let rows = world.tables[alarm].rows.iter();
        let due = rows.filter_map(|(id, row)| Some((time(&row.values[schedule.at.at()])?, *id)));
        let due = due.filter(|(at_us, id)| *at_us <= now_us && !stuck.waits(*id, *at_us, tick));
        let Some((at_us, id)) = due.min() else { return rung };
        // Of what others keep from going, all that it does is undone.
        let before = world.clone();
        rung += 1;
        let row = world.tables[alarm].rows[&id].clone();
        let Value::Text(label) = &row.values[0] else { panic!("a label is text") };
        let fails = matches!(label.as_bytes().first(), Some(b'b' | 0xf0));
        let given = [label.as_str().into(), Value::from(id)].into_iter().enumerate();
        let given: Vec<_> = given.map(|(field, value)| rules::Given { field, value, broken: None }).collect();
        let mut is_settled = Ok(0);
        if let (Ok(values), false) = (world.draft(bell, None, &given), fails) {
            world.put_unseen(bell, world::UNSEEN_MIN + rung as u64, values);
            // A procedure that fails is undone; the alarm is settled all the same.
            if label.as_bytes().first() == Some(&0) && world.delete(alarm, id).is_err() {
                *world = before.clone();
            }
        }
        let every = schedule.every.and_then(|every| time(&row.values[every.at()])).filter(|every| *every > 0);
        match (world.tables[alarm].rows.contains_key(&id), every) {
            (false, _) => {}
            (true, None) => is_settled = is_settled.and(world.delete(alarm, id)),
            (true, Some(every_us)) => {
                let missed = now_us.saturating_sub(at_us) / every_us;
                let next_us = at_us.saturating_add(every_us.saturating_mul(missed.saturating_add(1)));
                let mut values = row.values.clone();
                values[schedule.at.at()] = next_us.into();
                world.write(alarm, id, values);
            }
        }
        if is_settled.is_err() {
            *world = before;
            rung -= 1;
            stuck.add(id, at_us, tick);
            continue;
        }
        world.commit += 1;
    }
}
