//! Component tables: records that belong to another table's record, and are called by its id.

use super::{Served, insert};
use dbgen_tests::http::Client;
use serde_json::{Value as Json, json};

const WORLD: &str = r#"{ "name": "world", "version": "1", "tables": {
    "entity": { "fields": [ {"name":"tag","type":"str<8>","default":""} ] },
    "health": { "parent_table": "entity", "fields": [ {"name":"hp","type":"i32","default":10} ] } } }"#;

fn served() -> (Served, Client, Json) {
    let served = Served::with(WORLD, |tick_loop| tick_loop);
    let mut client = served.client();
    let entity = insert(&mut client, "entity", &json!({}))["_id"].clone();
    (served, client, entity)
}

#[test]
fn rc_1_a_component_is_inserted_for_its_owner() {
    let (served, mut client, entity) = served();
    let answer = client.post("/table/health/record", &json!({ "_id": entity, "hp": 7 })).is(201);
    assert_eq!(answer.header("location"), Some(format!("/table/health/record/{entity}").as_str()));
    assert_eq!(answer.json()["_id"], entity);
    assert_eq!(client.get(&format!("/table/health/record/{entity}")).is(200).json()["hp"], 7);

    let before = served.dump();
    for (body, status, code) in [
        (json!({ "hp": 7 }), 422, "missing_field"),
        (json!({ "_id": "x", "hp": 7 }), 422, "wrong_type"),
        (json!({ "_id": entity, "hp": 7 }), 409, "unique"),
        (json!({ "_id": 1_u64 << 33, "hp": 7 }), 409, "unknown_reference"),
        // Numbers that are no record's.
        (json!({ "_id": 7, "hp": 7 }), 409, "unknown_reference"),
        (json!({ "_id": u64::MAX, "hp": 7 }), 409, "unknown_reference"),
    ] {
        let problem = client.post("/table/health/record", &body).is_problem(status, code);
        assert_eq!(problem["errors"][0]["pointer"], "#/_id", "{body}");
    }
    assert_eq!(served.dump(), before);
    client.delete(&format!("/table/entity/record/{entity}")).is(204);
    client.get(&format!("/table/health/record/{entity}")).is_problem(404, "record_not_found");
}

#[test]
fn rc_3_a_component_can_be_put_where_none_is() {
    let (served, mut client, entity) = served();
    let path = format!("/table/health/record/{entity}");
    client.send_json("PUT", &path, &[], &json!({ "hp": 1 })).is_problem(404, "record_not_found");
    let wrong = client.send_json("PUT", &format!("{path}?upsert=true"), &[], &json!({ "_id": 7 }));
    wrong.is_problem(422, "system_member");
    assert_eq!(
        client.send_json("PUT", &format!("{path}?upsert=true"), &[], &json!({ "_id": entity })).is(201).json()["hp"],
        10
    );
    assert_eq!(
        client.send_json("PUT", &format!("{path}?upsert=true"), &[], &json!({ "hp": 2 })).is(200).json()["hp"],
        2
    );
    let create_only = [("if-none-match", "*")];
    client.send_json("PUT", &path, &create_only, &json!({ "hp": 3 })).is_problem(412, "precondition_failed");
    client.delete(&path).is(204);
    client.send_json("PUT", &path, &create_only, &json!({ "hp": 3 })).is(201);
    // Nobody's component.
    let nobodys = format!("/table/health/record/{}?upsert=true", 1_u64 << 33);
    client.send_json("PUT", &nobodys, &[], &json!({ "hp": 3 })).is_problem(404, "record_not_found");
    // Other records cannot be put where they have never been: ids are not chosen.
    let never = format!("/table/entity/record/{}?upsert=true", 1_u64 << 33);
    client.send_json("PUT", &never, &[], &json!({})).is_problem(404, "record_not_found");
    assert_eq!(served.db.read().open_table("health").expect("it is there").len(), 1);
}
