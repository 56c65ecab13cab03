//! What the server tells of itself and of the loop.

use super::{Served, insert};
use crate::generated::golden::arena::{Arena, Player, player};
use dbgen_runtime::{Error, SchemaEdit};
use serde_json::{Value as Json, json};

#[test]
fn stats_tell_of_the_loop_its_systems_and_the_tables() {
    let served = Served::with(super::ARENA, |world| {
        world.system("shaky", |tick| if tick.number() == 2 { Err(Error::abort("oh")) } else { Ok(()) })
    });
    let mut client = served.client();
    insert(&mut client, "player", &json!({ "name": "Ayla" }));
    // The loop leaves word once a second.
    let stats = loop {
        let stats = client.get("/stats").is(200).json();
        if stats["loop"]["samples"].as_array().is_some_and(|samples| !samples.is_empty()) {
            break stats;
        }
        std::thread::yield_now();
    };
    let sample = &stats["loop"]["samples"][0];
    assert_eq!(stats["loop"]["rate_hz"], 60.0);
    assert!(sample["ticks"].as_u64().is_some_and(|ticks| ticks > 0), "{stats}");
    assert_eq!(sample["systems"][0]["name"], "shaky");
    assert_eq!(sample["last_failure"], json!({ "system": "shaky", "tick": 2, "error": "oh" }));
    for figure in ["p50_us", "p99_us", "max_us"] {
        assert!(sample["tick"][figure].is_number() && sample["jitter"][figure].is_number(), "{stats}");
    }
    assert_eq!(stats["queue"]["max"], 4096);
    let player = stats["tables"].as_array().and_then(|tables| tables.iter().find(|table| table["name"] == "player"));
    assert_eq!(player.expect("every table is told of")["rows"], 1);
    assert_eq!(client.get("/stats?period=1h").is(200).json()["loop"]["samples"], json!([]));
    client.get("/stats?period=1d").is_problem(400, "invalid_parameter");
    let rpc = client.post("/rpc", &json!({ "jsonrpc": "2.0", "id": 1, "method": "stats.get" })).is(200).json();
    assert_eq!(rpc["result"]["loop"]["rate_hz"], 60.0);
}

#[test]
fn stats_tell_how_the_versions_of_tables_circulate() {
    let db = Arena::builder().open().expect("the arena opens");
    db.transact(|tx| tx.player_mut().insert_many(["Ayla", "Bo", "Cem"].map(Player::new))).expect("they are new");
    let served = Served::on(db.as_dynamic(), |world| {
        world.system("move", |tick| {
            if tick.number() <= 4 {
                tick.table_mut::<Player>().group_next::<player::Motion, _>(|old, new| new.copy_from_slice(old));
            }
            Ok(())
        })
    });
    let mut client = served.client();
    let mut stats_when = |is_there: &dyn Fn(&Json) -> bool| loop {
        let stats = client.get("/stats").is(200).json();
        if is_there(&stats) {
            break stats;
        }
        std::thread::yield_now();
    };
    let stats = stats_when(&|stats| stats["loop"]["tick"].as_u64() > Some(4));
    let tables = stats["tables"].as_array().expect("every table is told of");
    let player = tables.iter().find(|table| table["name"] == "player").expect("and this one");
    // One transaction of three records, and the group in four ticks.
    let dirty = &player["dirty"];
    assert_eq!(
        (&dirty["sets"], &dirty["records"], &dirty["sets_forgotten"]),
        (&json!(5), &json!(3), &json!(0)),
        "{stats}"
    );
    assert!(dirty["ranges"].as_u64() >= Some(5), "{stats}");
    assert_eq!((&player["groups_next"], &player["groups_next_copied"]), (&json!(4), &json!(0)), "{stats}");
    assert_eq!(
        (&player["versions"], &player["whole_copies"], &player["drops_deferred"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert_eq!(stats["loop"]["publication"]["tables_dropped_later"], 0, "{stats}");

    let metrics = String::from_utf8(served.client().get("/metrics").is(200).body).expect("UTF-8");
    for line in [
        "dbgen_table_groups_next_total{table=\"player\"} 4",
        "dbgen_table_groups_next_copied_total{table=\"player\"} 0",
        "dbgen_table_dirty_sets{table=\"player\"} 5",
        "dbgen_table_dirty_records{table=\"player\"} 3",
        "dbgen_table_dirty_sets_forgotten_total{table=\"player\"} 0",
        "dbgen_table_versions{table=\"player\"} 2",
        "dbgen_table_drops_deferred_total{table=\"player\"} 0",
        "dbgen_tables_dropped_later_total 0",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line} in {metrics}");
    }

    let edit = SchemaEdit::add_field("guild", json!({ "name": "since", "type": "u32", "default": 1 }));
    served.db.edit_schema(edit).expect("it is made");
    stats_when(&|stats| stats["loop"]["publication"]["tables_dropped_later"] == 1);
}

#[test]
fn metrics_are_in_the_text_format_of_prometheus() {
    let served = Served::arena();
    let mut client = served.client();
    insert(&mut client, "player", &json!({ "name": "Ayla" }));
    let answer = client.get("/metrics").is(200);
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain; version=0.0.4")));
    let text = String::from_utf8(answer.body).expect("UTF-8");
    assert!(text.contains("\ndbgen_table_rows{table=\"player\"} 1\n"), "{text}");
    assert!(text.contains("\ndbgen_http_answers_total{status=\"2xx\"} "), "{text}");
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(name.starts_with("dbgen_") && value.parse::<f64>().is_ok(), "{line}");
    }
}
