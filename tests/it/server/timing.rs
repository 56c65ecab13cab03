//! When requests are answered, requests that come twice, and who may ask.

use super::{ARENA, Served, insert};
use dbgen_runtime::server::{self, Grant, Role, ServerConfig};
use dbgen_tests::http::{Answer, Client};
use serde_json::json;

#[test]
fn rc_1_who_does_not_wait_is_told_that_it_is_accepted() {
    let served = Served::arena();
    let mut client = served.client();
    let path = "/table/player/record?wait=none";
    let accepted = client.post(path, &json!({ "name": "Ayla" })).is(202).json();
    assert_eq!(accepted["status"], "accepted");
    // Whoever asks the loop afterwards finds it.
    client.post("/table/player/record?wait=commit", &json!({ "name": "Brom" })).is(201);
    client.get("/table/player/by/name/Ayla").is(200);
    // What can be told at once is.
    client.post(path, &json!({ "nmae": "Cora" })).is_problem(422, "invalid_record");
    client.post("/table/player/record?wait=maybe", &json!({ "name": "Cora" })).is_problem(400, "invalid_parameter");
    client.post("/table/player/record?wait=none&wait=none", &json!({})).is_problem(400, "duplicate_parameter");
    client.get("/table/player/records?wait=none").is_problem(400, "unknown_parameter");
}

#[test]
fn rc_2_a_read_waits_for_the_version_it_wants() {
    let served = Served::arena();
    let mut client = served.client();
    let written = client.post("/table/player/record", &json!({ "name": "Ayla" })).is(201);
    let version = written.header("db-version").expect("every answer has one").to_owned();
    let path = written.header("location").expect("a record has a path").to_owned();
    client.send("GET", &path, &[("db-min-version", &version)], None).is(200);
    let late = client.send("GET", &path, &[("db-min-version", "999999")], None);
    assert_eq!(late.header("retry-after"), Some("1"));
    late.is_problem(503, "version_not_reached");
    client.send("GET", &path, &[("db-min-version", "soon")], None).is_problem(400, "invalid_header");
}

#[test]
fn rc_1_a_request_that_comes_again_is_answered_not_executed() {
    let served = Served::arena();
    let mut client = served.client();
    let key = [("idempotency-key", "7f3c")];
    let first = client.send_json("POST", "/table/player/record", &key, &json!({ "name": "Ayla" })).is(201);
    let again = client.send_json("POST", "/table/player/record", &key, &json!({ "name": "Ayla" })).is(201);
    assert_eq!((&again.body, again.header("idempotency-replayed")), (&first.body, Some("true")));
    assert_eq!((again.header("location"), again.header("etag")), (first.header("location"), first.header("etag")));
    let other = client.send_json("POST", "/table/player/record", &key, &json!({ "name": "Brom" }));
    other.is_problem(422, "idempotency_mismatch");
    assert_eq!(client.get("/table/player/records").json()["total"], 1);

    // A refusal is an answer too: the same request is refused again, even if it would be right by now.
    let key = [("idempotency-key", "refused once")];
    let refused = client.send_json("POST", "/table/player/record", &key, &json!({ "name": "Ayla" }));
    client.delete("/table/player/records?all=true").is(200);
    let again = client.send_json("POST", "/table/player/record", &key, &json!({ "name": "Ayla" }));
    assert_eq!((&again.body, again.header("idempotency-replayed")), (&refused.body, Some("true")));
    again.is_problem(409, "unique");
    refused.is_problem(409, "unique");
    let key = [("idempotency-key", "another key")];
    client.send_json("POST", "/table/player/record", &key, &json!({ "name": "Ayla" })).is(201);

    let ops = json!({ "ops": [{ "op": "insert", "table": "player", "values": { "name": "Cora" } }] });
    let key = [("idempotency-key", "batch")];
    let first = client.send_json("POST", "/batch", &key, &ops).is(200);
    assert_eq!(client.send_json("POST", "/batch", &key, &ops).is(200).body, first.body);
    let long = "k".repeat(256);
    client.send_json("POST", "/batch", &[("idempotency-key", &long)], &ops).is_problem(400, "invalid_header");
}

/// Where the time went: for a write through all stations, for a read in all.
#[test]
fn rc_1_an_answer_says_how_long_it_took() {
    let served = Served::arena();
    let mut client = served.client();
    let stations = |answer: &Answer| {
        let timing = answer.header("server-timing").expect("every answer has one").to_owned();
        let read = |part: &str| {
            let (name, ms) = part.trim().split_once(";dur=").expect("a name and milliseconds");
            (name.to_owned(), ms.parse::<f64>().expect("milliseconds"))
        };
        timing.split(',').map(read).collect::<Vec<_>>()
    };
    let written = stations(&client.post("/table/player/record", &json!({ "name": "Ayla" })).is(201));
    let names: Vec<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["parse", "queue", "apply", "wal", "total"]);
    let (total, parts) = written.split_last().expect("five");
    assert!(parts.iter().map(|(_, ms)| ms).sum::<f64>() <= total.1 + 0.01, "{written:?}");
    assert!(parts.iter().all(|(_, ms)| *ms >= 0.0) && total.1 > 0.0, "{written:?}");
    let read = stations(&client.get("/table/player/records").is(200));
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].0, "total");
}

