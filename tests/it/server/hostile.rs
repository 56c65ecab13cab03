//! Wrong requests made by a grammar: every route with every kind of mistake that it can be sent, against a server with data.
//! Each gets a status of its own fault, a problem that says what and, for bodies, where; and the whole database is as
//! before. The seed is fixed; a failure prints the request.

use super::{Served, insert, insert_players};
use dbgen_tests::http::{Answer, Client};
use serde_json::{Value as Json, json};

/// A request that is right, from which wrong ones are made.
struct Right {
    method: &'static str,
    path: String,
    body: Option<Json>,
}

fn right(method: &'static str, path: impl Into<String>, body: Option<Json>) -> Right {
    Right { method, path: path.into(), body }
}

/// Every route that the contract marks, and those that came with it.
fn routes(id: u64) -> Vec<Right> {
    let record = json!({ "name": "Zoe", "class": "mage", "hp": 5, "gold": "7", "luck": 0.5, "pos": { "x": 1, "y": 2, "z": 3 },
        "bag": [1, 2, 3, 4], "seen": "2024-01-01T00:00:00Z", "guild": null });
    let patch = json!({ "hp": 5, "pos": { "x": 1 }, "bag": [1, 2, 3, 4], "class": "rogue" });
    let field = json!({ "name": "extra", "type": "i32", "default": 5, "min": 0, "max": 9 });
    let table = json!({ "name": "town", "fields": [{ "name": "name", "type": "str<8>", "unique": true }] });
    let relation = json!({ "name": "r", "from": { "table": "player", "field": "guild" }, "to": { "table": "guild" },
        "on_delete": "cascade" });
    let ops = json!({ "ops": [
        { "op": "insert", "table": "guild", "values": { "name": "G" }, "as": "g" },
        { "op": "patch", "table": "player", "id": id, "values": { "guild": "$g._id" } } ], "dry_run": true });
    let query =
        json!({ "where": { "hp": { "gte": 5 }, "or": [{ "name": "a" }] }, "order": [["hp", "desc"]], "limit": 5 });
    let one = format!("/table/player/record/{id}");
    vec![
        right("GET", "/table", None),
        right("POST", "/table", Some(table)),
        right("GET", "/table/player", None),
        right("PATCH", "/table/player", Some(json!({ "description": "people" }))),
        right("DELETE", "/table/player", None),
        right("POST", "/table/player/field", Some(field)),
        right("PATCH", "/table/player/field/hp", Some(json!({ "type": "i64" }))),
        right("DELETE", "/table/player/field/hp", None),
        right("POST", "/table/player/index", Some(json!({ "name": "ix", "fields": ["hp", "gold"] }))),
        right("DELETE", "/table/player/index/by_hp", None),
        right("GET", "/relation", None),
        right("POST", "/relation", Some(relation)),
        right("DELETE", "/relation/member_of", None),
        right("PUT", "/schema", Some(json!({ "name": "arena", "version": "1", "tables": {} }))),
        right("POST", "/table/player/record", Some(record.clone())),
        right("GET", one.clone(), None),
        right("PUT", one.clone(), Some(record.clone())),
        right("PATCH", one.clone(), Some(patch.clone())),
        right("DELETE", one, None),
        right("GET", "/table/player/records", None),
        right("POST", "/table/player/records", Some(json!([record]))),
        right("PATCH", "/table/player/records?hp=eq.3", Some(patch)),
        right("DELETE", "/table/player/records?hp=eq.3", None),
        right("POST", "/table/player/query", Some(query)),
        right("POST", "/batch", Some(ops)),
        right(
            "POST",
            "/rpc",
            Some(json!({ "jsonrpc": "2.0", "id": 1, "method": "record.list", "params": ["player"] })),
        ),
    ]
}

/// A generator of numbers; the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// Values that are wrong nearly anywhere.
fn wrong_values() -> Vec<Json> {
    let deep = (0..60).fold(json!(1), |inside, _| json!([inside]));
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(4294967296_u64),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}"),
        json!("../../etc/passwd"),
        json!("x".repeat(5000)),
        json!("é".repeat(20)),
        json!("NaN"),
        json!("9999999999999999999999999"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({ "": {} }),
        json!({ "x": null, "\u{0}": 1 }),
        deep,
    ]
}

