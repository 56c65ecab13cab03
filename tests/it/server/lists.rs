//! Lists: pages, filters, orders.

use super::{Served, ids, insert, insert_players};
use dbgen_tests::http::Client;
use serde_json::{Value as Json, json};

#[track_caller]
fn list(client: &mut Client, query: &str) -> Json {
    client.get(&format!("/table/player/records{query}")).is(200).json()
}

#[track_caller]
fn names(page: &Json) -> Vec<&str> {
    page["items"].as_array().expect("items").iter().filter_map(|item| item["name"].as_str()).collect()
}

#[test]
fn rc_5_pages_show_every_record_once_in_the_order_of_ids() {
    let served = Served::arena();
    let mut client = served.client();
    let inserted = insert_players(&mut client, 25);
    let answer = client.get("/table/player/records?limit=10").is(200);
    let mut page = answer.json();
    assert_eq!((&page["total"], &page["prev"]), (&json!(25), &Json::Null));
    assert_eq!(answer.header("db-version"), Some(page["version"].to_string().as_str()));
    let link = answer.header("link").expect("there is a next page");
    let next = page["next"].as_str().expect("there is a next page");
    assert_eq!(link, format!("</table/player/records?limit=10&cursor={next}>; rel=\"next\""));
    let mut seen = ids(&page["items"]);
    while let Some(next) = page["next"].as_str() {
        page = list(&mut client, &format!("?limit=10&cursor={next}"));
        seen.extend(ids(&page["items"]));
    }
    assert_eq!(seen, inserted);
    // And back.
    let mut back = Vec::new();
    while let Some(prev) = page["prev"].as_str() {
        page = list(&mut client, &format!("?limit=10&cursor={prev}"));
        back.splice(0..0, ids(&page["items"]));
    }
    assert_eq!(back, inserted[..20]);
    assert_eq!(list(&mut client, "")["items"].as_array().map(Vec::len), Some(25), "100 is the default");
    assert_eq!(list(&mut client, "?limit=25")["next"], Json::Null, "a full last page is the last");
}

#[test]
fn rc_5_records_that_come_and_go_neither_repeat_nor_hide_others() {
    let served = Served::arena();
    let mut client = served.client();
    let inserted = insert_players(&mut client, 60);
    for query in ["?limit=7", "?limit=7&order=hp.desc", "?limit=7&hp=gte.0&order=class"] {
        let mut seen: Vec<u64> = Vec::new();
        let mut gone: Vec<u64> = Vec::new();
        let mut page = list(&mut client, query);
        let mut round = 0;
        loop {
            seen.extend(ids(&page["items"]));
            // One that was seen goes, one that was not goes, and one comes into a slot that was freed.
            let unseen =
                ids(&list(&mut client, "?limit=1000")["items"]).into_iter().rev().find(|id| !seen.contains(id));
            for id in [seen.iter().rev().find(|id| !gone.contains(id)).copied(), unseen].into_iter().flatten() {
                client.delete(&format!("/table/player/record/{id}")).is(204);
                gone.push(id);
            }
            let query_id = query.len();
            insert(&mut client, "player", &json!({ "name": format!("n{query_id}-{round}"), "hp": 30 }));
            round += 1;
            let Some(next) = page["next"].as_str() else { break };
            page = list(&mut client, &format!("{query}&cursor={next}"));
        }
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "{query}: a record was shown twice");
        let stayed: Vec<u64> = ids(&list(&mut client, "?limit=1000")["items"]);
        let missed: Vec<_> = inserted.iter().filter(|id| stayed.contains(id) && !seen.contains(id)).collect();
        assert!(missed.is_empty(), "{query}: records that stayed were not shown: {missed:?}");
    }
}

