//! Sixteen clients write and read while the schema changes under them: fields, indexes and tables come, go and change their
//! names. Every answer is one that the contract knows, nothing that was acknowledged is lost, nothing that was refused has
//! happened, and the document of the server follows.

use super::Served;
use dbgen_runtime::Value;
use dbgen_runtime::clock::{Clock, SystemClock};
use dbgen_runtime::limits::EDIT_BESIDE_RECORDS_MIN;
use dbgen_tests::http::{Answer, Client};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const CLIENTS: usize = 16;
const LASTS: Duration = Duration::from_secs(4);

/// What a client has been told: the name and the `hp` of each of its records.
type Known = BTreeMap<u64, (String, i64)>;

/// One of the clients.
struct Writer {
    client: Client,
    number: usize,
    known: Known,
    /// What the table was called when it was last met.
    table: &'static str,
    /// Requests that were answered, and how many of them with a problem.
    answered: usize,
    refused: usize,
    dice: u64,
}

impl Writer {
    fn new(served: &Served, number: usize) -> Writer {
        let dice = 0x9e37_79b9 + number as u64;
        Writer { client: served.client(), number, known: Known::new(), table: "player", answered: 0, refused: 0, dice }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    /// Sends a request below the table, under whichever name it has; `None` if it was refused with one of the problems that
    /// may be met here.
    #[track_caller]
    fn send(&mut self, method: &str, below: &str, body: Option<&Json>, may_be: &[&str]) -> Option<Json> {
        // The table may be renamed again between two tries.
        for _ in 0..100 {
            let path = format!("/table/{}/{below}", self.table);
            let answer = match body {
                Some(body) => self.client.send_json(method, &path, &[], body),
                None => self.client.send(method, &path, &[], None),
            };
            self.answered += 1;
            if answer.status < 300 {
                return Some(if answer.status == 204 { Json::Null } else { answer.json() });
            }
            self.refused += 1;
            let problem: Json = answer.json();
            let code = problem["code"].as_str().unwrap_or_default().to_owned();
            answer.is_problem(problem["status"].as_u64().unwrap_or_default() as u16, &code);
            if code == "unknown_table" {
                self.table = if self.table == "player" { "hero" } else { "player" };
                continue;
            }
            assert!(may_be.contains(&code.as_str()), "{method} {path}: {problem}");
            return None;
        }
        panic!("the table has neither name, a hundred times")
    }

    fn act(&mut self, round: usize) {
        let place = self.roll(self.known.len().max(1) as u64) as usize;
        let some = self.known.keys().nth(place).copied();
        match (self.roll(10), some) {
            (0..=2, _) | (_, None) => self.insert(round),
            (3..=4, Some(id)) => self.patch(id, round),
            (5, Some(id)) => {
                if self.send("DELETE", &format!("record/{id}"), None, &[]).is_some() {
                    self.known.remove(&id);
                }
            }
            (6, Some(id)) => {
                let record = self.send("GET", &format!("record/{id}"), None, &[]).expect("it is there");
                self.is_known(id, &record);
            }
            (7, _) => self.insert_many(round),
            (8, Some(_)) => {
                // A field that comes and goes: a list with a filter on it, or a problem that says there is none.
                let page = self.send("GET", "records?extra=gte.0&limit=5", None, &["unknown_parameter"]);
                assert!(page.is_none_or(|page| page["items"].is_array()));
            }
            (_, Some(id)) => {
                let values = json!({ "extra": 3 });
                let patched = self.send("PATCH", &format!("record/{id}"), Some(&values), &["unknown_field"]);
                if let Some(record) = patched {
                    self.is_known(id, &record);
                }
            }
        }
    }

    fn is_known(&self, id: u64, record: &Json) {
        let (name, hp) = &self.known[&id];
        assert_eq!((record["name"].as_str(), record["hp"].as_i64()), (Some(name.as_str()), Some(*hp)), "{record}");
    }

    fn insert(&mut self, round: usize) {
        let name = format!("w{}-{round}", self.number);
        let record = self.send("POST", "record", Some(&json!({ "name": name, "hp": 7 })), &[]).expect("it is right");
        self.known.insert(record["_id"].as_u64().expect("an id"), (name, 7));
    }

    fn patch(&mut self, id: u64, round: usize) {
        let hp = round as i64 % 9000;
        let record = self.send("PATCH", &format!("record/{id}"), Some(&json!({ "hp": hp })), &[]).expect("it is there");
        self.known.entry(id).and_modify(|known| known.1 = hp);
        self.is_known(id, &record);
    }

    /// Three as one, of which the last is sometimes wrong: then none is there.
    fn insert_many(&mut self, round: usize) {
        let is_wrong = self.roll(2) == 0;
        let name = |at: usize| format!("w{}-{round}-{at}", self.number);
        let mut records: Vec<Json> = (0..3).map(|at| json!({ "name": name(at), "hp": at })).collect();
        if is_wrong {
            records[2]["name"] = records[0]["name"].clone();
        }
        let names: Vec<String> = (0..3).map(name).collect();
        let done = self.send("POST", "records", Some(&Json::Array(records)), &["unique"]);
        assert_eq!(done.is_none(), is_wrong, "{done:?}");
        if done.is_some() {
            for (at, name) in names.into_iter().enumerate() {
                let record = self.send("GET", &format!("by/name/{name}"), None, &[]).expect("it is there");
                self.known.insert(record["_id"].as_u64().expect("an id"), (name, at as i64));
            }
        }
    }
}

/// Changes the schema, one edit after the other, and looks each time whether the document says so.
struct Editor {
    client: Client,
    edits: usize,
}

impl Editor {
    #[track_caller]
    fn edit(&mut self, method: &str, path: &str, body: Option<Json>) -> Answer {
        let answer = match &body {
            Some(body) => self.client.send_json(method, path, &[], body),
            None => self.client.send(method, path, &[], None),
        };
        assert!(answer.status < 300, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
        self.edits += 1;
        answer
    }

    /// Everything that can be done to a schema, and back to where it was.
    fn round(&mut self) {
        self.edit("POST", "/table/player/field", Some(json!({ "name": "extra", "type": "u8", "default": 1 })));
        self.document_says("player", "extra", true);
        self.edit("PATCH", "/table/player/field/extra", Some(json!({ "type": "u32", "nullable": true })));
        self.edit("POST", "/table/player/index", Some(json!({ "name": "by_extra", "fields": ["extra", "gold"] })));
        self.edit("PATCH", "/table/player/field/gold", Some(json!({ "name": "coins" })));
        self.document_says("player", "coins", true);
        self.edit("PATCH", "/table/player", Some(json!({ "name": "hero" })));
        self.document_says("hero", "coins", true);
        let town = json!({ "name": "town", "fields": [{ "name": "mayor", "type": "ref<hero>", "nullable": true }] });
        self.edit("POST", "/table", Some(town));
        self.edit("DELETE", "/table/hero/index/by_extra", None);
        self.edit("PATCH", "/table/hero", Some(json!({ "name": "player" })));
        self.document_says("town", "mayor", true);
        self.edit("DELETE", "/table/town", None);
        self.edit("PATCH", "/table/player/field/coins", Some(json!({ "name": "gold" })));
        self.edit("DELETE", "/table/player/field/extra", None);
        self.document_says("player", "extra", false);
    }

    #[track_caller]
    fn document_says(&mut self, table: &str, field: &str, expected: bool) {
        let document = self.client.get("/openapi.json").is(200).json();
        let shape = &document["components"]["schemas"][table];
        assert_eq!(shape["properties"].get(field).is_some(), expected, "{table}.{field}: {shape}");
        assert!(document["paths"].get(format!("/table/{table}/record/{{id}}")).is_some(), "{table}");
    }
}

#[test]
fn el_1_sixteen_clients_and_a_schema_that_changes_under_them() {
    let (edits, answered, refused) = storm(&Served::arena(), 0);
    assert!(edits > 10 && answered > 500 && refused > 0, "{edits} edits, {answered} answers, {refused} refusals");
}

/// A table that is so large that it is carried over beside the loop: what is written meanwhile is there afterwards.
#[test]
fn ts_3_fields_come_and_go_in_a_large_table_while_clients_write() {
    let (edits, answered, refused) = storm(&Served::arena(), EDIT_BESIDE_RECORDS_MIN + 1000);
    assert!(edits > 10 && answered > 500, "{edits} edits, {answered} answers, {refused} refusals");
}

/// Inserts so many players that nobody touches, and lets the clients loose beside them while the schema is edited; gives how
/// many edits were made, how many requests were answered, and how many of those with a problem.
fn storm(served: &Served, crowd: usize) -> (usize, usize, usize) {
    let of_crowd = |n: usize| (format!("crowd{n}"), (n % 9000) as i64);
    let filled = served.db.transact(|tx| {
        let player = tx.open_table("player")?;
        let record = |n: usize| {
            let (name, hp) = of_crowd(n);
            tx.insert_values(player, &[(0, Value::from(name)), (2, Value::from(hp as i32))]).map(|id| id.get())
        };
        (0..crowd).map(record).collect::<Result<Vec<u64>, _>>()
    });
    let crowd_ids = filled.expect("nothing is wrong with them");
    let done = AtomicBool::new(false);
    let clock = SystemClock::new();
    let (writers, edits) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let done = &done;
                scope.spawn(move || {
                    let mut writer = Writer::new(served, number);
                    let mut rounds = 0..;
                    while !done.load(Ordering::Relaxed) {
                        writer.act(rounds.next().unwrap_or_default());
                    }
                    writer
                })
            })
            .collect();
        let mut editor = Editor { client: served.client(), edits: 0 };
        while editor.edits == 0 || clock.monotonic() < LASTS {
            editor.round();
        }
        done.store(true, Ordering::Relaxed);
        let writers: Vec<Writer> = writers.into_iter().map(|writer| writer.join().expect("no client failed")).collect();
        (writers, editor.edits)
    });
    let refused: usize = writers.iter().map(|writer| writer.refused).sum();
    let answered: usize = writers.iter().map(|writer| writer.answered).sum();

    let mut known: Known = writers.into_iter().flat_map(|writer| writer.known).collect();
    known.extend(crowd_ids.into_iter().zip((0..).map(of_crowd)));
    let view = served.db.read();
    let players = view.open_table("player").expect("it has its name again");
    let stored: Known = players
        .iter()
        .map(|player| match (player.get("name"), player.get("hp")) {
            (Ok(Value::Text(name)), Ok(Value::Int(hp))) => (player.id().get(), (name, hp as i64)),
            other => panic!("{other:?}"),
        })
        .collect();
    let differs = stored.iter().find(|(id, was)| known.get(id) != Some(*was));
    assert!(differs.is_none() && stored.len() == known.len(), "what is stored is what was acknowledged: {differs:?}");
    view.verify().expect("whole");
    (edits, answered, refused)
}
