//! Conditional requests: nobody overwrites what they have not seen.

use super::{Served, insert};
use serde_json::json;
use std::sync::Barrier;

#[test]
fn rc_3_if_match_holds_or_nothing_happens() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let path = format!("/table/player/record/{}", record["_id"]);
    let tag = client.get(&path).header("etag").expect("a record has a tag").to_owned();
    let changed = client.send_json("PATCH", &path, &[("if-match", &tag)], &json!({ "hp": 1 })).is(200);
    let new_tag = changed.header("etag").expect("a written record has a tag").to_owned();
    assert_ne!(new_tag, tag);

    let before = served.dump();
    for stale in [tag.as_str(), "\"0.1\"", &format!("W/{new_tag}"), "\"x\", \"y\""] {
        for method in ["PUT", "PATCH"] {
            let answer = client.send_json(method, &path, &[("if-match", stale)], &json!({ "name": "Ayla", "hp": 2 }));
            assert_eq!(answer.is_problem(412, "precondition_failed")["current_etag"], new_tag.as_str());
        }
        client.send("DELETE", &path, &[("if-match", stale)], None).is_problem(412, "precondition_failed");
    }
    client.send("DELETE", &path, &[("if-match", "no-quotes")], None).is_problem(400, "invalid_header");
    let create_only = client.send_json("PUT", &path, &[("if-none-match", "*")], &json!({ "name": "Ayla" }));
    create_only.is_problem(412, "precondition_failed");
    assert_eq!(served.dump(), before);

    let any = format!("\"0.1\", {new_tag}");
    client.send_json("PATCH", &path, &[("if-match", &any)], &json!({ "hp": 3 })).is(200);
    client.send("DELETE", &path, &[("if-match", "*")], None).is(204);
}

/// What is not there has no state that an `If-Match` could name.
#[test]
fn rc_3_an_upsert_under_if_match_makes_nothing() {
    let served = Served::with(
        r#"{ "name": "parts", "version": "1", "tables": {
            "entity": { "fields": [ {"name":"name","type":"str<16>"} ] },
            "health": { "parent_table": "entity", "fields": [ {"name":"hp","type":"i32"} ] } } }"#,
        |tick_loop| tick_loop,
    );
    let mut client = served.client();
    let entity = insert(&mut client, "entity", &json!({ "name": "Ayla" }));
    let path = format!("/table/health/record/{}?upsert=true", entity["_id"]);
    let before = served.dump();
    for tag in ["*", "\"1.1.1\""] {
        let answer = client.send_json("PUT", &path, &[("if-match", tag)], &json!({ "hp": 1 }));
        answer.is_problem(412, "precondition_failed");
    }
    assert_eq!(served.dump(), before);
    client.send_json("PUT", &path, &[], &json!({ "hp": 1 })).is(201);
    client.send_json("PUT", &path, &[("if-match", "*")], &json!({ "hp": 2 })).is(200);
}

/// A run that begins from an older state counts the same versions of the schema again, for other schemas.
#[test]
fn rc_3_a_tag_of_the_schema_is_that_of_one_run() {
    let (before, after) = (Served::arena(), Served::arena());
    let mut client = after.client();
    for path in ["/schema", "/openapi.json"] {
        let tag = before.client().get(path).is(200).header("etag").expect("it has a tag").to_owned();
        client.send("GET", path, &[("if-none-match", &tag)], None).is(200);
        let own = client.get(path).is(200).header("etag").expect("it has a tag").to_owned();
        client.send("GET", path, &[("if-none-match", &own)], None).is(304);
        let changes = json!({ "description": "another" });
        client.send_json("PATCH", "/schema", &[("if-match", &tag)], &changes).is_problem(412, "precondition_failed");
    }
}