#[test]
fn rc_5_filters_select_records() {
    let served = Served::arena();
    let mut client = served.client();
    let guild = insert(&mut client, "guild", &json!({ "name": "Night Watch" }))["_id"].clone();
    for (name, class, hp, gold, guild) in [
        ("a", "mage", 10, "18446744073709551615", json!(guild)),
        ("b", "rogue", 20, "2", json!(null)),
        ("c", "mage", 30, "3", json!(null)),
        ("d,e", "warrior", 40, "4", json!(guild)),
    ] {
        let values = json!({ "name": name, "class": class, "hp": hp, "gold": gold, "guild": guild, "luck": 0.1 });
        insert(&mut client, "player", &values);
    }
    for (query, expected) in [
        ("hp=gte.20&hp=lt.40", &["b", "c"][..]),
        ("hp=eq.10", &["a"]),
        ("hp=neq.10", &["b", "c", "d,e"]),
        ("class=eq.mage", &["a", "c"]),
        ("class=gt.warrior", &["a", "b", "c"]),
        ("name=eq.d,e", &["d,e"]),
        ("name=in.(a,%22d,e%22)", &["a", "d,e"]),
        ("name=eq.nobody", &[]),
        ("gold=eq.18446744073709551615", &["a"]),
        ("luck=eq.0.1", &["a", "b", "c", "d,e"]),
        ("guild=is.null", &["b", "c"]),
        ("guild=is.not_null", &["a", "d,e"]),
        ("guild=neq.4294967296&hp=lt.15", &[]),
        ("seen=lt.2030-01-01T00:00:00Z", &[]),
        ("f.name=eq.a", &["a"]),
        ("order=hp.desc", &["d,e", "c", "b", "a"]),
        ("order=class.desc,hp.desc", &["b", "c", "a", "d,e"]),
        ("order=guild.nullsfirst,name", &["b", "c", "a", "d,e"]),
        ("order=_id.desc&limit=2", &["d,e", "c"]),
        ("offset=1&limit=2", &["b", "c"]),
    ] {
        assert_eq!(names(&list(&mut client, &format!("?{query}"))), expected, "{query}");
    }
    let guild_filter = format!("?guild=eq.{guild}");
    assert_eq!(names(&list(&mut client, &guild_filter)), ["a", "d,e"]);
    let plan = |client: &mut Client, query: &str| {
        client.get(&format!("/table/player/records{query}")).header("query-plan").map(str::to_owned)
    };
    assert_eq!(plan(&mut client, &guild_filter).as_deref(), Some("index=by_guild rows_examined=2"));
    assert_eq!(plan(&mut client, "?class=eq.mage").as_deref(), Some("scan rows_examined=4"));
    let counted = list(&mut client, "?class=eq.mage&limit=1&count=exact");
    assert_eq!((&counted["total"], &list(&mut client, "?class=eq.mage")["total"]), (&json!(2), &Json::Null));
    assert_eq!(list(&mut client, "?class=eq.mage&limit=1&count=estimated")["total"], 2, "of few, all are looked at");
    let selected = list(&mut client, "?select=name,hp&limit=1");
    let members: Vec<&String> = selected["items"][0].as_object().expect("an object").keys().collect();
    assert_eq!(members, ["_id", "_version", "name", "hp"]);
}

#[test]
fn rc_5_what_a_list_cannot_answer_is_told() {
    let served = Served::arena();
    let mut client = served.client();
    insert_players(&mut client, 3);
    for (query, code, member, value) in [
        ("limit=1001", "limit_too_large", "max", json!(1000)),
        ("limit=0", "invalid_parameter", "param", json!("limit")),
        ("limit=-1", "invalid_parameter", "param", json!("limit")),
        ("limit=5&limit=6", "duplicate_parameter", "param", json!("limit")),
        ("limt=5", "unknown_parameter", "suggestion", json!("limit")),
        ("nme=eq.a", "unknown_parameter", "suggestion", json!("name")),
        ("order=lvl", "unknown_parameter", "param", json!("order")),
        ("order=hp.up", "invalid_parameter", "param", json!("order")),
        ("order=pos", "invalid_parameter", "param", json!("order")),
        ("bag=eq.1", "invalid_parameter", "param", json!("bag")),
        ("hp=5", "invalid_parameter", "param", json!("hp")),
        ("hp=gtt.5", "invalid_parameter", "suggestion", json!("gt")),
        ("hp=eq.five", "invalid_value", "got", json!("five")),
        ("hp=eq.99999999999", "invalid_value", "param", json!("hp")),
        ("hp=in.1,2", "invalid_parameter", "param", json!("hp")),
        ("class=eq.wizard", "invalid_value", "param", json!("class")),
        ("hp=is.nothing", "invalid_parameter", "param", json!("hp")),
        ("select=nme", "unknown_parameter", "suggestion", json!("name")),
        ("count=some", "invalid_parameter", "param", json!("count")),
        ("cursor=AAAA", "invalid_cursor", "status", json!(400)),
        ("cursor=%00", "invalid_cursor", "status", json!(400)),
        ("cursor=", "invalid_cursor", "status", json!(400)),
        ("hp=eq.%ff", "invalid_parameter", "status", json!(400)),
    ] {
        let problem = client.get(&format!("/table/player/records?{query}")).is_problem(400, code);
        assert_eq!(problem[member], value, "{query}: {problem}");
    }
    let next = list(&mut client, "?limit=1")["next"].as_str().expect("a next page").to_owned();
    // A cursor is good for the list that gave it, and cannot be made up.
    let other = format!("/table/player/records?limit=1&order=hp&cursor={next}");
    client.get(&other).is_problem(400, "invalid_cursor");
    client.get(&format!("/table/guild/records?cursor={next}")).is_problem(400, "invalid_cursor");
    for at in 0..next.len() {
        let mut forged = next.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("base64 is ASCII");
        client.get(&format!("/table/player/records?limit=1&cursor={forged}")).is_problem(400, "invalid_cursor");
    }
    client.get(&format!("/table/player/records?offset=1&cursor={next}")).is_problem(400, "invalid_parameter");
}

