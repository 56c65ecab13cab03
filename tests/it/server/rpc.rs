//! JSON-RPC over HTTP: the operations and the procedures. The protocol's own examples are tested beside it.

use super::{ARENA, Served, ids, insert_players};
use dbgen_runtime::Database;
use dbgen_tests::http::Client;
use serde_json::{Value as Json, json};

/// Calls a method; gives its result.
#[track_caller]
fn call(client: &mut Client, method: &str, params: Json) -> Json {
    let response = respond(client, method, params);
    assert_eq!(response.get("error"), None, "{response}");
    response["result"].clone()
}

#[track_caller]
fn respond(client: &mut Client, method: &str, params: Json) -> Json {
    client.post("/rpc", &json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 })).is(200).json()
}

#[test]
fn rp_2_every_operation_is_a_method() {
    let served = Served::empty();
    let client = &mut served.client();
    let city = json!({ "name": "city", "fields": [{ "name": "name", "type": "str<16>", "unique": true }] });
    call(client, "table.create", json!({ "definition": city }));
    call(client, "field.add", json!(["city", { "name": "people", "type": "u32", "default": 0 }]));
    assert_eq!(call(client, "table.list", json!([]))["items"][0]["fields"], json!(["name", "people"]));
    let rome = call(client, "record.insert", json!({ "table": "city", "values": { "name": "Rome" } }));
    let id = rome["_id"].clone();
    assert_eq!(call(client, "record.get", json!(["city", id])), rome);
    call(client, "record.patch", json!({ "table": "city", "id": id, "values": { "people": 7 } }));
    let replaced = call(client, "record.replace", json!({ "table": "city", "id": id, "values": { "name": "Roma" } }));
    assert_eq!((&replaced["name"], &replaced["people"]), (&json!("Roma"), &json!(0)));
    call(
        client,
        "records.insert_many",
        json!(["city", [{ "name": "Paris", "people": 2 }, { "name": "Oslo", "people": 1 }]]),
    );
    let page =
        call(client, "record.list", json!({ "table": "city", "where": { "people": { "gte": 1 } }, "order": "people" }));
    assert_eq!((&page["items"][0]["name"], &page["items"][1]["name"]), (&json!("Oslo"), &json!("Paris")));
    let ops = json!([{ "op": "delete", "table": "city", "id": ids(&page["items"])[0] }]);
    call(client, "tx.run", json!({ "ops": ops }));
    assert_eq!(call(client, "record.delete", json!({ "table": "city", "id": id }))["deleted"], 1);
    call(client, "table.create", json!([{ "name": "road", "fields": [{ "name": "to", "type": "str<16>" }] }]));
    let made = call(client, "relation.create", json!({ "from": "road.to", "to": "city.name" }));
    assert_eq!(call(client, "relation.list", json!({}))["items"][0]["id"], made["id"]);
    call(client, "relation.drop", json!({ "id": made["id"] }));
    call(client, "field.drop", json!(["city", "people"]));
    assert_eq!(call(client, "table.get", json!(["city"]))["rows"], 1);
    call(client, "table.drop", json!({ "table": "city" }));
    assert_eq!(call(client, "schema.get", json!({}))["tables"].as_object().map(|tables| tables.len()), Some(1));
    let methods = call(client, "rpc.discover", json!({}));
    assert_eq!(methods["openrpc"], "1.3.2");
    assert!(methods["methods"].as_array().is_some_and(|methods| methods.len() > 15));
}

#[test]
fn rp_2_errors_carry_the_problem() {
    let served = Served::arena();
    let client = &mut served.client();
    insert_players(client, 1);
    let before = served.dump();
    for (method, params, code, problem) in [
        ("record.insrt", json!({}), -32601, "method_not_found"),
        ("record.insert", json!({ "table": "player" }), -32602, "missing_parameter"),
        ("record.insert", json!({ "tabel": "player" }), -32602, "unknown_parameter"),
        ("record.insert", json!({ "table": "player", "values": 7 }), -32602, "invalid_parameter"),
        ("record.insert", json!(["player", {}, 3]), -32602, "unknown_parameter"),
        ("record.insert", json!(["plyer", {}]), -32001, "unknown_table"),
        ("record.insert", json!(["player", {}]), -32003, "missing_field"),
        ("record.insert", json!(["player", { "name": "p000" }]), -32007, "unique"),
        ("record.get", json!(["player", 1]), -32001, "record_not_found"),
        ("record.get", json!(["player", "x"]), -32602, "invalid_id"),
        ("record.delete", json!(["player", served_id(&before), "\"0.0\""]), -32004, "precondition_failed"),
        ("record.list", json!({ "table": "player", "limit": 1001 }), -32008, "limit_too_large"),
        ("record.list", json!({ "table": "player", "limit": 0 }), -32602, "invalid_parameter"),
        ("record.list", json!({ "table": "player", "where": { "hp": { "gt": "x" } } }), -32602, "invalid_value"),
        ("table.create", json!([{ "name": "player", "fields": [] }]), -32002, "table_exists"),
    ] {
        let response = respond(client, method, params.clone());
        let error = &response["error"];
        assert_eq!(
            (&error["code"], &error["data"]["code"]),
            (&json!(code), &json!(problem)),
            "{method} {params}: {response}"
        );
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{response}");
    }
    assert_eq!(respond(client, "record.insrt", json!({}))["error"]["data"]["suggestion"], "record.insert");
    assert_eq!(served.dump(), before);
}

