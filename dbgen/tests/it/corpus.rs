//! The fuzz target's question, asked on a stable toolchain: of its corpus, and of every example with one thing wrong.

#[path = "../../fuzz/compiles.rs"]
mod compiles;

use proptest::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_corpus_compiles_or_is_reported() {
    let corpus = files("fuzz/corpus/compile");
    assert!(corpus.len() >= 8, "the corpus is there");
    corpus.iter().for_each(|path| compiles::or_is_reported(&read(path)));
}

#[test]
fn every_schema_that_is_known_to_be_wrong_is_reported() {
    let wrong = files("schema/tests/invalid");
    wrong.iter().for_each(|path| compiles::or_is_reported(&read(path)));
}

/// The examples that are small enough to be compiled often.
fn examples() -> Vec<Value> {
    let folders = [files("../schemas"), files("../tests/fixtures")];
    let paths = folders.into_iter().flatten().filter(|path| path.extension().is_some_and(|it| it == "json"));
    let small = paths.map(|path| read(&path)).filter(|text| text.len() < 16 << 10);
    let examples: Vec<Value> = small.filter_map(|text| serde_json::from_slice(&text).ok()).collect();
    assert!(examples.len() >= 4);
    examples
}

/// How many values there are, the value itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// The value that is the `at`-th of all, depth first.
fn nth<'v>(value: &'v mut Value, at: &mut usize) -> Option<&'v mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, at)),
        Value::Object(members) => members.values_mut().find_map(|member| nth(member, at)),
        _ => None,
    }
}

/// What a value may be replaced by.
fn instead(choice: usize) -> Value {
    let texts = ["", "i32", "text", "list<u8>", "ref<player>", "str<0>", "Class", "name", "_id", "self", "ä", "a.b.c"];
    let others = [
        Value::Null,
        Value::Bool(true),
        (-1).into(),
        0.into(),
        1e300.into(),
        u64::MAX.into(),
        Value::Array(Vec::new()),
        Value::Object(serde_json::Map::new()),
    ];
    match others.get(choice % 20) {
        Some(other) => other.clone(),
        None => texts[(choice % 20 - others.len()) % texts.len()].into(),
    }
}

fn mutate(value: &mut Value, what: u8, choice: usize) {
    match (what, &mut *value) {
        (0, Value::Array(items)) if !items.is_empty() => drop(items.remove(choice % items.len())),
        (0, Value::Object(members)) if !members.is_empty() => {
            let key = members.keys().nth(choice % members.len()).cloned().unwrap_or_default();
            members.remove(&key);
        }
        (1, Value::Array(items)) if !items.is_empty() => items.push(items[choice % items.len()].clone()),
        (1, Value::Object(members)) if !members.is_empty() => {
            let first = members.values().nth(choice % members.len()).cloned().unwrap_or_default();
            members.insert(instead(choice).as_str().unwrap_or("extra").to_owned(), first);
        }
        _ => *value = instead(choice),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_example_with_something_deleted_doubled_or_replaced_compiles_or_is_reported(
        example in 0..100usize,
        changes in proptest::collection::vec((any::<usize>(), 0..3u8, any::<usize>()), 1..3),
    ) {
        let examples = examples();
        let mut schema = examples[example % examples.len()].clone();
        for (at, what, choice) in changes {
            let mut at = at % count(&schema);
            if let Some(value) = nth(&mut schema, &mut at) {
                mutate(value, what, choice);
            }
        }
        compiles::or_is_reported(format!("{schema:#}").as_bytes());
    }
}
