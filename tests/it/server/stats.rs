//! What the server tells of itself and of the loop.

use super::{Served, insert};
use dbgen_runtime::Error;
use serde_json::json;

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
