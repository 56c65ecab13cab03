//! Tables, fields and indexes changed while they are used, and the whole schema put at once.

use super::{Served, insert, insert_players};
use serde_json::{Value as Json, json};

#[test]
fn rs_3_a_field_is_renamed_and_widened_with_its_values() {
    let served = Served::empty();
    let mut client = served.client();
    let fields = json!([{ "name": "name", "type": "str<8>" }, { "name": "hp", "type": "i16" }]);
    client.post("/table", &json!({ "name": "npc", "fields": fields })).is(201);
    let id = insert(&mut client, "npc", &json!({ "name": "Brom", "hp": 7 }))["_id"].clone();
    let path = "/table/npc/field/hp";
    client.send_json("PATCH", path, &[], &json!({ "name": "health", "type": "i64", "default": 5 })).is(200);
    let record = client.get(&format!("/table/npc/record/{id}")).is(200).json();
    assert_eq!((&record["health"], record.get("hp")), (&json!("7"), None), "an i64 is a string in JSON");
    assert_eq!(insert(&mut client, "npc", &json!({ "name": "new" }))["health"], "5");
    let before = served.dump();
    let narrow = client.send_json("PATCH", "/table/npc/field/name", &[], &json!({ "type": "str<3>" }));
    let problem = narrow.is_problem(422, "records_in_the_way");
    assert_eq!(problem["offending_ids"], json!([id]));
    client
        .send_json("PATCH", "/table/npc/field/helth", &[], &json!({ "type": "i64" }))
        .is_problem(404, "field_not_found");
    client
        .send_json("PATCH", "/table/npc/field/name", &[], &json!({ "type": "strr" }))
        .is_problem(422, "invalid_schema");
    assert_eq!(served.dump(), before);
}

#[test]
fn rs_1_a_table_is_renamed() {
    let served = Served::empty();
    let mut client = served.client();
    client.post("/table", &json!({ "name": "npc", "fields": [{ "name": "name", "type": "text" }] })).is(201);
    insert(&mut client, "npc", &json!({ "name": "Brom" }));
    let changed = client.send_json("PATCH", "/table/npc", &[], &json!({ "name": "mob", "description": "Wild" }));
    assert_eq!(changed.is(200).json()["description"], "Wild");
    assert_eq!(client.get("/table/mob/records").is(200).json()["total"], 1);
    client.get("/table/npc").is_problem(404, "unknown_table");
    client.send_json("PATCH", "/table/npc", &[], &json!({ "name": "x" })).is_problem(404, "unknown_table");
}

#[test]
fn rs_6_an_index_comes_and_goes() {
    let served = Served::empty();
    let mut client = served.client();
    let fields = json!([{ "name": "name", "type": "str<8>" }, { "name": "gold", "type": "i32" }]);
    client.post("/table", &json!({ "name": "npc", "fields": fields })).is(201);
    for at in 0..20 {
        insert(&mut client, "npc", &json!({ "name": format!("n{at}"), "gold": at }));
    }
    let plan = |client: &mut dbgen_tests::http::Client| {
        let answer = client.get("/table/npc/records?gold=eq.7").is(200);
        answer.header("query-plan").expect("a list says how it was made").to_owned()
    };
    assert_eq!(plan(&mut client), "scan rows_examined=20");
    let made = client.post("/table/npc/index", &json!({ "name": "by_gold", "fields": ["gold"] })).is(201);
    assert_eq!(made.header("location"), Some("/table/npc/index/by_gold"));
    assert_eq!(plan(&mut client), "index=by_gold rows_examined=1");
    assert_eq!(client.get("/table/npc/index").is(200).json()["items"][0]["name"], "by_gold");
    client.delete("/table/npc/index/by_gold").is(204);
    assert_eq!(plan(&mut client), "scan rows_examined=20");
    client.delete("/table/npc/index/by_gold").is_problem(404, "index_not_found");
    insert(&mut client, "npc", &json!({ "name": "twin", "gold": 7 }));
    let unique = json!({ "name": "one_each", "fields": ["gold"], "unique": true });
    let problem = client.post("/table/npc/index", &unique).is_problem(422, "records_in_the_way");
    assert_eq!(problem["offending_ids"].as_array().map(Vec::len), Some(1), "{problem}");
}

