//! Which way a list goes to its records, and that it finds the same on every way.

use super::{Served, ids, insert};
use dbgen_tests::http::Client;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::cell::RefCell;

/// Two tables with the same fields: one with every kind of index, one without any.
const TWINS: &str = r#"{
  "name": "twins", "version": "1",
  "enums": { "Kind": { "variants": ["axe", "bow", "cape"] } },
  "tables": {
    "quick": {
      "fields": [
        {"name":"name","type":"str<16>"}, {"name":"code","type":"u32","nullable":true}, {"name":"kind","type":"Kind"},
        {"name":"level","type":"u16"}, {"name":"weight","type":"f32"}, {"name":"note","type":"text","nullable":true} ],
      "indexes": [
        {"name":"by_name","fields":["name"],"kind":"hash","unique":true},
        {"name":"by_code_kind","fields":["code","kind"],"kind":"hash"},
        {"name":"by_kind_level_weight","fields":["kind","level","weight"]},
        {"name":"by_level","fields":["level"]},
        {"name":"by_weight","fields":["weight"]},
        {"name":"by_note","fields":["note"]} ]
    },
    "plain": { "fields": [
        {"name":"name","type":"str<16>"}, {"name":"code","type":"u32","nullable":true}, {"name":"kind","type":"Kind"},
        {"name":"level","type":"u16"}, {"name":"weight","type":"f32"}, {"name":"note","type":"text","nullable":true} ] }
  }
}"#;

/// Fifty records in both tables, with the same ids: few values of each field, so that many are equal.
fn twins() -> (Served, Client, Vec<u64>) {
    let served = Served::with(TWINS, |tick_loop| tick_loop);
    let mut client = served.client();
    let mut given = Vec::new();
    for n in 0..50_u32 {
        let code = if n % 7 == 0 { Json::Null } else { json!(n % 5) };
        let note = if n % 4 == 0 {
            json!(null)
        } else {
            json!(["", "a", "ab", "a much longer note than others"][n as usize % 3])
        };
        let weight = [0.5, -0.0, 0.0, 2.5, -1.0][n as usize * 3 % 5];
        let kind = ["axe", "bow", "cape"][n as usize * 7 % 3];
        let record = json!({ "name": format!("n{n}"), "code": code, "kind": kind, "level": n * 5 % 6, "weight": weight,
            "note": note });
        let quick = insert(&mut client, "quick", &record)["_id"].clone();
        assert_eq!(quick, insert(&mut client, "plain", &record)["_id"]);
        given.push(quick.as_u64().expect("an id"));
    }
    (served, client, given)
}

#[test]
fn rc_5_a_list_looks_at_no_more_than_its_conditions_leave() {
    let (_served, mut client, given) = twins();
    let first = format!("_id=in.({},{},99999999999)", given[7], given[3]);
    let by_id = format!("_id=eq.{}&level=gt.1", given[7]);
    let many: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let too_many = format!("level=in.({})", many.join(","));
    for (query, plan) in [
        ("name=eq.n7", "index=by_name rows_examined=1"),
        ("name=eq.nobody", "index=by_name rows_examined=0"),
        ("name=in.(n7,n30,nobody)", "index=by_name rows_examined=2"),
        // The best of several: the one that holds one record.
        ("level=eq.1&kind=eq.bow&name=eq.n5", "index=by_name rows_examined=1"),
        ("code=eq.3&kind=eq.bow", "index=by_code_kind rows_examined=2"),
        // A hash finds whole keys, and no nulls.
        ("code=eq.3", "scan rows_examined=50"),
        ("code=is.null&kind=eq.bow", "index=by_kind_level_weight rows_examined=17"),
        ("code=eq.3&kind=in.(bow,cape)", "index=by_code_kind rows_examined=5"),
        ("kind=eq.bow&level=eq.5", "index=by_kind_level_weight rows_examined=9"),
        ("kind=eq.bow&level=between.(1,2)", "index=by_kind_level_weight rows_examined=8"),
        ("kind=eq.bow&level=in.(1,5)&weight=gt.0", "index=by_kind_level_weight rows_examined=9"),
        ("level=lt.1", "index=by_level rows_examined=9"),
        ("note=is.null", "index=by_note rows_examined=13"),
        ("kind=not.eq.bow", "scan rows_examined=50"),
        // In the order of the column behind those with one value, a page costs its length.
        ("kind=eq.bow&order=level.desc&limit=2", "index=by_kind_level_weight rows_examined=10"),
        ("level=in.(0,2,4)&order=level&limit=2", "index=by_level rows_examined=10"),
        (first.as_str(), "ids rows_examined=2"),
        (by_id.as_str(), "ids rows_examined=1"),
        // To look for more values than there are records is not worth it.
        (too_many.as_str(), "scan rows_examined=50"),
    ] {
        let answer = client.get(&format!("/table/quick/records?{query}")).is(200);
        assert_eq!(answer.header("query-plan"), Some(plan), "{query}");
    }
}

