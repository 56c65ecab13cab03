//! Many records at once: inserted, changed, deleted.

use super::{Served, insert, insert_players};
use dbgen_runtime::server::{self, ServerConfig};
use dbgen_tests::http::{Answer, Client};
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

const NDJSON: [(&str, &str); 1] = [("content-type", "application/x-ndjson")];
const CSV: [(&str, &str); 1] = [("content-type", "text/csv")];

#[track_caller]
fn bulk(client: &mut Client, query: &str, records: &Json) -> Answer {
    client.post(&format!("/table/player/records{query}"), records)
}

fn hp_of(client: &mut Client, name: &str) -> Json {
    client.get(&format!("/table/player/by/name/{name}")).is(200).json()["hp"].clone()
}

#[test]
fn rc_1_a_list_goes_in_whole_or_not_at_all() {
    let served = Served::arena();
    let mut client = served.client();
    let done = bulk(&mut client, "", &json!([{ "name": "a" }, { "name": "b", "hp": 7 }])).is(200).json();
    assert_eq!((&done["inserted"], &done["failed"], &done["errors"]), (&json!(2), &json!(0), &json!([])));
    let first = client.get(&format!("/table/player/record/{}", done["first_id"])).is(200).json();
    assert_eq!((&first["name"], &first["hp"]), (&json!("a"), &json!(100)));
    let before = served.dump();
    for (records, code, line) in [
        (json!([{ "name": "c" }, { "name": "a" }]), "unique", 2),
        (json!([{ "name": "c" }, { "nmae": "d" }]), "invalid_record", 2),
        (json!([{ "name": "c", "hp": -1 }]), "out_of_range", 1),
        (json!([{ "name": "c" }, 7]), "wrong_type", 2),
    ] {
        let problem = bulk(&mut client, "", &records).json();
        assert_eq!((&problem["code"], &problem["line"]), (&json!(code), &json!(line)), "{problem}");
    }
    bulk(&mut client, "", &json!({ "name": "c" })).is_problem(422, "wrong_type");
    bulk(&mut client, "?mode=some", &json!([])).is_problem(400, "invalid_parameter");
    let text = [("content-type", "text/plain")];
    client.send("POST", "/table/player/records", &text, Some(b"x")).is_problem(415, "unsupported_media_type");
    assert_eq!(served.dump(), before);
}

#[test]
fn rc_1_in_part_the_wrong_ones_are_told_and_left_out() {
    let served = Served::arena();
    let mut client = served.client();
    let lines = "{\"name\":\"a\"}\n\n{\"name\":\"a\"}\n{\"name\":\"b\",\"hp\":\"x\"}\n{broken\n{\"name\":\"c\"}\n";
    let path = "/table/player/records?mode=partial";
    let done = client.send("POST", path, &NDJSON, Some(lines.as_bytes())).is(200).json();
    assert_eq!((&done["inserted"], &done["failed"]), (&json!(2), &json!(3)), "{done}");
    let told: Vec<_> = done["errors"].as_array().expect("a list").iter().map(|e| (&e["line"], &e["code"])).collect();
    let (unique, wrong_type, malformed) = (json!("unique"), json!("wrong_type"), json!("malformed_json"));
    assert_eq!(told, [(&json!(3), &unique), (&json!(4), &wrong_type), (&json!(5), &malformed)]);
    assert_eq!(done["errors"][1]["pointer"], "#/hp");
}

#[test]
fn rc_1_chunks_stand_by_themselves() {
    let served = Served::arena();
    let mut client = served.client();
    let mut records: Vec<Json> = (0..2500).map(|at| json!({ "name": format!("n{at}") })).collect();
    records[1500] = json!({ "name": "n0" });
    let done = bulk(&mut client, "?mode=chunked", &Json::Array(records)).is(200).json();
    assert_eq!((&done["inserted"], &done["failed"]), (&json!(1500), &json!(1000)), "{done}");
    assert_eq!((&done["errors"][0]["line"], &done["errors"][0]["code"]), (&json!(1501), &json!("unique")));
}

