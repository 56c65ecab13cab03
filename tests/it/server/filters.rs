//! What lists can be asked: every operator, alone and combined, in URLs and as JSON.

use super::{Served, insert};
use dbgen_tests::http::Client;
use serde_json::{Value as Json, json};

/// Five players: names, hp, bags, and who has been seen.
fn served() -> (Served, Client) {
    let served = Served::arena();
    let mut client = served.client();
    for (name, hp, bag, seen) in [
        ("Ayla", 100, [1, 2, 0, 0], json!("2024-01-01T00:00:00Z")),
        ("Brom", 50, [2, 3, 0, 0], json!(null)),
        ("cora", 7, [0, 0, 0, 0], json!("2024-06-01T00:00:00Z")),
        ("a*b,(c)", 7, [9, 9, 9, 9], json!(null)),
        ("Ärger", 0, [1, 9, 0, 0], json!(null)),
    ] {
        insert(&mut client, "player", &json!({ "name": name, "hp": hp, "bag": bag, "seen": seen }));
    }
    (served, client)
}

fn names(answer: &Json) -> Vec<String> {
    let items = answer["items"].as_array().expect("a list");
    items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn rc_5_every_operator_finds_what_it_says() {
    let (_served, mut client) = served();
    for (query, expected) in [
        ("hp=eq.7", &["cora", "a*b,(c)"][..]),
        ("hp=not.eq.7", &["Ayla", "Brom", "Ärger"]),
        ("hp=not.not.eq.7", &["cora", "a*b,(c)"]),
        ("hp=between.(7,50)", &["Brom", "cora", "a*b,(c)"]),
        ("hp=not.between.(7,50)", &["Ayla", "Ärger"]),
        ("hp=in.(0,100)", &["Ayla", "Ärger"]),
        ("name=like.*r*", &["Brom", "cora", "Ärger"]),
        ("name=like.*r", &["Ärger"]),
        ("name=like.Brom", &["Brom"]),
        ("name=ilike.c*a", &["cora"]),
        ("name=ilike.ä*", &["Ärger"]),
        ("name=starts.a*", &["a*b,(c)"]),
        ("name=starts.A", &["Ayla"]),
        ("name=eq.a*b,(c)", &["a*b,(c)"]),
        ("bag=cs.9", &["a*b,(c)", "Ärger"]),
        ("bag=cs.(1,2)", &["Ayla"]),
        ("bag=not.cs.0", &["a*b,(c)"]),
        ("seen=is.null", &["Brom", "a*b,(c)", "Ärger"]),
        ("seen=not.is.null", &["Ayla", "cora"]),
        // A null fulfils neither a comparison nor its opposite.
        ("seen=not.gt.2024-03-01T00:00:00Z", &["Ayla"]),
        ("or=(hp.eq.0,name.eq.Ayla)", &["Ayla", "Ärger"]),
        ("or=(hp.eq.0,and(hp.eq.7,name.starts.c))", &["cora", "Ärger"]),
        ("not.or=(hp.eq.7,hp.eq.0)", &["Ayla", "Brom"]),
        ("and=(hp.gt.1,not.or(hp.eq.7,hp.eq.50))", &["Ayla"]),
        ("or=(name.eq.\"a*b,(c)\",name.in.(\"Brom\",x))", &["Brom", "a*b,(c)"]),
        ("hp=gt.5&or=(name.eq.cora,name.eq.Ärger)", &["cora"]),
    ] {
        let path = format!(
            "/table/player/records?{}",
            query.replace('"', "%22").replace('Ä', "%C3%84").replace('ä', "%C3%A4")
        );
        assert_eq!(names(&client.get(&path).is(200).json()), expected, "{query}");
    }
}

#[test]
fn rc_5_the_same_as_json() {
    let (_served, mut client) = served();
    for (conditions, expected) in [
        (json!({ "hp": 7 }), &["cora", "a*b,(c)"][..]),
        (json!({ "hp": { "gte": 7, "lt": 100 } }), &["Brom", "cora", "a*b,(c)"]),
        (json!({ "hp": { "not": { "eq": 7 } } }), &["Ayla", "Brom", "Ärger"]),
        (json!({ "hp": { "between": [7, 50] } }), &["Brom", "cora", "a*b,(c)"]),
        (json!({ "hp": { "in": [0, 100] } }), &["Ayla", "Ärger"]),
        (json!({ "name": { "like": "*r" } }), &["Ärger"]),
        (json!({ "name": { "starts": "a*" } }), &["a*b,(c)"]),
        (json!({ "bag": { "cs": [1, 2] } }), &["Ayla"]),
        (json!({ "bag": { "cs": 9 } }), &["a*b,(c)", "Ärger"]),
        (json!({ "seen": null }), &["Brom", "a*b,(c)", "Ärger"]),
        (json!({ "seen": { "neq": null } }), &["Ayla", "cora"]),
        (json!({ "or": [ { "hp": 0 }, { "and": [ { "hp": 7 }, { "name": "cora" } ] } ] }), &["cora", "Ärger"]),
        (json!({ "not": { "or": [ { "hp": 7 }, { "hp": 0 } ] } }), &["Ayla", "Brom"]),
        (json!({}), &["Ayla", "Brom", "cora", "a*b,(c)", "Ärger"]),
    ] {
        let answer = client.post("/table/player/query", &json!({ "where": conditions })).is(200).json();
        assert_eq!(names(&answer), expected, "{conditions}");
    }
    let page = json!({ "where": { "hp": { "gte": 7 } }, "select": ["name"], "order": [["hp", "desc"], "name"], "limit": 2,
        "count": "exact" });
    let first = client.post("/table/player/query", &page).is(200).json();
    assert_eq!((names(&first), &first["total"]), (vec!["Ayla".to_owned(), "Brom".to_owned()], &json!(4)));
    assert_eq!(first["items"][0].as_object().expect("an object").len(), 3, "_id, _version and the name");
    let mut next = page.clone();
    next["cursor"] = first["next"].clone();
    assert_eq!(names(&client.post("/table/player/query", &next).is(200).json()), ["a*b,(c)", "cora"]);
}

#[test]
fn rc_5_wrong_questions_are_told_where() {
    let (_served, mut client) = served();
    for (query, code) in [
        ("hp=like.7", "invalid_parameter"),
        ("name=cs.a", "invalid_parameter"),
        ("bag=eq.1", "invalid_parameter"),
        ("hp=between.(1)", "invalid_parameter"),
        ("hp=between.1,2", "invalid_parameter"),
        ("hp=not", "invalid_parameter"),
        ("hp=nto.eq.1", "invalid_parameter"),
        ("or=(hp.eq.1", "unknown_parameter_or_invalid"),
        ("or=(hp)", "invalid_parameter"),
        ("or=(hpp.eq.1)", "unknown_parameter"),
        ("or=(hp.eq.x)", "invalid_value"),
        ("bag=cs.x", "invalid_value"),
    ] {
        let answer = client.get(&format!("/table/player/records?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        if code != "unknown_parameter_or_invalid" {
            answer.is_problem(400, code);
        }
    }
    let caret = client.get("/table/player/records?or=(hp.eq.1,name)").is_problem(400, "invalid_parameter");
    assert_eq!((&caret["position"], &caret["caret"]), (&json!(9), &json!("(hp.eq.1,name)\n         ^")));
    // So does one condition, wherever it stands.
    for (query, code, position, caret) in [
        ("hp=gte.x", "invalid_value", 4, "gte.x\n    ^"),
        ("hp=not.gte.x", "invalid_value", 8, "not.gte.x\n        ^"),
        ("hp=roughly.5", "invalid_parameter", 0, "roughly.5\n^"),
        ("hp=between.(1)", "invalid_parameter", 8, "between.(1)\n        ^"),
        ("hp=in.(1,x)", "invalid_value", 6, "in.(1,x)\n      ^"),
        ("or=(hp.eq.1,hp.eq.x)", "invalid_value", 15, "(hp.eq.1,hp.eq.x)\n               ^"),
    ] {
        let problem = client.get(&format!("/table/player/records?{query}")).is_problem(400, code);
        assert_eq!((&problem["position"], &problem["caret"]), (&json!(position), &json!(caret)), "{problem}");
    }
    let deep = format!("or={}hp.eq.1{}", "(and".repeat(9), ")".repeat(9));
    client.get(&format!("/table/player/records?{deep}")).is_problem(400, "limit_too_large");
    for (body, pointer) in [
        (json!({ "where": [] }), "#/where"),
        (json!({ "where": { "hp": { "gt": "x" } } }), "#/where/hp/gt"),
        (json!({ "where": { "or": [ { "hp": { "in": 7 } } ] } }), "#/where/or/0/hp/in"),
        (json!({ "limit": "x" }), "#/limit"),
        (json!({ "wehre": {} }), "#/wehre"),
        (json!({ "count": "some" }), "#/count"),
        (json!({ "select": [1] }), "#/select"),
        (json!({ "order": [[]] }), "#/order"),
        (json!({ "order": ["hp", ""] }), "#/order"),
    ] {
        let answer = client.post("/table/player/query", &body);
        assert!((400..500).contains(&answer.status), "{body}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{body}: {}", answer.json());
    }
    client.post("/table/player/query", &json!({ "where": { "hpp": 1 } })).is_problem(400, "unknown_parameter");
    let within = |nots: usize| {
        let condition = (0..nots).fold(json!({ "eq": 7 }), |condition, _| json!({ "not": condition }));
        json!({ "where": { "hp": condition } })
    };
    assert_eq!(names(&client.post("/table/player/query", &within(8)).is(200).json()), ["cora", "a*b,(c)"]);
    client.post("/table/player/query", &within(9)).is_problem(400, "limit_too_large");
}

/// Whoever mends a long question does it once.
#[test]
fn rc_5_all_that_is_wrong_with_a_question_is_told_at_once() {
    let (_served, mut client) = served();
    let told = |problem: &Json| -> Vec<(String, String)> {
        let text = |fault: &Json, name: &str| fault[name].as_str().expect("a text").to_owned();
        let errors = problem["errors"].as_array().expect("a list");
        errors.iter().map(|fault| (text(fault, "pointer"), text(fault, "code"))).collect()
    };
    let expect = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
    };
    let wrong =
        "limit=0&int64=maybe&hp=gte.x&hpp=eq.1&order=nope,hp.sideways,level&select=name,bags&count=exact&offset=1";
    let problem = client.get(&format!("/table/player/records?{wrong}")).is_problem(400, "invalid_parameter");
    assert_eq!(
        told(&problem),
        expect(&[
            ("?limit", "invalid_parameter"),
            ("?int64", "invalid_parameter"),
            ("?hp", "invalid_value"),
            ("?hpp", "unknown_parameter"),
            ("?order", "unknown_parameter"),
            ("?order", "invalid_parameter"),
            ("?order", "unknown_parameter"),
            ("?select", "unknown_parameter"),
        ]),
        "{problem}"
    );
    assert_eq!(problem["errors"][3]["suggestion"], "hp", "{problem}");
    // A single mistake has its place too, and keeps its own code.
    let problem = client.get("/table/player/records?limit=0").is_problem(400, "invalid_parameter");
    assert_eq!(told(&problem), expect(&[("?limit", "invalid_parameter")]));
    // What sets of records are changed by.
    let problem = client.delete("/table/player/records?all=yes&hp=x&name=like.a*").is_problem(400, "invalid_parameter");
    assert_eq!(told(&problem), expect(&[("?all", "invalid_parameter"), ("?hp", "invalid_parameter")]));
    // The same as JSON: its places are those of the body.
    let body = json!({ "where": { "hp": { "gt": "x", "abut": 1 }, "or": [ { "hpp": 1 }, { "name": 5 } ] },
        "order": "nope", "limit": 0, "count": "some" });
    let problem = client.post("/table/player/query", &body).json();
    let pointers: Vec<String> = told(&problem).into_iter().map(|(pointer, _)| pointer).collect();
    let expected =
        ["#/limit", "#/count", "#/where/hp/gt", "#/where/hp/abut", "#/where/or/0/hpp", "#/where/or/1/name", "#/order"];
    assert_eq!(pointers, expected, "{problem}");
    // And by name, over JSON-RPC.
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "record.list",
        "params": { "table": "player", "where": { "hp": { "gt": "x" } }, "order": "nope", "offset": "far" } });
    let problem = client.post("/rpc", &call).is(200).json()["error"]["data"].take();
    let pointers: Vec<String> = told(&problem).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["#/offset", "#/where/hp/gt", "#/order"], "{problem}");
    let call =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "record.list", "params": { "tabel": "player", "pgae": 1 } });
    let problem = client.post("/rpc", &call).is(200).json()["error"]["data"].take();
    let pointers: Vec<String> = told(&problem).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["#/tabel", "#/pgae", "#/table"], "{problem}");
}

