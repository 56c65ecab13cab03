//! Many records at once: inserted, changed, deleted.

use super::{Served, insert, insert_players};
use dbgen_runtime::server::{self, ServerConfig};
use dbgen_tests::http::{Answer, Client};
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

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

/// A byte now and then is not silence, but it would keep its place from everybody else for ever.
#[test]
fn rc_1_a_body_that_comes_too_slowly_is_told_so() {
    let served = Served::arena();
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.body_wait_max = Duration::from_millis(1200);
    let server = server::start(served.db.clone(), config).expect("it starts");
    // Spaces between records, so many every 50 ms, until there is an answer or 1.5 seconds' worth has been sent.
    let once = |spaces: usize| {
        let mut stream = TcpStream::connect(server.local_addr()).expect("it listens");
        let length = 30 * spaces + 2;
        let head = format!(
            "POST /table/player/records HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n["
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream.set_read_timeout(Some(Duration::from_millis(50))).expect("it can be");
        let mut answer = [0; 4096];
        for _ in 0..30 {
            if let Ok(read) = stream.read(&mut answer) {
                return String::from_utf8_lossy(&answer[..read]).into_owned();
            }
            stream.write_all(&vec![b' '; spaces]).expect("sent");
        }
        stream.write_all(b"]").expect("sent");
        stream.set_read_timeout(None).expect("it can be");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    // A machine that stops this test for a second is told that nothing came: it tries again.
    let fed = |spaces: usize| {
        let mut answers = (0..5).map(|_| once(spaces));
        answers.find(|answer| !answer.contains("did not arrive in time")).expect("a second without a stop")
    };
    let slow = fed(1);
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("slower than 1024 bytes a second"), "{slow}");
    let fast = fed(2000);
    assert!(fast.starts_with("HTTP/1.1 200"), "{fast}");
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

/// A quote that does not begin a cell was once a letter to who read the record and the begin of a quoted part to who looked for
/// its end: of six inches of nails and all between them one record went in, with a 200.
#[test]
fn rc_1_a_quote_inside_a_cell_swallows_no_records() {
    let served = Served::arena();
    let mut client = served.client();
    let before = served.dump();
    let body = b"name,hp\r\n5\" nail,1\r\nbolt,2\r\n6\" nail,3\r\n";
    let problem = client.send("POST", "/table/player/records", &CSV, Some(body)).is_problem(400, "malformed_request");
    assert_eq!(problem["line"], 2, "{problem}");
    assert!(
        problem["detail"].as_str().is_some_and(|detail| detail.contains("put the whole cell in quotes")),
        "{problem}"
    );
    assert_eq!(served.dump(), before);
    // Where the wrong ones are left out, all others go in.
    let done = client.send("POST", "/table/player/records?mode=partial", &CSV, Some(body)).is(200).json();
    assert_eq!((&done["inserted"], &done["failed"]), (&json!(1), &json!(2)), "{done}");
    assert_eq!((&done["errors"][0]["line"], &done["errors"][1]["line"]), (&json!(2), &json!(4)), "{done}");
    assert_eq!(hp_of(&mut client, "bolt"), 2);
    // Written as RFC 4180 has it, they do too.
    let body = b"name,hp\r\n\"5\"\" nail\",1\r\nnut,2\r\n\"6\"\" nail\",3\r\n";
    let done = client.send("POST", "/table/player/records", &CSV, Some(body)).is(200).json();
    assert_eq!(done["inserted"], 3, "{done}");
    assert_eq!(hp_of(&mut client, "6%22%20nail"), 3);
    // In the first line as well.
    let body = b"na\"me,hp\r\nx,1\r\n";
    let problem = client.send("POST", "/table/player/records", &CSV, Some(body)).is_problem(400, "malformed_request");
    assert_eq!(problem["line"], 1, "{problem}");
}

/// A text that happens to be JSON is still a text: an export of such a record once did not come back.
#[test]
fn rc_1_a_text_is_a_text_whatever_it_looks_like() {
    let served = Served::arena();
    let mut client = served.client();
    let texts = ["{}", "{\"a\":1}", "[1,2]", "null", "true", "7", "1e5", "\"quoted\"", " spaced ", "{", "a,b\r\n\"c\""];
    for text in texts {
        insert(&mut client, "guild", &json!({ "name": text, "motto": text }));
    }
    let export = client.send("GET", "/table/guild/records", &[("accept", "text/csv")], None).is(200);
    client.delete("/table/guild/records?all=true").is(200);
    let path = "/table/guild/records?unknown=ignore";
    let done = client.send("POST", path, &CSV, Some(&export.body)).is(200).json();
    assert_eq!(done["inserted"], texts.len(), "{done}");
    let page = client.get("/table/guild/records").is(200).json();
    let items = page["items"].as_array().expect("a list");
    for text in texts {
        let is_back = |item: &Json| (item["name"] == text) && (item["motto"] == text);
        assert!(items.iter().any(is_back), "{text} in {page}");
    }
}

/// Which records a change of a set is about is found out beside the loop, while others go on writing. Those that fulfil the
/// filter when the transaction runs are changed all the same, and no others: whatever fulfils it afterwards was written later.
#[test]
fn rc_3_a_set_is_that_of_its_transaction_however_long_it_was_looked_for() {
    let served = Served::arena();
    let mut client = served.client();
    // Too many for the loop to look at without having been told where.
    let crowd: Vec<Json> = (0..1500).map(|at| json!({ "name": format!("p{at}"), "hp": 5000 })).collect();
    bulk(&mut client, "", &Json::Array(crowd)).is(200);
    let ends = std::sync::atomic::AtomicBool::new(false);
    let has_ended = || ends.load(std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        // Some come, some become what is asked for, and some cease to be it.
        scope.spawn(|| {
            let mut client = served.client();
            for at in 0..3000 {
                if has_ended() {
                    break;
                }
                insert(&mut client, "player", &json!({ "name": format!("x{at}"), "hp": 1 }));
                let one = format!("/table/player/records?name=eq.p{}", at % 1500);
                client.send_json("PATCH", &one, &[], &json!({ "luck": at % 2 })).is(200);
            }
        });
        for round in 0..30 {
            let filter = ["name=starts.x", "name=like.x*&hp=lt.5000", "luck=gt.0&class=eq.warrior"][round % 3];
            let path = format!("/table/player/records?{filter}");
            let done = match round % 3 {
                2 => client.send_json("PATCH", &path, &[], &json!({ "luck": 0 })),
                _ => client.delete(&path),
            };
            let version = done.is(200).json()["version"].as_u64().expect("a number");
            let left = client.get(&format!("{path}&limit=1000")).is(200).json();
            for item in left["items"].as_array().expect("a list") {
                assert!(item["_version"].as_u64().is_some_and(|written| written > version), "{version}: {item}");
            }
        }
        ends.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let crowd = client.get("/table/player/records?name=starts.p&limit=1&count=exact").is(200).json();
    assert_eq!(crowd["total"], 1500, "none of the others went");
    // What there is to change is changed once, and the second time there is nothing.
    let path = "/table/player/records?hp=eq.5000&name=like.p1*";
    let few = client.send_json("PATCH", path, &[], &json!({ "hp": 4999 })).is(200).json();
    assert_eq!(few["affected"], 611, "1, 10-19, 100-199, 1000-1499");
    let none = client.send_json("PATCH", path, &[], &json!({ "hp": 4999 })).is(200).json();
    assert_eq!(none["affected"], 0);
}