/// The same records in a table with indexes and in one without: whatever is asked, the answers are the same, page by page.
#[test]
fn rc_5_an_index_changes_no_answer() {
    let fields = |indexed: bool| {
        json!({ "fields": [
            { "name": "a", "type": "i32", "indexed": indexed }, { "name": "b", "type": "str<4>", "indexed": indexed },
            { "name": "c", "type": "f32", "nullable": true, "indexed": indexed } ] })
    };
    let schema = json!({ "name": "twins", "version": "1", "tables": { "plain": fields(false), "fast": fields(true) } });
    let served = Served::with(&schema.to_string(), |tick_loop| tick_loop);
    let mut client = served.client();
    let mut random = Random(7);
    let record = |random: &mut Random| {
        let c = if random.below(3) == 0 { Json::Null } else { json!(random.below(4) as f64 - 1.5) };
        json!({ "a": random.below(8) as i64 - 4, "b": (["", "x", "xy", "é"][random.below(4)]), "c": c })
    };
    let records: Vec<Json> = (0..120).map(|_| record(&mut random)).collect();
    for table in ["plain", "fast"] {
        let ops: Vec<_> = records.iter().map(|v| json!({ "op": "insert", "table": table, "values": v })).collect();
        client.post("/batch", &json!({ "ops": ops })).is(200);
        // Holes, so that rows do not lie in the order of ids.
        let ids = ids(&client.get(&format!("/table/{table}/records?limit=1000")).json()["items"]);
        for id in ids.iter().step_by(7) {
            client.delete(&format!("/table/{table}/record/{id}")).is(204);
        }
    }
    let mut used = 0;
    for _ in 0..150 {
        let query = random_query(&mut random);
        let mut both = ["plain", "fast"].map(|table| {
            let mut rows = Vec::new();
            let mut page = client.get(&format!("/table/{table}/records?{query}")).is(200);
            used += usize::from(page.header("query-plan").is_some_and(|plan| plan.starts_with("index=")));
            let mut turned = false;
            loop {
                let json = page.json();
                rows.extend(
                    json["items"]
                        .as_array()
                        .expect("a list")
                        .iter()
                        .map(|item| (item["_id"].clone(), item["a"].clone(), item["b"].clone(), item["c"].clone())),
                );
                // At the end, once back by one page.
                let (cursor, is_last) = match (json["next"].as_str(), json["prev"].as_str()) {
                    (Some(next), _) if !turned => (next, false),
                    (_, Some(prev)) if !turned => (prev, true),
                    _ => break,
                };
                turned |= is_last;
                page = client.get(&format!("/table/{table}/records?{query}&cursor={cursor}")).is(200);
            }
            rows
        });
        let fast = both[1].split_off(0);
        assert_eq!(both[0], fast, "{query}");
    }
    assert!(used > 50, "only {used} of the queries used an index");
}

