//! Procedures: how they are registered, and that each call is one transaction.

use dbgen_runtime::{Database, Dynamic, Error, Stepper, TickLoop, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

const BANK: &str = r#"{ "name": "bank", "version": "1", "tables": { "account": { "fields": [
    {"name":"owner","type":"str<16>","unique":true}, {"name":"gold","type":"u32"} ] } } }"#;

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Open {
    owner: String,
    #[serde(default)]
    gold: u32,
}

fn bank() -> Database {
    Database::builder().schema_json(BANK).open().expect("the schema is right")
}

fn with_open(world: TickLoop<Dynamic>) -> TickLoop<Dynamic> {
    world.procedure("open", |tx, args: Open| {
        let account = tx.open_table("account")?;
        let id = tx.insert_values(account, &[(0, args.owner.as_str().into()), (1, Value::from(args.gold))])?;
        match args.owner.as_str() {
            "nobody" => Err(Error::abort("an account needs an owner")),
            "chaos" => std::panic::panic_any("chaos reigns"),
            _ => Ok(id.get()),
        }
    })
}

fn owners(db: &Database) -> Vec<Value> {
    db.read().open_table("account").expect("a table").iter().map(|account| account.value(0)).collect()
}

#[test]
fn pr_1_a_procedure_is_registered_with_the_schema_of_its_arguments() {
    let db = bank();
    let _world = with_open(db.tick_loop(60.0)).stepped().expect("it starts");
    let listed = db.procedures();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, "open");
    assert_eq!(listed[0].arguments["properties"]["owner"]["type"], "string");
    assert_eq!(listed[0].arguments["properties"]["gold"]["minimum"], 0);
    assert_eq!(listed[0].arguments["required"], json!(["owner"]));
}

/// It was shadowed without a word: JSON-RPC called the method.
#[test]
fn pr_1_a_procedure_cannot_have_the_name_of_a_method() {
    for name in ["record.get", "schema.apply", "rpc.mine"] {
        let refused = bank().tick_loop(60.0).procedure(name, |_, (): ()| Ok(7)).stepped();
        assert!(matches!(refused, Err(Error::MethodName { name: refused }) if refused == name), "{name}");
    }
    let db = bank();
    let _world = db.tick_loop(60.0).procedure("record.heal", |_, (): ()| Ok(7)).stepped().expect("it starts");
    assert_eq!(db.call_procedure("record.heal", &json!(null)).expect("it takes nothing"), 7);
}

#[test]
fn pr_1_of_two_with_one_name_the_later_stands() {
    let db = bank();
    let _world = with_open(db.tick_loop(60.0)).procedure("open", |_, (): ()| Ok(7)).stepped().expect("it starts");
    assert_eq!(db.procedures().len(), 1);
    assert_eq!(db.call_procedure("open", &json!(null)).expect("it takes nothing"), 7);
}

#[test]
fn pr_1_an_unknown_name_is_told_the_nearest() {
    let db = bank();
    let _world = with_open(db.tick_loop(60.0)).stepped().expect("it starts");
    let unknown = db.call_procedure("opne", &json!({})).expect_err("there is none");
    assert!(matches!(&unknown, Error::UnknownProcedure { suggestion: Some(near), .. } if near == "open"), "{unknown}");
}

#[test]
fn pr_2_what_succeeds_is_committed_and_seen() {
    let db = bank();
    let _world = with_open(db.tick_loop(60.0)).stepped().expect("it starts");
    let before = db.read().commit();
    let id = db.call_procedure("open", &json!({ "owner": "ada", "gold": 5 })).expect("it is well formed");
    assert!(id.as_u64().is_some_and(|id| id > 0));
    assert_eq!(db.read().commit(), before + 1, "one transaction");
    assert_eq!(owners(&db), [Value::from("ada")]);
}