#[test]
fn rc_2_a_reader_that_has_it_is_told_so() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let path = format!("/table/player/record/{}", record["_id"]);
    let tag = client.get(&path).header("etag").expect("a record has a tag").to_owned();
    let fresh = client.send("GET", &path, &[("if-none-match", &format!("W/{tag}"))], None).is(304);
    assert_eq!((fresh.body.as_slice(), fresh.header("etag")), (&b""[..], Some(tag.as_str())));
    client.send("HEAD", &path, &[("if-none-match", &tag)], None).is(304);
    client.send_json("PATCH", &path, &[], &json!({ "hp": 1 })).is(200);
    client.send("GET", &path, &[("if-none-match", &tag)], None).is(200);

    let schema_tag = client.get("/schema").header("etag").expect("the schema has a tag").to_owned();
    client.send("GET", "/schema", &[("if-none-match", &schema_tag)], None).is(304);
}

/// Clients that read, add one and write back under `If-Match` lose no addition, whoever comes between: the comparison is
/// made inside the transaction.
#[test]
fn rc_3_sixteen_writers_count_together() {
    const WRITERS: usize = 16;
    const EACH: usize = 10;
    let served = Served::arena();
    let record = insert(&mut served.client(), "player", &json!({ "name": "Ayla", "hp": 0 }));
    let path = format!("/table/player/record/{}", record["_id"]);
    let start = Barrier::new(WRITERS);
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut client = served.client();
                start.wait();
                let mut done = 0;
                while done < EACH {
                    let read = client.get(&path).is(200);
                    let tag = read.header("etag").expect("a record has a tag").to_owned();
                    let hp = read.json()["hp"].as_u64().expect("hp is a number");
                    let answer = client.send_json("PATCH", &path, &[("if-match", &tag)], &json!({ "hp": hp + 1 }));
                    match answer.status {
                        200 => done += 1,
                        412 => {}
                        status => panic!("{status}"),
                    }
                }
            });
        }
    });
    assert_eq!(served.client().get(&path).json()["hp"], WRITERS * EACH);
}

/// A table whose records are changed only by who says which state he has seen: on every path.
#[test]
fn rc_3_a_table_can_require_that_the_state_is_named() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let path = format!("/table/player/record/{}", record["_id"]);
    let required = json!({ "require_if_match": true });
    assert_eq!(client.send_json("PATCH", "/table/player", &[], &required).is(200).json()["require_if_match"], true);
    assert_eq!(client.get("/schema").json()["tables"]["player"]["require_if_match"], true);
    // New records overwrite nothing.
    insert(&mut client, "player", &json!({ "name": "Brom" }));

    let before = served.dump();
    let whole = json!({ "name": "Ayla", "hp": 2 });
    client.send_json("PUT", &path, &[], &whole).is_problem(428, "precondition_required");
    client.send_json("PATCH", &path, &[], &json!({ "hp": 2 })).is_problem(428, "precondition_required");
    client.delete(&path).is_problem(428, "precondition_required");
    let set = "/table/player/records?name=eq.Ayla";
    client.send_json("PATCH", set, &[], &json!({ "hp": 2 })).is_problem(428, "precondition_required");
    client.delete(set).is_problem(428, "precondition_required");
    let replace = "/table/player/records?on_conflict=replace";
    client.post(replace, &json!([whole])).is_problem(428, "precondition_required");
    let patch = json!({ "op": "patch", "table": "player", "id": record["_id"], "values": { "hp": 2 } });
    client.post("/batch", &json!({ "ops": [patch] })).is_problem(428, "precondition_required");
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "record.delete", "params": ["player", record["_id"]] });
    assert_eq!(client.post("/rpc", &call).is(200).json()["error"]["data"]["status"], 428);
    assert_eq!(served.dump(), before);

    let tag = client.get(&path).header("etag").expect("a record has a tag").to_owned();
    let named = [("if-match", tag.as_str())];
    let changed = client.send_json("PATCH", &path, &named, &json!({ "hp": 2 })).is(200);
    let mut patch = patch;
    patch["if_match"] = json!(changed.header("etag").expect("a written record has a tag"));
    client.post("/batch", &json!({ "ops": [patch] })).is(200);
    client.send("DELETE", &path, &[("if-match", "*")], None).is(204);
    client.send_json("PATCH", "/table/player", &[], &json!({ "require_if_match": false })).is(200);
    client.delete(&set.replace("Ayla", "Brom")).is(200);
}

