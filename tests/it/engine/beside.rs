//! Edits of the schema that are made beside the loop: whatever is written between their two halves, they come to what an
//! edit made at once would have come to.

use dbgen_runtime::clock::{Clock, SystemClock};
use dbgen_runtime::error::SchemaEditError;
use dbgen_runtime::{Database, Error, RecordId, SchemaEdit, StopHandle, TableNo, Value};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const WORLD: &str = r#"{ "name": "world", "version": "1",
  "custom_types": { "Spot": { "fields": [ {"name":"x","type":"f32"}, {"name":"y","type":"f32"} ] } },
  "tables": {
    "party": { "fields": [ {"name":"n","type":"u8"} ] },
    "clan": { "fields": [ {"name":"code","type":"u16","unique":true}, {"name":"motto","type":"text","nullable":true} ] },
    "hero": { "fields": [
        {"name":"name","type":"text"}, {"name":"hp","type":"i32"}, {"name":"spot","type":"Spot"},
        {"name":"clan","type":"ref<clan>","nullable":true}, {"name":"code","type":"u16","nullable":true},
        {"name":"tags","type":"list<text>"}, {"name":"speed","type":"f32","group":"motion"} ],
      "indexes": [ {"name":"by_hp","fields":["hp"]} ] },
    "pet": { "parent_table": "hero", "fields": [ {"name":"kind","type":"u8"} ] } } }"#;
/// Ends a client and a loop when it goes, be it that a test failed half way: otherwise it would wait for both for ever.
struct End<'a> {
    ended: &'a AtomicBool,
    stop: StopHandle,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.stop.stop();
    }
}

/// A small edit, or several as one step, of every kind that carries records over or looks at them.
fn edits() -> Vec<(&'static str, Vec<SchemaEdit>)> {
    let index = |definition| vec![SchemaEdit::create_index("hero", definition)];
    let field = |definition| vec![SchemaEdit::add_field("hero", definition)];
    let alter = |name: &str, changes| vec![SchemaEdit::alter_field("hero", name, changes)];
    vec![
        ("a field", field(json!({"name":"new","type":"i32","default":5}))),
        ("a text", field(json!({"name":"new","type":"text","default":"a text with some length to it"}))),
        ("a nullable text", field(json!({"name":"new","type":"text","nullable":true}))),
        ("a field with an index", field(json!({"name":"new","type":"u8","default":1,"indexed":true}))),
        (
            "a field in the group that is written whole",
            field(json!({"name":"n","type":"u8","default":1,"group":"motion"})),
        ),
        ("numbers", field(json!({"name":"new","type":"u32","auto_increment":true,"unique":true}))),
        ("a wider field", alter("hp", json!({"type":"i64"}))),
        ("a minimum", alter("hp", json!({"min":0}))),
        ("not null", alter("code", json!({"nullable":false,"default":9}))),
        ("unique", alter("code", json!({"unique":true}))),
        ("a member", vec![SchemaEdit::add_member("Spot", json!({"name":"z","type":"f32","default":2.5}))]),
        ("no text", vec![SchemaEdit::drop_field("hero", "name")]),
        ("no list", vec![SchemaEdit::drop_field("hero", "tags")]),
        ("no number", vec![SchemaEdit::drop_field("hero", "speed")]),
        ("a tree", index(json!({"name":"t","fields":["code","hp"]}))),
        ("a hash", index(json!({"name":"h","fields":["hp"],"kind":"hash"}))),
        ("a tree over texts", index(json!({"name":"n","fields":["name"]}))),
        ("a unique tree over texts", index(json!({"name":"n","fields":["name"],"unique":true}))),
        ("a unique hash", index(json!({"name":"u","fields":["code"],"unique":true,"kind":"hash"}))),
        ("no index", vec![SchemaEdit::drop_index("hero", "by_hp")]),
        ("another name", vec![SchemaEdit::rename_field("hero", "hp", "health")]),
        (
            "references by value",
            vec![SchemaEdit::CreateRelation { definition: json!({"name":"r","from":"hero.code","to":"clan.code"}) }],
        ),
        ("references that lead elsewhere", alter("clan", json!({"type":"ref<party>"}))),
        (
            "another component",
            vec![SchemaEdit::create_table(
                "hat",
                json!({"parent_table":"hero","fields":[{"name":"size","type":"u8"}]}),
            )],
        ),
        ("no component", vec![SchemaEdit::drop_table("pet")]),
        ("no table", vec![SchemaEdit::DropTable { table: "hero".to_owned(), cascade: true }]),
    ]
}

