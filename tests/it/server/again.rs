//! `Idempotency-Key` over crashes: a request that comes again after one is executed once, wherever the power failed.

use super::Served;
use dbgen_runtime::Database;
use dbgen_runtime::storage::simulated::{Profile, Simulated};
use dbgen_tests::http::{Answer, Client};
use serde_json::{Value as Json, json};
use std::collections::HashSet;

/// No field is unique: what is done twice is there twice.
const SCHEMA: &str =
    r#"{ "name": "notes", "version": "1", "tables": { "note": { "fields": [ {"name":"text","type":"text"} ] } } }"#;

fn open(disk: &Simulated) -> Database {
    let db = Database::builder().schema_json(SCHEMA).data_dir("data").storage(disk.clone(), true);
    db.open().expect("what is left of the disk opens")
}

/// A record, a batch, a table, a patch that changes nothing: each under a key of its own.
fn requests() -> [(&'static str, &'static str, &'static str, Json); 4] {
    let insert = |text: &str| json!({ "op": "insert", "table": "note", "values": { "text": text } });
    [
        ("POST", "/table/note/record", "record", json!({ "text": "one" })),
        ("POST", "/batch", "batch", json!({ "ops": [insert("two"), insert("three")] })),
        ("POST", "/table", "table", json!({ "name": "more", "fields": [{ "name": "n", "type": "i32" }] })),
        ("PATCH", "/table/note/records?text=eq.nobody", "patch", json!({ "text": "changed" })),
    ]
}

fn send_all(client: &mut Client) -> Vec<Answer> {
    let send = |(method, path, key, body)| client.send_json(method, path, &[("idempotency-key", key)], &body);
    requests().into_iter().map(send).collect()
}

/// The same requests again, after a crash: each that was done is answered, each that was not is done.
fn repeat(disk: &Simulated) -> Vec<Answer> {
    let served = Served::on(open(disk), |tick_loop| tick_loop);
    let mut client = served.client();
    let answers = send_all(&mut client);
    let (notes, tables) = (client.get("/table/note/records").json(), client.get("/table").json());
    assert_eq!(notes["total"], 3, "{notes} {answers:?}");
    assert_eq!(tables["total"], 2, "{tables}");
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    // What is one transaction has its answer with it. A table may be there and its answer not: then it is told that it is
    // there, and not made again.
    assert!(matches!(statuses[..], [201, 200, 201 | 409, 200]), "{answers:?}");
    answers
}

#[test]
fn rc_1_a_request_is_executed_once_wherever_power_failed() {
    let disk = Simulated::new(11);
    let served = Served::on(open(&disk), |tick_loop| tick_loop);
    disk.remember();
    let given = send_all(&mut served.client());
    let past = disk.past();
    drop(served);
    let mut seen = HashSet::new();
    // A server for each takes its time: all of them where crashes are what is tested, some in between.
    let step = if std::env::var_os("DBGEN_CRASH_IMAGES").is_some() { 1 } else { past.len().div_ceil(12) };
    for (at, image) in past.iter().enumerate().step_by(step) {
        let profile = [Profile::Prefix, Profile::Subset, Profile::NamesLost][at % 3];
        let after = image.crash(at as u64, profile);
        // Between two operations on names nothing may have changed that a start reads.
        if seen.insert(after.fingerprint()) {
            repeat(&after);
        }
    }
    assert!(seen.len() > 4, "{} of {}", seen.len(), past.len());
    // What was answered is answered again, word for word.
    let last = past.last().expect("there is one").crash(0, Profile::Subset);
    for (given, again) in given.iter().zip(repeat(&last)) {
        assert_eq!((again.status, &again.body), (given.status, &given.body));
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
        assert_eq!((again.header("location"), again.header("etag")), (given.header("location"), given.header("etag")));
    }
}

#[test]
fn rc_1_snapshots_carry_the_keys_of_what_they_make_superfluous() {
    let disk = Simulated::new(12);
    let served = Served::on(open(&disk), |tick_loop| tick_loop);
    let given = send_all(&mut served.client());
    // Two more snapshots, and the log from before them is gone.
    for name in ["first", "second"] {
        served.client().post("/table/more/record", &json!({ "n": 1 })).is(201);
        served.client().post("/table", &json!({ "name": name, "fields": [] }));
        served.db.snapshot().expect("there is room");
    }
    drop(served);
    let again = disk.crash(0, Profile::Prefix);
    let served = Served::on(open(&again), |tick_loop| tick_loop);
    let mut client = served.client();
    for (given, again) in given.iter().zip(send_all(&mut client)) {
        assert_eq!((again.status, &again.body), (given.status, &given.body));
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
    }
    let (method, path, key, _) = requests()[0].clone();
    let other = client.send_json(method, path, &[("idempotency-key", key)], &json!({ "text": "another" }));
    other.is_problem(422, "idempotency_mismatch");
}

#[test]
fn rc_1_a_snapshot_whose_keys_are_damaged_does_not_prove_whole() {
    let disk = Simulated::new(13);
    let served = Served::on(open(&disk), |tick_loop| tick_loop);
    send_all(&mut served.client());
    served.db.snapshot().expect("there is room");
    drop(served);
    let kept = disk.files().into_keys().find(|path| path.ends_with("KEPT")).expect("the snapshot has keys");
    disk.damage(&kept, |bytes| bytes[40] ^= 1);
    // The snapshot before, with a longer log, gives the same.
    assert!(repeat(&disk.crash(0, Profile::Prefix)).iter().all(|answer| answer.status < 300));
}