#[test]
fn rc_1_what_is_there_is_kept_replaced_or_merged() {
    let served = Served::arena();
    let mut client = served.client();
    insert(&mut client, "player", &json!({ "name": "a", "hp": 1, "gold": 5 }));
    let again = json!([{ "name": "a", "hp": 2 }, { "name": "b" }]);
    let done = bulk(&mut client, "?on_conflict=ignore", &again).is(200).json();
    assert_eq!((&done["inserted"], &done["skipped"]), (&json!(1), &json!(1)));
    assert_eq!(hp_of(&mut client, "a"), 1);
    let done = bulk(&mut client, "?on_conflict=merge", &json!([{ "name": "a", "hp": 3 }])).is(200).json();
    assert_eq!(done["updated"], 1);
    let merged = client.get("/table/player/by/name/a").is(200).json();
    assert_eq!((&merged["hp"], &merged["gold"]), (&json!(3), &json!("5")));
    bulk(&mut client, "?on_conflict=replace", &json!([{ "name": "a", "hp": 4 }])).is(200);
    let replaced = client.get("/table/player/by/name/a").is(200).json();
    assert_eq!((&replaced["hp"], &replaced["gold"]), (&json!(4), &json!("0")));
}

#[test]
fn rc_5_what_was_exported_can_be_brought_back() {
    let (served, other) = (Served::arena(), Served::arena());
    let mut client = served.client();
    insert_players(&mut client, 30);
    insert(
        &mut client,
        "player",
        &json!({ "name": "a,\"b\"\n", "class": "mage", "luck": 0.1, "bag": [1, 2, 3, 4],
        "seen": "2024-01-01T00:00:00Z", "pos": { "x": 1.5, "y": -2, "z": 0 }, "gold": "18446744073709551615" }),
    );
    for (accept, kind) in [("text/csv", CSV), ("application/x-ndjson", NDJSON)] {
        let export = client.send("GET", "/table/player/records", &[("accept", accept)], None).is(200);
        let mut elsewhere = other.client();
        elsewhere.delete("/table/player/records?all=true").is(200);
        let path = "/table/player/records?unknown=ignore";
        let done = elsewhere.send("POST", path, &kind, Some(&export.body)).is(200).json();
        assert_eq!(done["inserted"], 31, "{accept}");
        let values = |served: &Served| {
            let view = served.db.read();
            view.open_table("player").expect("a table").iter().map(|player| player.values()).collect::<Vec<_>>()
        };
        assert_eq!(values(&served), values(&other), "{accept}");
    }
    let cut = client.send("POST", "/table/player/records", &CSV, Some(b"name,hp\nx")).is(400).json();
    assert_eq!(cut["line"], 2);
    let unknown = client.send("POST", "/table/player/records", &CSV, Some(b"nmae\n")).is_problem(422, "unknown_field");
    assert_eq!(unknown["suggestion"], "name");
}

#[test]
fn rc_3_a_set_is_changed_in_one_transaction() {
    let served = Served::arena();
    let mut client = served.client();
    insert_players(&mut client, 20);
    let path = "/table/player/records?hp=gte.15";
    let commits = served.db.read().commit();
    let done = client.send_json("PATCH", path, &[], &json!({ "gold": 9, "pos": { "x": 1 } })).is(200).json();
    assert_eq!((&done["affected"], &done["version"]), (&json!(5), &json!(commits + 1)));
    let rich = client.get("/table/player/records?gold=eq.9").is(200).json();
    assert_eq!((rich["items"].as_array().map(Vec::len), &rich["items"][0]["pos"]["x"]), (Some(5), &json!(1.0)));

    let before = served.dump();
    // A record that may not be so: none is changed.
    client.send_json("PATCH", path, &[], &json!({ "name": "the same" })).is_problem(409, "unique");
    client.send_json("PATCH", "/table/player/records", &[], &json!({ "hp": 1 })).is_problem(400, "filter_required");
    client.delete("/table/player/records").is_problem(400, "filter_required");
    client.delete("/table/player/records?all=true&hp=eq.1").is_problem(400, "invalid_parameter");
    client.delete("/table/player/records?hpp=eq.1").is_problem(400, "unknown_parameter");
    let few = [("prefer", "max-affected=4")];
    let refused = client.send("DELETE", path, &few, None).is_problem(400, "max_affected");
    assert_eq!(refused["affected"], 5);
    client.send("DELETE", path, &[("prefer", "max-affected=few")], None).is_problem(400, "invalid_header");
    assert_eq!(served.dump(), before);

    let done = client.send("DELETE", path, &[("prefer", "max-affected=5")], None).is(200).json();
    assert_eq!(done["affected"], 5);
    assert_eq!(client.delete("/table/player/records?all=true").is(200).json()["affected"], 15);
}

