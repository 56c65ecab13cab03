//! The table that people read, and the same for machines.

use crate::race::Runs;
use crate::scene::{Bar, Outcome, Unit, Verdict};
use serde_json::{Value, json};

/// Prints the head of the table.
pub fn head() {
    line(["work", "commits", "ours min", "median", "beside", "min", "median", "ratio", "bar", ""]);
}

/// Prints a scene: a line for each bar that names no peer, and one for each peer.
pub fn print(outcome: &Outcome) {
    let (scene, unit) = (outcome.scene, outcome.scene.unit);
    let Some((ours, peers)) = outcome.sides.split_first() else { return };
    let (min, median) = (unit.show(ours.min), unit.show(ours.median));
    let (mut title, mut durability) = (scene.title, scene.durability.name());
    let mut row = |beside: &str, theirs: Option<&Runs>, verdict: Option<&Verdict>| {
        let show = |value: Option<f64>| value.map(|value| unit.show(value)).unwrap_or_default();
        let ratio = theirs.map(|theirs| format!("{:.2}", ours.min / theirs.min)).unwrap_or_default();
        let bar = verdict.map(|verdict| shown(verdict.bar, unit)).unwrap_or_default();
        let met = verdict.map_or("", |verdict| if verdict.is_met { "met" } else { "MISSED" });
        let (peer_min, peer_median) = (show(theirs.map(|side| side.min)), show(theirs.map(|side| side.median)));
        line([title, durability, &min, &median, beside, &peer_min, &peer_median, &ratio, &bar, met]);
        (title, durability) = ("", "");
    };
    let absolute: Vec<&Verdict> = outcome.verdicts.iter().filter(|verdict| verdict.bar.peer().is_none()).collect();
    absolute.iter().for_each(|verdict| row("", None, Some(verdict)));
    for peer in peers {
        let verdict = outcome.verdicts.iter().find(|verdict| verdict.bar.peer() == Some(&peer.side));
        row(&peer.side, Some(peer), verdict);
    }
    if absolute.is_empty() && peers.is_empty() {
        row("", None, None);
    }
}

fn line(columns: [&str; 10]) {
    let [work, commits, min, median, beside, peer_min, peer_median, ratio, bar, met] = columns;
    println!(
        "{work:<52} {commits:<9} {min:>10} {median:>10}  {beside:<26} {peer_min:>10} {peer_median:>10} {ratio:>7}  {bar:<10} {met}"
    );
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