#[test]
fn rs_1_a_whole_schema_is_put_in_one_step() {
    let served = Served::arena();
    let mut client = served.client();
    insert_players(&mut client, 5);
    let got = client.get("/schema").is(200);
    let (tag, old) = (got.header("etag").expect("the schema has a tag").to_owned(), got.json());
    let mut new = old.clone();
    new["tables"]["town"] = json!({ "fields": [{ "name": "name", "type": "str<16>", "unique": true }] });
    let fields = new["tables"]["player"]["fields"].as_array_mut().expect("a list");
    fields.retain(|field| field["name"] != "luck");
    fields.push(json!({ "name": "town", "type": "ref<town>", "nullable": true, "indexed": true }));
    let hp = fields.iter_mut().find(|field| field["name"] == "hp").expect("a field");
    hp["type"] = json!("i64");
    new["relations"] = json!([
        { "name": "member_of", "from": "player.guild", "to": "guild", "on_delete": "cascade" },
        { "name": "lives_in", "from": "player.town", "to": "town", "on_delete": "set_null" }
    ]);

    let before = served.dump();
    client.send_json("PUT", "/schema", &[], &new).is_problem(428, "precondition_required");
    client.send_json("PUT", "/schema", &[("if-match", "\"s0\"")], &new).is_problem(412, "precondition_failed");
    let mut wrong = new.clone();
    wrong["tables"]["player"]["fields"][0]["type"] = json!("strr<3>");
    let if_match = [("if-match", tag.as_str())];
    client.send_json("PUT", "/schema", &if_match, &wrong).is_problem(422, "invalid_schema");
    // What a schema file says of itself comes with it.
    for (key, value) in [("name", "world"), ("version", "2.0.0"), ("description", "a larger world")] {
        new[key] = json!(value);
    }
    let tried = client.send_json("PUT", "/schema?dry_run=true", &if_match, &new).is(200).json();
    assert_eq!(tried["applied"], false);
    assert!(tried["plan"]["edits"].as_array().is_some_and(|edits| edits.len() >= 5), "{tried}");
    assert_eq!(served.dump(), before);

    let done = client.send_json("PUT", "/schema", &if_match, &new).is(200);
    let now = client.get("/schema").is(200);
    assert_eq!(done.header("etag"), now.header("etag"));
    // Members that a schema may leave out are left out, so what was put is what is read.
    assert_eq!(now.json()["tables"]["town"]["fields"][0]["unique"], true);
    assert_eq!(now.json()["relations"], new["relations"]);
    assert_eq!(now.json()["version"], "2.0.0");
    assert_eq!(now.json()["description"], "a larger world");
    assert_eq!(client.get("/version").json()["database"], json!({ "name": "world", "version": "2.0.0" }));
    let record = client.get("/table/player/by/name/p003").is(200).json();
    assert_eq!((&record["hp"], &record["town"], record.get("luck")), (&json!("3"), &Json::Null, None));
    // The old schema again: what is gone is gone, the rest comes back.
    let tag = now.header("etag").expect("a tag").to_owned();
    client.send_json("PUT", "/schema", &[("if-match", &tag)], &old).is(200);
    let again = client.get("/schema").is(200).json();
    assert_eq!((&again["relations"], again["tables"].as_object().map(|t| t.len())), (&old["relations"], Some(2)));
    assert_eq!(client.get("/table/player/by/name/p003").is(200).json()["luck"], 0.0);
    served.db.read().verify().expect("whole");
}

