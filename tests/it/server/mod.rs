//! The server, from outside: over loopback, with a client that knows nothing of it.

mod again;
mod alter;
mod batch;
mod bulk;
mod components;
mod conditions;
mod durable;
mod edits;
mod encoding;
mod export;
mod filters;
mod guard;
mod hostile;
mod lists;
mod load;
mod openapi;
mod records;
mod rpc;
mod stats;
mod storm;
mod timing;
mod ways;
mod wire;
mod wrong;

use dbgen_runtime::server::{self, ServerConfig, ServerHandle};
use dbgen_runtime::{Database, StopHandle, TickLoop};
use dbgen_tests::http::Client;
use serde_json::{Value as Json, json};
use std::thread::JoinHandle;

/// The schema of most tests.
const ARENA: &str = r#"{
  "name": "arena", "version": "1",
  "custom_types": { "Vec3": { "fields": [
      {"name":"x","type":"f32"}, {"name":"y","type":"f32"}, {"name":"z","type":"f32"} ] } },
  "enums": { "Class": { "variants": ["warrior", "mage", "rogue"] } },
  "tables": {
    "guild": { "fields": [ {"name":"name","type":"str<24>","unique":true}, {"name":"motto","type":"text","nullable":true} ] },
    "player": { "fields": [
      {"name":"name","type":"str<16>","unique":true},
      {"name":"class","type":"Class","default":"warrior"},
      {"name":"hp","type":"i32","default":100,"min":0,"max":9999,"indexed":true},
      {"name":"gold","type":"u64","default":0},
      {"name":"luck","type":"f32","default":0},
      {"name":"pos","type":"Vec3","default":{"x":0,"y":0,"z":0}},
      {"name":"bag","type":"[u16; 4]","default":[0,0,0,0]},
      {"name":"seen","type":"timestamp","nullable":true},
      {"name":"guild","type":"ref<guild>","nullable":true,"indexed":true} ] }
  },
  "relations": [ {"name":"member_of","from":"player.guild","to":"guild","on_delete":"restrict"} ]
}"#;

/// A database with its loop and its server, all of which end with it.
struct Served {
    db: Database,
    server: ServerHandle,
    stop: StopHandle,
    running: Option<JoinHandle<()>>,
}

impl Served {
    /// The arena, empty.
    fn arena() -> Served {
        Served::with(ARENA, |tick_loop| tick_loop)
    }

    /// A database without a schema.
    fn empty() -> Served {
        Served::on(Database::builder().open().expect("an empty database opens"), |tick_loop| tick_loop)
    }

    fn with(
        schema: &str,
        loop_with: impl FnOnce(TickLoop<dbgen_runtime::Dynamic>) -> TickLoop<dbgen_runtime::Dynamic>,
    ) -> Served {
        Served::on(Database::builder().schema_json(schema).open().expect("the schema is right"), loop_with)
    }

    fn on(
        db: Database,
        loop_with: impl FnOnce(TickLoop<dbgen_runtime::Dynamic>) -> TickLoop<dbgen_runtime::Dynamic>,
    ) -> Served {
        let tick_loop = loop_with(db.tick_loop(60.0));
        let stop = tick_loop.stop_handle();
        let running = std::thread::spawn(move || {
            tick_loop.run().expect("the loop runs until it is stopped");
        });
        let server = server::start(db.clone(), ServerConfig::new("127.0.0.1:0")).expect("the server starts");
        let served = Served { db, server, stop, running: Some(running) };
        served.wait_until_ready();
        served
    }

    /// The loop opens its queue on its own thread.
    fn wait_until_ready(&self) {
        let mut client = self.client();
        while client.get("/readyz").status != 200 {
            std::thread::yield_now();
        }
    }

    fn client(&self) -> Client {
        Client::new(self.server.local_addr())
    }

    /// Everything that is stored: the schema's version, the number of commits, and every record.
    fn dump(&self) -> (u64, u64, Vec<String>) {
        let view = self.db.read();
        let table = |table: dbgen_runtime::DynTable<'_>| {
            let rows: Vec<_> = table.iter().map(|row| (row.id(), row.version(), row.values())).collect();
            format!("{}: {rows:?}", table.schema().name)
        };
        (view.schema_version(), view.commit(), view.tables().map(table).collect())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(running) = self.running.take() {
            assert!(running.join().is_ok() || std::thread::panicking(), "the loop panicked");
        }
    }
}

/// Inserts a record and gives it as it is stored.
#[track_caller]
fn insert(client: &mut Client, table: &str, values: &Json) -> Json {
    client.post(&format!("/table/{table}/record"), values).is(201).json()
}

/// Inserts players that are called `p000`, `p001` and so on, with as many `hp`; gives their ids.
#[track_caller]
fn insert_players(client: &mut Client, count: usize) -> Vec<u64> {
    let ops: Vec<Json> = (0..count)
        .map(|at| json!({ "op": "insert", "table": "player", "values": { "name": format!("p{at:03}"), "hp": at } }))
        .collect();
    let results = client.post("/batch", &json!({ "ops": ops })).is(200).json();
    ids(&results["results"])
}

/// The `_id`s of a list of records.
#[track_caller]
fn ids(items: &Json) -> Vec<u64> {
    let items = items.as_array().expect("a list");
    items.iter().map(|item| item["_id"].as_u64().expect("an id is a whole number")).collect()
}
