//! Wrong requests, kind by kind: each gets its status, a problem that says where and what, and changes nothing.

use super::{Served, insert};
use dbgen_tests::http::Client;
use serde_json::{Value as Json, json};

/// A body, the status and code that it deserves, and where its fault lies.
type Case<'a> = (&'a str, u16, &'a str, &'a str);

/// What is wrong with a new player.
const RECORDS: &[Case<'_>] = &[
    // Syntax.
    ("", 400, "malformed_json", ""),
    ("{", 400, "malformed_json", ""),
    (r#"{"name":"Brom"#, 400, "malformed_json", ""),
    (r#"{"name":"Brom"} {}"#, 400, "malformed_json", ""),
    (r#"{"name":"Brom",}"#, 400, "malformed_json", ""),
    (r#"{"name":'Brom'}"#, 400, "malformed_json", ""),
    (r#"{"name":"Brom","hp":1e400}"#, 400, "malformed_json", ""),
    (r#"{"name":"Brom","hp":-1e400}"#, 400, "malformed_json", ""),
    (r#"{"name":"Brom","hp":NaN}"#, 400, "malformed_json", ""),
    (r#"{"name":"Brom","hp":007}"#, 400, "malformed_json", ""),
    (r#"{"name":"\ud800"}"#, 400, "malformed_json", ""),
    (r#"{"name":"\udc00\ud800"}"#, 400, "malformed_json", ""),
    ("{\"name\":\"\u{1}\"}", 400, "malformed_json", ""),
    (r#"{"name":"Brom","hp":1,"hp":2}"#, 400, "duplicate_key", ""),
    (r#"{"name":"Brom","pos":{"x":1,"x":2}}"#, 400, "duplicate_key", ""),
    // Shape.
    ("[]", 422, "wrong_type", "#"),
    ("null", 422, "wrong_type", "#"),
    ("7", 422, "wrong_type", "#"),
    (r#""Brom""#, 422, "wrong_type", "#"),
    // Keys.
    ("{}", 422, "missing_field", "#/name"),
    (r#"{"nmae":"Brom"}"#, 422, "invalid_record", "#/nmae"),
    (r#"{"name":"Brom","hpp":1}"#, 422, "unknown_field", "#/hpp"),
    (r#"{"name":"Brom","Hp":1}"#, 422, "unknown_field", "#/Hp"),
    (r#"{"name":"Brom","":1}"#, 422, "unknown_field", "#/"),
    (r#"{"name":"Brom","../x":1}"#, 422, "unknown_field", "#/..~1x"),
    (r#"{"name":"Brom","hp\u0000":1}"#, 422, "unknown_field", "#/hp\u{0}"),
    (r#"{"name":"Brom","pos":{"x":1,"y":1,"z":1,"w":1}}"#, 422, "unknown_field", "#/pos/w"),
    (r#"{"name":"Brom","_id":4294967296}"#, 422, "system_member", "#/_id"),
    (r#"{"name":"Brom","_version":1}"#, 422, "system_member", "#/_version"),
    // Types.
    (r#"{"name":7}"#, 422, "wrong_type", "#/name"),
    (r#"{"name":["Brom"]}"#, 422, "wrong_type", "#/name"),
    (r#"{"name":"Brom","hp":"1"}"#, 422, "wrong_type", "#/hp"),
    (r#"{"name":"Brom","hp":true}"#, 422, "wrong_type", "#/hp"),
    (r#"{"name":"Brom","hp":1.5}"#, 422, "wrong_type", "#/hp"),
    (r#"{"name":"Brom","hp":{}}"#, 422, "wrong_type", "#/hp"),
    (r#"{"name":"Brom","luck":"NaN"}"#, 422, "invalid_value", "#/luck"),
    (r#"{"name":"Brom","gold":"1e3"}"#, 422, "invalid_value", "#/gold"),
    (r#"{"name":"Brom","gold":"-0x1"}"#, 422, "invalid_value", "#/gold"),
    (r#"{"name":"Brom","class":"wizard"}"#, 422, "unknown_variant", "#/class"),
    (r#"{"name":"Brom","class":3}"#, 422, "unknown_variant", "#/class"),
    (r#"{"name":"Brom","pos":[1,2,3]}"#, 422, "wrong_type", "#/pos"),
    (r#"{"name":"Brom","pos":{"x":"a","y":1,"z":1}}"#, 422, "wrong_type", "#/pos/x"),
    (r#"{"name":"Brom","bag":[1,2,3]}"#, 422, "wrong_length", "#/bag"),
    (r#"{"name":"Brom","bag":[1,2,3,"4"]}"#, 422, "wrong_type", "#/bag/3"),
    (r#"{"name":"Brom","seen":"yesterday"}"#, 422, "invalid_value", "#/seen"),
    (r#"{"name":"Brom","guild":"4294967296"}"#, 422, "wrong_type", "#/guild"),
    // Nulls.
    (r#"{"name":null}"#, 422, "not_nullable", "#/name"),
    (r#"{"name":"Brom","hp":null}"#, 422, "not_nullable", "#/hp"),
    (r#"{"name":"Brom","pos":{"x":null,"y":1,"z":1}}"#, 422, "not_nullable", "#/pos/x"),
    (r#"{"name":"Brom","bag":[1,2,3,null]}"#, 422, "not_nullable", "#/bag/3"),
    // Ranges.
    (r#"{"name":"Brom","hp":10000}"#, 422, "out_of_range", "#/hp"),
    (r#"{"name":"Brom","hp":-1}"#, 422, "out_of_range", "#/hp"),
    (r#"{"name":"Brom","hp":4294967396}"#, 422, "out_of_range", "#/hp"),
    (r#"{"name":"Brom","hp":1e300}"#, 422, "out_of_range", "#/hp"),
    (r#"{"name":"Brom","gold":18446744073709551616}"#, 422, "out_of_range", "#/gold"),
    (r#"{"name":"Brom","gold":9007199254740993.0}"#, 422, "invalid_value", "#/gold"),
    (r#"{"name":"Brom","gold":"18446744073709551616"}"#, 422, "out_of_range", "#/gold"),
    (r#"{"name":"Brom","gold":-1}"#, 422, "out_of_range", "#/gold"),
    (r#"{"name":"Brom","luck":1e39}"#, 422, "out_of_range", "#/luck"),
    (r#"{"name":"Brom","bag":[1,2,3,65536]}"#, 422, "out_of_range", "#/bag/3"),
    (r#"{"name":"a name of seventeen"}"#, 422, "too_long", "#/name"),
    (r#"{"name":"ééééééééé"}"#, 422, "too_long", "#/name"),
    // Rules between records.
    (r#"{"name":"Ayla"}"#, 409, "unique", "#/name"),
    (r#"{"name":"Brom","guild":4294967297}"#, 409, "unknown_reference", "#/guild"),
    (r#"{"name":"Brom","guild":0}"#, 422, "out_of_range", "#/guild"),
    (r#"{"name":"Brom","guild":9007199254740992}"#, 422, "out_of_range", "#/guild"),
];

/// A server with one player, Ayla, and where to find her.
fn served() -> (Served, Client, String) {
    let served = Served::arena();
    let mut client = served.client();
    let id = insert(&mut client, "player", &json!({ "name": "Ayla" }))["_id"].clone();
    (served, client, format!("/table/player/record/{id}"))
}

#[track_caller]
fn send(client: &mut Client, method: &str, path: &str, body: &[u8]) -> dbgen_tests::http::Answer {
    client.send(method, path, &[("content-type", "application/json")], Some(body))
}

#[test]
fn rc_6_a_wrong_record_is_not_inserted() {
    let (served, mut client, _) = served();
    let before = served.dump();
    for (body, status, code, pointer) in RECORDS {
        let answer = send(&mut client, "POST", "/table/player/record", body.as_bytes());
        let told = format!("{body}: {}", String::from_utf8_lossy(&answer.body));
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{told}");
        answer.is_problem(*status, code);
        if !pointer.is_empty() {
            let at_pointer = |fault: &&Json| fault["pointer"] == *pointer;
            let fault = problem["errors"].as_array().expect("a list").iter().find(at_pointer);
            assert!(
                fault.is_some_and(|fault| fault["detail"].as_str().is_some_and(|detail| !detail.is_empty())),
                "{told}"
            );
        }
    }
    assert_eq!(served.dump(), before);
    // Not UTF-8.
    send(&mut client, "POST", "/table/player/record", b"{\"name\":\"\xff\"}").is_problem(400, "malformed_json");
    let nested = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let deep = format!(r#"{{"name":"Brom","bag":{nested}}}"#);
    send(&mut client, "POST", "/table/player/record", deep.as_bytes()).is_problem(400, "nested_too_deep");
    assert_eq!(served.dump(), before);
}

/// The same bodies, as replacements and as patches of another record.
#[test]
fn rc_6_a_wrong_record_replaces_nothing() {
    let (served, mut client, _) = served();
    let id = insert(&mut client, "player", &json!({ "name": "Cora" }))["_id"].clone();
    let path = format!("/table/player/record/{id}");
    let before = served.dump();
    for (body, status, code, _) in RECORDS {
        let replaced = send(&mut client, "PUT", &path, body.as_bytes());
        // In a replacement, the id and the version may stand if they are right.
        if *code != "system_member" {
            assert_eq!(replaced.status, *status, "{body}: {}", String::from_utf8_lossy(&replaced.body));
        }
        assert!(replaced.status >= 400, "{body}");
        // A patch may leave out what a record may not.
        if *code != "missing_field" {
            let patched = send(&mut client, "PATCH", &path, body.as_bytes());
            assert!((400..500).contains(&patched.status), "{body}: {}", String::from_utf8_lossy(&patched.body));
        }
    }
    assert_eq!(served.dump(), before);
}

#[test]
fn rc_6_all_faults_of_a_body_are_told_at_once() {
    let (_served, mut client, _) = served();
    let body = br#"{"nme":"x","hp":-1,"class":"wizard","pos":{"x":"a","y":1,"z":null}}"#;
    let problem = send(&mut client, "POST", "/table/player/record", body).is_problem(422, "invalid_record");
    let mut pointers: Vec<_> =
        problem["errors"].as_array().expect("a list").iter().filter_map(|fault| fault["pointer"].as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["#/class", "#/hp", "#/name", "#/nme", "#/pos/x", "#/pos/z"]);
    let suggestion =
        problem["errors"].as_array().and_then(|faults| faults.iter().find(|f| f["pointer"] == "#/nme").cloned());
    assert_eq!(suggestion.expect("the misspelt key is told")["suggestion"], "name");
}

#[test]
fn rc_6_paths_that_lead_nowhere() {
    let (served, mut client, path) = served();
    let before = served.dump();
    for (path, status, code) in [
        ("/table/plyer", 404, "unknown_table"),
        ("/table/plyer/records", 404, "unknown_table"),
        ("/table/plyer/record/1", 404, "unknown_table"),
        ("/table/%00", 404, "unknown_table"),
        ("/table/..%2f..%2fetc%2fpasswd", 404, "unknown_table"),
        ("/table/player%20", 404, "unknown_table"),
        ("/table/PLAYER", 404, "unknown_table"),
        ("/table/%ff", 400, "malformed_request"),
        ("/table/player/record/x", 400, "invalid_id"),
        ("/table/player/record/-1", 400, "invalid_id"),
        ("/table/player/record/1.0", 400, "invalid_id"),
        ("/table/player/record/1e3", 400, "invalid_id"),
        ("/table/player/record/00", 400, "invalid_id"),
        ("/table/player/record/%201", 400, "invalid_id"),
        ("/table/player/record/0", 404, "record_not_found"),
        ("/table/player/record/4294967300", 404, "record_not_found"),
        ("/table/player/record/18446744073709551615", 404, "record_not_found"),
        ("/table/player/record/99999999999999999999999", 404, "record_not_found"),
        ("/table/player/by/gold/1", 400, "not_unique_field"),
    ] {
        client.get(path).is_problem(status, code);
    }
    for method in ["PUT", "PATCH"] {
        client.send_json(method, "/table/plyer/record/x", &[], &json!({})).is_problem(404, "unknown_table");
        client.send_json(method, "/table/player/record/x", &[], &json!({})).is_problem(400, "invalid_id");
    }
    client.post("/table/plyer/record", &json!({ "name": "x" })).is_problem(404, "unknown_table");
    assert_eq!(client.get("/table/plyer").is_problem(404, "unknown_table")["suggestion"], "player");
    assert_eq!(served.dump(), before);
    client.get(&path).is(200);
}

#[test]
fn rc_6_media_types_that_are_not_taken() {
    let (served, mut client, path) = served();
    let before = served.dump();
    let body = Some(&br#"{"name":"Brom"}"#[..]);
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/xml",
        "application/json; charset=utf-16",
        "application/merge-patch+json",
        "json",
        "",
    ] {
        let answer = client.send("POST", "/table/player/record", &[("content-type", media_type)], body);
        assert_eq!(answer.header("accept-post"), Some("application/json"), "{media_type}");
        answer.is_problem(415, "unsupported_media_type");
    }
    client.send("POST", "/table/player/record", &[], body).is_problem(415, "unsupported_media_type");
    let packed = [("content-type", "application/json"), ("content-encoding", "br")];
    let answer = client.send("POST", "/table/player/record", &packed, body);
    assert_eq!(answer.header("accept-encoding"), Some("gzip, zstd"));
    answer.is_problem(415, "unsupported_media_type");
    let answer = client.send("PATCH", &path, &[("content-type", "text/plain")], body);
    assert_eq!(answer.header("accept-patch"), Some("application/merge-patch+json, application/json"));
    answer.is_problem(415, "unsupported_media_type");
    assert_eq!(served.dump(), before);
}

/// Who mends what he was told has no second answer of the same kind.
#[test]
fn rc_6_all_mistakes_of_a_body_are_told_at_once() {
    let served = Served::arena();
    let mut client = served.client();
    let mut told = |method: &str, path: &str, body: Json| {
        let answer = client.send_json(method, path, &[], &body);
        assert!(matches!(answer.status, 400 | 422), "{answer:?}");
        let problem = answer.json();
        let faults = problem["errors"].as_array().expect("a list");
        faults.iter().map(|fault| fault["pointer"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let before = served.dump();
    let record = json!({ "_id": 5, "name": 5, "hpp": 1, "hp": 10_000, "class": "magee" });
    assert_eq!(told("POST", "/table/player/record", record), ["#/_id", "#/hpp", "#/name", "#/class", "#/hp"]);
    let table = json!({ "nam": "town", "fields": [{ "name": "a", "type": "i33" }, { "nam": "b" }] });
    assert_eq!(told("POST", "/table", table), ["#/name", "#/nam", "#/fields/0/type", "#/fields/1", "#/fields/1/nam"]);
    let table = json!({ "name": 5, "fields": [{ "name": "a", "type": "i33" }] });
    assert_eq!(told("POST", "/table", table), ["#/name", "#/fields/0/type"]);
    let changes = json!({ "bogus": 1, "capacity": "x", "durability": "never" });
    assert_eq!(told("PATCH", "/table/player", changes), ["#/bogus", "#/capacity", "#/durability"]);
    let field = json!({ "nam": "a", "type": "i33", "min": "x" });
    assert_eq!(told("POST", "/table/player/field", field)[..2], ["#/nam", "#/type"]);
    let relation =
        json!({ "from": { "table": "player", "field": 5 }, "to": 7, "kind": 3, "on_delete": "bla", "bogus": 1 });
    assert_eq!(told("POST", "/relation", relation), ["#/bogus", "#/from", "#/to", "#/kind", "#/on_delete"]);
    let relation = json!({ "from": "player.hp", "to": "guild", "on_delete": "bla", "bogus": 1, "other": 2 });
    assert_eq!(told("POST", "/relation", relation)[..2], ["#/bogus", "#/other"]);
    let ops = json!({ "dry_run": "x", "bogus": 1, "ops": [
        { "op": "inser", "table": 5 }, { "op": "patch", "tabl": "player", "id": 1 }, { "op": "delete", "table": "player" } ] });
    let expected = [
        "#/dry_run",
        "#/bogus",
        "#/ops/0/table",
        "#/ops/0/op",
        "#/ops/1/table",
        "#/ops/1/tabl",
        "#/ops/1/values",
        "#/ops/2/id",
    ];
    assert_eq!(told("POST", "/batch", ops), expected);
    let query = json!({ "limit": "x", "bogus": 1, "order": 5, "count": "many" });
    assert_eq!(told("POST", "/table/player/query", query), ["#/bogus", "#/order", "#/limit", "#/count"]);
    assert!(served.dump() == before);
}
