//! The examples of the JSON-RPC 2.0 specification, in its order, and what servers get wrong.

use super::*;
use serde_json::json;

/// The methods of the specification's examples.
async fn method(name: String, params: Option<Json>) -> MethodResult {
    let params = params.unwrap_or(Json::Null);
    let number = |at: usize, name: &str| params.get(at).or(params.get(name)).and_then(Json::as_i64).unwrap_or(0);
    let result = match name.as_str() {
        "subtract" => json!(number(0, "minuend") - number(1, "subtrahend")),
        "sum" => json!(params.as_array().map_or(0, |list| list.iter().filter_map(Json::as_i64).sum())),
        "get_data" => json!(["hello", 5]),
        "update" | "notify_hello" | "notify_sum" => Json::Null,
        _ => return Err(Problem::new(Kind::MethodNotFound, name)),
    };
    Ok(json::to_vec(&result))
}

/// What is answered, without the `data` of errors, which the specification leaves to the server.
#[track_caller]
fn answered(text: &str) -> Option<Json> {
    let shape = Shape { request_id: "0", schema_version: 1 };
    let mut future = std::pin::pin!(answer(read(text.as_bytes()), shape, method));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(text) = future.as_mut().poll(&mut context) else {
        panic!("the methods wait for nothing")
    };
    let mut json: Json = serde_json::from_slice(&text?).expect("a response is JSON");
    let responses = json.as_array_mut().map(|list| list.iter_mut().collect::<Vec<_>>());
    for response in responses.unwrap_or_default() {
        drop_data(response);
    }
    drop_data(&mut json);
    Some(json)
}

fn drop_data(response: &mut Json) {
    if let Some(error) = response.get_mut("error").and_then(Json::as_object_mut) {
        assert!(error.remove("data").is_some_and(|data| data.is_object()), "every error carries its problem");
    }
}

fn error(code: i32, message: &str, id: Json) -> Json {
    json!({ "jsonrpc": "2.0", "error": { "code": code, "message": message }, "id": id })
}

#[test]
fn rp_1_the_fifteen_examples_of_the_specification() {
    let result = |result: Json, id: Json| Some(json!({ "jsonrpc": "2.0", "result": result, "id": id }));
    let invalid = || error(-32600, "Invalid Request", Json::Null);
    let parse_error = || Some(error(-32700, "Parse error", Json::Null));
    let examples = [
        // Positional parameters.
        (r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#, result(json!(19), json!(1))),
        (r#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#, result(json!(-19), json!(2))),
        // Named parameters.
        (
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
            result(json!(19), json!(3)),
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
            result(json!(19), json!(4)),
        ),
        // Notifications.
        (r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#, None),
        (r#"{"jsonrpc": "2.0", "method": "foobar"}"#, None),
        // A method that does not exist.
        (r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#, Some(error(-32601, "Method not found", json!("1")))),
        // Invalid JSON, an invalid request.
        (r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#, parse_error()),
        (r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#, Some(invalid())),
        // Batches: invalid JSON, empty, invalid requests.
        (
            r#"[ {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method" ]"#,
            parse_error(),
        ),
        ("[]", Some(invalid())),
        ("[1]", Some(json!([invalid()]))),
        ("[1,2,3]", Some(json!([invalid(), invalid(), invalid()]))),
        // A batch of everything.
        (
            r#"[ {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
                 {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
                 {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
                 {"foo": "boo"},
                 {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
                 {"jsonrpc": "2.0", "method": "get_data", "id": "9"} ]"#,
            Some(json!([
                { "jsonrpc": "2.0", "result": 7, "id": "1" },
                { "jsonrpc": "2.0", "result": 19, "id": "2" },
                invalid(),
                error(-32601, "Method not found", json!("5")),
                { "jsonrpc": "2.0", "result": ["hello", 5], "id": "9" },
            ])),
        ),
        // A batch of notifications.
        (
            r#"[ {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
                 {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]} ]"#,
            None,
        ),
    ];
    assert_eq!(examples.len(), 15);
    for (at, (request, expected)) in examples.into_iter().enumerate() {
        assert_eq!(answered(request), expected, "example {}: {request}", at + 1);
    }
}

#[test]
fn rp_1_ids_are_given_back_as_they_were_written() {
    let shape = Shape { request_id: "0", schema_version: 1 };
    for id in ["null", "1.0", "1e3", "123456789012345678901234567890", "-0", r#""\u0041""#, r#""""#] {
        let request = format!(r#"{{"jsonrpc":"2.0","method":"sum","params":[1],"id": {id} }}"#);
        let mut future = std::pin::pin!(answer(read(request.as_bytes()), shape, method));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(Some(text)) = future.as_mut().poll(&mut context) else { panic!("{id}") };
        let expected = format!(r#"{{"jsonrpc":"2.0","result":1,"id":{id}}}"#);
        assert_eq!(String::from_utf8(text).expect("UTF-8"), expected);
    }
}

#[test]
fn rp_1_what_is_no_request_is_told_so() {
    for request in [
        r#"{"jsonrpc":"1.0","method":"sum","id":7}"#,
        r#"{"method":"sum","id":7}"#,
        r#"{"jsonrpc":2.0,"method":"sum","id":7}"#,
        r#"{"jsonrpc":"2.0","method":"sum","params":7,"id":7}"#,
        r#"{"jsonrpc":"2.0","method":"sum","params":null,"id":7}"#,
        r#"{"jsonrpc":"2.0","method":null,"id":7}"#,
    ] {
        assert_eq!(answered(request), Some(error(-32600, "Invalid Request", json!(7))), "{request}");
    }
    // Whose id it is cannot be told.
    for request in
        [r#"{"jsonrpc":"2.0","method":"sum","id":[7]}"#, r#"{"jsonrpc":"2.0","id":true,"method":"sum"}"#, "7"]
    {
        assert_eq!(answered(request), Some(error(-32600, "Invalid Request", Json::Null)), "{request}");
    }
    // Members that the protocol does not know are nobody's business.
    let request = r#"{"jsonrpc":"2.0","method":"sum","params":[1],"id":7,"meta":{}}"#;
    assert_eq!(answered(request), Some(json!({ "jsonrpc": "2.0", "result": 1, "id": 7 })));
    let too_many = format!("[{}1]", "1,".repeat(RPC_BATCH_MAX));
    assert_eq!(answered(&too_many), Some(error(-32008, "Too many operations", Json::Null)));
}