/// Edits of the schema are made under the tag of the schema, and what has no tag takes no condition: none is ignored.
#[test]
fn rc_3_a_condition_is_never_ignored() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let tag = client.get("/schema").header("etag").expect("the schema has a tag").to_owned();
    let field = json!({ "name": "mana", "type": "u8", "default": 1 });
    let index = json!({ "fields": ["gold"] });
    let relation = json!({ "from": "player.gold", "to": "guild" });
    let edits = [
        ("POST", "/table", json!({ "name": "town", "fields": [{ "name": "n", "type": "u8" }] })),
        ("PATCH", "/table/player", json!({ "description": "who plays" })),
        ("POST", "/table/player/field", field.clone()),
        ("PATCH", "/table/player/field/gold", json!({ "default": 5 })),
        ("DELETE", "/table/player/field/luck", json!({})),
        ("POST", "/table/player/index", index),
        ("DELETE", "/table/player/index/hp", json!({})),
        ("POST", "/relation", relation),
        ("DELETE", "/relation/member_of", json!({})),
        ("DELETE", "/table/player", json!({})),
    ];
    let batch = json!({ "ops": [{ "op": "delete", "table": "player", "id": record["_id"] }] });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "table.drop", "params": ["player"] });
    let others = [
        ("PATCH", "/table/player/records?hp=eq.100", json!({ "hp": 1 })),
        ("DELETE", "/table/player/records?hp=eq.100", json!({})),
        ("POST", "/table/player/record", json!({ "name": "Brom" })),
        ("POST", "/table/player/records", json!([{ "name": "Brom" }])),
        ("POST", "/batch", batch),
        ("POST", "/rpc", call),
    ];
    let before = served.dump();
    for (method, path, body) in &edits {
        let stale = client.send_json(method, path, &[("if-match", "\"s999\"")], body);
        stale.is_problem(412, "precondition_failed");
        client.send_json(method, path, &[("if-match", "garbage")], body).is_problem(400, "invalid_header");
    }
    for (method, path, body) in &others {
        for tag in ["\"s1\"", "garbage"] {
            client.send_json(method, path, &[("if-match", tag)], body).is_problem(400, "invalid_header");
        }
    }
    assert_eq!(served.dump(), before);
    client.send_json("POST", "/table/player/field", &[("if-match", &tag)], &field).is(201);
    client.send_json("DELETE", "/table/player/field/mana", &[("if-match", &tag)], &json!({})).is(412);
    client.send_json("DELETE", "/table/player/field/mana", &[("if-match", "*")], &json!({})).is(204);
}

#[test]
fn rc_4_how_many_may_be_affected_is_read_however_it_is_written() {
    let served = Served::arena();
    let mut client = served.client();
    super::insert_players(&mut client, 3);
    for prefer in ["max-affected=2", "Max-Affected=2", "max-affected = 2", "return=minimal, MAX-AFFECTED=\"2\""] {
        let answer = client.send("DELETE", "/table/player/records?all=true", &[("prefer", prefer)], None);
        assert_eq!(answer.is_problem(400, "max_affected")["affected"], 3, "{prefer}");
    }
}

/// An edit of the schema writes no record and changes what all of a table say: who has the state of before has another one.
#[test]
fn rc_3_a_tag_of_before_an_edit_of_the_schema_is_stale() {
    let served = Served::arena();
    let mut client = served.client();
    let path = format!("/table/player/record/{}", insert(&mut client, "player", &json!({ "name": "Ayla" }))["_id"]);
    let tag = client.get(&path).header("etag").expect("a record has a tag").to_owned();
    client.post("/table/player/field", &json!({ "name": "mana", "type": "u8", "default": 7 })).is(201);
    let seen = client.send("GET", &path, &[("if-none-match", &tag)], None).is(200);
    assert_eq!(seen.json()["mana"], 7);
    let put = json!({ "name": "Ayla" });
    client.send_json("PUT", &path, &[("if-match", &tag)], &put).is_problem(412, "precondition_failed");
    let tag = seen.header("etag").expect("a tag").to_owned();
    client.send_json("PUT", &path, &[("if-match", &tag)], &put).is(200);
}