/// Something that is written, with numbers that choose what.
#[derive(Debug, Clone)]
enum Write {
    Hero { name: u8, hp: i8, clan: u8, code: u8 },
    Update { which: u8, field: u8, value: u8 },
    Delete { which: u8 },
    Clan { code: u8 },
    ClanCode { which: u8, code: u8 },
    NoClan { which: u8 },
    Pet { which: u8, kind: u8 },
    NoPet { which: u8 },
    RolledBack(Vec<Write>),
}

fn write() -> impl Strategy<Value = Write> {
    let leaf = prop_oneof![
        4 => (any::<u8>(), -3..100_i8, any::<u8>(), any::<u8>())
            .prop_map(|(name, hp, clan, code)| Write::Hero { name, hp, clan, code }),
        5 => (any::<u8>(), 0..7_u8, any::<u8>()).prop_map(|(which, field, value)| Write::Update { which, field, value }),
        3 => any::<u8>().prop_map(|which| Write::Delete { which }),
        1 => any::<u8>().prop_map(|code| Write::Clan { code }),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(which, code)| Write::ClanCode { which, code }),
        1 => any::<u8>().prop_map(|which| Write::NoClan { which }),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(which, kind)| Write::Pet { which, kind }),
        1 => any::<u8>().prop_map(|which| Write::NoPet { which }),
    ];
    leaf.prop_recursive(1, 4, 4, |leaf| prop::collection::vec(leaf, 0..4).prop_map(Write::RolledBack))
}

/// A text: short ones, and long ones that begin alike.
fn text(n: u8) -> Value {
    match n % 3 {
        0 => Value::from(format!("n{}", n / 3)),
        1 => Value::from(format!("{}{}", "the same beginning, longer than any index keeps of it; ".repeat(3), n / 3)),
        _ => Value::from("x".repeat(n as usize)),
    }
}

struct World {
    db: Database,
}

impl World {
    fn open() -> World {
        World { db: Database::builder().schema_json(WORLD).open().expect("it opens") }
    }

    /// The tables by name, as far as they are there.
    fn table(&self, name: &str) -> Option<TableNo> {
        self.db.read().open_table(name).ok().map(|table| table.number())
    }

    fn has_field(&self, name: &str) -> bool {
        let view = self.db.read();
        view.open_table("hero").is_ok_and(|hero| hero.schema().field(name).is_some())
    }

    fn nth(&self, table: &str, n: u8) -> Option<RecordId> {
        let view = self.db.read();
        let table = view.open_table(table).ok()?;
        table.iter().nth(n as usize % table.len().max(1)).map(|record| record.id())
    }

    /// Writes as one transaction; what is refused is told, and counts as written.
    fn write(&self, write: &Write) -> Option<Result<u64, String>> {
        let told = |error: Error| error.to_string();
        match write {
            Write::RolledBack(writes) => {
                let all: Vec<_> = writes.iter().filter_map(|write| self.change(write)).collect();
                let done = self.db.transact(|tx| {
                    all.into_iter().for_each(|change| drop(change(tx)));
                    Err::<u64, _>(Error::abort("on purpose"))
                });
                Some(done.map_err(told))
            }
            one => {
                let change = self.change(one)?;
                Some(self.db.transact(change).map_err(told))
            }
        }
    }

