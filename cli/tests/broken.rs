//! Data folders of the real server, taken from it while it runs and when it is killed, and then broken from outside: files
//! cut, bits flipped, names swapped, files lost. Whoever opens such a folder either finds everything that the server
//! answered, or is told which file is wrong, where, and what to do; and then nothing on the disk has changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use dbgen_runtime::{Database, Error, Value};
use serde_json::json;

use crate::served::Served;

const SCHEMA: &str = r#"{ "name": "kept", "version": "1", "tables": {
    "thing": { "fields": [ {"name":"name","type":"str<32>","unique":true}, {"name":"text","type":"text"}, {"name":"n","type":"i32","indexed":true} ] },
    "place": { "fields": [ {"name":"name","type":"str<16>"} ] } } }"#;

/// A data folder in memory: its files by their paths.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What was answered, in order: a thing, and its number, or `None` where it was deleted.
type Answered = Vec<(String, Option<i64>)>;

/// What a killed server left behind, and what it had answered.
struct Left {
    files: Files,
    answered: Answered,
    /// The durable commit that the newest snapshot names.
    durable: u64,
}

fn serve(folder: &Path) -> Served {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbgen"));
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.arg("--schema").arg(folder.join("schema.json")).arg("--data").arg(folder.join("data"));
    command.stderr(Stdio::null());
    Served::start(command)
}

fn files(folder: &Path) -> Files {
    let (mut found, mut folders) = (Files::new(), vec![folder.to_owned()]);
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(&inner).expect("it is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(folder).expect("it lies in it").to_owned();
            found.insert(relative, std::fs::read(path).expect("it can be read"));
        }
    }
    found
}

/// Writes some things, has a snapshot taken, writes more, waits until the log has come to rest, and kills the server. The
/// snapshot is asked for: one that came by itself, on a machine that is slow, would hold all, and the log be nobody's loss.
#[allow(clippy::disallowed_methods, reason = "the log comes to rest at a time of its own")]
fn left() -> &'static Left {
    static LEFT: OnceLock<Left> = OnceLock::new();
    LEFT.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("schema.json"), SCHEMA).expect("the file is written");
        let data = folder.path().join("data");
        let mut served = serve(folder.path());
        let mut client = served.client();
        let mut answered = Answered::new();
        let mut work = |from: i64| {
            for n in from..from + 40 {
                let name = format!("thing-{n}");
                let body = json!({ "name": name, "text": "x".repeat(n as usize % 90), "n": n });
                let id = client.post("/table/thing/record", &body).is(201).json()["_id"].clone();
                answered.push((name.clone(), Some(n)));
                if n % 5 == 0 {
                    let path = format!("/table/thing/record/{id}");
                    client.send_json("PATCH", &path, &[], &json!({ "n": -n })).is(200);
                    answered.push((name.clone(), Some(-n)));
                }
                if n % 7 == 0 {
                    client.delete(&format!("/table/thing/record/{id}")).is(204);
                    answered.push((name, None));
                }
            }
        };
        work(0);
        served.client().post("/snapshot", &json!({})).is(200);
        work(40);
        // The log rests: its end is marked, so that all of it is provably durable.
        std::thread::sleep(Duration::from_millis(600));
        served.process.kill().expect("it runs");
        served.process.wait().expect("it ended");
        let mut files = files(&data);
        for (path, bytes) in &mut files {
            if path.extension().is_some_and(|extension| extension == "log") {
                // Room that was taken in advance: the loss of power may take it back.
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                bytes.truncate(end.next_multiple_of(8) + 256);
            }
        }
        let manifest = files.iter().rfind(|(path, _)| path.ends_with("MANIFEST")).expect("there is one").1;
        let json = manifest.split(|byte| *byte == b'\n').nth(1).expect("two parts");
        let json: serde_json::Value = serde_json::from_slice(json).expect("it is JSON");
        Left { files, answered, durable: json["durable"].as_u64().expect("a commit") }
    })
}

fn written(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, bytes) in files {
        let path = folder.path().join("data").join(path);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("there is room");
        std::fs::write(path, bytes).expect("there is room");
    }
    folder
}

