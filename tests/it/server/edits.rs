//! Edits of the schema over HTTP: tables, fields, relations.

use super::{Served, insert};
use serde_json::{Value as Json, json};

fn city() -> Json {
    json!({ "name": "city", "fields": [
        { "name": "name", "type": "str<16>", "unique": true }, { "name": "people", "type": "u32", "default": 0 } ] })
}

#[test]
fn rs_1_a_table_is_made_and_used_at_once() {
    let served = Served::empty();
    let mut client = served.client();
    let answer = client.post("/table", &city()).is(201);
    assert_eq!(answer.header("location"), Some("/table/city"));
    let table = client.get("/table/city").is(200).json();
    assert_eq!(
        (&table["name"], &table["rows"], &table["fields"][0]["name"]),
        (&json!("city"), &json!(0), &json!("name"))
    );
    assert_eq!(table["indexes"][0]["name"], "by_name");
    let record = insert(&mut client, "city", &json!({ "name": "Rome", "people": 4000000 }));
    assert_eq!(client.get("/table/city/by/name/Rome").is(200).json(), record);
    let tables = client.get("/table").is(200).json();
    assert_eq!((&tables["items"][0]["name"], &tables["items"][0]["rows"]), (&json!("city"), &json!(1)));
    client.post("/table", &city()).is_problem(409, "table_exists");
}

#[test]
fn rs_1_a_wrong_definition_changes_nothing_and_says_where() {
    let served = Served::arena();
    let mut client = served.client();
    insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let before = served.dump();
    for (body, code, pointer) in [
        (json!({ "fields": [] }), "missing_field", "#/name"),
        (json!({ "name": 7, "fields": [] }), "wrong_type", "#/name"),
        (json!({ "name": "../etc/passwd", "fields": [] }), "invalid_schema", "#/name"),
        (json!({ "name": "a\u{0}b", "fields": [] }), "invalid_schema", "#/name"),
        (json!({ "name": "", "fields": [] }), "invalid_schema", "#/name"),
        (json!({ "name": "_city", "fields": [] }), "invalid_schema", "#/name"),
        (json!({ "name": "city" }), "invalid_schema", "#/name"),
        (json!({ "name": "city", "fields": [{ "name": "n", "type": "i33" }] }), "invalid_schema", "#/fields/0/type"),
        (json!({ "name": "city", "fields": [{ "name": "n" }] }), "invalid_schema", "#/fields/0"),
        (json!({ "name": "city", "feilds": [] }), "invalid_schema", "#/feilds"),
    ] {
        let problem = client.post("/table", &body).json();
        assert_eq!(problem["status"], 422, "{body}: {problem}");
        let pointers: Vec<_> = problem["errors"].as_array().expect("a list").iter().map(|e| &e["pointer"]).collect();
        assert!(pointers.contains(&&json!(pointer)), "{body}: {problem}");
        if code != "invalid_schema" {
            assert_eq!(problem["code"], code, "{body}");
        }
    }
    assert_eq!(served.dump(), before);
}

#[test]
fn rs_2_a_table_is_dropped_with_its_records() {
    let served = Served::arena();
    let mut client = served.client();
    client.post("/table", &city()).is(201);
    insert(&mut client, "city", &json!({ "name": "Rome" }));
    client.delete("/table/city").is(204);
    client.get("/table/city").is_problem(404, "unknown_table");
    client.delete("/table/city").is_problem(404, "unknown_table");
    let before = served.dump();
    let refused = client.delete("/table/guild").is_problem(409, "table_referenced");
    assert_eq!(refused["blocking"], json!(["player.guild"]));
    assert_eq!(served.dump(), before);
    client.delete("/table/guild?cascade=true").is(204);
    let player = client.get("/table/player").is(200).json();
    let fields: Vec<_> = player["fields"].as_array().expect("a list").iter().map(|field| &field["name"]).collect();
    assert!(!fields.contains(&&json!("guild")), "the field that referred to it went too: {fields:?}");
    client.delete("/table/player?cascade=yes").is_problem(400, "invalid_parameter");
}

