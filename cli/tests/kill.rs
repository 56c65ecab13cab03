//! The real server, killed in the middle of its work: what it answered is there when it starts again.
//!
//! `DBGEN_KILL_CYCLES=1000` sets how often; a plain `cargo test` does it a few times, CI fifty.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use dbgen_runtime::{Database, Value};
use dbgen_tests::http::Client;
use serde_json::json;

use crate::served::Served;

const SCHEMA: &str = r#"{ "name": "kept", "version": "1", "tables": { "thing": { "fields": [
    {"name":"name","type":"str<32>","unique":true}, {"name":"text","type":"text"}, {"name":"n","type":"i32","indexed":true} ] } } }"#;

fn cycles() -> usize {
    std::env::var("DBGEN_KILL_CYCLES").ok().and_then(|count| count.parse().ok()).unwrap_or(6)
}

fn dbgen() -> Command {
    Command::new(env!("CARGO_BIN_EXE_dbgen"))
}

fn serve(folder: &Path) -> Served {
    let mut command = dbgen();
    let (schema, data) = (folder.join("schema.json"), folder.join("data"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--snapshot-every", "1", "--schema"]).arg(schema);
    command.arg("--data").arg(data).stderr(std::process::Stdio::null());
    Served::start(command)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("schema.json"), SCHEMA).expect("the file is written");
    folder
}

/// Adds things until the server does not answer, and gives the names of those that it said it has.
fn load(mut client: Client, prefix: String) -> JoinHandle<Vec<String>> {
    let ready = client.get("/healthz").status;
    assert_eq!(ready, 200);
    std::thread::spawn(move || {
        let mut acknowledged = Vec::new();
        for n in 0.. {
            let name = format!("{prefix}-{n}");
            let body = json!({ "name": name, "text": "x".repeat(n % 300), "n": n }).to_string();
            let head = "POST /table/thing/record HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n";
            let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
            match client.raw(request.as_bytes()) {
                Some(answer) if answer.status == 201 => acknowledged.push(name),
                Some(answer) => panic!("{answer:?}"),
                None => return acknowledged,
            }
        }
        acknowledged
    })
}

fn names(folder: &Path) -> BTreeSet<String> {
    let db = Database::builder().data_dir(folder.join("data")).open().unwrap_or_else(|error| panic!("{error}"));
    let view = db.read();
    view.verify().unwrap_or_else(|faults| panic!("{faults:?}"));
    let name = |values: Vec<Value>| match &values[0] {
        Value::Text(name) => name.clone(),
        other => panic!("a name of {other:?}"),
    };
    view.open_table("thing").expect("it is in the schema").iter().map(|record| name(record.values())).collect()
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the server is killed at some time of its own")]
fn what_was_answered_is_there_after_kill_9() {
    let folder = folder();
    let mut acknowledged = BTreeSet::new();
    for cycle in 0..cycles() {
        let mut served = serve(folder.path());
        let clients: Vec<_> = (0..3).map(|at| load(served.client(), format!("c{cycle}-{at}"))).collect();
        // Between nothing and a good deal of work, spread over the cycles.
        std::thread::sleep(Duration::from_millis(5 + (cycle as u64 * 37) % 200));
        served.process.kill().expect("it runs");
        for client in clients {
            acknowledged.extend(client.join().expect("the client saw what it should"));
        }
        served.process.wait().expect("it ended");
        let there = names(folder.path());
        let lost: Vec<_> = acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "cycle {cycle}: {lost:?} of {} were lost", acknowledged.len());
    }
    assert!(!acknowledged.is_empty());
}

/// The client was answered, or was not and does not know: it asks again under the same key.
#[test]
fn a_request_that_is_repeated_after_kill_9_is_not_done_again() {
    let folder = folder();
    let send = |client: &mut Client, n: usize| {
        let body = json!({ "name": format!("thing {n}"), "text": "", "n": n });
        client.send_json("POST", "/table/thing/record", &[("idempotency-key", "asked once")], &body)
    };
    let mut served = serve(folder.path());
    let first = send(&mut served.client(), 1).is(201);
    for cycle in 0..3 {
        served.process.kill().expect("it runs");
        served.process.wait().expect("it ended");
        served = serve(folder.path());
        let mut client = served.client();
        let again = send(&mut client, 1).is(201);
        assert_eq!((&again.body, again.header("location")), (&first.body, first.header("location")));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        send(&mut client, 2).is_problem(422, "idempotency_mismatch");
        // Snapshots make the log superfluous that had the key.
        client.post("/table/thing/record", &json!({ "name": format!("other {cycle}"), "text": "", "n": 0 })).is(201);
        client.send("POST", "/snapshot", &[], None).is(200);
    }
    assert_eq!(served.client().get("/table/thing/records?name=starts.thing&count=exact").json()["total"], 1);
}

#[test]
fn a_backup_of_a_running_server_holds_what_was_answered_before() {
    let folder = folder();
    let mut served = serve(folder.path());
    let mut client = served.client();
    for n in 0..20 {
        client.post("/table/thing/record", &json!({"name": format!("before-{n}"), "text": "", "n": n})).is(201);
    }
    let load = load(served.client(), "during".to_owned());
    let run = |arguments: &[&str], folder: &Path| {
        let output = dbgen().args(arguments).current_dir(folder).output().expect("it runs");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code(), text)
    };
    std::fs::create_dir(folder.path().join("copy")).expect("there is room");
    let (code, said) = run(&["backup", "--data", "data", "copy/data"], folder.path());
    assert_eq!(code, Some(0), "{said}");
    // Who runs is asked to stop, and stops in order.
    served.process.kill().expect("it runs");
    served.process.wait().expect("it ended");
    load.join().expect("the client saw what it should");
    let copy = folder.path().join("copy");
    let there = names(&copy);
    assert!((0..20).all(|n| there.contains(&format!("before-{n}"))), "{there:?}");

    let (code, said) = run(&["log", "verify", "--data", "data"], &copy);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("whole:"), "{said}");
    let (code, said) = run(&["snapshot", "create", "--data", "data"], &copy);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["snapshot", "verify", "--data", "data"], &copy);
    assert_eq!((code, said.contains("whole")), (Some(0), true), "{said}");
    let (code, said) = run(&["snapshot", "list", "--data", "data"], &copy);
    assert_eq!((code, said.contains("1 tables")), (Some(0), true), "{said}");
    let (code, said) = run(&["log", "dump", "--data", "data"], &copy);
    assert_eq!((code, said.contains("durable")), (Some(0), true), "{said}");
    let (code, said) = run(&["recover", "data"], &copy);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["recover", "nowhere"], &copy);
    assert_eq!((code, said.contains("no data folder")), (Some(2), true), "{said}");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let folder = folder();
    // No file longer than 64 KiB: the log cannot grow beyond. What the system sends with that is ignored, as a daemon would.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" serve --listen 127.0.0.1:0 --schema schema.json --data data";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_dbgen")]).current_dir(folder.path());
    command.stderr(std::process::Stdio::null());
    let served = Served::start(command);
    let mut client = served.client();
    let mut acknowledged = Vec::new();
    let refused = (0..2000).find_map(|n| {
        let name = format!("full-{n}");
        let answer = client.post("/table/thing/record", &json!({"name": name, "text": "x".repeat(500), "n": n}));
        if answer.status == 201 {
            acknowledged.push(name)
        }
        (answer.status != 201).then_some(answer)
    });
    refused.expect("the disk is full at some time").is_problem(507, "read_only");
    assert!(!acknowledged.is_empty());
    // It goes on answering reads.
    assert_eq!(client.get("/table").status, 200);
    drop(served);
    let there = names(folder.path());
    assert!(acknowledged.iter().all(|name| there.contains(name)), "{} of {}", there.len(), acknowledged.len());
}
