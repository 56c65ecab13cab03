//! One record: insert, read, replace, patch, delete.

use super::{Served, insert};
use serde_json::json;

/// A float that is not finite is asked for where one may be stored, and elsewhere no value of the field.
#[test]
fn rc_2_a_record_is_found_by_a_float_that_is_not_finite() {
    let served = Served::with(
        r#"{ "name": "floats", "version": "1", "tables": { "probe": { "fields": [
            {"name":"any","type":"f32","unique":true,"allow_nan":true}, {"name":"finite","type":"f64","unique":true} ] } } }"#,
        |tick_loop| tick_loop,
    );
    let mut client = served.client();
    for (any, finite) in [("NaN", 0.5), ("-Infinity", 1.5)] {
        let made = insert(&mut client, "probe", &json!({ "any": any, "finite": finite }));
        let found = client.get(&format!("/table/probe/by/any/{any}")).is(200).json();
        assert_eq!((&found["_id"], &found["finite"]), (&made["_id"], &json!(finite)));
        let problem = client.get(&format!("/table/probe/by/finite/{any}")).is_problem(400, "invalid_value");
        assert_eq!((&problem["param"], &problem["got"]), (&json!("finite"), &json!(any)), "{problem}");
    }
    client.get("/table/probe/by/any/Infinity").is_problem(404, "record_not_found");
    client.get("/table/probe/by/any/nan").is_problem(400, "invalid_value");
}

#[test]
fn rc_1_an_inserted_record_is_answered_as_it_is_stored() {
    let served = Served::arena();
    let mut client = served.client();
    let answer =
        client.post("/table/player/record", &json!({ "name": "Ayla", "class": "mage", "gold": "9007199254740993" }));
    let answer = answer.is(201);
    let record = answer.json();
    let id = record["_id"].as_u64().expect("an id is a number");
    assert_eq!(answer.header("location"), Some(format!("/table/player/record/{id}").as_str()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let version = record["_version"].as_u64().expect("a version is a number");
    assert!(answer.header("etag").is_some_and(|tag| tag.ends_with(&format!(".{version}\""))));
    assert_eq!(answer.header("db-version"), Some(version.to_string().as_str()));
    assert_eq!(
        record,
        json!({
            "_id": id, "_version": version, "name": "Ayla", "class": "mage", "hp": 100, "gold": "9007199254740993",
            "luck": 0.0, "pos": { "x": 0.0, "y": 0.0, "z": 0.0 }, "bag": [0, 0, 0, 0], "seen": null, "guild": null,
        })
    );
    // What one reads first comes first.
    let text = String::from_utf8(answer.body.clone()).expect("JSON is UTF-8");
    assert!(text.starts_with(&format!("{{\"_id\":{id},\"_version\":{version},\"name\":\"Ayla\",")), "{text}");
    assert_eq!(client.get(answer.header("location").unwrap()).is(200).body, answer.body);
}

#[test]
fn rc_1_a_client_may_prefer_no_body() {
    let served = Served::arena();
    let mut client = served.client();
    let body = json!({ "name": "Ayla" });
    let answer = client.send_json("POST", "/table/player/record", &[("prefer", "return=minimal")], &body).is(201);
    assert_eq!(answer.body, b"");
    assert_eq!(answer.header("preference-applied"), Some("return=minimal"));
    client.get(answer.header("location").unwrap()).is(200);
}

#[test]
fn rc_2_a_record_is_read_by_id_and_by_unique_field() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla", "gold": 5 }));
    let path = format!("/table/player/record/{}", record["_id"]);
    assert_eq!(client.get(&path).is(200).json(), record);
    assert_eq!(client.get("/table/player/by/name/Ayla").is(200).json(), record);
    assert_eq!(client.get(&format!("{path}?int64=number")).is(200).json()["gold"], 5);
    let head = client.send("HEAD", &path, &[], None).is(200);
    assert_eq!(head.body, b"");
    assert_eq!(head.header("content-length"), Some(client.get(&path).body.len().to_string().as_str()));
    client.get("/table/player/by/name/Nobody").is_problem(404, "record_not_found");
    client.get("/table/player/by/hp/100").is_problem(400, "not_unique_field");
    client.get("/table/player/by/nme/Ayla").is_problem(404, "field_not_found");
}

#[test]
fn rc_3_put_replaces_all_and_patch_only_what_it_names() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla", "hp": 5, "pos": { "x": 1, "y": 2, "z": 3 } }));
    let path = format!("/table/player/record/{}", record["_id"]);

    let patched = client.send_json("PATCH", &path, &[], &json!({ "pos": { "y": 7 }, "seen": 0 })).is(200).json();
    assert_eq!(patched["pos"], json!({ "x": 1.0, "y": 7.0, "z": 3.0 }), "a merge patch reaches into a composite");
    assert_eq!((&patched["hp"], &patched["seen"]), (&json!(5), &json!("1970-01-01T00:00:00Z")));
    assert!(patched["_version"].as_u64() > record["_version"].as_u64());
    let merge = [("content-type", "application/merge-patch+json")];
    let cleared = client.send("PATCH", &path, &merge, Some(br#"{"seen":null}"#)).is(200).json();
    assert_eq!(cleared["seen"], json!(null));

    let replaced = client.send_json("PUT", &path, &[], &json!({ "name": "Ayla" })).is(200).json();
    assert_eq!((&replaced["hp"], &replaced["pos"]["x"]), (&json!(100), &json!(0.0)), "what is left out is the default");
    // What the server sends can be sent back.
    client.send_json("PUT", &path, &[], &replaced).is(200);
    client.send_json("PATCH", &path, &[], &json!({ "hp": 1 })).is(200);
    let stale = client.send_json("PUT", &path, &[], &replaced).is_problem(422, "system_member");
    assert_eq!(stale["errors"][0]["pointer"], "#/_version");
}

#[test]
fn rc_4_a_deleted_record_is_gone_and_its_id_never_comes_back() {
    let served = Served::arena();
    let mut client = served.client();
    let first = insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let path = format!("/table/player/record/{}", first["_id"]);
    let answer = client.delete(&path).is(204);
    assert_eq!(answer.body, b"");
    let second = insert(&mut client, "player", &json!({ "name": "Brom" }));
    assert_ne!(first["_id"], second["_id"]);
    for method in ["GET", "HEAD", "DELETE"] {
        assert_eq!(client.send(method, &path, &[], None).status, 404, "{method}");
    }
    let problem = client.get(&path).is_problem(404, "record_not_found");
    assert_eq!(problem["deleted"], true);
    client.send_json("PUT", &path, &[], &json!({ "name": "Ayla" })).is_problem(404, "record_not_found");
    client.send_json("PATCH", &path, &[], &json!({ "hp": 1 })).is_problem(404, "record_not_found");
}

#[test]
fn rc_4_a_record_that_others_refer_to_stays() {
    let served = Served::arena();
    let mut client = served.client();
    let guild = insert(&mut client, "guild", &json!({ "name": "Night Watch" }));
    let player = insert(&mut client, "player", &json!({ "name": "Ayla", "guild": guild["_id"] }));
    let before = served.dump();
    let problem = client.delete(&format!("/table/guild/record/{}", guild["_id"])).is_problem(409, "restricted");
    assert_eq!(
        problem["blocking"],
        json!([{ "relation": "member_of", "table": "player", "count": 1, "sample_ids": [player["_id"]] }])
    );
    assert_eq!(served.dump(), before);
    client.delete(&format!("/table/player/record/{}", player["_id"])).is(204);
    client.delete(&format!("/table/guild/record/{}", guild["_id"])).is(204);
}