/// The default order is that of the slots, so a page reads what it shows and no more, whatever was deleted before.
#[test]
fn rc_5_a_page_by_id_looks_at_no_more_than_it_shows() {
    let served = Served::arena();
    let mut client = served.client();
    let ids = super::insert_players(&mut client, 50);
    for id in ids.iter().step_by(3) {
        client.delete(&format!("/table/player/record/{id}")).is(204);
    }
    super::insert_players(&mut client, 0);
    for name in ["new one", "new two"] {
        insert(&mut client, "player", &json!({ "name": name }));
    }
    let walk = |client: &mut Client, order: &str| {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = client.get(&format!("/table/player/records?limit=7{order}{cursor}")).is(200);
            let plan = answer.header("query-plan").expect("a list says how it was made").to_owned();
            let examined: usize = plan.rsplit('=').next().and_then(|n| n.parse().ok()).expect("a number");
            assert!(plan.starts_with("scan") && examined <= 10, "{plan}");
            let page = answer.json();
            seen.extend(names(&page));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return seen,
            }
        }
    };
    let forward = walk(&mut client, "");
    assert_eq!(forward.len(), 50 - 17 + 2);
    let mut backward = walk(&mut client, "&order=_id.desc");
    backward.reverse();
    assert_eq!(forward, backward);
}

