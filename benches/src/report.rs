//! The table that people read, and the same for machines.

use crate::race::Runs;
use crate::scene::{Bar, Outcome, Unit, Verdict};
use serde_json::{Value, json};

const HEAD: [&str; COLUMNS] =
    ["work", "commits", "ours min", "median", "beside", "min", "median", "ratio", "bar", "verdict"];
const COLUMNS: usize = 10;
const WIDTHS: [usize; COLUMNS] = [54, 8, 10, 10, 28, 10, 10, 7, 10, 7];

type Row = [String; COLUMNS];

/// Prints the head of the table.
pub fn head() {
    print_row(&HEAD.map(str::to_owned));
}

/// Prints a scene.
pub fn print(outcome: &Outcome) {
    rows(outcome).iter().for_each(print_row);
}

fn print_row(row: &Row) {
    let is_text = |at: usize| matches!(at, 0 | 1 | 4 | 8 | 9);
    let columns = row.iter().zip(WIDTHS).enumerate();
    let padded = columns.map(|(at, (text, w))| if is_text(at) { format!("{text:<w$}") } else { format!("{text:>w$}") });
    println!("{}", padded.collect::<Vec<_>>().join(" ").trim_end());
}

/// All scenes as a table for a Markdown document.
pub fn markdown(outcomes: &[Outcome]) -> String {
    let line = |row: &[String]| format!("| {} |\n", row.join(" | "));
    let rule = "|---".repeat(COLUMNS);
    let rows: String = outcomes.iter().flat_map(rows).map(|row| line(&row)).collect();
    format!("{}{rule}|\n{rows}", line(&HEAD.map(str::to_owned)))
}

/// A scene's rows: one for each bar that names no peer, and one for each peer.
fn rows(outcome: &Outcome) -> Vec<Row> {
    let Some((ours, peers)) = outcome.sides.split_first() else { return Vec::new() };
    let absolute = outcome.verdicts.iter().filter(|verdict| verdict.bar.peer().is_none());
    let mut rows: Vec<Row> = absolute.map(|verdict| row(outcome, ours, None, Some(verdict))).collect();
    rows.extend(peers.iter().map(|peer| {
        let verdict = outcome.verdicts.iter().find(|verdict| verdict.bar.peer() == Some(&peer.side));
        row(outcome, ours, Some(peer), verdict)
    }));
    if rows.is_empty() {
        rows.push(row(outcome, ours, None, None));
    }
    // What is the same for all rows of a scene is said once.
    rows.iter_mut().skip(1).flat_map(|row| &mut row[..4]).for_each(String::clear);
    rows
}

fn row(outcome: &Outcome, ours: &Runs, peer: Option<&Runs>, verdict: Option<&Verdict>) -> Row {
    let (scene, unit) = (outcome.scene, outcome.scene.unit);
    let of_peer = |what: fn(&Runs) -> f64| peer.map(|peer| unit.show(what(peer))).unwrap_or_default();
    [
        scene.title.to_owned(),
        scene.durability.name().to_owned(),
        unit.show(ours.min),
        unit.show(ours.median),
        peer.map(|peer| peer.side.clone()).unwrap_or_default(),
        of_peer(|runs| runs.min),
        of_peer(|runs| runs.median),
        peer.map(|peer| format!("{:.2}", ours.min / peer.min)).unwrap_or_default(),
        verdict.map(|verdict| shown(verdict.bar, unit)).unwrap_or_default(),
        verdict.map_or("", |verdict| if verdict.is_met { "met" } else { "MISSED" }).to_owned(),
    ]
}

fn shown(bar: Bar, unit: Unit) -> String {
    match bar {
        Bar::AtMost(limit) => format!("<= {}", unit.show(limit)),
        Bar::Ratio(_, limit) => format!("<= {limit} x"),
        Bar::Beyond(_, limit) => format!("<= +{}", unit.show(limit)),
    }
}

/// Prints how many bars were met, and which were not.
pub fn print_summary(outcomes: &[Outcome]) {
    let verdicts = || outcomes.iter().flat_map(|outcome| outcome.verdicts.iter().map(move |v| (outcome.scene, v)));
    println!("\n{} of {} bars met", verdicts().filter(|(_, v)| v.is_met).count(), verdicts().count());
    for (scene, verdict) in verdicts().filter(|(_, verdict)| !verdict.is_met) {
        let peer = verdict.bar.peer().map(|peer| format!(" of {peer}")).unwrap_or_default();
        println!(
            "missed: {}: {:.2}, bar {} {}{peer}",
            scene.name,
            verdict.measured,
            verdict.bar.kind(),
            verdict.bar.limit()
        );
    }
}

/// All outcomes as JSON.
pub fn json(outcomes: &[Outcome]) -> Value {
    let side = |runs: &Runs| json!({ "side": runs.side, "min": runs.min, "median": runs.median, "runs": runs.count });
    let verdict = |verdict: &Verdict| {
        json!({
            "kind": verdict.bar.kind(),
            "peer": verdict.bar.peer(),
            "limit": verdict.bar.limit(),
            "measured": verdict.measured,
            "met": verdict.is_met,
        })
    };
    let scenes: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "name": outcome.scene.name,
                "title": outcome.scene.title,
                "commits": outcome.scene.durability.name(),
                "unit": outcome.scene.unit.name(),
                "sides": outcome.sides.iter().map(side).collect::<Vec<_>>(),
                "bars": outcome.verdicts.iter().map(verdict).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "scenes": scenes })
}
