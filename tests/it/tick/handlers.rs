//! Handlers run for every change of a record, whoever makes it.

use crate::generated::golden::arena::{Arena, Guild, Player};
use dbgen_runtime::clock::ManualClock;
use dbgen_runtime::{Change, Database, Error, On, Value};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What handlers were told.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn say(&self, what: String) {
        self.0.lock().expect("nobody panics while it is held").push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("nobody panics while it is held"))
    }

    /// Listens to a table, before and after every operation.
    fn listen(&self, db: &Database, table: &str, field: &'static str) {
        for on in [On::Insert, On::Update, On::Delete] {
            let (before, after) = (self.clone(), self.clone());
            db.before(table, on, move |_, change| {
                before.say(sentence("before", change, field));
                Ok(())
            })
            .expect("a table");
            db.after(table, on, move |_, change| {
                after.say(sentence("after", change, field));
                Ok(())
            })
            .expect("a table");
        }
    }
}

fn sentence(when: &str, change: &Change, field: &str) -> String {
    let shown = |value: Option<&Value>| match value {
        None => "-".to_owned(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Int(number)) => number.to_string(),
        Some(other) => format!("{other:?}"),
    };
    let (old, new) = (shown(change.old_value(field)), shown(change.new_value(field)));
    format!("{when} {:?} {} {old} -> {new}", change.on(), change.table())
}

const SHOP: &str = r#"{ "name": "shop", "version": "1", "tables": {
    "shelf": { "fields": [ {"name":"label","type":"text"} ] },
    "item": { "fields": [ {"name":"name","type":"text"}, {"name":"shelf","type":"ref<shelf>"},
        {"name":"likes","type":"ref<item>","nullable":true} ] },
    "price": { "parent_table": "item", "fields": [ {"name":"gold","type":"i32"} ] },
    "log": { "fields": [ {"name":"what","type":"text"} ] },
    "bell": { "fields": [ {"name":"at","type":"timestamp"} ], "schedule": {"at":"at","procedure":"ring"} } },
  "relations": [ {"name":"stands_on","from":"item.shelf","to":"shelf","on_delete":"cascade"},
    {"name":"likes","from":"item.likes","to":"item","on_delete":"set_null"} ] }"#;

fn shop(clock: &ManualClock) -> Database {
    Database::builder().schema_json(SHOP).clock(clock.clone()).open().expect("the schema is right")
}

#[test]
fn el_2_handlers_see_what_was_and_what_is() {
    let (db, heard) = (shop(&ManualClock::new()), Heard::default());
    heard.listen(&db, "shelf", "label");
    let shelf = db.read().open_table("shelf").expect("a table").number();
    let id = db.transact(|tx| tx.insert_values(shelf, &[(0, "top".into())])).expect("inserted");
    assert_eq!(heard.take(), ["before Insert shelf - -> top", "after Insert shelf - -> top"]);
    db.transact(|tx| tx.update_values(shelf, id, &[(0, "low".into())])).expect("updated");
    assert_eq!(heard.take(), ["before Update shelf top -> low", "after Update shelf top -> low"]);
    db.transact(|tx| tx.replace_values(shelf, id, &[(0, "a longer label than before".into())])).expect("replaced");
    assert_eq!(heard.take()[1], "after Update shelf low -> a longer label than before");
    db.transact(|tx| tx.update_values(shelf, id, &[(0, "a longer label than before".into())])).expect("the same");
    assert_eq!(heard.take(), [""; 0], "nothing changes, nobody is told");
    db.transact(|tx| tx.delete_record(shelf, id)).expect("deleted");
    assert_eq!(heard.take()[1], "after Delete shelf a longer label than before -> -");
}

