//! Auto-increment: the next number, after the largest that was ever given.

use dbgen_runtime::{Database, Error, Rule, Value};

/// A client gave the largest number that a field holds. The insert after it added one to that: a debug build panicked in
/// every insert from then on, a release build began again at 0.
#[test]
fn after_the_largest_number_there_is_none() {
    for (ty, max) in [("u64", i128::from(u64::MAX)), ("i64", i128::from(i64::MAX)), ("u8", 255)] {
        let schema = format!(
            r#"{{"name":"n","version":"1.0.0","tables":{{"t":{{"fields":[
                {{"name":"number","type":"{ty}","primary_key":true,"auto_increment":true}},
                {{"name":"a","type":"u8","default":0}}]}}}}}}"#
        );
        let db = Database::builder().schema_json(&schema).open().expect("the schema is right");
        let table = db.read().open_table("t").expect("it is there").number();
        let insert = |number: Option<i128>| {
            let number = number.map(|number| (0, Value::Int(number)));
            db.transact(|tx| tx.insert_values(table, &number.into_iter().collect::<Vec<_>>()))
        };
        insert(None).expect("the first number is 1");
        insert(Some(max)).expect("a number may be given");
        for _ in 0..2 {
            let Err(Error::Invalid(violations)) = insert(None) else { panic!("{ty}: a number beyond the last") };
            assert_eq!(violations[0].rule, Rule::OutOfRange { min: Value::Int(1), max: Value::Int(max) });
        }
        assert_eq!(db.read().open_table("t").map(|table| table.len()).ok(), Some(2));
        db.read().verify().expect("whole");
    }
}