/// A body of which some has come and the rest not yet: what is written while it comes can be read, what is all or nothing
/// cannot; and if the rest never comes, neither changes.
#[test]
fn rc_1_records_are_written_while_they_come_unless_all_or_none() {
    let served = Served::arena();
    for (mode, seen) in [("chunked", 2000), ("partial", 2000), ("atomic", 0)] {
        let mut client = served.client();
        let lines =
            |from: usize, to: usize| (from..to).map(|at| format!("{{\"name\":\"n{at}\"}}\n")).collect::<String>();
        let (first, rest) = (lines(0, 2500), lines(2500, 3000));
        for ends in [true, false] {
            let mut stream = TcpStream::connect(served.server.local_addr()).expect("the server listens");
            let head = format!(
                "POST /table/player/records?mode={mode} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                 content-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
                first.len() + rest.len()
            );
            stream.write_all(head.as_bytes()).expect("sent");
            stream.write_all(first.as_bytes()).expect("sent");
            let mut total = || client.get("/table/player/records?limit=1").is(200).json()["total"].clone();
            while total() != seen {
                std::thread::yield_now();
            }
            let mut answer = String::new();
            if ends {
                stream.write_all(rest.as_bytes()).expect("sent");
                stream.read_to_string(&mut answer).expect("an answer");
                assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"inserted\":3000"), "{answer}");
                assert_eq!(total(), 3000, "{mode}");
            } else {
                stream.shutdown(Shutdown::Write).expect("it is open");
                // The server may hang up on who has hung up.
                stream.read_to_string(&mut answer).ok();
                assert!(!answer.contains("\"inserted\":3000"), "{answer}");
                // Of the third thousand, five hundred had come.
                let stayed = total();
                assert!(stayed == seen || (mode == "partial" && stayed == 2500), "{mode}: {stayed}");
            }
            client.delete("/table/player/records?all=true").is(200);
        }
    }
}

/// A body in several forms, in parts of several lengths, is the same body.
#[test]
fn rc_1_where_a_body_is_split_makes_no_difference() {
    let served = Served::arena();
    let mut client = served.client();
    let list = r#"[ {"name":"a,]","hp":1} , {"name":"b\"[","hp":2},{"name":"c"} ]"#;
    let csv = "name,hp\r\n\"a,]\",1\r\n\"b\"\"[\",2\r\nc,100";
    let lines = "{\"name\":\"a,]\",\"hp\":1}\n\n{\"name\":\"b\\\"[\",\"hp\":2}\r\n{\"name\":\"c\"}";
    let kinds = [("application/json", list), ("text/csv", csv), ("application/x-ndjson", lines)];
    for (kind, body) in kinds {
        for part in [1, 2, 5, 1000] {
            let mut request = format!(
                "POST /table/player/records HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
            )
            .into_bytes();
            for chunk in body.as_bytes().chunks(part) {
                request.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                request.extend(chunk);
                request.extend(b"\r\n");
            }
            request.extend(b"0\r\n\r\n");
            assert_eq!(client.raw(&request).expect("an answer").is(200).json()["inserted"], 3, "{kind} {part}");
            let page = client.get("/table/player/records?order=hp").is(200).json();
            let told: Vec<_> =
                page["items"].as_array().expect("a list").iter().map(|r| (&r["name"], &r["hp"])).collect();
            let expected = [(json!("a,]"), json!(1)), (json!("b\"["), json!(2)), (json!("c"), json!(100))];
            assert!(told.iter().map(|(n, h)| ((*n).clone(), (*h).clone())).eq(expected), "{kind} {part}: {page}");
            client.delete("/table/player/records?all=true").is(200);
        }
    }
}

/// A few bytes of a body can be a record of many: what is all or nothing is bounded by the memory that it takes.
#[test]
fn rc_1_a_bulk_insert_that_is_kept_whole_is_bounded() {
    let served = Served::arena();
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.bulk_held_bytes_max = 1 << 20;
    let server = server::start(served.db.clone(), config).expect("it starts");
    let mut client = Client::new(server.local_addr());
    let records: Vec<Json> = (0..5000).map(|n| json!({ "name": format!("p{n}") })).collect();
    let before = served.dump();
    let refused = client.post("/table/player/records", &Json::from(records.clone()));
    assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.contains("mode=chunked")), "{refused:?}");
    assert_eq!(refused.json()["max_held_bytes"], 1 << 20);
    refused.is_problem(413, "body_too_large");
    assert!(served.dump() == before);
    // In parts, or where each part is written by itself, it goes in.
    client.post("/table/player/records", &Json::from(&records[..100])).is(200);
    let done =
        client.post("/table/player/records?mode=chunked&on_conflict=ignore", &Json::from(records)).is(200).json();
    assert_eq!((&done["inserted"], &done["skipped"]), (&json!(4900), &json!(100)));
}