fn things(db: &Database) -> BTreeMap<String, i64> {
    let view = db.read();
    view.verify().unwrap_or_else(|faults| panic!("{faults:?}"));
    let things = view.open_table("thing").expect("it is in the schema");
    let thing = |values: Vec<Value>| match (&values[0], &values[2]) {
        (Value::Text(name), Value::Int(n)) => (name.clone(), i64::try_from(*n).expect("an i32")),
        other => panic!("a thing of {other:?}"),
    };
    things.iter().map(|record| thing(record.values())).collect()
}

/// What there is after the first `count` answers.
fn after(answered: &Answered, count: usize) -> BTreeMap<String, i64> {
    let mut there = BTreeMap::new();
    for (name, n) in &answered[..count] {
        match n {
            Some(n) => drop(there.insert(name.clone(), *n)),
            None => drop(there.remove(name)),
        }
    }
    there
}

/// What becomes of a folder that somebody broke.
#[derive(Debug, PartialEq)]
enum Came {
    /// So many answers are there.
    Opened(usize),
    Refused(String),
}

/// Breaks a folder and opens it. What it holds then is what there was after some answer; if it is refused, the error names a
/// file and a place, and nothing has changed.
#[track_caller]
fn broken(what: &str, break_it: impl FnOnce(&mut Files)) -> Came {
    let left = left();
    let mut changed = left.files.clone();
    break_it(&mut changed);
    let folder = written(&changed);
    let data = folder.path().join("data");
    let before = files(&data);
    match Database::builder().data_dir(&data).open() {
        Ok(db) => {
            let there = things(&db);
            let count = (0..=left.answered.len()).rev().find(|count| after(&left.answered, *count) == there);
            let count = count.unwrap_or_else(|| panic!("{what}: it opens with what never was: {there:?}"));
            assert!(
                db.durability().is_some_and(|status| status.recovered.commit >= left.durable),
                "{what}: a snapshot says that more was durable"
            );
            Came::Opened(count)
        }
        Err(error) => {
            assert!(matches!(error, Error::Damaged(_)), "{what}: {error:?}");
            assert!(files(&data) == before, "{what}: something on the disk changed: {error}");
            let said = error.to_string();
            assert!(said.contains(", byte ") && said.contains("; "), "{what}: neither where nor what to do: {said}");
            assert!(said.contains(&data.display().to_string()), "{what}: no file: {said}");
            Came::Refused(said)
        }
    }
}

/// It opens with everything, or is refused.
#[track_caller]
fn never_less(what: &str, break_it: impl FnOnce(&mut Files)) -> bool {
    match broken(what, break_it) {
        Came::Opened(count) => {
            assert_eq!(count, left().answered.len(), "{what}: acknowledged commits are lost");
            true
        }
        Came::Refused(_) => false,
    }
}

fn paths(of: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    left().files.keys().filter(|path| of(&path.to_string_lossy())).cloned().collect()
}

