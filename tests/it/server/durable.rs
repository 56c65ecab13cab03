//! What a client hears of durability: in the answers to what it wrote, and from `/readyz`.

use super::Served;
use dbgen_runtime::storage::simulated::Simulated;
use dbgen_runtime::{Database, SyncLevel};
use dbgen_tests::http::{Answer, Client};
use serde_json::{Value as Json, json};

const WORLD: &str = r#"{ "name": "w", "version": "1", "tables": {
    "deed": { "fields": [ {"name":"n","type":"i32"} ] },
    "mood": { "durability": "snapshot", "fields": [ {"name":"n","type":"i32"} ] } } }"#;

fn served(disk: &Simulated, level: SyncLevel) -> Served {
    let db = Database::builder().schema_json(WORLD).data_dir("data").storage(disk.clone(), true).sync(level);
    Served::on(db.log_segment_bytes(4096).open().expect("it opens"), |tick_loop| tick_loop)
}

fn insert(client: &mut Client, table: &str) -> Answer {
    client.post(&format!("/table/{table}/record"), &json!({ "n": 1 }))
}

#[track_caller]
fn says(answer: &Answer, expected: Option<&str>) {
    assert_eq!(answer.header("db-durable"), expected, "{}", String::from_utf8_lossy(&answer.body));
}

#[test]
fn rc_1_an_answer_says_whether_what_it_did_is_durable() {
    let in_memory = Served::with(WORLD, |tick_loop| tick_loop);
    says(&insert(&mut in_memory.client(), "deed"), Some("false"));
    let disk = Simulated::new(1);
    {
        let served = served(&disk, SyncLevel::Group);
        let mut client = served.client();
        says(&insert(&mut client, "deed"), Some("true"));
        says(&insert(&mut client, "mood"), Some("false"));
        // Of several, all have to be.
        let call = |table: &str| {
            let params = json!({ "table": table, "values": { "n": 1 } });
            json!({ "jsonrpc": "2.0", "id": 1, "method": "record.insert", "params": params })
        };
        says(&client.post("/rpc", &json!([call("deed"), call("deed")])).is(200), Some("true"));
        says(&client.post("/rpc", &json!([call("deed"), call("mood"), call("deed")])).is(200), Some("false"));
        // Who reads has done nothing, nor who is refused.
        says(&client.get("/table/deed/records").is(200), None);
        says(&client.post("/table/deed/record", &json!({ "m": 1 })).is(422), None);
    }
    let unsynced = served(&disk, SyncLevel::Memory);
    says(&insert(&mut unsynced.client(), "mood"), Some("false"));
}

/// The key of a request is in the log, whatever the request did: that does not make it durable.
#[test]
fn rc_1_an_answer_that_is_given_again_says_of_durability_what_it_said() {
    let disk = Simulated::new(1);
    let sent = |client: &mut Client, table: &str, expected: &str| {
        let values = json!({ "n": 1 });
        let batch = json!({ "ops": [{ "op": "insert", "table": table, "values": values }] });
        let sent: [(String, &Json); 2] = [(format!("/table/{table}/record"), &values), ("/batch".to_owned(), &batch)];
        sent.map(|(path, body)| {
            let key = format!("{table} {path}");
            let answer = client.send_json("POST", &path, &[("idempotency-key", &key)], body);
            says(&answer, Some(expected));
            answer.header("idempotency-replayed").is_some()
        })
    };
    for is_again in [false, true] {
        let served = served(&disk, SyncLevel::Group);
        let mut client = served.client();
        assert_eq!(sent(&mut client, "deed", "true"), [is_again; 2]);
        assert_eq!(sent(&mut client, "mood", "false"), [is_again; 2]);
        assert_eq!(sent(&mut client, "mood", "false"), [true; 2]);
    }
}

#[test]
fn a_server_that_cannot_log_is_alive_and_not_ready() {
    let disk = Simulated::new(1);
    let acknowledged = {
        let served = served(&disk, SyncLevel::Group);
        let mut client = served.client();
        insert(&mut client, "deed").is(201);
        client.get("/readyz").is(200);
        disk.room(Some(0));
        let taken = (1..).take_while(|_| insert(&mut client, "deed").status == 201).count();
        insert(&mut client, "deed").is_problem(507, "read_only");
        let unready = client.get("/readyz");
        let said = String::from_utf8_lossy(&unready.body).into_owned();
        unready.is_problem(507, "read_only");
        assert!(said.contains("start it again"), "it says what to do: {said}");
        client.get("/healthz").is(200);
        client.get("/table/deed/records").is(200);
        1 + taken as u64
    };
    // Once there is room, a start is all it takes.
    disk.room(None);
    let served = served(&disk, SyncLevel::Group);
    let mut client = served.client();
    client.get("/readyz").is(200);
    let total = client.get("/table/deed/records").is(200).json()["total"].as_u64();
    assert!(total >= Some(acknowledged), "{total:?} of {acknowledged}");
    insert(&mut client, "deed").is(201);
}

#[test]
fn stats_tell_how_far_the_log_is() {
    let in_memory = Served::with(WORLD, |tick_loop| tick_loop);
    assert_eq!(in_memory.client().get("/stats").is(200).json()["durability"], Json::Null);
    let served = served(&Simulated::new(1), SyncLevel::Group);
    let mut client = served.client();
    insert(&mut client, "deed").is(201);
    let status = served.db.durability().expect("there is a folder");
    let told = client.get("/stats").is(200).json()["durability"].clone();
    assert_eq!((&told["logged"], &told["durable"]), (&json!(status.logged), &json!(status.logged)), "{told}");
    assert!(told["log_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{told}");
    assert_eq!((&told["read_only"], &told["snapshot_error"]), (&Json::Null, &Json::Null), "{told}");
    let metrics = client.get("/metrics").is(200);
    let metrics = String::from_utf8_lossy(&metrics.body);
    for line in [format!("dbgen_durable_commit {}", status.durable), "dbgen_read_only 0".to_owned()] {
        assert!(metrics.lines().any(|told| told == line), "{line} in\n{metrics}");
    }
}