/// The id of the first player, as the dump shows it.
fn served_id(dump: &(u64, u64, Vec<String>)) -> u64 {
    assert!(dump.2[1].contains("0v1"), "{:?}", dump.2);
    1 << 32
}

#[test]
fn pr_1_procedures_are_methods() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Subtract {
        minuend: i64,
        subtrahend: i64,
    }
    let served = Served::with(ARENA, |tick_loop| {
        tick_loop
            .procedure("subtract", |_, args: Subtract| Ok(args.minuend - args.subtrahend))
            .procedure("nothing", |_, (): ()| Ok("done"))
            .procedure("recruit", |tx, name: (String,)| {
                let player = tx.open_table("player")?;
                let id = tx.insert_values(player, &[(0, name.0.as_str().into())])?;
                if name.0 == "nobody" {
                    Err(dbgen_runtime::Error::abort("nobody is not somebody"))
                } else {
                    Ok(id.get())
                }
            })
    });
    let client = &mut served.client();
    assert_eq!(call(client, "subtract", json!([42, 23])), 19);
    assert_eq!(call(client, "subtract", json!({ "subtrahend": 23, "minuend": 42 })), 19);
    let none = client.post("/rpc", &json!({ "jsonrpc": "2.0", "method": "nothing", "id": 1 })).is(200).json();
    assert_eq!(none["result"], "done");
    let id = call(client, "recruit", json!(["Ayla"]));
    client.get(&format!("/table/player/record/{id}")).is(200);
    let before = served.dump();
    for (method, params, code) in [
        ("subtract", json!([42, "x"]), -32602),
        ("subtract", json!({ "minuend": 42 }), -32602),
        ("recruit", json!(["nobody"]), -32002),
        ("recruit", json!(["Ayla"]), -32007),
    ] {
        assert_eq!(respond(client, method, params)["error"]["code"], code, "{method}");
    }
    assert_eq!(served.dump().2, before.2, "what a failed procedure did is taken back");
    let methods = call(client, "rpc.discover", json!({}));
    let subtract =
        methods["methods"].as_array().and_then(|list| list.iter().find(|m| m["name"] == "subtract")).cloned();
    assert_eq!(subtract.expect("procedures are listed")["params"][0]["name"], "minuend");
}

#[test]
fn rp_1_over_http() {
    let served = Served::arena();
    let client = &mut served.client();
    let notification = client.post("/rpc", &json!({ "jsonrpc": "2.0", "method": "table.list" })).is(204);
    assert_eq!(notification.body, b"");
    client.post("/rpc", &json!([{ "jsonrpc": "2.0", "method": "table.list" }])).is(204);
    let json_type = [("content-type", "application/json")];
    let broken = client.send("POST", "/rpc", &json_type, Some(b"{\"jsonrpc\"")).is(200).json();
    assert_eq!((&broken["error"]["code"], &broken["id"]), (&json!(-32700), &Json::Null));
    let twice = client.send("POST", "/rpc", &json_type, Some(br#"{"jsonrpc":"2.0","id":1,"id":2}"#)).is(200).json();
    assert_eq!(twice["error"]["data"]["code"], "duplicate_key");
    client
        .send("POST", "/rpc", &[("content-type", "text/plain")], Some(b"{}"))
        .is_problem(415, "unsupported_media_type");
    client.get("/rpc").is_problem(405, "method_not_allowed");
    // A batch is executed in order, and a request that fails does not keep the others.
    let batch = json!([
        { "jsonrpc": "2.0", "method": "record.insert", "params": ["player", { "name": "Ayla" }], "id": "a" },
        { "jsonrpc": "2.0", "method": "record.insert", "params": ["player", { "name": "Ayla" }], "id": "b" },
        { "jsonrpc": "2.0", "method": "record.list", "params": ["player"], "id": "c" },
    ]);
    let responses = client.post("/rpc", &batch).is(200).json();
    assert_eq!((&responses[0]["id"], &responses[1]["error"]["code"]), (&json!("a"), &json!(-32007)));
    assert_eq!(responses[2]["result"]["total"], 1);
}

#[test]
fn rp_2_a_snapshot_is_taken_or_it_is_said_why_not() {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "snapshot.create" });
    let served = Served::arena();
    let mut client = served.client();
    client.send("POST", "/snapshot", &[], None).is_problem(409, "no_data_folder");
    assert_eq!(client.post("/rpc", &call).is(200).json()["error"]["data"]["code"], "no_data_folder");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = Database::builder().data_dir(folder.path()).open().expect("it opens");
    let served = Served::on(db, |tick_loop| tick_loop);
    let mut client = served.client();
    let table = json!({ "name": "pet", "fields": [{ "name": "name", "type": "str<8>" }] });
    client.post("/table", &table).is(201);
    let taken = client.send("POST", "/snapshot", &[], None).is(200);
    let seen: u64 = taken.header("db-version").and_then(|version| version.parse().ok()).expect("a version");
    assert_eq!(taken.json()["commit"], seen);
    assert_eq!(client.post("/rpc", &call).is(200).json()["result"]["commit"], seen);
}
