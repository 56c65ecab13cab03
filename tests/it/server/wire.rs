//! What is wrong below the body: heads that are no HTTP, lengths that lie, connections that end; and bodies that are right but
//! more than anybody may ask for. Each is refused or hung up on, changes nothing, and the server goes on.

use super::{ARENA, Served, insert, insert_players};
use dbgen_runtime::Database;
use dbgen_runtime::server::{self, ServerConfig};
use dbgen_tests::http::Client;
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const RIGHT: &str = r#"{"name":"Zoe"}"#;

/// A request to insert a player, with these headers in place of those that belong there, and this body.
fn insert_with(headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /table/player/record HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// Heads and framings that no server may take for anything.
fn broken_requests() -> Vec<Vec<u8>> {
    let right = RIGHT.len();
    let mut made: Vec<Vec<u8>> = [
        // Lengths that lie, or are none. (One that is too short leaves a second request that is none.)
        insert_with("content-length: -1\r\n", RIGHT),
        insert_with("content-length: 0x10\r\n", RIGHT),
        insert_with("content-length: 14, 15\r\n", RIGHT),
        insert_with("content-length: 99999999999999999999\r\n", RIGHT),
        insert_with("content-length: 18446744073709551615\r\n", RIGHT),
        insert_with(&format!("content-length: {}\r\n", right - 1), RIGHT),
        insert_with(&format!("content-length: {}\r\n", right + 1), RIGHT),
        insert_with(&format!("content-length: {right}\r\ncontent-length: {}\r\n", right + 1), RIGHT),
        insert_with("", RIGHT),
        // Chunks that are none, too long, or cut.
        insert_with("transfer-encoding: chunked\r\n", RIGHT),
        insert_with("transfer-encoding: chunked\r\n", "zz\r\nxx\r\n0\r\n\r\n"),
        insert_with("transfer-encoding: chunked\r\n", &format!("ffffffffffffffffff\r\n{RIGHT}\r\n0\r\n\r\n")),
        insert_with("transfer-encoding: chunked\r\n", &format!("e\r\n{RIGHT}\r\n")),
        insert_with("transfer-encoding: chunked\r\n", &format!("4\r\n{RIGHT}\r\n0\r\n\r\n")),
        insert_with("transfer-encoding: gzip\r\n", RIGHT),
        insert_with("transfer-encoding: chunked, identity\r\n", &format!("e\r\n{RIGHT}\r\n0\r\n\r\n")),
        // Heads that are none.
        b"\r\n\r\n\r\n\r\n".to_vec(),
        b"\x00\x01\x02\x03\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"POST /table/player/record\r\n\r\n".to_vec(),
        b"POST /table/player/record HTTP/9.9\r\nhost: localhost\r\n\r\n".to_vec(),
        b"POST table/player/record HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        b"POST  /table/player/record HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        b"GET /table\x00 HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        b"GET /table HTTP/1.1\r\nhost : localhost\r\n\r\n".to_vec(),
        b"GET /table HTTP/1.1\r\nhost: localhost\r\nx\x00y: z\r\n\r\n".to_vec(),
        b"GET /table HTTP/1.1\r\nhost: localhost\r\nx: a\x00b\r\n\r\n".to_vec(),
        b"GET /table HTTP/1.1\r\nhost: localhost\r\nx\r\n\r\n".to_vec(),
        b"GET /table HTTP/1.1\r\nhost: evil.example\r\n\r\n".to_vec(),
        b"GET /table HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /table HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n".to_vec(),
        b"GET http://evil.example/table HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
        b"CONNECT localhost:80 HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(),
    ]
    .into();
    made.push(format!("GET /table HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes());
    made.push(format!("GET /table HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(1000)).into_bytes());
    made.push(format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(100_000)).into_bytes());
    made
}

/// Who has sent all that there is to say may say so, and still waits for the answer.
#[test]
fn rc_6_a_client_that_closes_its_sending_half_is_answered() {
    let served = Served::arena();
    let mut client = served.client();
    let get = b"GET /version HTTP/1.1\r\nhost: localhost\r\n\r\n";
    client.cut(get).expect("an answer").is(200);
    let body = r#"{"name":"Ayla"}"#;
    let head = "POST /table/player/record HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let post = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    client.cut(post.as_bytes()).expect("an answer").is(201);
    client.get("/table/player/by/name/Ayla").is(200);
}

#[test]
fn rc_6_what_is_no_request_changes_nothing() {
    let db = Database::builder().schema_json(ARENA).open().expect("the schema is right");
    let mut config = ServerConfig::new("127.0.0.1:0");
    (config.header_wait_max, config.body_wait_max) = (Duration::from_millis(300), Duration::from_millis(300));
    let _stepper = db.tick_loop(60.0).stepped().expect("60 Hz");
    let server = server::start(db.clone(), config).expect("the server starts");
    for request in broken_requests() {
        let told = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
        // Sent whole, and byte by byte; left open, so that it is the server that ends it.
        for step in [request.len(), 1] {
            if step == 1 && request.len() > 1000 {
                continue;
            }
            let mut stream = TcpStream::connect(server.local_addr()).expect("the server listens");
            stream.set_read_timeout(Some(Duration::from_secs(10))).expect("it is open");
            for part in request.chunks(step.max(1)) {
                // It may hang up in the middle.
                if stream.write_all(part).is_err() {
                    break;
                }
            }
            let mut answer = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                answer.extend_from_slice(&buffer[..read]);
                if answer.windows(4).any(|end| end == b"\r\n\r\n") {
                    break;
                }
            }
            let status = String::from_utf8_lossy(&answer).get(9..12).and_then(|status| status.parse::<u16>().ok());
            assert!(status.is_none_or(|status| (400..500).contains(&status)), "{told}: {status:?}");
        }
        assert_eq!(db.read().commit(), 0, "{told}");
        assert_eq!(db.queue_length().0, 0, "it has reached the loop: {told}");
    }
    Client::new(server.local_addr()).get("/healthz").is(200);
}

/// Many connections that say nothing, or little: those that speak are answered meanwhile.
#[test]
fn rc_6_connections_that_say_nothing_are_hung_up_on() {
    let db = Database::builder().schema_json(ARENA).open().expect("the schema is right");
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.header_wait_max = Duration::from_millis(500);
    let server = server::start(db, config).expect("the server starts");
    let connect = || TcpStream::connect(server.local_addr()).expect("the server listens");
    let mut silent: Vec<TcpStream> = (0..200).map(|_| connect()).collect();
    for stream in silent.iter_mut().step_by(2) {
        stream.write_all(b"GET /table HTTP/1.1\r\nhost: lo").expect("it listens");
    }
    Client::new(server.local_addr()).get("/table").is(200);
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("it is open");
        let mut rest = Vec::new();
        // The end, or a reset: either way it is over.
        stream.read_to_end(&mut rest).ok();
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
    }
}

#[test]
fn rc_6_more_than_may_be_asked_for_is_refused() {
    let served = Served::arena();
    let mut client = served.client();
    let id = insert(&mut client, "player", &json!({ "name": "Ayla" }))["_id"].clone();
    insert_players(&mut client, 3);
    let before = served.dump();
    let op = json!({ "op": "patch", "table": "player", "id": id, "values": { "hp": 1 } });
    let ops = |count: usize| json!({ "ops": vec![&op; count] });
    client.post("/batch", &ops(10_001)).is_problem(422, "too_many_operations");
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "record.patch", "params": ["player", id, { "hp": 1 }] });
    let refused = client.post("/rpc", &json!(vec![&call; 1001])).is(200).json();
    assert_eq!(refused["error"]["code"], -32008, "{refused}");

    let path = "/table/player/records";
    let terms = |count: usize| vec!["hp=gte.0"; count].join("&");
    client.get(&format!("{path}?{}", terms(65))).is(400);
    let values = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    client.get(&format!("{path}?hp=in.({})", values(1001))).is(400);
    let nested = |depth: usize| format!("{}hp.gt.1{}", "and(".repeat(depth), ")".repeat(depth));
    client.get(&format!("{path}?or=({})", nested(9))).is(400);
    client.get(&format!("{path}?or=({})", nested(500))).is(400);
    client.get(&format!("{path}?order={}", ["hp"; 9].join(","))).is(400);
    client.get(&format!("{path}?limit=1001")).is_problem(400, "limit_too_large");
    client.get(&format!("{path}?offset=99999999999999999999999")).is_problem(400, "invalid_parameter");
    let deep = (0..40).fold(json!({ "hp": 1 }), |inside, _| json!({ "and": [inside] }));
    client.post("/table/player/query", &json!({ "where": deep })).is(400);
    let all: Vec<Json> = (0..70).map(|_| json!({ "hp": 1 })).collect();
    client.post("/table/player/query", &json!({ "where": { "or": all } })).is(400);

    // Texts that are right up to a point, in every form of a bulk body.
    for (kind, body) in [
        ("application/x-ndjson", "{\"name\":\"a\"}\n{\"name\":\"b\",\"name\":\"c\"}\n".to_owned()),
        ("application/x-ndjson", "{\"name\":\"a\"}\n{\"name\":\"\\ud800\"}\n".to_owned()),
        ("application/x-ndjson", "{\"name\":\"a\"}\n{\"hp\":1e400,\"name\":\"b\"}\n".to_owned()),
        ("application/x-ndjson", format!("{{\"name\":\"a\"}}\n{}", "[".repeat(100_000))),
        ("application/x-ndjson", "{\"name\":\"a\"}\n{\"name\":\"b\"".to_owned()),
        ("application/x-ndjson", "{\"name\":\"a\"}{\"name\":\"b\"}".to_owned()),
        ("application/json", "[{\"name\":\"a\"},{\"name\":\"b\"}".to_owned()),
        ("application/json", "[{\"name\":\"a\"}]]".to_owned()),
        ("application/json", "[{\"name\":\"a\"} {\"name\":\"b\"}]".to_owned()),
        ("application/json", format!("[{{\"name\":\"a\"}},{}", "{\"a\":".repeat(100_000))),
        ("text/csv", "name\na\n\"b".to_owned()),
        ("text/csv", "name\na\n\"b\"c\n".to_owned()),
        ("text/csv", "name,name\na,b\n".to_owned()),
        ("text/csv", "name,hp\na,1e400\n".to_owned()),
        ("text/csv", "name,hp\na,1\nb,1,2\n".to_owned()),
        ("text/csv", String::new()),
    ] {
        let answer = client.send("POST", path, &[("content-type", kind)], Some(body.as_bytes()));
        let told = format!("{kind} {}: {}", &body[..body.len().min(60)], String::from_utf8_lossy(&answer.body));
        assert!((400..500).contains(&answer.status), "{told}");
        let code = answer.json()["code"].as_str().expect("a code").to_owned();
        answer.clone().is_problem(answer.status, &code);
    }
    let not_utf8 = client.send("POST", path, &[("content-type", "text/csv")], Some(b"name\na\n\xff\n"));
    not_utf8.is_problem(400, "malformed_request");
    assert_eq!(served.dump(), before);
    served.db.read().verify().expect("whole");
}

/// A limit of the framework's own once refused what lies between 2 MiB and ours.
#[test]
fn rc_1_a_body_may_be_as_long_as_the_limit_says() {
    let served = Served::arena();
    let mut client = served.client();
    let body = |bytes: usize| {
        let around = r#"{"name":"Watch","motto":""}"#.len();
        format!(r#"{{"name":"Watch","motto":"{}"}}"#, "m".repeat(bytes - around))
    };
    let json = [("content-type", "application/json")];
    for bytes in [(2 << 20) + 1, 8 << 20] {
        let record = client.send("POST", "/table/guild/record", &json, Some(body(bytes).as_bytes())).is(201).json();
        assert_eq!(record["motto"].as_str().map(str::len), Some(bytes - 27));
        client.send("DELETE", "/table/guild/records?all=true", &[], None).is(200);
    }
    let problem = client.send("POST", "/table/guild/record", &json, Some(body((8 << 20) + 1).as_bytes()));
    assert_eq!(problem.is_problem(413, "body_too_large")["max_bytes"], 8 << 20);
}