    /// What a write does, by the names that fields have now.
    #[allow(clippy::type_complexity)]
    fn change(&self, write: &Write) -> Option<Box<dyn FnOnce(&mut dbgen_runtime::Transaction) -> Result<u64, Error>>> {
        let clan_at = |n: u8| match n % 4 {
            0 => Value::Null,
            _ => self.nth("clan", n).map_or(Value::Null, |id| Value::Ref(id.get())),
        };
        let small = |n: u8| if n.is_multiple_of(3) { Value::Null } else { Value::from(n % 40) };
        let tags = |n: u8| Value::List((0..n % 4).map(|at| text(n ^ at)).collect());
        let spot = |n: u8| Value::Struct(vec![Value::from(f32::from(n)), Value::from(1.0_f32)]);
        let named = |table: &'static str, id: RecordId, values: Vec<(&'static str, Value)>| {
            let values: Vec<(String, Value)> =
                values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Box::new(move |tx: &mut dbgen_runtime::Transaction| tx.update_named(table, id, &values).map(|()| 0_u64))
                as Box<_>
        };
        Some(match write {
            // One inside another is nothing more.
            Write::RolledBack(_) => return None,
            Write::Hero { name, hp, clan, code } => {
                let values: Vec<(String, Value)> = [
                    ("name", text(*name)),
                    ("hp", Value::from(i32::from(*hp))),
                    ("spot", spot(*name)),
                    ("clan", clan_at(*clan)),
                    ("code", small(*code)),
                    ("tags", tags(*code)),
                    ("speed", Value::from(f32::from(*hp))),
                ]
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .filter(|(name, _)| self.has_field(name))
                .collect();
                Box::new(move |tx| tx.insert_named("hero", &values).map(RecordId::get))
            }
            Write::Update { which, field, value } => {
                let id = self.nth("hero", *which)?;
                let set = match field {
                    0 => ("name", text(*value)),
                    1 => ("hp", Value::from(i32::from(*value) - 5)),
                    2 => ("spot", spot(*value)),
                    3 => ("clan", clan_at(*value)),
                    4 => ("code", small(*value)),
                    5 => ("tags", tags(*value)),
                    _ => ("speed", Value::from(f32::from(*value))),
                };
                named("hero", id, vec![set])
            }
            Write::Delete { which } => {
                let (id, table) = (self.nth("hero", *which)?, self.table("hero")?);
                Box::new(move |tx| tx.delete_record(table, id).map(|count| count as u64))
            }
            Write::Clan { code } => {
                let values = vec![("code".to_owned(), Value::from(code % 40)), ("motto".to_owned(), text(*code))];
                Box::new(move |tx| {
                    tx.insert_named("party", &[("n".to_owned(), 1_u8.into())])?;
                    tx.insert_named("clan", &values).map(RecordId::get)
                })
            }
            Write::ClanCode { which, code } => {
                named("clan", self.nth("clan", *which)?, vec![("code", Value::from(code % 40))])
            }
            Write::NoClan { which } => {
                let table = if which.is_multiple_of(2) { "party" } else { "clan" };
                let (id, table) = (self.nth(table, which / 2)?, self.table(table)?);
                Box::new(move |tx| tx.delete_record(table, id).map(|count| count as u64))
            }
            Write::Pet { which, kind } => {
                let (id, table, kind) = (self.nth("hero", *which)?, self.table("pet")?, *kind);
                Box::new(move |tx| tx.attach_values(table, id, &[(0, kind.into())]).map(|()| 0_u64))
            }
            Write::NoPet { which } => {
                let (id, table) = (self.nth("hero", *which)?, self.table("pet")?);
                Box::new(move |tx| tx.delete_record(table, id).map(|count| count as u64))
            }
        })
    }

    /// Every row in its place: id, version, values.
    #[allow(clippy::type_complexity)]
    fn rows(&self) -> BTreeMap<String, Vec<(RecordId, u64, Vec<Value>)>> {
        let view = self.db.read();
        let rows = |table: dbgen_runtime::DynTable<'_>| {
            table.iter().map(|record| (record.id(), record.version(), record.values())).collect()
        };
        view.tables().map(|table| (table.schema().name.clone(), rows(table))).collect()
    }
}

fn kind(edited: &Result<u64, Error>) -> String {
    match edited {
        Ok(version) => version.to_string(),
        Err(Error::SchemaEdit(SchemaEditError::RecordsInTheWay { .. })) => "records in the way".to_owned(),
        Err(other) => other.to_string(),
    }
}