/// A condition, or an order.
fn condition() -> impl Strategy<Value = String> {
    let one_of = |values: &'static [&'static str]| proptest::sample::select(values);
    let some_of = |values: &'static [&'static str]| proptest::sample::subsequence(values, 0..=values.len().min(4));
    let fields: &[(&str, &[&str])] = &[
        ("name", &["n0", "n7", "n31", "n49", "nobody"]),
        ("code", &["0", "1", "3", "4", "9"]),
        ("kind", &["axe", "bow", "cape"]),
        ("level", &["0", "1", "3", "5", "600"]),
        ("weight", &["-1.0", "-0.0", "0.0", "0.5", "2.5"]),
        ("note", &["", "a", "ab", "a much longer note than others", "b"]),
    ];
    let conditions = fields.iter().map(move |(field, values)| {
        let relation = (one_of(&["eq", "eq", "eq", "gt", "gte", "lt", "lte", "neq"]), one_of(values));
        let relation = relation.prop_map(move |(relation, value)| format!("{field}={relation}.{value}"));
        let list = some_of(values).prop_map(move |values| match values.as_slice() {
            [] => format!("{field}=is.null"),
            values => {
                format!("{field}=in.({})", values.iter().map(|v| format!("%22{v}%22")).collect::<Vec<_>>().join(","))
            }
        });
        prop_oneof![2 => relation, 1 => list].boxed()
    });
    proptest::strategy::Union::new(conditions)
}

fn query() -> impl Strategy<Value = String> {
    let key = (
        proptest::sample::select(&["name", "code", "kind", "level", "weight", "note", "_id"][..]),
        proptest::sample::select(&["", ".desc", ".nullsfirst", ".desc.nullslast"][..]),
    );
    let order = proptest::collection::vec(key.prop_map(|(field, way)| format!("{field}{way}")), 0..3);
    (proptest::collection::vec(condition(), 0..4), order, 1..12_usize).prop_map(|(conditions, order, limit)| {
        let order = if order.is_empty() { String::new() } else { format!("&order={}", order.join(",")) };
        let conditions = conditions.iter().map(|condition| format!("&{condition}").replace(' ', "%20"));
        format!("limit={limit}{order}{}", conditions.collect::<String>())
    })
}

/// The ids of all pages, forwards and then back again, and the count of them that the server gives.
fn pages(client: &mut Client, table: &str, query: &str) -> (Vec<u64>, Vec<u64>, Json) {
    let page = |client: &mut Client, cursor: &str| {
        client.get(&format!("/table/{table}/records?{query}{cursor}")).is(200).json()
    };
    let mut at = page(client, "");
    let total = page(client, "&count=exact")["total"].clone();
    let (mut there, mut back) = (ids(&at["items"]), Vec::new());
    while let Some(next) = at["next"].as_str() {
        at = page(client, &format!("&cursor={next}"));
        there.extend(ids(&at["items"]));
    }
    while let Some(prev) = at["prev"].as_str() {
        at = page(client, &format!("&cursor={prev}"));
        back.splice(0..0, ids(&at["items"]));
    }
    (there, back, total)
}

/// Whatever is asked for in whatever order, the table with indexes gives what the one without them gives, page by page.
#[test]
fn rc_5_indexes_change_no_list() {
    let (_served, client, _) = twins();
    let client = RefCell::new(client);
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let checked = runner.run(&query(), |query| {
        let client = &mut client.borrow_mut();
        let (quick, plain) = (pages(client, "quick", &query), pages(client, "plain", &query));
        prop_assert_eq!(&quick, &plain, "{}", query);
        prop_assert_eq!(quick.2.as_u64(), Some(quick.0.len() as u64), "{}", query);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}
