//! Many at once, too many, too slow, too large; and the end.

use super::{ARENA, Served, insert};
use dbgen_runtime::server::{self, ServerConfig};
use dbgen_runtime::{Database, Error};
use dbgen_tests::http::Client;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A loop that is not moved: its queue fills up, and clients are told instead of kept.
#[test]
fn a_full_queue_is_answered_and_drains() {
    let db = Database::builder().schema_json(ARENA).open().expect("the schema is right");
    let mut stepper = db.tick_loop(60.0).stepped().expect("60 Hz");
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.write_wait_max = Duration::from_millis(200);
    let server = server::start(db.clone(), config).expect("the server starts");
    let mut client = Client::new(server.local_addr());
    let body = json!({ "name": "Ayla" });
    client.post("/table/player/record", &body).is_problem(504, "timed_out");
    while db.enqueue(|_| Ok(()), |_| {}).is_ok() {}
    let answer = client.post("/table/player/record", &body);
    assert_eq!(answer.header("retry-after"), Some("1"));
    answer.is_problem(503, "queue_full");
    client.get("/readyz").is_problem(503, "queue_full");
    // Reads do not care.
    client.get("/table/player/records").is(200);
    client.get("/healthz").is(200);
    let moved = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let stepping = scope.spawn(|| {
            while moved.load(Ordering::Relaxed) {
                stepper.step().expect("a tick");
            }
            drop(stepper);
        });
        while client.get("/readyz").status != 200 {}
        moved.store(false, Ordering::Relaxed);
        stepping.join().expect("no tick failed");
    });
    client.post("/table/player/record", &json!({ "name": "Brom" })).is_problem(503, "stopped");
    client.get("/readyz").is_problem(503, "stopped");
}

#[test]
fn bodies_that_are_too_large_or_cut_off_are_told() {
    let served = Served::arena();
    let mut client = served.client();
    insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let before = served.dump();
    let path = "/table/player/record";
    let huge = json!({ "name": "x".repeat(9 << 20) });
    assert_eq!(client.post(path, &huge).is_problem(413, "body_too_large")["max_bytes"], 8 << 20);
    // Announced, and never sent.
    let host = served.server.local_addr();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n");
    let announced = format!("{head}content-length: 9999999999\r\n\r\n");
    client.raw(announced.as_bytes()).expect("an answer").is_problem(413, "body_too_large");
    let asked = format!("{head}content-length: 9000000\r\nexpect: 100-continue\r\n\r\n");
    client.raw(asked.as_bytes()).expect("an answer").is_problem(413, "body_too_large");
    // In chunks, one of which is no chunk.
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n4\r\n{{\"na\r\nzz\r\n");
    client.raw(chunked.as_bytes()).expect("an answer").is_problem(400, "malformed_request");
    let cut = format!("{head}content-length: 100\r\n\r\n{{\"name\":\"Brom\"");
    if let Some(answer) = client.cut(cut.as_bytes()) {
        answer.is_problem(400, "malformed_request");
    }
    let long = format!("/table/player/records?name=eq.{}", "x".repeat(9000));
    client.get(&long).is_problem(414, "uri_too_long");
    assert_eq!(served.dump(), before);
    insert(&mut client, "player", &json!({ "name": "Brom" }));
}

/// Who sends slowly is not waited for.
#[test]
fn slow_heads_and_bodies_end_in_time() {
    let db = Database::builder().schema_json(ARENA).open().expect("the schema is right");
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.header_wait_max = Duration::from_millis(200);
    config.body_wait_max = Duration::from_millis(200);
    let server = server::start(db, config).expect("the server starts");
    let mut client = Client::new(server.local_addr());
    assert_eq!(client.raw(b"GET /table HTTP/1.1\r\nhost: loc"), None, "the connection is closed");
    let head =
        "POST /table HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    let answer = client.raw(head.as_bytes()).expect("an answer");
    assert_eq!(answer.header("connection"), Some("close"));
    answer.is_problem(408, "request_timeout");
    client.get("/healthz").is(200);
}

#[test]
fn the_server_stops_when_told_and_lets_requests_end() {
    let db = Database::builder().schema_json(ARENA).open().expect("the schema is right");
    let mut stepper = db.tick_loop(60.0).stepped().expect("60 Hz");
    let mut server = server::start(db, ServerConfig::new("127.0.0.1:0")).expect("the server starts");
    let address = server.local_addr();
    let waiting =
        std::thread::spawn(move || Client::new(address).post("/table/player/record", &json!({ "name": "Ayla" })));
    let stopping = std::thread::spawn(move || server.stop());
    // The write may come before or after the server stopped listening; if it came before, it is answered.
    while !stopping.is_finished() {
        stepper.step().expect("a tick");
    }
    stopping.join().expect("stopping does not fail");
    if let Ok(answer) = waiting.join() {
        answer.is(201);
    }
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn an_address_in_use_is_an_error() {
    let served = Served::arena();
    let again = server::start(served.db.clone(), ServerConfig::new(served.server.local_addr().to_string()));
    assert!(matches!(again, Err(Error::Io { .. })), "{again:?}");
    let nowhere = server::start(served.db.clone(), ServerConfig::new("nowhere"));
    assert!(matches!(nowhere, Err(Error::Io { .. })), "{nowhere:?}");
}