/// Plays writes, an edit in two halves with writes between, and writes again; beside it the edit is made at once. Says what
/// it came to.
fn compare(edit: &[SchemaEdit], before: &[Write], between: &[Write], after: &[Write]) -> Result<String, TestCaseError> {
    let (two, one) = (World::open(), World::open());
    let both = |writes: &[Write]| {
        for write in writes {
            let (two, one) = (two.write(write), one.write(write));
            prop_assert_eq!(two, one, "{:?}", write);
        }
        Ok(())
    };
    both(before)?;
    let prepared = match two.db.prepare_edit(edit) {
        Ok(prepared) => prepared,
        Err(error) => {
            let refused = one.db.edit_schema(edit).map_err(|error| error.to_string());
            prop_assert_eq!(Err(error.to_string()), refused, "what is in the way from the start");
            return Ok("refused at the start".to_owned());
        }
    };
    let held = two.db.read();
    both(between)?;
    let (in_two, at_once) = (prepared.apply(), one.db.edit_schema(edit));
    prop_assert_eq!(kind(&in_two), kind(&at_once));
    prop_assert_eq!(two.rows(), one.rows());
    prop_assert_eq!(two.db.read().commit(), one.db.read().commit());
    let (two_now, one_now) = (two.db.read(), one.db.read());
    prop_assert_eq!(two_now.schema(), one_now.schema());
    drop((two_now, one_now));
    prop_assert!(two.db.read().verify().is_ok(), "{:?}", two.db.read().verify());
    both(after)?;
    prop_assert_eq!(two.rows(), one.rows());
    prop_assert!(two.db.read().verify().is_ok(), "{:?}", two.db.read().verify());
    prop_assert!(held.verify().is_ok(), "what was held stays what it was");
    Ok(kind(&at_once))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_in_two_halves_comes_to_what_one_at_once_comes_to(
        edit in 0..edits().len(),
        before in prop::collection::vec(write(), 0..40),
        between in prop::collection::vec(write(), 0..20),
        after in prop::collection::vec(write(), 0..12),
    ) {
        compare(&edits()[edit].1, &before, &between, &after)?;
    }
}

/// Every edit with writes that meet it, none of which is in its way: the heroes are there, change, go and come again.
#[test]
fn every_edit_catches_up_with_every_write() {
    let heroes = |from: u8| (from..from + 30).map(|n| Write::Hero { name: n, hp: n as i8, clan: n, code: n });
    let before: Vec<Write> = (0..40).map(|code| Write::Clan { code }).chain(heroes(0)).collect();
    let between: Vec<Write> = (0..14)
        .map(|n| Write::Update { which: n * 3, field: n % 7, value: 102 + n * 3 })
        .chain((0..8).map(|n| Write::Delete { which: n * 7 }))
        .chain((0..5).map(|n| Write::Pet { which: n, kind: n }))
        .chain([Write::RolledBack(vec![Write::Delete { which: 1 }, Write::Clan { code: 77 }])])
        .chain(heroes(30).take(4))
        .collect();
    let after: Vec<Write> = heroes(80).take(6).chain((0..20).map(|n| Write::Delete { which: n })).collect();
    for (what, edit) in edits() {
        let came_to = compare(&edit, &before, &between, &after).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(came_to, "2", "{what}");
    }
}

#[test]
fn a_record_that_comes_to_be_in_the_way_is_told_and_nothing_changes() {
    let world = World::open();
    for code in [1, 2] {
        world.write(&Write::Hero { name: code, hp: 5, clan: 0, code }).expect("a write").expect("it fits");
    }
    let unique = [SchemaEdit::alter_field("hero", "code", json!({"unique":true}))];
    let prepared = world.db.prepare_edit(&unique).expect("no two are alike");
    world.write(&Write::Hero { name: 9, hp: 5, clan: 0, code: 2 }).expect("a write").expect("it fits");
    let (rows, schema) = (world.rows(), world.db.read().schema_version());
    let error = prepared.apply().expect_err("two are alike");
    assert!(matches!(&error, Error::SchemaEdit(SchemaEditError::RecordsInTheWay { records: 1, .. })), "{error}");
    assert_eq!((world.rows(), world.db.read().schema_version()), (rows, schema));
    world.write(&Write::Delete { which: 2 }).expect("a write").expect("it is there");
    world.db.edit_schema(&unique).expect("it was mended");
    world.db.read().verify().expect("whole");
}