/// What a field may hold, it can be asked for; what it may not hold, too, as long as it is a value of its type.
#[test]
fn rc_5_a_field_is_asked_for_all_that_its_type_has() {
    let schema = json!({ "name": "w", "version": "1", "tables": { "t": { "fields": [
        { "name": "name", "type": "str<8>" }, { "name": "free", "type": "f64", "allow_nan": true, "indexed": true },
        { "name": "odds", "type": "list<f32>", "allow_nan": true }, { "name": "plain", "type": "f32", "min": 0 } ] } } });
    let served = Served::with(&schema.to_string(), |tick_loop| tick_loop);
    let mut client = served.client();
    for (name, free, odds) in [
        ("one", json!(1), json!([1, 2])),
        ("endless", json!("Infinity"), json!(["-Infinity"])),
        ("none", json!("NaN"), json!(["NaN", 2])),
    ] {
        insert(&mut client, "t", &json!({ "name": name, "free": free, "odds": odds, "plain": 0 }));
    }
    for (query, expected) in [
        ("free=eq.Infinity", &["endless"][..]),
        ("free=eq.NaN", &["none"]),
        // NaN stands behind all others, as in an order.
        ("free=gt.1", &["endless", "none"]),
        ("free=lt.NaN", &["one", "endless"]),
        ("free=in.(NaN,1,NaN)", &["one", "none"]),
        ("free=between.(-Infinity,Infinity)", &["one", "endless"]),
        ("odds=cs.NaN", &["none"]),
        ("odds=cs.(2,NaN)", &["none"]),
        ("odds=cs.-Infinity", &["endless"]),
        ("plain=gt.-1", &["one", "endless", "none"]),
    ] {
        assert_eq!(
            names(&client.get(&format!("/table/t/records?{query}&order=_id")).is(200).json()),
            expected,
            "{query}"
        );
    }
    for (conditions, expected) in [
        (json!({ "free": "Infinity" }), &["endless"][..]),
        (json!({ "free": { "in": ["NaN", "Infinity"] } }), &["endless", "none"]),
        (json!({ "odds": { "cs": ["NaN"] } }), &["none"]),
    ] {
        let body = json!({ "where": conditions, "order": "_id" });
        assert_eq!(names(&client.post("/table/t/query", &body).is(200).json()), expected, "{body}");
    }
    client.get("/table/t/records?plain=eq.NaN").is_problem(400, "invalid_value");
    client.post("/table/t/query", &json!({ "where": { "plain": "NaN" } })).is_problem(400, "invalid_value");
    // A page that ends at such a value goes on behind it.
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/table/t/records?order=free.desc&limit=1{cursor}")).is(200).json();
        seen.extend(names(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["none", "endless", "one"]);
}

/// A list of values is searched, not walked through, for every record and every element: what is found must be the same,
/// however the values are ordered and however often each is given.
#[test]
fn rc_5_many_values_find_what_each_of_them_finds() {
    let (_served, mut client) = served();
    let even: Vec<String> = (0..1000).rev().map(|value| (value % 250 * 2).to_string()).collect();
    let even = even.join(",");
    for (query, expected) in [
        (format!("hp=in.({even})"), &["Ayla", "Brom", "Ärger"][..]),
        (format!("hp=not.in.({even})"), &["cora", "a*b,(c)"]),
        (format!("hp=in.({})", "7,".repeat(999) + "0"), &["cora", "a*b,(c)", "Ärger"]),
        (format!("bag=cs.({})", "0,".repeat(999) + "1"), &["Ayla", "Ärger"]),
        ("bag=cs.(3,0,2)".to_owned(), &["Brom"]),
        ("bag=cs.(9,9,9,9)".to_owned(), &["a*b,(c)", "Ärger"]),
        ("bag=cs.(9,8)".to_owned(), &[]),
        ("name=in.(cora,Brom,Ayla,Brom)".to_owned(), &["Ayla", "Brom", "cora"]),
    ] {
        let body = client.get(&format!("/table/player/records?{query}")).is(200).json();
        assert_eq!(names(&body), expected, "{query}");
    }
}

/// Whoever changes a set is not told of parameters that only lists take: one once read "no parameter `limit`. Did you mean
/// `limit`?"
#[test]
fn rc_5_a_set_knows_its_own_parameters() {
    let (_served, mut client) = served();
    for name in ["limit", "order", "cursor"] {
        let path = format!("/table/player/records?{name}=1&hp=eq.7");
        for answer in [client.delete(&path), client.send_json("PATCH", &path, &[], &json!({ "hp": 1 }))] {
            let problem = answer.is_problem(400, "unknown_parameter");
            assert_ne!(problem["suggestion"], name, "{problem}");
            let known = problem["known"].as_array().expect("a list");
            assert!(!known.contains(&json!(name)) && known.contains(&json!("hp")), "{problem}");
        }
    }
    let problem = client.delete("/table/player/records?lal=true&hp=eq.7").is_problem(400, "unknown_parameter");
    assert!(problem["known"].as_array().is_some_and(|known| known.contains(&json!("all"))), "{problem}");
    assert_eq!(client.get("/table/player/records?limti=1").is_problem(400, "unknown_parameter")["suggestion"], "limit");
}