#[test]
fn rs_3_a_field_is_added_and_records_take_its_default() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let path = format!("/table/player/record/{}", record["_id"]);
    let answer = client.post("/table/player/field", &json!({ "name": "mana", "type": "u16", "default": 50 })).is(201);
    assert_eq!(answer.header("location"), Some("/table/player/field/mana"));
    assert_eq!(client.get(&path).is(200).json()["mana"], 50);
    client.send_json("PATCH", &path, &[], &json!({ "mana": 7 })).is(200);

    let before = served.dump();
    let missing = client.post("/table/player/field", &json!({ "name": "age", "type": "u16" }));
    missing.is_problem(422, "default_required");
    // All that is wrong is told at once, what is missing of the definition first.
    let nameless = client.post("/table/player/field", &json!({ "type": "u16" })).is_problem(422, "invalid_schema");
    let told: Vec<_> = nameless["errors"].as_array().expect("a list").iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(told, ["#/name", "#/default"], "{nameless}");
    client.post("/table/player/field", &json!({ "name": "mana", "type": "u16" })).is_problem(409, "field_exists");
    let wrong =
        client.post("/table/player/field", &json!({ "name": "age", "type": "u17", "default": 1 })).is(422).json();
    assert_eq!(wrong["errors"][0]["pointer"], "#/type", "{wrong}");
    client.post("/table/plyer/field", &json!({ "name": "age", "type": "u16" })).is_problem(404, "unknown_table");
    assert_eq!(served.dump(), before);
}

#[test]
fn rs_4_a_field_is_dropped_unless_something_needs_it() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let path = format!("/table/player/record/{}", record["_id"]);
    client.delete("/table/player/field/seen").is(204);
    assert_eq!(client.get(&path).is(200).json().get("seen"), None);
    let refused = client.delete("/table/player/field/guild").is_problem(409, "field_used");
    assert_eq!(refused["blocking"], json!(["by_guild", "member_of"]));
    // Its own index is a use too: somebody looks records up by it.
    let refused = client.delete("/table/player/field/hp").is_problem(409, "field_used");
    assert_eq!(refused["blocking"], json!(["by_hp"]));
    client.delete("/table/player/field/hp?cascade=true").is(204);
    client.delete("/table/player/field/guild?cascade=true").is(204);
    let unknown = client.delete("/table/player/field/goldd").is_problem(404, "field_not_found");
    assert_eq!(unknown["suggestion"], "gold");
}

#[test]
fn rs_5_a_relation_is_made_if_the_records_allow_it() {
    let served = Served::empty();
    let mut client = served.client();
    client
        .post("/table", &json!({ "name": "guild", "fields": [{ "name": "tag", "type": "u32", "unique": true }] }))
        .is(201);
    client
        .post("/table", &json!({ "name": "player", "fields": [{ "name": "guild", "type": "u32", "nullable": true }] }))
        .is(201);
    let stray = insert(&mut client, "player", &json!({ "guild": 7 }));
    let body = json!({
        "name": "member_of", "from": { "table": "player", "field": "guild" }, "to": { "table": "guild", "field": "tag" },
        "on_delete": "set_null",
    });
    let before = served.dump();
    let refused = client.post("/relation", &body).is_problem(422, "records_in_the_way");
    assert_eq!(refused["offending_ids"], json!([stray["_id"]]));
    assert_eq!(served.dump(), before);

    let guild = insert(&mut client, "guild", &json!({ "tag": 7 }));
    let answer = client.post("/relation", &body).is(201);
    assert_eq!(answer.header("location"), Some("/relation/member_of"));
    let relation = client.get("/relation/member_of").is(200).json();
    assert_eq!(relation, answer.json());
    assert_eq!((&relation["kind"], &relation["on_delete"]), (&json!("many_to_one"), &json!("set_null")));
    assert_eq!(client.get("/relation").is(200).json()["items"], json!([relation]));
    client.post("/table/player/record", &json!({ "guild": 8 })).is_problem(409, "unknown_reference");
    client.delete(&format!("/table/guild/record/{}", guild["_id"])).is(204);
    assert_eq!(client.get(&format!("/table/player/record/{}", stray["_id"])).json()["guild"], Json::Null);
}

