//! The dynamic face by names: what an editor or a tool does that knows no schema when it is built.

use dbgen_runtime::{Database, Error, RecordId, SchemaEdit, Value};
use serde_json::json;
use std::ops::Bound;

fn open() -> Database {
    let file = dbgen_tests::root().join("tests/fixtures/world.toml");
    Database::builder().schema_file(file).open().expect("it opens")
}

fn spawn(db: &Database, label: &str, hp: Option<i32>, frozen: bool) -> RecordId {
    let spawned = db.transact(|tx| {
        let id = tx.insert_named("entity", &[("label", label.into())])?;
        hp.map_or(Ok(()), |hp| tx.attach_named("health", id, &[("hp", hp.into())]))?;
        if frozen {
            tx.attach_named("frozen", id, &[("until", 9_u32.into())])?;
        }
        Ok(id)
    });
    spawned.expect("spawned")
}

#[test]
fn records_are_written_found_and_deleted_by_names() {
    let db = open();
    let ayla = spawn(&db, "Ayla", Some(10), false);
    let sword = db.transact(|tx| {
        let sword = tx.insert_named("item", &[("owner", Value::Ref(ayla.get())), ("name", "sword".into())])?;
        tx.update_named("health", ayla, &[("hp", 7.into())])?;
        Ok(sword)
    });
    let sword = sword.expect("written");
    let view = db.read();
    assert_eq!(view.open_table("health").expect("a table").get(ayla).expect("it has").get("hp").expect("hp"), 7.into());
    let item = view.open_table("item").expect("a table");
    let named: Vec<(&str, Value)> = item.get(sword).expect("there").named_values().collect();
    assert_eq!(named, [("owner", Value::Ref(ayla.get())), ("name", "sword".into())]);
    let low = [Value::from("s")];
    let range = item.find_range("by_name", Bound::Included(&low), Bound::Unbounded).expect("an index");
    assert_eq!(range.map(|record| record.id()).collect::<Vec<_>>(), [sword]);
    assert_eq!(db.transact(|tx| tx.delete_named("entity", ayla)).expect("gone"), 3, "with its health and its sword");
    assert!(db.read().open_table("item").expect("a table").is_empty());
    assert_eq!(item.len(), 1, "a view does not change");
}

#[test]
fn a_wrong_name_is_told_with_the_nearest() {
    let db = open();
    let wrong = |result: Result<(), Error>, sentence: &str| {
        assert_eq!(result.expect_err("a wrong name").to_string(), sentence);
    };
    let insert = |table: &str, field: &str| db.transact(|tx| tx.insert_named(table, &[(field, 1.into())]).map(drop));
    wrong(insert("itm", "name"), "there is no table `itm`; did you mean `item`?");
    wrong(insert("item", "nme"), "table `item` has no field `nme`; did you mean `name`?");
    let view = db.read();
    wrong(view.entities("entity", &["item"], &[]).map(drop), "`item` is no component table of `entity`");
    assert!(matches!(view.open_table("item").expect("a table").field("x"), Err(Error::UnknownField { .. })));
}

#[test]
fn entities_are_found_by_what_they_have_and_lack() {
    let db = open();
    let ids: Vec<RecordId> =
        (0..200).map(|n| spawn(&db, &n.to_string(), (n % 2 == 0).then_some(n), n % 3 == 0)).collect();
    db.transact(|tx| tx.delete_named("frozen", ids[6]).map(drop)).expect("thawed");
    let found = |with: &[&str], without: &[&str]| {
        let mut found: Vec<RecordId> = db.read().entities("entity", with, without).expect("tables").collect();
        found.sort();
        found
    };
    let looked = |wanted: &dyn Fn(usize) -> bool| -> Vec<RecordId> {
        let mut looked: Vec<RecordId> = (0..200).filter(|n| wanted(*n)).map(|n| ids[n]).collect();
        looked.sort();
        looked
    };
    let (hp, frozen) = (|n: usize| n.is_multiple_of(2), |n: usize| n.is_multiple_of(3) && n != 6);
    assert_eq!(found(&["health", "frozen"], &[]), looked(&|n| hp(n) && frozen(n)));
    assert_eq!(found(&["health"], &["frozen"]), looked(&|n| hp(n) && !frozen(n)));
    assert_eq!(found(&[], &["health"]), looked(&|n| !hp(n)));
    assert_eq!(found(&[], &[]), looked(&|_| true));
}

#[test]
fn a_tool_edits_the_schema_and_goes_on() {
    let db = open();
    let ayla = spawn(&db, "Ayla", Some(10), false);
    db.edit_schema([
        SchemaEdit::rename_field("health", "hp", "points"),
        SchemaEdit::alter_field("health", "points", json!({ "type": "i64" })),
        SchemaEdit::add_field("entity", json!({ "name": "level", "type": "u8", "default": 1 })),
    ])
    .expect("edited");
    db.transact(|tx| tx.update_named("health", ayla, &[("points", (1_i64 << 40).into())])).expect("written");
    let view = db.read();
    assert_eq!(view.entities("entity", &["health"], &[]).expect("tables").count(), 1);
    assert_eq!(
        view.open_table("entity").expect("a table").get(ayla).expect("there").get("level").expect("new"),
        1.into()
    );
    view.verify().expect("whole");
}

#[test]
fn a_field_number_that_the_table_does_not_have_is_an_error_on_every_path() {
    let db = Database::builder()
        .schema_json(
            r#"{ "name": "w", "version": "1", "tables": {
        "t": { "fields": [ {"name":"a","type":"u8"} ] } } }"#,
        )
        .open()
        .expect("it opens");
    let wrong: &[(usize, Value)] = &[(0, 1_u8.into()), (7, 2_u8.into())];
    let id = db
        .transact(|tx| {
            let t = tx.open_table("t")?;
            let id = tx.insert_values(t, &wrong[..1])?;
            let say = |error: Error| {
                let Error::Invalid(violations) = &error else { panic!("{error}") };
                assert_eq!((violations.len(), violations[0].field.as_str()), (1, "7"));
                assert!(
                    error.to_string().starts_with("`t.7`")
                        && error.to_string().ends_with("is no field: the table has 1, numbered from 0"),
                    "{error}"
                );
            };
            say(tx.insert_values(t, wrong).expect_err("an insert"));
            say(tx.insert_many(t, [&wrong[..1], wrong]).expect_err("an insert of many"));
            say(tx.update_values(t, id, wrong).expect_err("an update"));
            say(tx.replace_values(t, id, wrong).expect_err("a replacement"));
            say(tx.update_where(t, |_| true, wrong).expect_err("an update of many"));
            Ok(id)
        })
        .expect("the transaction goes on");
    let view = db.read();
    let t = view.open_table("t").expect("there");
    assert_eq!((t.len(), t.get(id).expect("there").values()), (1, vec![Value::from(1_u8)]));
}

/// It once ended the process: a table made over HTTP asked for more memory than any machine has.
#[test]
fn a_capacity_beyond_all_memory_is_a_wish() {
    let schema = r#"{ "name": "w", "version": "1", "tables": { "t": { "capacity": 4294967295, "fields": [
        {"name":"big","type":"str<200>"} ] } } }"#;
    let db = Database::builder().schema_json(schema).open().expect("it opens");
    let id = db.transact(|tx| tx.insert_named("t", &[("big", "small".into())])).expect("it fits");
    assert_eq!(
        db.read().open_table("t").expect("a table").get(id).expect("there").get("big").expect("big"),
        "small".into()
    );
}