/// The bodies that one mistake makes of a right one: each member wrong in each way, gone, or misspelt; others added.
fn mutations(body: &Json, dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut made: Vec<Json> = wrong_values();
    let values = wrong_values();
    if let Json::Object(members) = body {
        for (name, value) in members {
            let mut with = |value: Json| {
                let mut object = members.clone();
                object.insert(name.clone(), value);
                made.push(Json::Object(object));
            };
            values.iter().for_each(|value| with(value.clone()));
            if matches!(value, Json::Object(_) | Json::Array(_)) {
                // A mistake further inside.
                for inside in mutations(value, dice).into_iter().filter_map(|text| serde_json::from_slice(&text).ok()) {
                    if dice.roll(4) == 0 {
                        with(inside);
                    }
                }
            }
            let mut misspelt = members.clone();
            misspelt.remove(name);
            made.push(Json::Object(misspelt.clone()));
            misspelt.insert(format!("{name}x"), value.clone());
            made.push(Json::Object(misspelt));
        }
        for name in ["", "_id", "_version", "__proto__", "../x", "na\u{0}me", "id"] {
            let mut object = members.clone();
            object.insert(name.to_owned(), json!(1));
            made.push(Json::Object(object));
        }
    }
    if let Json::Array(items) = body {
        for at in 0..items.len() {
            for value in &values {
                let mut list = items.clone();
                list[at] = value.clone();
                made.push(Json::Array(list));
            }
        }
    }
    made.iter().map(|body| body.to_string().into_bytes()).collect()
}

/// Texts that are no JSON, or JSON that can be read in two ways.
fn broken(body: &Json) -> Vec<Vec<u8>> {
    let text = body.to_string();
    let mut made: Vec<Vec<u8>> = [
        "",
        "{",
        "}",
        "[1,]",
        "{'a':1}",
        "nul",
        "01",
        "1e400",
        "-1e400",
        "NaN",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\u{feff}{}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{} {}",
        "\"\u{1}\"",
        "/* */ {}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    made.push(text.as_bytes()[..text.len() - 1].to_vec());
    made.push(text.as_bytes()[..text.len() / 2].to_vec());
    made.push([text.as_bytes(), b"x"].concat());
    made.push([b"\xff", text.as_bytes()].concat());
    if let Json::Object(members) = body {
        made.extend(members.keys().flat_map(|name| {
            // What no `Json` holds: each member with a value that is none, and twice.
            let with = |raw: &str| {
                let member = |(key, value): (&String, &Json)| match key == name {
                    true => raw.replace("KEY", &json!(key).to_string()).replace("VALUE", &value.to_string()),
                    false => format!("{}:{value}", json!(key)),
                };
                format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(",")).into_bytes()
            };
            let raws = [
                "KEY:1e400",
                "KEY:-1e999",
                "KEY:\"\\ud800\"",
                "KEY:\"a\\udc00\"",
                "KEY:VALUE,KEY:VALUE",
                "KEY:[1,{\"a\":1,\"a\":1}]",
            ];
            raws.map(with)
        }));
    }
    made.push(format!("{}{}", "[".repeat(100), "]".repeat(100)).into_bytes());
    made.push("{\"a\":".repeat(10_000).into_bytes());
    made
}

struct Attack {
    served: Served,
    client: Client,
    before: (u64, u64, Vec<String>),
    sent: usize,
    accepted: usize,
}

impl Attack {
    fn new() -> (Attack, u64) {
        let served = Served::arena();
        let mut client = served.client();
        let guild = insert(&mut client, "guild", &json!({ "name": "Night Watch", "motto": "We watch" }))["_id"].clone();
        let id =
            insert(&mut client, "player", &json!({ "name": "Ayla", "guild": guild }))["_id"].as_u64().expect("an id");
        insert_players(&mut client, 5);
        let before = served.dump();
        (Attack { served, client, before, sent: 0, accepted: 0 }, id)
    }

