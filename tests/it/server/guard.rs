//! Who may ask, and how: hosts, origins, tokens, routes, methods.

use super::Served;
use dbgen_runtime::server::{self, Role, ServerConfig};
use dbgen_runtime::{Database, Error};
use dbgen_tests::http::Client;
use serde_json::json;
use std::io::Write;
use std::net::TcpStream;

#[test]
fn strange_hosts_and_pages_are_kept_out() {
    let served = Served::arena();
    let mut client = served.client();
    let port = served.server.local_addr().port();
    let ours = format!("http://127.0.0.1:{port}");
    for host in ["localhost", &format!("localhost:{port}"), "[::1]:1", "127.0.0.1", "game.localhost"] {
        client.send("GET", "/table", &[("host", host)], None).is(200);
    }
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "",
    ] {
        client.send("GET", "/table", &[("host", host)], None).is_problem(403, "host_not_allowed");
    }
    client.send("GET", "/table", &[("origin", &ours)], None).is(200);
    for origin in ["http://evil.example", "null", "http://localhost:1", &format!("{ours}.evil.example")] {
        let answer = client.send("GET", "/table", &[("origin", origin)], None);
        assert_eq!(answer.header("access-control-allow-origin"), None);
        answer.is_problem(403, "origin_not_allowed");
    }
    let no_host = client.raw(b"GET /table HTTP/1.1\r\n\r\n").expect("an answer");
    no_host.is_problem(400, "malformed_request");
    let absolute = client.raw(b"GET http://evil.example/table HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("an answer");
    absolute.is_problem(403, "host_not_allowed");
}

#[test]
fn pages_of_listed_origins_may_read() {
    let db = Database::builder().open().expect("an empty database opens");
    let mut config = ServerConfig::new("127.0.0.1:0").token("swordfish");
    config.allowed_origins.push("https://tools.example".to_owned());
    let server = server::start(db, config).expect("the server starts");
    let mut client = Client::new(server.local_addr());
    // A browser asks beforehand, without the token.
    let asks = [("origin", "https://tools.example"), ("access-control-request-method", "POST")];
    let answer = client.send("OPTIONS", "/table", &asks, None).is(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://tools.example"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET,HEAD,POST,OPTIONS"));
    assert!(answer.header("access-control-allow-headers").is_some_and(|names| names.contains("authorization")));
    let refused = client.send("GET", "/table", &asks[..1], None);
    assert_eq!(
        refused.header("access-control-allow-origin"),
        Some("https://tools.example"),
        "also to read the refusal"
    );
    refused.is_problem(401, "unauthenticated");
    let with_token = [asks[0], ("authorization", "Bearer swordfish")];
    let answer = client.send("GET", "/table", &with_token, None).is(200);
    assert_eq!(answer.header("vary"), Some("origin"));
    let strange = [("origin", "https://evil.example"), with_token[1]];
    client.send("GET", "/table", &strange, None).is_problem(403, "origin_not_allowed");
}

#[test]
fn a_token_is_asked_for_where_it_is_needed() {
    let db = Database::builder().open().expect("an empty database opens");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = server::start(db.clone(), ServerConfig::new(address));
        assert!(matches!(refused, Err(Error::TokenRequired { .. })), "{address}: {refused:?}");
    }
    let mut insecure = ServerConfig::new("0.0.0.0:0");
    insecure.insecure = true;
    drop(server::start(db.clone(), insecure).expect("it was asked for"));
    let server = server::start(db, ServerConfig::new("0.0.0.0:0").token("swordfish")).expect("a token is given");
    let mut client = Client::new(([127, 0, 0, 1], server.local_addr().port()).into());
    for wrong in [None, Some("Bearer sword"), Some("Bearer swordfish2"), Some("Basic swordfish"), Some("swordfish")] {
        let headers: Vec<_> = wrong.map(|value| ("authorization", value)).into_iter().collect();
        let answer = client.send("GET", "/table", &headers, None);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        answer.is_problem(401, "unauthenticated");
    }
    client.send("GET", "/healthz", &[], None).is(200);
    for right in ["Bearer swordfish", "bearer swordfish"] {
        // It is reached by any name: a name proves nothing where a token is asked.
        let headers = [("authorization", right), ("host", "db.example")];
        client.send("GET", "/table", &headers, None).is(200);
    }
}