/// Places in a file of so many bytes: the first and the last ones, and some between.
fn places(len: usize) -> Vec<usize> {
    let between = (0..24_usize).map(|n| n.wrapping_mul(0x9e37_79b1) % len.max(1));
    let mut places: Vec<usize> =
        (0..8).chain(between).chain(len.saturating_sub(4)..len).filter(|at| *at < len).collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[test]
fn what_a_killed_server_left_is_all_that_it_answered() {
    assert_eq!(broken("nothing", |_| ()), Came::Opened(left().answered.len()));
}

#[test]
fn flipped_bits_of_a_servers_files_lose_nothing() {
    let mut refused = 0;
    for path in paths(|_| true) {
        let len = left().files[&path].len();
        for at in places(len) {
            let what = format!("{} byte {at}", path.display());
            let flip = |files: &mut Files| {
                files.entry(path.clone()).and_modify(|bytes| bytes[at] ^= 1 << (at % 8)).key().clone()
            };
            refused += usize::from(!never_less(&what, |files| drop(flip(files))));
        }
    }
    assert!(refused > 10, "{refused}");
}

#[test]
fn a_log_that_lost_its_unsynced_tail_loses_nothing_that_was_answered() {
    let path = paths(|path| path.contains("log/")).pop().expect("there is a log");
    let bytes = &left().files[&path];
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1).next_multiple_of(8);
    let what = |what: &str| format!("{}: {what}", path.display());
    let change = |files: &mut Files, change: &dyn Fn(&mut Vec<u8>)| change(files.get_mut(&path).expect("it is there"));
    assert!(never_less(&what("cut behind its end"), |files| change(files, &|bytes| bytes.truncate(end))));
    assert!(never_less(&what("zeros behind its end"), |files| change(files, &|bytes| bytes.resize(end + 8192, 0))));
    for seed in 1..20_u8 {
        let garbage = |bytes: &mut Vec<u8>| {
            bytes.truncate(end);
            bytes.extend((0..u16::from(seed) * 61).map(|n| (n as u8).wrapping_mul(seed) ^ seed));
        };
        assert!(never_less(&what("garbage behind its end"), |files| change(files, &garbage)));
    }
}

#[test]
fn a_log_that_is_cut_anywhere_is_refused_or_ends_with_a_whole_commit() {
    let path = paths(|path| path.contains("log/")).pop().expect("there is a log");
    let len = left().files[&path].len();
    let (mut opened, mut refused) = (0, 0);
    for at in (0..len).step_by((len / 90).max(1)) {
        let cut = |files: &mut Files| drop(files.entry(path.clone()).and_modify(|bytes| bytes.truncate(at)));
        match broken(&format!("cut at byte {at}"), cut) {
            Came::Opened(_) => opened += 1,
            Came::Refused(_) => refused += 1,
        }
    }
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
}

#[test]
fn files_that_are_cut_lost_or_have_each_others_names_lose_nothing() {
    for path in paths(|path| !path.contains("log/") && !path.ends_with("LOCK")) {
        let half = left().files[&path].len() / 2;
        never_less(&format!("{} cut", path.display()), |files| {
            files.entry(path.clone()).and_modify(|bytes| bytes.truncate(half));
        });
        never_less(&format!("{} lost", path.display()), |files| drop(files.remove(&path)));
    }
    for path in paths(|path| path.contains("log/")) {
        // All that is known then is that there was a log.
        let lost = broken(&format!("{} lost", path.display()), |files| drop(files.remove(&path)));
        assert!(matches!(lost, Came::Refused(_)), "{lost:?}");
    }
    let all = paths(|path| !path.ends_with("LOCK"));
    for (at, one) in all.iter().enumerate() {
        for other in all.iter().skip(at + 1) {
            never_less(&format!("{} and {} swapped", one.display(), other.display()), |files| {
                let (left, right) = (files[one].clone(), files[other].clone());
                files.insert(one.clone(), right);
                files.insert(other.clone(), left);
            });
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a process ends at a time of its own")]
fn the_program_says_what_is_wrong_and_what_to_do() {
    let path = paths(|path| path.contains("log/")).pop().expect("there is a log");
    let mut files = left().files.clone();
    files.entry(path.clone()).and_modify(|bytes| bytes[100] ^= 1);
    let folder = written(&files);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbgen"));
        let mut process = command
            .args(arguments)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        // One that serves the folder instead of refusing it would never end.
        let is_over = (0..1200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            process.try_wait().is_ok_and(|status| status.is_some())
        });
        if !is_over {
            process.kill().expect("it runs");
        }
        let output = process.wait_with_output().expect("it has ended");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for arguments in [&["serve", "--listen", "127.0.0.1:0", "--data", "data"][..], &["recover", "data"]] {
        let (code, said) = run(arguments);
        assert!(code.is_some_and(|code| code > 0), "{arguments:?}: {code:?} {said}");
        assert!(said.contains(".log, byte ") && said.contains("--salvage"), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    let (code, said) = run(&["recover", "--salvage", "data"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(run(&["recover", "data"]).0, Some(0), "what was salvaged is whole");
}