fn random_query(random: &mut Random) -> String {
    let mut parts = vec![format!("limit={}", 1 + random.below(20))];
    for _ in 0..random.below(3) {
        let (field, value) = match random.below(3) {
            0 => ("a", (random.below(10) as i64 - 5).to_string()),
            1 => ("b", ["", "x", "xy", "xyz", "%C3%A9"][random.below(5)].to_owned()),
            _ => ("c", (random.below(6) as f64 / 2.0 - 1.5).to_string()),
        };
        parts.push(format!("{field}={}.{value}", ["eq", "neq", "gt", "gte", "lt", "lte"][random.below(6)]));
    }
    let keys = ["a", "a.desc", "b", "b.desc", "c", "c.desc", "c.nullsfirst", "_id.desc", "_version"];
    let order: Vec<&str> = (0..random.below(3)).map(|_| keys[random.below(keys.len())]).collect();
    if !order.is_empty() {
        parts.push(format!("order={}", order.join(",")));
    }
    parts.join("&")
}

/// A row of numbers that look random and are always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// A sample stands for the whole: near the truth, where the truth would cost a look at every record.
#[test]
fn rc_5_an_estimate_is_near_the_truth() {
    let served = Served::arena();
    let mut client = served.client();
    let mut records = String::new();
    for at in 0..20_000 {
        let class = if at % 4 == 0 { "mage" } else { "rogue" };
        records += &format!("{{\"name\":\"p{at}\",\"class\":\"{class}\",\"hp\":{}}}\n", at % 9999);
    }
    let lines = [("content-type", "application/x-ndjson")];
    client.send("POST", "/table/player/records", &lines, Some(records.as_bytes())).is(200);
    for (filter, truth) in
        [("class=eq.mage", 5000), ("hp=lt.2000&class=eq.rogue", 3000), ("hp=lt.50", 101), ("hp=eq.0", 3)]
    {
        let path = |count: &str| format!("/table/player/records?{filter}&limit=1&count={count}");
        let exact = client.get(&path("exact")).is(200).json()["total"].as_i64().expect("a number");
        let estimated = client.get(&path("estimated")).is(200).json()["total"].as_i64().expect("a number");
        assert!((exact - truth).abs() <= truth / 10, "{filter}: {exact}");
        assert!((exact - estimated).abs() <= exact / 5, "{filter}: {estimated} of {exact}");
    }
    client.get("/table/player/records?count=some").is_problem(400, "invalid_parameter");
}

/// A page that was reached by a cursor used to count from there on, so that the total went down from page to page.
#[test]
fn rc_5_the_total_is_the_same_on_every_page() {
    let served = Served::arena();
    let mut client = served.client();
    insert_players(&mut client, 12);
    // With an index for the filter and without, in every way in which a page is found.
    let orders = ["_id", "_id.desc", "hp", "hp.desc", "name.desc", "luck,hp.desc", "class.nullsfirst"];
    for (filter, total) in [("hp=gte.2", 10), ("luck=gte.0", 12), ("hp=gte.2&class=eq.warrior", 10)] {
        for (order, count) in orders.iter().flat_map(|order| [(order, "exact"), (order, "estimated")]) {
            let query = format!("?{filter}&order={order}&limit=4&count={count}");
            let whole = ids(&list(&mut client, &format!("?{filter}&order={order}"))["items"]);
            assert_eq!(whole.len(), total, "{query}");
            let mut page = list(&mut client, &query);
            let (mut forward, mut backward) = (ids(&page["items"]), Vec::new());
            assert_eq!(page["total"], total, "{query}");
            while let Some(next) = page["next"].as_str() {
                page = list(&mut client, &format!("{query}&cursor={next}"));
                assert_eq!(page["total"], total, "{query}");
                forward.extend(ids(&page["items"]));
            }
            let last = page["items"].as_array().map_or(0, Vec::len);
            while let Some(prev) = page["prev"].as_str() {
                page = list(&mut client, &format!("{query}&cursor={prev}"));
                assert_eq!(page["total"], total, "{query}");
                backward.splice(0..0, ids(&page["items"]));
            }
            assert_eq!(forward, whole, "{query}");
            assert_eq!(backward, whole[..total - last], "{query}");
        }
    }
    // The same by POST.
    let mut body = json!({ "where": { "hp": { "gte": 2 } }, "order": ["hp"], "limit": 3, "count": "exact" });
    let mut pages = 0;
    loop {
        let page = client.post("/table/player/query", &body).is(200).json();
        assert_eq!(page["total"], 10, "{page}");
        pages += 1;
        if page["next"].is_null() {
            break;
        }
        body["cursor"] = page["next"].clone();
    }
    assert_eq!(pages, 4);
}

