//! The OpenAPI document: it names every table's paths, its shapes refer to shapes that are there, and what the server
//! answers has the shape that the document says.

use super::{Served, insert};
use serde_json::{Value as Json, json};

#[test]
fn every_table_has_paths_and_every_reference_leads_somewhere() {
    let served = Served::arena();
    let mut client = served.client();
    let document = client.get("/openapi.json").is(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let post = &document["paths"]["/table/player/record"]["post"];
    assert_eq!(post["operationId"], "player.insert");
    assert_eq!(post["responses"]["201"]["links"]["patch"]["operationId"], "player.patch");
    for path in ["/table/player/record/{id}", "/table/player/records", "/table/player/by/name/{value}", "/batch"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert!(document["paths"]["/table/{table}/record"].is_null(), "records stand once for each table");
    let insert = &document["components"]["schemas"]["player.insert"];
    assert!(insert["required"].as_array().is_some_and(|required| required.contains(&json!("name"))));
    assert_eq!(insert["properties"]["hp"]["maximum"], 9999);

    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 10);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("references stay in the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn the_document_follows_the_schema() {
    let served = Served::arena();
    let mut client = served.client();
    let tag = client.get("/openapi.json").header("etag").expect("it has a tag").to_owned();
    client.send("GET", "/openapi.json", &[("if-none-match", &tag)], None).is(304);
    let note =
        json!({ "name": "note", "fields": [{ "name": "text", "type": "text" }, { "name": "at", "type": "u64" }] });
    client.send_json("POST", "/table", &[], &note).is(201);
    let changed = client.send("GET", "/openapi.json", &[("if-none-match", &tag)], None).is(200).json();
    assert_eq!(changed["components"]["schemas"]["note"]["properties"]["at"]["type"], "string");
    assert_eq!(changed["paths"]["/table/note/records"]["get"]["operationId"], "note.list");
}

#[test]
fn what_is_answered_has_the_members_that_the_document_says() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let document = client.get("/openapi.json").is(200).json();
    let shape = &document["components"]["schemas"]["player"];
    let mut said: Vec<&str> = shape["required"].as_array().expect("a list").iter().filter_map(Json::as_str).collect();
    let mut there: Vec<&str> = record.as_object().expect("a record").keys().map(String::as_str).collect();
    said.sort_unstable();
    there.sort_unstable();
    assert_eq!(said, there);
}

#[test]
fn rp_2_the_methods_of_rpc_can_be_read_without_calling_one() {
    let served = Served::arena();
    let mut client = served.client();
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "rpc.discover" });
    let discovered = client.send_json("POST", "/rpc", &[], &call).is(200).json();
    assert_eq!(client.get("/openrpc.json").is(200).json(), discovered["result"]);
}

fn collect_references<'j>(json: &'j Json, found: &mut Vec<&'j str>) {
    match json {
        Json::Object(members) => {
            for (name, member) in members {
                match member {
                    Json::String(target) if name == "$ref" => found.push(target),
                    _ => collect_references(member, found),
                }
            }
        }
        Json::Array(elements) => elements.iter().for_each(|element| collect_references(element, found)),
        _ => {}
    }
}
