//! The example as a newcomer meets it: it starts, serves, and ends by itself.

use dbgen_tests::curl::Curl;
use dbgen_tests::http::Client;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

fn example(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_generated-example"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The example, what it prints from now on, and a client of it.
fn start(args: &[&str]) -> (Child, BufReader<ChildStdout>, Client) {
    let mut child = example(args).spawn().expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let address: SocketAddr = loop {
        let mut line = String::new();
        assert_ne!(output.read_line(&mut line).expect("readable"), 0, "it ended before it listened");
        if let Some(address) = line.trim().strip_prefix("listening on http://") {
            break address.parse().expect("an address");
        }
    };
    (child, output, Client::new(address))
}

#[test]
fn the_arena_runs_and_is_read_and_written_over_http_meanwhile() {
    let (mut child, mut output, mut client) = start(&["--for", "2s", "--port", "0", "--bots", "500"]);
    let page = client.get("/table/player/records?limit=5").is(200).json();
    assert_eq!((page["items"].as_array().map(Vec::len), &page["total"]), (Some(5), &json!(500)));
    let made = client.post("/table/player/record", &json!({ "name": "Ayla", "class": "mage" })).is(201).json();
    assert_eq!(made["hp"], 100, "the schema's default");
    let same = client.get(&format!("/table/player/record/{}", made["_id"])).is(200).json();
    assert_eq!(same["name"], "Ayla");
    client.post("/table/player/record", &json!({ "name": "Ayla", "class": "mage" })).is_problem(409, "unique");
    client
        .post("/table/player/record", &json!({ "name": "Boy", "class": "mage", "levl": 1 }))
        .is_problem(422, "unknown_field");
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("readable");
    assert!(child.wait().expect("it ends").success(), "{rest}");
    assert!(rest.contains("p50") && rest.contains("overruns"), "a line a second: {rest}");
    assert!(rest.contains("done: ticks") && rest.contains("records 509"), "and a summary: {rest}");
}

#[test]
fn the_arena_goes_on_where_it_was_after_kill_9() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let args = ["--port", "0", "--bots", "200", "--data", data.to_str().expect("an UTF-8 path")];
    let (mut child, _output, mut client) = start(&args);
    let made = client.post("/table/player/record", &json!({ "name": "Ayla", "class": "mage" })).is(201).json();
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    let (mut child, _output, mut client) = start(&args);
    let same = client.get(&format!("/table/player/record/{}", made["_id"])).is(200).json();
    assert_eq!((&same["name"], &same["class"]), (&json!("Ayla"), &json!("mage")));
    let page = client.get("/table/player/records?limit=1").is(200).json();
    assert_eq!(page["total"], json!(201), "the bots of the first life, and no second crowd");
    // Her name is taken, and her neighbours' ids go on behind hers.
    client.post("/table/player/record", &json!({ "name": "Ayla", "class": "mage" })).is_problem(409, "unique");
    let next = client.post("/table/player/record", &json!({ "name": "Boy", "class": "rogue" })).is(201).json();
    assert_ne!(next["_id"], made["_id"]);
    child.kill().expect("it runs");
    child.wait().expect("it ended");
}

#[test]
fn the_curl_session_of_the_readme_works() {
    let (mut child, mut output, mut client) = start(&["--for", "2s", "--port", "0", "--bots", "50"]);
    let session = Curl::session(&dbgen_tests::read("README.md"), "http://127.0.0.1:7700");
    assert!(session.len() > 10, "the README shows a session");
    for curl in session {
        let answer = curl.play(&mut client);
        // One of them shows what a mistake looks like.
        if curl.line.contains("\"clas\"") {
            answer.is_problem(422, "invalid_record");
        } else {
            assert!((200..300).contains(&answer.status), "{}: {answer:?}", curl.line);
        }
    }
    output.read_to_string(&mut String::new()).expect("readable");
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn wrong_arguments_are_told_and_end_with_a_failure() {
    let told = |args: &[&str]| {
        let output = example(args).output().expect("it ends");
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(told(&["--for", "3x"]).contains("use ms, s or m"));
    assert!(told(&["--tick-rate", "500", "--port", "0"]).contains("outside of 15-120 Hz"));
}