#[test]
fn rs_5_a_wrong_relation_is_told() {
    let served = Served::arena();
    let mut client = served.client();
    let before = served.dump();
    let from = json!({ "table": "player", "field": "hp" });
    for (body, status, pointer) in [
        (json!({ "to": { "table": "guild" } }), 422, "#/from"),
        (json!({ "from": from, "to": 7 }), 422, "#/to"),
        (json!({ "from": { "table": "player" }, "to": "guild" }), 422, "#/from"),
        (json!({ "from": { "table": "player", "feild": "hp" }, "to": "guild" }), 422, "#/from/feild"),
        (json!({ "from": from, "to": "guild", "knid": 1 }), 422, "#/knid"),
        (json!({ "from": from, "to": "guild", "kind": "one_to_one" }), 422, "#/kind"),
        (json!({ "from": from, "to": "guild.nme" }), 422, "#/to"),
        (json!({ "from": from, "to": "guild.name", "on_delete": "explode" }), 422, "#/on_delete"),
    ] {
        let problem = client.post("/relation", &body).json();
        assert_eq!(problem["status"], status, "{body}: {problem}");
        let pointers: Vec<_> = problem["errors"].as_array().expect("a list").iter().map(|e| &e["pointer"]).collect();
        assert!(pointers.contains(&&json!(pointer)), "{body}: {problem}");
    }
    assert_eq!(served.dump(), before);
}

#[test]
fn rs_6_a_relation_is_dropped_and_its_field_stays() {
    let served = Served::empty();
    let mut client = served.client();
    client
        .post("/table", &json!({ "name": "guild", "fields": [{ "name": "tag", "type": "u32", "unique": true }] }))
        .is(201);
    client.post("/table", &json!({ "name": "player", "fields": [{ "name": "guild", "type": "u32" }] })).is(201);
    let name =
        client.post("/relation", &json!({ "from": "player.guild", "to": "guild.tag" })).is(201).json()["name"].clone();
    let path = format!("/relation/{}", name.as_str().expect("a relation has a name"));
    client.delete(&path).is(204);
    client.get(&path).is_problem(404, "relation_not_found");
    client.delete(&path).is_problem(404, "relation_not_found");
    insert(&mut client, "player", &json!({ "guild": 8 }));
}

/// What was made over HTTP can be frozen into a schema file, and means the same there.
#[test]
fn rs_1_the_schema_that_is_written_reads_back() {
    let served = Served::arena();
    let mut client = served.client();
    client.post("/table", &city()).is(201);
    client.post("/table/city/field", &json!({ "name": "mayor", "type": "ref<player>", "nullable": true })).is(201);
    let json = client.get("/schema").is(200);
    let toml = client.get("/schema?format=toml").is(200);
    let epoch = client.get("/version").is(200).json()["epoch"].clone();
    assert_eq!(json.header("etag"), Some(format!("\"s{epoch}.3\"").as_str()));
    assert_eq!(toml.header("content-type"), Some("application/toml"));
    client.get("/schema?format=yaml").is_problem(400, "invalid_parameter");
    let text = String::from_utf8(json.body).expect("JSON is UTF-8");
    let again = Served::with(&text, |tick_loop| tick_loop);
    assert_eq!(again.client().get("/schema").body, text.as_bytes());
    assert_eq!(again.client().get("/schema?format=toml").body, toml.body);
}