#[test]
fn el_2_what_a_deletion_does_to_others_is_told_too() {
    let (db, heard) = (shop(&ManualClock::new()), Heard::default());
    let view = db.read();
    let [shelf, item, price] = ["shelf", "item", "price"].map(|name| view.open_table(name).expect("a table").number());
    let (top, sword) = db
        .transact(|tx| {
            let top = tx.insert_values(shelf, &[(0, "top".into())])?;
            let low = tx.insert_values(shelf, &[(0, "low".into())])?;
            let sword = tx.insert_values(item, &[(0, "sword".into()), (1, Value::Ref(top.get()))])?;
            tx.attach_values(price, sword, &[(0, Value::from(7))])?;
            let likes = [(0, "whetstone".into()), (1, Value::Ref(low.get())), (2, Value::Ref(sword.get()))];
            tx.insert_values(item, &likes)?;
            Ok((top, sword))
        })
        .expect("filled");
    for (table, field) in [("shelf", "label"), ("item", "name"), ("price", "gold")] {
        heard.listen(&db, table, field);
    }
    db.transact(|tx| tx.delete_record(shelf, top)).expect("deleted");
    assert_eq!(
        heard.take(),
        [
            "before Delete shelf top -> -",
            "before Delete item sword -> -",
            "before Delete price 7 -> -",
            "before Update item whetstone -> whetstone",
            "after Update item whetstone -> whetstone",
            "after Delete shelf top -> -",
            "after Delete item sword -> -",
            "after Delete price 7 -> -",
        ]
    );
    assert!(db.read().open_table("item").expect("a table").get(sword).is_err());
}

#[test]
fn el_2_one_that_refuses_undoes_the_whole_operation() {
    let db = shop(&ManualClock::new());
    let view = db.read();
    let [shelf, item] = ["shelf", "item"].map(|name| view.open_table(name).expect("a table").number());
    let top = db
        .transact(|tx| {
            let top = tx.insert_values(shelf, &[(0, "top".into())])?;
            ["sword", "shield"].into_iter().try_for_each(|name| {
                tx.insert_values(item, &[(0, name.into()), (1, Value::Ref(top.get()))]).map(drop)
            })?;
            Ok(top)
        })
        .expect("filled");
    db.after("item", On::Delete, |_, change| match change.old_value("name") {
        Some(name) if *name == Value::from("shield") => Err(Error::abort("the shield stays")),
        _ => Ok(()),
    })
    .expect("a table");
    let before = dbgen_runtime::__private::buffers(&db).expect("no transaction runs");
    let refused = db.transact(|tx| tx.delete_record(shelf, top)).expect_err("it is refused");
    assert_eq!(refused.to_string(), "the shield stays");
    assert!(before == dbgen_runtime::__private::buffers(&db).expect("no transaction runs"), "something was changed");
    // The transaction may go on without it.
    db.transact(|tx| {
        assert!(tx.delete_record(shelf, top).is_err());
        tx.insert_values(shelf, &[(0, "second".into())]).map(drop)
    })
    .expect("the rest is done");
    assert_eq!(db.read().open_table("item").expect("a table").len(), 2);
    assert_eq!(db.read().open_table("shelf").expect("a table").len(), 2);
    db.read().verify().expect("whole");
}

#[test]
fn el_2_what_one_writes_is_told_in_turn_but_not_for_ever() {
    let db = shop(&ManualClock::new());
    let log = db.read().open_table("log").expect("a table").number();
    let write =
        move |tx: &mut dbgen_runtime::Transaction, _: &Change| tx.insert_values(log, &[(0, "again".into())]).map(drop);
    db.after("shelf", On::Insert, write).expect("a table");
    let shelf = db.read().open_table("shelf").expect("a table").number();
    db.transact(|tx| tx.insert_values(shelf, &[(0, "top".into())])).expect("one is written");
    assert_eq!(db.read().open_table("log").expect("a table").len(), 1);
    db.after("log", On::Insert, write).expect("a table");
    let endless = db.transact(|tx| tx.insert_values(shelf, &[(0, "low".into())])).expect_err("it would never end");
    assert!(matches!(endless, Error::HandlersNested { limit: 16, .. }), "{endless}");
    assert_eq!(db.read().open_table("log").expect("a table").len(), 1);
}

#[test]
fn el_2_one_that_panics_leaves_nothing_behind() {
    let db = shop(&ManualClock::new());
    let shelf = db.read().open_table("shelf").expect("a table").number();
    db.after("shelf", On::Insert, |_, change| {
        assert!(change.new_value("label") != Some(&Value::from("cursed")), "cursed");
        Ok(())
    })
    .expect("a table");
    let insert = |label: &'static str| {
        let db = db.clone();
        std::thread::spawn(move || db.transact(|tx| tx.insert_values(shelf, &[(0, label.into())])).map(drop)).join()
    };
    assert!(insert("cursed").is_err(), "the panic is the caller's");
    insert("blessed").expect("no panic").expect("inserted");
    assert_eq!(db.read().open_table("shelf").expect("a table").len(), 1);
    db.read().verify().expect("whole");
}

