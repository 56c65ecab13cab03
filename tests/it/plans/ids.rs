//! Every id of the plan has a test whose name begins with it.

use dbgen_tests::{files, read};
use std::collections::BTreeSet;

/// The ids: a group, and how many it has.
const PLAN: &[(&str, usize)] = &[
    ("sl", 5),
    ("zc", 2),
    ("ms", 2),
    ("ts", 4),
    ("ct", 2),
    ("rl", 2),
    ("sj", 2),
    ("ao", 2),
    ("ab", 3),
    ("lf", 2),
    ("pp", 2),
    ("ce", 2),
    ("rs", 6),
    ("rc", 6),
    ("rp", 2),
    ("pr", 2),
    ("el", 2),
    ("mi", 3),
];

/// Names of the functions that are tests.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files("", "rs") {
        let text = read(&file);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let is_test = lines[..at].iter().rev().take(3).any(|line| *line == "#[test]" || line.contains("::test]"));
            if let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split(['(', '<']).next())
                && is_test
            {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn mi_3_every_id_of_the_plan_has_a_test() {
    let tests = tests();
    let ids = PLAN.iter().flat_map(|(group, count)| (1..=*count).map(move |n| format!("{group}_{n}_")));
    let missing: Vec<String> = ids.filter(|id| !tests.iter().any(|test| test.starts_with(id.as_str()))).collect();
    assert!(missing.is_empty(), "no test is named by {missing:?}");
}

#[test]
fn mi_3_scripts_are_named_by_the_test_that_plays_them() {
    let played = read("tests/it/plans/mod.rs") + &read("tests/it/engine/script.rs");
    for script in files("tests/plans", "") {
        let name = script.rsplit('/').next().unwrap_or_default().to_owned();
        assert!(played.contains(&format!("{name}\"")), "nobody plays {script}");
    }
}