/// It would wait for an edit that waits for the transaction, or take the writing side that the transaction has.
#[test]
fn an_edit_is_neither_prepared_nor_applied_inside_a_transaction() {
    let world = World::open();
    let rename = SchemaEdit::rename_field("hero", "hp", "health");
    let prepared = world.db.prepare_edit(&rename).expect("it can be");
    let done = world.db.transact(|_| {
        assert!(matches!(world.db.prepare_edit(&rename), Err(Error::Reentrant)));
        assert!(matches!(prepared.apply(), Err(Error::Reentrant)));
        Ok(7)
    });
    assert_eq!(done.expect("the transaction goes on"), 7);
    assert!(world.db.read().open_table("hero").expect("it is there").schema().field("hp").is_some());
    world.db.prepare_edit(&rename).expect("it can be").apply().expect("nothing is in the way");
}

#[test]
fn an_edit_that_another_one_overtook_goes_on_from_the_schema_that_it_left() {
    let world = World::open();
    for n in 0..20 {
        world.write(&Write::Hero { name: n, hp: 5, clan: 0, code: 0 }).expect("a write").expect("it fits");
    }
    let prepared = world.db.prepare_edit(SchemaEdit::rename_field("hero", "hp", "health")).expect("it can be");
    world.db.edit_schema(SchemaEdit::add_field("hero", json!({"name":"new","type":"u8","default":7}))).expect("small");
    assert_eq!(prepared.apply().expect("both are"), 3);
    let view = world.db.read();
    let hero = view.open_table("hero").expect("it is there");
    assert!(hero.schema().field("health").is_some() && hero.schema().field("new").is_some());
    let prepared = world.db.prepare_edit(SchemaEdit::drop_field("hero", "speed")).expect("it can be");
    world.db.edit_schema(SchemaEdit::rename_field("hero", "speed", "pace")).expect("small");
    let error = prepared.apply().expect_err("its field has gone");
    assert!(matches!(error, Error::UnknownField { .. }), "{error}");
}