#[test]
fn every_route_says_which_methods_it_takes() {
    let served = Served::arena();
    let mut client = served.client();
    for (path, allowed) in [
        ("/", "GET,HEAD"),
        ("/healthz", "GET,HEAD"),
        ("/table", "GET,HEAD,POST"),
        ("/table/player", "GET,HEAD,PATCH,DELETE"),
        ("/table/player/field", "POST"),
        ("/table/player/record", "POST"),
        ("/table/player/record/1", "GET,HEAD,PUT,PATCH,DELETE"),
        ("/table/player/records", "GET,HEAD,POST,PATCH,DELETE"),
        ("/table/player/index", "GET,HEAD,POST"),
        ("/schema", "GET,HEAD,PUT,PATCH"),
        ("/relation/member_of", "GET,HEAD,DELETE"),
        ("/rpc", "POST"),
    ] {
        let allowed = &format!("{allowed},OPTIONS")[..];
        let answer = client.send("BREW", path, &[], None);
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        answer.is_problem(405, "method_not_allowed");
        let options = client.send("OPTIONS", path, &[], None).is(204);
        assert_eq!(options.header("allow"), Some(allowed), "{path}");
    }
    for path in ["/tables", "/table/", "/table/player/", "/table/player/record/1/x", "//table", "/table/%2e%2e/x/y"] {
        client.get(path).is_problem(404, "unknown_route");
    }
    client.send("HEAD", "/nothing", &[], None).is(404);
}

#[test]
fn the_index_leads_everywhere_and_no_route_ignores_a_parameter() {
    let served = Served::arena();
    let mut client = served.client();
    let index = client.get("/").is(200).json();
    assert_eq!(index["tables"], json!(["guild", "player"]));
    for route in index["routes"].as_array().expect("a list") {
        let route = route["route"].as_str().expect("a text");
        let (method, path) = route.split_once(' ').expect("method and path");
        let path = path.split('?').next().unwrap_or(path).replace("{table}", "player").replace("{id}", "4294967296");
        let path = path.replace("{field}", "name").replace("{value}", "x").replace("{code}", "unique");
        let path = path.replace("/relation/4294967296", "/relation/member_of");
        let answer = client.send_json(method, &format!("{path}?nonsense=1"), &[], &json!({}));
        assert_eq!(answer.is_problem(400, "unknown_parameter")["param"], "nonsense", "{route}");
    }
    for name in ["healthz", "readyz", "version"] {
        client.get(&format!("/{name}")).is(200).json();
    }
    assert_eq!(client.get("/problems/unique").is(200).json()["statuses"], json!([409]));
    client.get("/problems/nothing").is_problem(404, "unknown_problem");
    let answer = client.send("GET", "/table", &[("accept", "text/html")], None);
    answer.is_problem(406, "not_acceptable");
    for header in ["x-request-id", "db-version"] {
        assert!(client.get("/healthz").header(header).is_some(), "{header}");
    }
}

/// A procedure may be called anything; what it does is the game's affair, and it was once taken for a method that reads.
#[test]
fn a_procedure_that_is_called_like_a_reading_method_is_not_for_readers() {
    let served = Served::with(super::ARENA, |world| {
        world.procedure("loot.get", |_, (): ()| Ok(1)).procedure("loot.list", |_, (): ()| Ok(1))
    });
    let config = ServerConfig::new("127.0.0.1:0").allow("look", Role::Reader).allow("play", Role::Writer);
    let server = server::start(served.db.clone(), config).expect("the server starts");
    let mut client = Client::new(server.local_addr());
    for method in ["loot.get", "loot.list"] {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method });
        let mut called = |token: &str| {
            let headers = [("authorization", format!("Bearer {token}"))];
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            client.send_json("POST", "/rpc", &headers, &call).is(200).json()
        };
        assert_eq!(called("look")["error"]["data"]["code"], "forbidden", "{method}");
        assert_eq!(called("play")["result"], 1, "{method}");
    }
}

/// Clients that send their bodies byte by byte once took all the room there was, from those too who send none.
#[test]
fn slow_bodies_take_room_from_nobody_else() {
    let served = Served::arena();
    let address = served.server.local_addr();
    let begun: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("the server listens");
            let head = "POST /table/guild/record HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
            stream.write_all(format!("{head}content-length: 20\r\n\r\n{{").as_bytes()).expect("it is sent");
            stream
        })
        .collect();
    let mut client = served.client();
    // Once they have all come, one more finds no room; who sends no body does.
    while client.post("/table/guild/record", &json!({ "name": "Watch" })).status != 503 {
        client.send("DELETE", "/table/guild/records?all=true", &[], None).is(200);
    }
    for path in ["/healthz", "/readyz", "/table", "/table/guild/records"] {
        client.get(path).is(200);
    }
    drop(begun);
    while client.post("/table/guild/record", &json!({ "name": "Watch" })).status == 503 {
        std::thread::yield_now();
    }
}