/// Cursors used to be about the numbers of fields: a field that went in front of the others made every cursor one of "another
/// filter or order", and one whose own field had gone was an unknown parameter.
#[test]
fn rc_5_a_cursor_expires_with_its_fields_and_with_no_others() {
    let schema = json!({ "name": "w", "version": "1", "tables": { "t": { "fields": [
        { "name": "before", "type": "u8", "default": 0 }, { "name": "level", "type": "i32" },
        { "name": "kind", "type": "str<4>", "default": "a" }, { "name": "after", "type": "u8", "default": 0 } ] } } });
    let served = Served::with(&schema.to_string(), |tick_loop| tick_loop);
    let mut client = served.client();
    let levels = |page: &Json| -> Vec<i64> {
        let items = page["items"].as_array().expect("a list");
        items.iter().map(|item| item["level"].as_i64().expect("a number")).collect()
    };
    for level in 0..6 {
        insert(&mut client, "t", &json!({ "level": level }));
    }
    let get = "/table/t/records?order=level.desc&kind=eq.a&limit=2";
    let mut post = json!({ "where": { "kind": "a", "level": { "gte": 0 } }, "order": [["level", "desc"]], "limit": 2 });
    let got = client.get(get).is(200).json();
    let cursor = got["next"].as_str().expect("a next page").to_owned();
    let next = format!("{get}&cursor={cursor}");
    post["cursor"] = client.post("/table/t/query", &post).is(200).json()["next"].clone();

    // What the list is not about may come and go.
    client.delete("/table/t/field/before").is(204);
    client.post("/table/t/field", &json!({ "name": "later", "type": "u8", "default": 1 })).is(201);
    assert_eq!(levels(&client.get(&next).is(200).json()), [3, 2]);
    assert_eq!(levels(&client.post("/table/t/query", &post).is(200).json()), [3, 2]);
    // A field that was never there is a mistake, and so is another list's cursor, as long as the schema is the same.
    let fresh = client.get(get).is(200).json()["next"].as_str().expect("a next page").to_owned();
    let wrong = client.get(&format!("/table/t/records?order=levle&kind=eq.a&cursor={fresh}"));
    assert_eq!(wrong.is_problem(400, "unknown_parameter")["suggestion"], "level");
    client.get(&format!("/table/t/records?order=level&kind=eq.a&cursor={fresh}")).is_problem(400, "invalid_cursor");

    // The ordering field goes: the list cannot go on. Without a cursor, its name is simply unknown.
    client.delete("/table/t/field/level").is(204);
    client.get(&next).is_problem(410, "cursor_expired");
    client.get(&next.replace("limit=2", "limit=0")).is_problem(400, "invalid_parameter");
    client.post("/table/t/query", &post).is_problem(410, "cursor_expired");
    client.get(get).is_problem(400, "unknown_parameter");
    client.get(&format!("{get}&cursor=AAAA")).is_problem(400, "unknown_parameter");
    // So does a field that is filtered by, and one that is another now.
    let by_kind = "/table/t/records?kind=gte.a&limit=2";
    let next = client.get(by_kind).is(200).json()["next"].as_str().expect("a next page").to_owned();
    client.delete("/table/t/field/kind").is(204);
    client.get(&format!("{by_kind}&cursor={next}")).is_problem(410, "cursor_expired");
    let by_after = "/table/t/records?order=after&limit=2";
    let next = client.get(by_after).is(200).json()["next"].as_str().expect("a next page").to_owned();
    client.delete("/table/t/field/after").is(204);
    client.post("/table/t/field", &json!({ "name": "after", "type": "str<8>", "default": "x" })).is(201);
    client.get(&format!("{by_after}&cursor={next}")).is_problem(410, "cursor_expired");
}