    /// Sends a request that is perhaps wrong. If it is refused it must be told how and have changed nothing; if it was right
    /// after all, the world begins anew.
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let answer = self.client.send(method, path, headers, body);
        self.sent += 1;
        let told = || {
            let body = body.map(String::from_utf8_lossy).unwrap_or_default();
            let body: String = body.chars().take(300).collect();
            format!("{method} {path} {headers:?} {body}\n{} {}", answer.status, String::from_utf8_lossy(&answer.body))
        };
        if answer.status < 400 {
            self.accepted += 1;
            if self.served.dump() != self.before {
                *self = Attack { sent: self.sent, accepted: self.accepted, ..Attack::new().0 };
            }
            return answer;
        }
        assert!(answer.status < 500, "{}", told());
        if method != "HEAD" {
            let problem: Json = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", told()));
            assert_eq!(problem["status"], answer.status, "{}", told());
            assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{}", told());
            for fault in problem["errors"].as_array().unwrap_or_else(|| panic!("{}", told())) {
                let is_pointer = fault["pointer"].as_str().is_some_and(|pointer| pointer.starts_with(['#', '?']));
                assert!(is_pointer && fault["detail"].as_str().is_some_and(|d| !d.is_empty()), "{}", told());
            }
        }
        assert!(self.served.dump() == self.before, "something was changed by {}", told());
        answer
    }

    fn json(&mut self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], Some(body))
    }
}

#[test]
fn rc_6_no_wrong_body_changes_anything() {
    let (mut attack, id) = Attack::new();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for Right { method, path, body } in routes(id) {
        let Some(body) = body else { continue };
        for text in broken(&body) {
            let answer = attack.json(method, &path, &text);
            // JSON-RPC tells in its own way.
            assert!(path == "/rpc" || answer.status >= 400, "{method} {path} {}", String::from_utf8_lossy(&text));
        }
        let made = mutations(&body, &mut dice);
        for text in &made {
            attack.json(method, &path, text);
        }
    }
    assert!(attack.sent > 2000, "{} were sent", attack.sent);
    assert!(attack.accepted < attack.sent / 3, "{} of {} were right after all", attack.accepted, attack.sent);
    attack.served.db.read().verify().expect("whole");
}

#[test]
fn rc_6_no_wrong_path_method_or_header_changes_anything() {
    let (mut attack, id) = Attack::new();
    let names =
        ["..", "%2e%2e", "%00", "%ff", "a%2fb", "_id", "PLAYER", "plyer", "%F0%9F%98%80", "player%20", "'", "%3Cb%3E"];
    let ids = [
        "0",
        "1",
        "-1",
        "x",
        "1.0",
        "1e3",
        "0x1",
        "00",
        "18446744073709551616",
        "9007199254740993",
        "%00",
        "..",
        "4294967396",
    ];
    for Right { method, path, body } in routes(id) {
        let text = body.as_ref().map(Json::to_string);
        let bytes = text.as_deref().map(str::as_bytes);
        let steps: Vec<&str> = path.split(['/', '?']).skip(1).collect();
        for name in names {
            if steps.get(1).is_some_and(|step| !step.is_empty()) && !path.starts_with("/table?") {
                let other = path.replacen(&format!("/{}", steps[1]), &format!("/{name}"), 1);
                attack.json(method, &other, bytes.unwrap_or_default());
            }
        }
        if path.contains("/record/") {
            for wrong in ids {
                attack.json(method, &format!("/table/player/record/{wrong}"), bytes.unwrap_or_default());
            }
        }
        let query = if path.contains('?') { '&' } else { '?' };
        for wrong in [
            "unknwon=1",
            "%=1",
            "%ff=1",
            "limit=x",
            "a=1&a=2",
            "hp=eq.x",
            "hp=xx.1",
            "order=hpp",
            "cascade=maybe",
            "wait=x",
        ] {
            attack.json(method, &format!("{path}{query}{wrong}"), bytes.unwrap_or_default());
        }
        for wrong in ["BREW", "TRACE", "PROPFIND", "get"] {
            let answer = attack.send(wrong, &path, &[], None);
            assert!(answer.status == 405 && answer.header("allow").is_some(), "{wrong} {path}: {}", answer.status);
        }
        if let Some(bytes) = bytes {
            for kind in ["text/plain", "application/xml", "application/json; charset=latin1", "json", ""] {
                let answer = attack.send(method, &path, &[("content-type", kind)], Some(bytes));
                assert_eq!(answer.status, 415, "{method} {path} {kind}");
            }
            let encoded = [("content-type", "application/json"), ("content-encoding", "br")];
            assert_eq!(attack.send(method, &path, &encoded, Some(bytes)).status, 415, "{method} {path}");
            let not_packed = [("content-type", "application/json"), ("content-encoding", "gzip")];
            assert_eq!(attack.send(method, &path, &not_packed, Some(bytes)).status, 400, "{method} {path}");
            for length in [0, bytes.len() / 2] {
                let head = format!(
                    "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    bytes.len()
                );
                let answer = attack.client.cut(&[head.as_bytes(), &bytes[..length]].concat());
                assert!(answer.is_none_or(|answer| answer.status == 400), "{method} {path} was cut");
                assert!(attack.served.dump() == attack.before, "{method} {path} was cut");
            }
        }
        for (name, value) in
            [("if-match", "x"), ("if-match", "\"0.0\""), ("db-min-version", "x"), ("host", "evil.example")]
        {
            let kind = ("content-type", "application/json");
            attack.send(method, &path, &[kind, (name, value), ("prefer", "max-affected=x")], bytes);
        }
    }
    attack.served.db.read().verify().expect("whole");
}