/// Eight clients send the same request at once: it is executed once, and each is told what came of it, or to come again.
#[test]
fn rc_1_of_the_same_requests_at_once_one_is_executed() {
    let served = Served::arena();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = || {
            let mut client = served.client();
            let key = [("idempotency-key", "one")];
            client.send_json("POST", "/table/player/record", &key, &json!({ "name": "Ayla" })).status
        };
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        clients.into_iter().map(|client| client.join().expect("no client panicked")).collect()
    });
    assert!(statuses.contains(&201) && statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
    assert_eq!(served.client().get("/table/player/records").json()["total"], 1);
}

#[test]
fn roles_may_do_what_those_below_them_may() {
    let served = Served::arena();
    let config = ServerConfig::new("127.0.0.1:0").token("root").allow("r", Role::Reader).allow("w", Role::Writer);
    let server = server::start(served.db.clone(), config.allow("s", Role::Schema)).expect("it starts");
    let as_one = |token: &str| {
        let mut client = Client::new(server.local_addr());
        client.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        client
    };
    let (record, field) = (json!({ "name": "Ayla" }), json!({ "name": "extra", "type": "u8", "default": 0 }));
    let conditions = json!({ "where": {} });
    for (token, reads, writes, edits) in [
        ("r", 200, 403, 403),
        ("w", 200, 201, 403),
        ("s", 200, 409, 201),
        ("root", 200, 409, 409),
        ("nobody", 401, 401, 401),
    ] {
        let mut client = as_one(token);
        assert_eq!(client.get("/table/player/records").status, reads, "{token}");
        assert_eq!(client.post("/table/player/query", &conditions).status, reads, "{token}");
        assert_eq!(client.post("/table/player/record", &record).status, writes, "{token}");
        assert_eq!(client.post("/table/player/field", &field).status, edits, "{token}");
    }
    let told = as_one("r").post("/table/player/record", &record).is_problem(403, "forbidden");
    assert_eq!((&told["role"], &told["needed"]), (&json!("reader"), &json!("writer")));
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "table.drop", "params": ["player"] });
    assert_eq!(as_one("w").post("/rpc", &call).is(200).json()["error"]["code"], -32006);
    let read = json!({ "jsonrpc": "2.0", "id": 1, "method": "table.list" });
    assert!(as_one("r").post("/rpc", &read).is(200).json()["result"].is_object());
    insert(&mut as_one("w"), "player", &json!({ "name": "Brom" }));
}

/// A token for some tables: on every path, their records and no others'.
#[test]
fn a_token_for_some_tables_is_good_for_no_others() {
    let served = Served::with(ARENA, |tick_loop| tick_loop.procedure("nothing", |_, (): ()| Ok(())));
    let config = ServerConfig::new("127.0.0.1:0").allow("g", Grant::for_tables(Role::Admin, ["guild"]));
    let server = server::start(served.db.clone(), config).expect("it starts");
    let mut client = Client::new(server.local_addr());
    client.headers.push(("authorization".to_owned(), "Bearer g".to_owned()));
    let id = client.post("/table/guild/record", &json!({ "name": "Watch" })).is(201).json()["_id"].clone();
    client.get(&format!("/table/guild/record/{id}")).is(200);
    client.get("/table/guild/records").is(200);
    let ops = |table: &str| json!({ "ops": [{ "op": "insert", "table": table, "values": { "name": "x" } }] });
    client.post("/batch", &ops("guild")).is(200);
    for open in ["/", "/schema", "/table", "/table/player", "/stats", "/openapi.json"] {
        client.get(open).is(200);
    }

    let before = served.dump();
    let player = json!({ "name": "Ayla" });
    for (method, path) in [
        ("GET", "/table/player/records"),
        ("GET", "/table/player/record/4294967296"),
        ("GET", "/table/player/by/name/x"),
        ("GET", "/table/pl%61yer/records"),
        ("POST", "/table/player/query"),
        ("POST", "/table/player/record"),
        ("POST", "/table/player/records"),
        ("DELETE", "/table/player/records?all=true"),
        // Of its own table, more than records; and of the whole.
        ("POST", "/table/guild/field"),
        ("DELETE", "/table/guild"),
        ("POST", "/table"),
        ("PATCH", "/schema"),
        ("POST", "/snapshot"),
    ] {
        client.send_json(method, path, &[], &player).is_problem(403, "forbidden");
    }
    assert_eq!(client.post("/batch", &ops("player")).is_problem(403, "forbidden")["op"], 0);
    for (name, params) in [
        ("record.list", json!(["player"])),
        ("record.insert", json!({ "table": "player", "values": player })),
        ("records.insert_many", json!(["player", [player]])),
        ("tx.run", ops("player")),
        ("field.drop", json!(["guild", "motto"])),
        ("snapshot.create", json!([])),
        ("nothing", json!([])),
    ] {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": name, "params": params });
        let told = client.post("/rpc", &call).is(200).json();
        assert_eq!(told["error"]["code"], -32006, "{name}: {told}");
    }
    assert_eq!(served.dump(), before);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "record.list", "params": ["guild"] });
    assert_eq!(client.post("/rpc", &call).is(200).json()["result"]["total"], 2);
}