#[test]
fn rs_1_types_are_made_extended_and_dropped_with_the_schema() {
    let served = Served::empty();
    let mut client = served.client();
    let types = json!({
        "custom_types": { "Spot": { "fields": [{ "name": "x", "type": "i16" }] } },
        "enums": { "Mood": { "variants": ["calm", "wild"] } },
        "tables": { "npc": { "fields": [{ "name": "at", "type": "Spot" }, { "name": "mood", "type": "Mood" }] } }
    });
    let tried = client.send_json("PATCH", "/schema?dry_run=true", &[], &types).is(200).json();
    assert_eq!(
        (&tried["applied"], tried["plan"]["edits"].as_array().map(Vec::len)),
        (&json!(false), Some(3)),
        "{tried}"
    );
    client.send_json("PATCH", "/schema", &[], &types).is(200);
    let id = insert(&mut client, "npc", &json!({ "at": { "x": 4 }, "mood": "wild" }))["_id"].clone();
    let path = format!("/table/npc/record/{id}");
    // A field and a variant more, and another name for one.
    let more = json!({
        "custom_types": { "Spot": { "fields": [{ "name": "x", "type": "i16" }, { "name": "y", "type": "i16", "default": -1 }] } },
        "enums": { "Mood": { "variants": ["calm", { "name": "savage", "number": 1 }, "shy"] } }
    });
    let tag = client.get("/schema").is(200).header("etag").expect("a tag").to_owned();
    client.send_json("PATCH", "/schema", &[("if-match", "\"s0\"")], &more).is_problem(412, "precondition_failed");
    let done = client.send_json("PATCH", "/schema", &[("if-match", &tag)], &more).is(200).json();
    assert_eq!(done["plan"]["class"], "migrated", "{done}");
    let record = client.get(&path).is(200).json();
    assert_eq!((&record["at"], &record["mood"]), (&json!({ "x": 4, "y": -1 }), &json!("savage")));
    client.send_json("PATCH", &path, &[], &json!({ "mood": "shy" })).is(200);
    // What a record is of cannot go; what nothing has a value for cannot come.
    let fewer = json!({ "enums": { "Mood": { "variants": ["calm", "savage"] } } });
    let problem = client.send_json("PATCH", "/schema", &[], &fewer).is_problem(422, "records_in_the_way");
    assert_eq!(problem["offending_ids"], json!([id]));
    let bare = json!({ "custom_types": { "Spot": { "fields": [{ "name": "x", "type": "i16" },
        { "name": "y", "type": "i16", "default": -1 }, { "name": "z", "type": "u8" }] } } });
    client.send_json("PATCH", "/schema", &[], &bare).is_problem(422, "default_required");
    client.send_json("PATCH", "/schema", &[], &json!({ "enums": null })).is_problem(422, "invalid_schema");
    // A field takes a type that was made at run time, and lets go of it; then the type can go. All of it as one PUT.
    let got = client.get("/schema").is(200);
    let mut new = got.json();
    new["enums"] = Json::Null;
    new["tables"]["npc"]["fields"].as_array_mut().expect("a list").retain(|field| field["name"] != "mood");
    new.as_object_mut().expect("an object").remove("enums");
    let tag = got.header("etag").expect("a tag").to_owned();
    client.send_json("PUT", "/schema", &[("if-match", &tag)], &new).is(200);
    assert_eq!(client.get("/schema").is(200).json(), new);
    served.db.read().verify().expect("whole");
}

#[test]
fn rp_2_the_same_over_rpc() {
    let served = Served::empty();
    let mut client = served.client();
    let mut call = |method: &str, params: Json| {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        client.post("/rpc", &request).is(200).json()
    };
    let fields = json!([{ "name": "name", "type": "str<8>" }]);
    assert!(call("table.create", json!({ "definition": { "name": "npc", "fields": fields } }))["error"].is_null());
    let altered = call("field.alter", json!({ "table": "npc", "field": "name", "changes": { "type": "str<16>" } }));
    assert_eq!(altered["result"]["schema_version"], 3, "{altered}");
    assert!(
        call("index.add", json!({ "table": "npc", "definition": { "name": "ix", "fields": ["name"] } }))["error"]
            .is_null()
    );
    assert!(call("index.drop", json!({ "table": "npc", "index": "ix" }))["error"].is_null());
    assert!(call("table.alter", json!({ "table": "npc", "changes": { "name": "mob" } }))["error"].is_null());
    let schema = call("schema.get", json!({}))["result"].clone();
    let stale = call("schema.apply", json!({ "definition": schema, "if_match": "\"s1\"" }));
    assert_eq!(stale["error"]["code"], -32004, "{stale}");
    let stats = call("stats.get", json!({}))["result"].clone();
    assert_eq!(stats["schema_version"], 6, "{stats}");
    let tag = format!("\"s{}.6\"", stats["epoch"]);
    let done = call("schema.apply", json!({ "definition": schema, "if_match": tag, "dry_run": true }));
    assert_eq!(done["result"]["applied"], false, "{done}");
}

/// What the checker only warns of refuses nothing, and is not told to whom it does not concern.
#[test]
fn rs_1_a_warning_about_another_table_is_no_error_of_this_edit() {
    let served = Served::empty();
    let mut client = served.client();
    // A default of a unique field is a warning.
    let code = json!({ "name": "code", "type": "u32", "default": 7, "unique": true });
    client.post("/table", &json!({ "name": "odd", "fields": [code] })).is(201);
    client.post("/table", &json!({ "name": "plain", "fields": [{ "name": "n", "type": "u32" }] })).is(201);
    let problem =
        client.post("/table/plain/field", &json!({ "name": "m", "type": "u33" })).is_problem(422, "invalid_schema");
    let errors = problem["errors"].as_array().expect("a list");
    assert_eq!((errors.len(), &errors[0]["pointer"]), (1, &json!("#/type")), "{problem}");
    let problem = client.send_json("PATCH", "/table/plain", &[], &json!({ "name": 5 }));
    let problem = problem.is_problem(422, "not_alterable");
    assert_eq!(problem["errors"][0]["pointer"], "#/name", "{problem}");
}