/// The id of a record that is gone, and whose place another has by now: nobody's, wherever it stands.
#[test]
fn rc_6_no_stale_id_finds_another_record() {
    let (mut attack, id) = Attack::new();
    let mut stale = |table: &str, name: &str| {
        let old = insert(&mut attack.client, table, &json!({ "name": name }))["_id"].as_u64().expect("an id");
        attack.client.delete(&format!("/table/{table}/record/{old}")).is(204);
        let new = insert(&mut attack.client, table, &json!({ "name": name }))["_id"].as_u64().expect("an id");
        assert_eq!((old as u32, old == new), (new as u32, false), "the place is the same, the id is not");
        old
    };
    let (player, guild) = (stale("player", "Zed"), stale("guild", "Owls"));
    attack.before = attack.served.dump();
    let path = format!("/table/player/record/{player}");
    for (method, body) in [("GET", None), ("HEAD", None), ("PUT", Some(json!({ "name": "Z" }))), ("DELETE", None)] {
        let body = body.map(|body| body.to_string());
        assert_eq!(attack.json(method, &path, body.as_deref().unwrap_or_default().as_bytes()).status, 404, "{method}");
    }
    assert_eq!(attack.json("PATCH", &path, b"{\"hp\":1}").status, 404);
    let refers = json!({ "guild": guild }).to_string();
    let answer = attack.json("PATCH", &format!("/table/player/record/{id}"), refers.as_bytes());
    assert_eq!((answer.status, answer.json()["errors"][0]["pointer"].as_str()), (409, Some("#/guild")));
    let new = json!({ "name": "New", "guild": guild });
    assert_eq!(attack.json("POST", "/table/player/record", new.to_string().as_bytes()).status, 409);
    assert_eq!(attack.json("POST", "/table/player/records", json!([new]).to_string().as_bytes()).status, 409);
    for op in [
        json!({ "op": "delete", "table": "player", "id": player }),
        json!({ "op": "patch", "table": "player", "id": player, "values": { "hp": 1 } }),
        json!({ "op": "insert", "table": "player", "values": new }),
    ] {
        let ops = json!({ "ops": [{ "op": "insert", "table": "guild", "values": { "name": "First" } }, op] });
        let answer = attack.json("POST", "/batch", ops.to_string().as_bytes());
        assert!(matches!(answer.status, 404 | 409) && answer.json()["op"] == 1, "{answer:?}");
    }
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "record.delete", "params": ["player", player] });
    let answer = attack.json("POST", "/rpc", call.to_string().as_bytes()).json();
    assert_eq!(
        (&answer["error"]["code"], &answer["error"]["data"]["code"]),
        (&json!(-32001), &json!("record_not_found"))
    );
    assert!(attack.served.dump() == attack.before);
}
