//! Batches: all or nothing.

use super::{Served, insert};
use serde_json::json;

#[test]
fn pr_2_a_batch_is_one_transaction_whose_parts_know_each_other() {
    let served = Served::arena();
    let mut client = served.client();
    let gone = insert(&mut client, "player", &json!({ "name": "Brom" }))["_id"].clone();
    let answer = client.post(
        "/batch",
        &json!({ "ops": [
            { "op": "insert", "table": "guild", "values": { "name": "Night Watch" }, "as": "g" },
            { "op": "insert", "table": "player", "values": { "name": "Ayla", "guild": "$g._id" }, "as": "p" },
            { "op": "patch", "table": "player", "id": "$p._id", "values": { "hp": 7 } },
            { "op": "replace", "table": "guild", "id": "$g._id", "values": { "name": "Day Watch" } },
            { "op": "delete", "table": "player", "id": gone },
        ] }),
    );
    let answer = answer.is(200);
    let results = answer.json();
    assert_eq!(answer.header("db-version"), Some(results["version"].to_string().as_str()));
    let (guild, player) = (&results["results"][0]["_id"], &results["results"][1]["_id"]);
    assert_eq!(results["results"][4], json!({ "_id": gone, "deleted": 1 }));
    let ayla = client.get("/table/player/by/name/Ayla").is(200).json();
    assert_eq!((&ayla["_id"], &ayla["guild"], &ayla["hp"]), (player, guild, &json!(7)));
    // One commit: all of it carries the same version.
    let day_watch = client.get("/table/guild/by/name/Day%20Watch").is(200).json();
    assert_eq!(ayla["_version"], day_watch["_version"]);
    client.get("/table/player/by/name/Brom").is_problem(404, "record_not_found");
}

#[test]
fn pr_2_a_batch_that_fails_leaves_nothing() {
    let served = Served::arena();
    let mut client = served.client();
    insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let before = served.dump();
    let good = json!({ "op": "insert", "table": "player", "values": { "name": "Brom" } });
    for (bad, status, code, pointer) in [
        (
            json!({ "op": "insert", "table": "player", "values": { "name": "Ayla" } }),
            409,
            "unique",
            "#/ops/1/values/name",
        ),
        (
            json!({ "op": "insert", "table": "player", "values": { "nme": "x" } }),
            422,
            "invalid_record",
            "#/ops/1/values/nme",
        ),
        (json!({ "op": "patch", "table": "player", "id": 1, "values": {} }), 404, "record_not_found", ""),
        (json!({ "op": "patch", "table": "player", "id": "x", "values": {} }), 400, "invalid_id", "#/ops/1/id"),
        (json!({ "op": "delete", "table": "plyer", "id": 4294967296_u64 }), 404, "unknown_table", "#/ops/1/table"),
        (json!({ "op": "remove", "table": "player", "id": 1 }), 422, "invalid_value", "#/ops/1/op"),
        (json!({ "op": "delete", "table": "player" }), 422, "missing_field", "#/ops/1/id"),
        (json!({ "op": "delete", "table": "player", "id": 1, "valus": 1 }), 422, "unknown_field", "#/ops/1/valus"),
        (json!(7), 422, "wrong_type", "#/ops/1"),
    ] {
        let problem = client.post("/batch", &json!({ "ops": [good, bad] })).is_problem(status, code);
        assert_eq!(problem["op"], 1, "{bad}");
        if !pointer.is_empty() {
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{bad}");
        }
    }
    assert_eq!(served.dump(), before);
    let many: Vec<_> = (0..10_001).map(|_| good.clone()).collect();
    client.post("/batch", &json!({ "ops": many })).is_problem(422, "too_many_operations");
    client.post("/batch", &json!({ "op": [] })).is_problem(422, "missing_field");
    assert_eq!(served.dump(), before);
}

#[test]
fn pr_2_a_dry_run_answers_and_takes_back() {
    let served = Served::arena();
    let mut client = served.client();
    let ops = json!([{ "op": "insert", "table": "player", "values": { "name": "Ayla" } }]);
    let before = served.dump().2;
    let tried = client.post("/batch", &json!({ "ops": ops, "dry_run": true })).is(200).json();
    assert!(tried["results"][0]["_id"].is_u64());
    assert_eq!(served.dump().2, before);
    client.post("/batch?dry_run=true", &json!({ "ops": ops })).is(200);
    assert_eq!(served.dump().2, before);
    client.post("/batch", &json!({ "ops": ops })).is(200);
    client.post("/batch?dry_run=true", &json!({ "ops": ops })).is_problem(409, "unique");
}

/// A name that is misspelt, or given later, was stored as a text once.
#[test]
fn pr_2_a_name_that_names_nothing_is_refused() {
    let served = Served::arena();
    let mut client = served.client();
    let before = served.dump();
    let guild =
        |name: &str, given: &str| json!({ "op": "insert", "table": "guild", "values": { "name": name }, "as": given });
    let motto = |motto: &str| json!({ "op": "insert", "table": "guild", "values": { "name": "W", "motto": motto } });
    for (ops, pointer) in [
        (json!([guild("A", "a"), motto("$b._id")]), "#/ops/1/values/motto"),
        (json!([motto("$a._id"), guild("A", "a")]), "#/ops/0/values/motto"),
        (json!([guild("A", "a"), { "op": "delete", "table": "guild", "id": "$aa._id" }]), "#/ops/1/id"),
        (json!([guild("A", "a"), guild("B", "a")]), "#/ops/1/as"),
    ] {
        let problem = client.post("/batch", &json!({ "ops": ops })).is_problem(422, "invalid_value");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    assert_eq!(served.dump(), before);
    // What only looks alike is a text.
    client.post("/batch", &json!({ "ops": [motto("$5 each._id"), guild("B", "b")] })).is(200);
}
