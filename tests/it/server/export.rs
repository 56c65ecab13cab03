//! Exports: every record as a line.

use super::{Served, ids, insert, insert_players};
use serde_json::{Value as Json, json};

#[test]
fn rc_5_an_export_has_every_record_and_no_limit() {
    let served = Served::arena();
    let mut client = served.client();
    let inserted = insert_players(&mut client, 3000);
    let ndjson = [("accept", "application/x-ndjson")];
    let answer = client.send("GET", "/table/player/records", &ndjson, None).is(200);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert!(answer.header("db-version").is_some());
    let lines = String::from_utf8(answer.body).expect("UTF-8");
    let records: Json = lines.lines().map(|line| serde_json::from_str::<Json>(line).expect("a line is JSON")).collect();
    assert_eq!(ids(&records), inserted);
    let page = client.get("/table/player/records?limit=2").json();
    assert_eq!((&records[0], &records[1]), (&page["items"][0], &page["items"][1]));
    let some =
        client.send("GET", "/table/player/records?hp=gte.10&order=hp.desc&offset=1&limit=2000", &ndjson, None).is(200);
    let lines = String::from_utf8(some.body).expect("UTF-8");
    assert_eq!(lines.lines().count(), 2000);
    assert!(lines.starts_with(&format!("{{\"_id\":{}", inserted[2998])), "the second of the strongest");
}

#[test]
fn rc_5_an_export_can_be_a_table() {
    let served = Served::arena();
    let mut client = served.client();
    let csv = [("accept", "text/csv")];
    let empty = client.send("GET", "/table/guild/records", &csv, None).is(200);
    assert_eq!(empty.body, b"_id,_version,name,motto\r\n");
    insert(&mut client, "guild", &json!({ "name": "Night, Watch", "motto": "\"We\nwatch\"" }));
    insert(&mut client, "guild", &json!({ "name": "Day Watch" }));
    let answer = client.send("GET", "/table/guild/records?select=name,motto", &csv, None).is(200);
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = String::from_utf8(answer.body).expect("UTF-8");
    let expected =
        "_id,_version,name,motto\r\n4294967296,1,\"Night, Watch\",\"\"\"We\nwatch\"\"\"\r\n4294967297,2,Day Watch,\r\n";
    assert_eq!(text, expected);
    let head = client.send("HEAD", "/table/guild/records", &csv, None).is(200);
    assert_eq!(head.body, b"");
    client.send("GET", "/table/guild/records?cursor=x", &csv, None).is_problem(400, "invalid_parameter");
    client.send("GET", "/table/guild/records?nme=eq.x", &csv, None).is_problem(400, "unknown_parameter");
    client.send("GET", "/table/guild/records", &[("accept", "text/html")], None).is_problem(406, "not_acceptable");
}