/// A loop that ticks, clients that write, and edits of a large table: the loop does not stand still, and no write is lost.
#[test]
fn a_large_table_is_edited_while_the_loop_ticks_and_clients_write() {
    const HEROES: u32 = 200_000;
    let db = Database::builder()
        .schema_json(
            r#"{ "name": "w", "version": "1", "tables": { "t": { "capacity": 210000, "fields": [
            {"name":"n","type":"u32"}, {"name":"hp","type":"i32"}, {"name":"gold","type":"u64"} ] } } }"#,
        )
        .open()
        .expect("it opens");
    let t = db.read().open_table("t").expect("it is there").number();
    let row = |n: u32| vec![(0, n.into()), (1, 7_i32.into()), (2, 0_u64.into())];
    let ids = db
        .transact(|tx| {
            let rows: Vec<_> = (0..HEROES).map(row).collect();
            tx.insert_many(t, rows.iter().map(Vec::as_slice))
        })
        .expect("they fit");
    let looped = db.tick_loop(60.0);
    let stop = looped.stop_handle();
    let (ticked, ended, clock) = (AtomicU64::new(0), AtomicBool::new(false), SystemClock::new());
    let mut model: BTreeMap<RecordId, (u32, u64)> = ids.iter().zip(0..).map(|(id, n)| (*id, (n, 0))).collect();
    std::thread::scope(|scope| {
        let (ticked, ended, db) = (&ticked, &ended, &db);
        let ticking = std::sync::Arc::new(AtomicU64::new(0));
        let counted = ticking.clone();
        let looping = scope.spawn(move || {
            looped
                .system("count", move |_| {
                    counted.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                })
                .run()
        });
        let end = End { ended, stop };
        // A client of a loop that does not run yet is told that there is none.
        while ticking.load(Ordering::Relaxed) == 0 && !looping.is_finished() {
            std::thread::yield_now();
        }
        let client = scope.spawn({
            let model = &mut model;
            move || {
                let (mut n, mut ids) = (1_u64, ids);
                while !ended.load(Ordering::Relaxed) {
                    n += 1;
                    let at = (n * 7919) as usize % ids.len();
                    let id = ids[at];
                    // Names, since fields get other ones and other places; the renamed one is left alone.
                    let done = match n % 10 {
                        0 => {
                            model.remove(&id);
                            ids.swap_remove(at);
                            let gone = db.client().delete_record("t", id);
                            gone.wait().map(drop)
                        }
                        1 => {
                            let values = [("n", Value::from(n as u32)), ("hp", 7_i32.into()), ("gold", n.into())];
                            db.client().insert_values("t", values).wait().map(|inserted| {
                                ids.push(inserted.value);
                                model.insert(inserted.value, (n as u32, n));
                            })
                        }
                        _ => {
                            if let Some(row) = model.get_mut(&id) {
                                row.1 = n;
                            }
                            db.client().update_values("t", id, [("gold", n)]).wait().map(drop)
                        }
                    };
                    done.expect("every write is done");
                }
                ticked.store(n, Ordering::Relaxed);
            }
        });
        let edits = [
            SchemaEdit::add_field("t", json!({"name":"new","type":"i32","default":5})),
            SchemaEdit::alter_field("t", "hp", json!({"type":"i64"})),
            SchemaEdit::create_index("t", json!({"name":"by_gold","fields":["gold"]})),
            SchemaEdit::create_index("t", json!({"name":"by_n","fields":["n"],"kind":"hash"})),
            SchemaEdit::rename_field("t", "new", "other"),
            SchemaEdit::drop_field("t", "other"),
        ];
        for (at, edit) in edits.into_iter().enumerate() {
            let (ticks, begun) = (ticking.load(Ordering::Relaxed), clock.monotonic());
            match at % 2 {
                0 => drop(db.edit_schema(edit).expect("it can be")),
                _ => drop(db.client().edit_schema(edit).wait().expect("it can be")),
            }
            let (ticks, took) = (ticking.load(Ordering::Relaxed) - ticks, clock.monotonic() - begun);
            // Sixty a second, of which a busy machine may lose many, and one that stands still all.
            assert!(took < Duration::from_millis(500) || ticks > 0, "{ticks} ticks in {took:?}");
        }
        ended.store(true, Ordering::Relaxed);
        client.join().expect("the client ends");
        drop(end);
        looping.join().expect("the loop ends").expect("it ran");
    });
    assert!(ticked.load(Ordering::Relaxed) > 1);
    let view = db.read();
    view.verify().expect("whole");
    let table = view.open_table("t").expect("it is there");
    assert_eq!(table.len(), model.len());
    for record in table.iter() {
        let (n, gold) = model[&record.id()];
        assert_eq!(record.values(), [Value::from(n), Value::from(7_i64), Value::from(gold)], "{}", record.id());
    }
    let (id, (_, gold)) = model.iter().next_back().expect("some are left");
    let found = table.find_all("by_gold", &[Value::from(*gold)]).expect("an index");
    assert!(found.into_iter().any(|record| record.id() == *id), "the index has what was written meanwhile");
}

/// What was committed while an edit was on its way is in the log under the old schema, what came after it under the new.
#[test]
fn an_edit_in_two_halves_is_in_the_log_where_it_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || Database::builder().schema_json(WORLD).data_dir(folder.path()).open().expect("it opens");
    let hero = |n: u8| Write::Hero { name: n, hp: n as i8, clan: n, code: n };
    let edits = [
        SchemaEdit::add_field("hero", json!({"name":"rank","type":"u32","auto_increment":true})),
        SchemaEdit::add_field("hero", json!({"name":"story","type":"text","default":"not told yet"})),
        SchemaEdit::drop_field("hero", "tags"),
    ];
    let mut rows = BTreeMap::new();
    for (round, edit) in (0_u8..).zip(edits) {
        let world = World { db: open() };
        if round > 0 {
            assert_eq!(world.rows(), rows, "as it was when it ended");
        }
        let insert = |from: u8| (from..from + 9).for_each(|n| drop(world.write(&hero(n + round * 40))));
        insert(0);
        let prepared = world.db.prepare_edit(edit).expect("it can be");
        insert(20);
        for which in 0..6 {
            world.write(&Write::Delete { which: which * 2 });
            world.write(&Write::Update { which, field: 1, value: 50 + which });
        }
        prepared.apply().expect("nothing is in the way");
        for which in 0..6 {
            world.write(&Write::Update { which, field: 0, value: which });
            world.write(&Write::Delete { which });
        }
        rows = world.rows();
    }
    let world = World { db: open() };
    assert_eq!(world.rows(), rows);
    world.db.read().verify().expect("whole");
}