#[test]
fn pr_2_what_fails_panics_or_is_refused_changes_nothing() {
    let db = bank();
    let _world = with_open(db.tick_loop(60.0)).stepped().expect("it starts");
    db.call_procedure("open", &json!({ "owner": "ada" })).expect("it is well formed");
    let before = (db.read().commit(), dbgen_runtime::__private::buffers(&db).expect("no transaction runs"));
    let calls = [
        (json!({ "owner": "nobody" }), "an account needs an owner"),
        (json!({ "owner": "chaos" }), "panicked: chaos reigns"),
        (json!({ "owner": "ada" }), "must be unique"),
        (json!({ "owner": "a name that is too long" }), "holds at most 16 bytes"),
        (json!({ "owner": "bo", "gold": -1 }), "the arguments of `open` are wrong"),
        (json!({ "owner": "bo", "glod": 1 }), "unknown field `glod`"),
        (json!({}), "missing field `owner`"),
    ];
    for (arguments, why) in calls {
        let failed = db.call_procedure("open", &arguments).expect_err("it is not to succeed").to_string();
        assert!(failed.contains(why), "{arguments}: {failed}");
    }
    let after = (db.read().commit(), dbgen_runtime::__private::buffers(&db).expect("no transaction runs"));
    assert!(before == after, "something was changed");
}

#[test]
fn pr_2_a_system_calls_one_as_a_part_of_its_transaction() {
    let db = bank();
    let mut world: Stepper<Dynamic> = with_open(db.tick_loop(60.0))
        .system("clerk", |tick| {
            let id: u64 = tick.call("open", &Open { owner: format!("client {}", tick.number()), gold: 0 })?;
            assert!(id > 0);
            let failed = tick.call::<u64>("open", &Open { owner: "nobody".to_owned(), gold: 0 });
            assert_eq!(failed.expect_err("it fails").to_string(), "an account needs an owner");
            // The third tick takes all of it back.
            if tick.number() == 3 { Err(Error::abort("closed")) } else { Ok(()) }
        })
        .stepped()
        .expect("it starts");
    for _ in 0..4 {
        world.step().expect("a tick");
    }
    assert_eq!(owners(&db), ["client 1", "client 2", "client 4"].map(Value::from));
}

/// The result came as an error to the system that had asked for another type, and what the procedure had done stayed.
#[test]
fn pr_2_a_call_whose_result_is_not_what_is_asked_for_has_done_nothing() {
    let db = bank();
    let world = with_open(db.tick_loop(60.0)).system("clerk", |tick| {
        let wrong = tick.call::<String>("open", &Open { owner: "ada".to_owned(), gold: 1 });
        assert!(matches!(wrong, Err(Error::Aborted(_))), "its result is a number");
        let id: u64 = tick.call("open", &Open { owner: "bo".to_owned(), gold: 2 })?;
        assert!(id > 0);
        Ok(())
    });
    let mut world = world.stepped().expect("it starts");
    world.step().expect("a tick");
    assert_eq!(world.figures().expect("no transaction runs").failures, 0);
    assert_eq!(owners(&db), [Value::from("bo")]);
}

#[test]
fn pr_2_a_call_can_be_awaited() {
    let db = bank();
    let mut world = with_open(db.tick_loop(60.0)).stepped().expect("it starts");
    let mut called = pin!(db.call_procedure_async("open", json!({ "owner": "ada" })).expect("there is room"));
    let mut failing = pin!(db.call_procedure_async("open", json!({ "owner": "nobody" })).expect("there is room"));
    let mut context = Context::from_waker(Waker::noop());
    assert!(called.as_mut().poll(&mut context).is_pending(), "the loop has not run yet");
    world.step().expect("a tick");
    let Poll::Ready(Ok(done)) = called.as_mut().poll(&mut context) else { panic!("it is done") };
    assert!(db.read().commit() >= done.commit);
    assert!(matches!(failing.as_mut().poll(&mut context), Poll::Ready(Err(Error::Aborted(_)))));
    let mut late = pin!(db.call_procedure_async("open", json!({ "owner": "late" })).expect("there is room"));
    drop(world);
    assert!(matches!(late.as_mut().poll(&mut context), Poll::Ready(Err(Error::Stopped))), "nobody will answer");
}