#[test]
fn el_2_timers_procedures_and_systems_are_heard() {
    let (clock, heard) = (ManualClock::new(), Heard::default());
    let db = shop(&clock);
    heard.listen(&db, "log", "what");
    heard.listen(&db, "bell", "nothing");
    let mut world = db
        .tick_loop(60.0)
        .procedure("ring", |tx, _: serde_json::Value| {
            let log = tx.open_table("log")?;
            tx.insert_values(log, &[(0, "ding".into())]).map(drop)
        })
        .system("scribe", |tick| {
            let log = tick.open_table("log")?;
            let what = format!("tick {}", tick.number());
            tick.insert_values(log, &[(0, what.as_str().into())]).map(drop)
        })
        .stepped()
        .expect("it starts");
    let bell = db.read().open_table("bell").expect("a table").number();
    db.transact(|tx| tx.insert_values(bell, &[(0, Value::from(10_000))])).expect("armed");
    heard.take();
    clock.advance(Duration::from_millis(20));
    world.step().expect("a tick");
    let after: Vec<String> = heard.take().into_iter().filter(|said| said.starts_with("after")).collect();
    assert_eq!(after, ["after Insert log - -> ding", "after Delete bell - -> -", "after Insert log - -> tick 1"]);
    db.call_procedure("ring", &json!(null)).expect("it rings");
    assert_eq!(heard.take(), ["before Insert log - -> ding", "after Insert log - -> ding"]);
}

#[test]
fn el_2_generated_code_is_heard_and_hears_its_own_records() {
    let db = Arena::builder().open().expect("it opens");
    let heard = Heard::default();
    heard.listen(&db.as_dynamic(), "player", "hp");
    let kills = heard.clone();
    db.before("player", On::Update, |_, change| {
        let (Some(old), Some(new)) = (change.old_as::<Player>(), change.new_as::<Player>()) else { return Ok(()) };
        assert!(change.new_as::<Guild>().is_none(), "it is no guild");
        if new.kills < old.kills { Err(Error::abort(format!("{} forgets", new.name))) } else { Ok(()) }
    })
    .expect("a table");
    db.after("player", On::Update, move |tx, change| {
        let player = tx.player().by_name("Ayla").expect("she is there");
        assert_eq!(change.new_as::<Player>(), Some(player.to_record()), "the table is as the change says");
        kills.say(format!("kills {}", player.kills()));
        Ok(())
    })
    .expect("a table");
    let ayla = db.transact(|tx| tx.player_mut().insert(Player::new("Ayla"))).expect("inserted");
    assert_eq!(heard.take(), ["before Insert player - -> 100", "after Insert player - -> 100"]);
    db.transact(|tx| tx.player_mut().update(ayla, |p| p.hp = 7)).expect("updated");
    assert_eq!(heard.take(), ["before Update player 100 -> 7", "after Update player 100 -> 7", "kills 0"]);
    // A setter without a result.
    db.transact(|tx| {
        tx.player_mut().get_mut(ayla)?.set_kills(3);
        Ok(())
    })
    .expect("set");
    assert_eq!(heard.take()[2], "kills 3");
    let refused = db.transact(|tx| {
        tx.player_mut().get_mut(ayla)?.set_kills(2);
        Ok(())
    });
    assert_eq!(refused.expect_err("it is refused").to_string(), "Ayla forgets");
    assert_eq!(db.read().player().get(ayla).expect("she is there").kills(), 3);
    db.transact(|tx| tx.player_mut().delete(ayla)).expect("deleted");
}

#[test]
fn el_2_a_handler_of_no_table_is_told_when_the_loop_starts() {
    let db = shop(&ManualClock::new());
    let unknown = db.tick_loop(60.0).before("shelv", On::Insert, |_, _| Ok(())).stepped().expect_err("there is none");
    assert!(matches!(&unknown, Error::UnknownTable { suggestion: Some(near), .. } if near == "shelf"), "{unknown}");
}
