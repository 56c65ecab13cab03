//! How the loop, the tables and the server are doing: `/stats` for people and dashboards, `/metrics` for Prometheus.
//!
//! All of it is read from what the loop leaves behind once a second and from the published version: asking costs the loop
//! nothing.

use super::extract::{AcceptsJson, Query};
use super::json;
use super::params::{FromParams, Params};
use super::reply::Reply;
use super::state::{Server, Shared};
use crate::durable::DurabilityStatus;
use crate::table::writer::PublicationStats;
use crate::tick::{Figures, LoopStats, Quantiles};
use crate::view::View;
use axum::extract::State;
use serde_json::{Value as Json, json};
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the server counts of its requests.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Answers by the first digit of their status, from 1.
    answers: [AtomicU64; 5],
}

impl Counts {
    /// Counts an answer.
    pub(crate) fn answered(&self, status: u16) {
        if let Some(count) = usize::from(status / 100).checked_sub(1).and_then(|class| self.answers.get(class)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn by_class(&self) -> impl Iterator<Item = (String, u64)> {
        let count = |(at, count): (usize, &AtomicU64)| (format!("{}xx", at + 1), count.load(Ordering::Relaxed));
        self.answers.iter().enumerate().map(count)
    }
}

/// Of what time figures are asked.
#[derive(Debug, Clone, Copy)]
enum Period {
    Second,
    Minute,
    Hour,
}

/// What is asked of the figures.
#[derive(Debug)]
pub(crate) struct StatsOptions {
    period: Period,
}

impl FromParams for StatsOptions {
    const NAMES: &'static [&'static str] = &["period"];

    fn from_params(params: &mut Params) -> Self {
        let words = [("1s", Period::Second), ("1m", Period::Minute), ("1h", Period::Hour)];
        StatsOptions { period: params.take_word("period", &words).unwrap_or(Period::Second) }
    }
}

/// `GET /stats`
pub(crate) async fn get(State(server): Shared, Query(options): Query<StatsOptions>, _: AcceptsJson) -> Reply {
    let view = server.view();
    Reply::json(json::to_vec(&stats_json(&server, &view, options.period))).commit(view.commit())
}

/// The figures of the last seconds, as JSON-RPC gives them.
pub(crate) fn recent_json(server: &Server) -> Vec<u8> {
    json::to_vec(&stats_json(server, &server.view(), Period::Second))
}

fn stats_json(server: &Server, view: &View, period: Period) -> Json {
    let stats = server.db.loop_stats();
    let (waiting, waiting_max) = server.db.queue_length();
    let tables = view.tables().map(|table| {
        let (used, allocated) = table.bytes();
        let name = &table.schema().name;
        let published = stats.as_ref().and_then(|stats| stats.tables.iter().find(|(known, _)| known == name));
        let published = published.map_or_else(PublicationStats::default, |(_, published)| *published);
        table_json(name, table.len(), (used, allocated), &published)
    });
    let answers = server.counts.by_class().map(|(class, count)| (class, Json::from(count)));
    let answers: Json = answers.collect::<serde_json::Map<String, Json>>().into();
    json!({
        "loop": stats.as_ref().map_or(Json::Null, |stats| loop_json(stats, period)),
        "queue": { "waiting": waiting, "max": waiting_max },
        "server": { "in_flight": server.in_flight(), "answers": answers },
        "durability": server.db.durability().map_or(Json::Null, |status| durability_json(&status)),
        "tables": tables.collect::<Vec<_>>(),
        "version": view.commit(),
        "epoch": server.epoch,
        "schema_version": view.schema_version(),
    })
}

fn table_json(name: &str, rows: usize, (used, allocated): (usize, usize), published: &PublicationStats) -> Json {
    json!({
        "name": name,
        "rows": rows,
        "bytes": { "used": used, "allocated": allocated },
        "versions": published.versions,
        "whole_copies": published.whole_copies,
        "catch_up_bytes": published.catch_up_bytes,
        "groups_next": published.groups_next,
        "groups_next_copied": published.groups_next_copied,
        "drops_deferred": published.drops_deferred,
        "dirty": {
            "sets": published.dirty_sets, "ranges": published.dirty_ranges, "records": published.dirty_records,
            "sets_forgotten": published.dirty_sets_forgotten,
        },
    })
}

fn durability_json(status: &DurabilityStatus) -> Json {
    json!({
        "logged": status.logged, "durable": status.durable, "log_bytes": status.log_bytes,
        "queue_waits": status.queue_waits, "snapshot": status.snapshot, "snapshot_error": status.snapshot_error,
        "read_only": status.read_only,
    })
}

fn loop_json(stats: &LoopStats, period: Period) -> Json {
    let samples = |ring: &VecDeque<Arc<Figures>>| ring.iter().map(|figures| figures_json(figures)).collect::<Vec<_>>();
    let engine = &stats.engine;
    json!({
        "rate_hz": stats.rate_hz,
        "tick": stats.tick,
        "total": figures_json(&stats.total),
        "samples": match period {
            Period::Second => samples(&stats.history.seconds),
            Period::Minute => samples(&stats.history.minutes),
            Period::Hour => samples(&stats.history.hours),
        },
        "transactions": { "committed": engine.commits, "rolled_back": engine.rollbacks },
        "publication": {
            "published": engine.publications, "skipped": engine.publications_skipped, "roots_made": engine.roots_made,
            "tables_dropped_later": engine.tables_dropped_later,
        },
    })
}

fn figures_json(figures: &Figures) -> Json {
    let systems = figures.systems.iter().map(|(name, took)| json!({ "name": name, "took": quantiles_json(took) }));
    let failure = figures.last_failure.as_ref();
    json!({
        "seconds": figures.over.as_secs_f64(),
        "ticks": figures.ticks,
        "tick": quantiles_json(&figures.tick),
        "jitter": quantiles_json(&figures.jitter),
        "overruns": figures.overruns,
        "dropped": figures.dropped,
        "failures": figures.failures,
        "last_failure": failure.map(|(system, tick, error)| json!({ "system": system, "tick": tick, "error": error })),
        "systems": systems.collect::<Vec<_>>(),
        "commits": figures.commits,
        "records": figures.records,
    })
}

fn quantiles_json(quantiles: &Quantiles) -> Json {
    let us = |duration: Duration| duration.as_nanos() as f64 / 1e3;
    json!({ "p50_us": us(quantiles.p50), "p99_us": us(quantiles.p99), "max_us": us(quantiles.max) })
}

/// `GET /metrics`
pub(crate) async fn metrics(State(server): Shared, Query(()): Query<()>) -> Reply {
    let view = server.view();
    let metrics = Metrics::default().server(&server).tables(&view).durability(server.db.durability());
    let text = metrics.world(server.db.loop_stats().as_deref()).text;
    Reply::text("text/plain; version=0.0.4; charset=utf-8", text).commit(view.commit())
}

/// A metric that every table has: its name, kind and meaning, and where it is found.
type OfTable = (&'static str, &'static str, &'static str, fn(&PublicationStats) -> u64);

/// How the versions of a table circulate.
const PUBLICATION: [OfTable; 10] = [
    ("table_versions", "gauge", "Versions of a table, those that readers hold included.", |of| of.versions),
    (
        "table_whole_copies_total",
        "counter",
        "Versions of a table that were made by copying all of it, since readers held the others.",
        |of| of.whole_copies,
    ),
    (
        "table_catch_up_bytes_total",
        "counter",
        "Bytes of a table that were copied to bring versions up to date.",
        |of| of.catch_up_bytes,
    ),
    (
        "table_groups_next_total",
        "counter",
        "Column groups that were written whole out of the published one, nothing copied.",
        |of| of.groups_next,
    ),
    (
        "table_groups_next_copied_total",
        "counter",
        "The same behind another write to the group: it was copied first.",
        |of| of.groups_next_copied,
    ),
    ("table_drops_deferred_total", "counter", "Versions of a table that were given back on another thread.", |of| {
        of.drops_deferred
    }),
    ("table_dirty_sets", "gauge", "Publications of which it is remembered what they wrote.", |of| of.dirty_sets),
    ("table_dirty_ranges", "gauge", "Notes of written ranges that are remembered.", |of| of.dirty_ranges),
    ("table_dirty_records", "gauge", "Changes of records that are remembered.", |of| of.dirty_records),
    (
        "table_dirty_sets_forgotten_total",
        "counter",
        "Publications of which it is remembered no more what they wrote.",
        |of| of.dirty_sets_forgotten,
    ),
];

/// The text format of Prometheus.
#[derive(Default)]
struct Metrics {
    text: String,
}

impl Metrics {
    /// One metric: its name, kind and meaning, and a value for each set of labels.
    fn metric(&mut self, name: &str, kind: &str, help: &str, values: impl IntoIterator<Item = (String, f64)>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP dbgen_{name} {help}\n# TYPE dbgen_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(self.text, "dbgen_{name}{labels} {value}");
        }
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.metric(name, kind, help, [(String::new(), value as f64)]);
    }

    fn server(mut self, server: &Server) -> Metrics {
        let (waiting, waiting_max) = server.db.queue_length();
        self.one("queue_waiting", "gauge", "Requests that wait for the loop.", waiting as u64);
        self.one("queue_max", "gauge", "Requests that may wait for the loop.", waiting_max as u64);
        self.one("http_in_flight", "gauge", "HTTP requests that are being answered.", server.in_flight() as u64);
        let answers = server.counts.by_class().map(|(class, count)| (label("status", &class), count as f64));
        self.metric("http_answers_total", "counter", "HTTP requests that were answered.", answers);
        self
    }

    fn tables(mut self, view: &View) -> Metrics {
        let named = |value: fn(crate::dynamic::DynTable<'_>) -> usize| {
            view.tables().map(move |table| (label("table", &table.schema().name), value(table) as f64))
        };
        self.one("commit", "counter", "The last commit that readers see.", view.commit());
        self.one("schema_version", "gauge", "Counts the edits of the schema.", view.schema_version());
        self.metric("table_rows", "gauge", "Records of a table.", named(|table| table.len()));
        self.metric("table_bytes", "gauge", "Bytes of a table's buffers.", named(|table| table.bytes().1));
        self
    }

    fn durability(mut self, status: Option<DurabilityStatus>) -> Metrics {
        let Some(status) = status else { return self };
        self.one("logged_commit", "counter", "The last commit with something to log.", status.logged);
        self.one("durable_commit", "counter", "The last of those that is synced.", status.durable);
        self.one("log_bytes_total", "counter", "Bytes of log records since the start.", status.log_bytes);
        self.one(
            "log_queue_waits_total",
            "counter",
            "Commits that waited for room in the log's queue.",
            status.queue_waits,
        );
        self.one("snapshot_commit", "counter", "The commit of the last snapshot.", status.snapshot);
        let failed = u64::from(status.snapshot_error.is_some());
        self.one("snapshot_failed", "gauge", "Whether the last snapshot failed.", failed);
        let is_read_only = u64::from(status.read_only.is_some());
        self.one("read_only", "gauge", "Whether nothing can be written any more, since the log cannot.", is_read_only);
        self
    }

    fn world(mut self, stats: Option<&LoopStats>) -> Metrics {
        let Some(stats) = stats else { return self };
        let (total, engine) = (&stats.total, &stats.engine);
        self.one("tick", "counter", "The last tick.", stats.tick);
        self.metric("tick_rate_hz", "gauge", "Ticks a second that are wanted.", [(String::new(), stats.rate_hz)]);
        // Of the last report, as a gauge should be: over the whole run a quantile would not move any more.
        let last = stats.history.seconds.back().map_or(total, |last| last);
        self.metric("tick_seconds", "gauge", "How long ticks took in the last second.", quantiles("", &last.tick));
        self.metric(
            "tick_jitter_seconds",
            "gauge",
            "How late ticks began in the last second.",
            quantiles("", &last.jitter),
        );
        let systems = last.systems.iter().flat_map(|(name, took)| quantiles(name, took));
        self.metric(
            "system_seconds",
            "gauge",
            "How long systems took in the last second.",
            systems.collect::<Vec<_>>(),
        );
        self.one("tick_overruns_total", "counter", "Ticks that took longer than their time.", total.overruns);
        self.one("ticks_dropped_total", "counter", "Ticks that were dropped, since the loop lagged.", total.dropped);
        self.one("system_failures_total", "counter", "Systems and timers that failed.", total.failures);
        self.one("transactions_committed_total", "counter", "Transactions committed.", engine.commits);
        self.one("transactions_rolled_back_total", "counter", "Transactions rolled back.", engine.rollbacks);
        self.one("publications_total", "counter", "Versions that were published.", engine.publications);
        let skipped = "Publications put off, since readers held every version.";
        self.one("publications_skipped_total", "counter", skipped, engine.publications_skipped);
        let tables_later = "Tables that edits of the schema replaced, given back on another thread.";
        self.one("tables_dropped_later_total", "counter", tables_later, engine.tables_dropped_later);
        for (name, kind, help, value) in PUBLICATION {
            let of_tables = stats.tables.iter().map(|(table, of)| (label("table", table), value(of) as f64));
            self.metric(name, kind, help, of_tables);
        }
        self
    }
}

fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{}\"}}", escaped(value))
}

/// A label's value: names of systems are the game's, and may hold anything.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn quantiles(system: &str, quantiles: &Quantiles) -> [(String, f64); 3] {
    let system = if system.is_empty() { String::new() } else { format!("system=\"{}\",", escaped(system)) };
    let one = |name: &str, value: Duration| (format!("{{{system}quantile=\"{name}\"}}"), value.as_secs_f64());
    [one("0.5", quantiles.p50), one("0.99", quantiles.p99), one("1", quantiles.max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(label("system", "a \"b\"\\\n"), "{system=\"a \\\"b\\\"\\\\\\n\"}");
        let [half, ..] = quantiles("x", &Quantiles { p50: Duration::from_millis(2), ..Quantiles::default() });
        assert_eq!(half, ("{system=\"x\",quantile=\"0.5\"}".to_owned(), 0.002));
    }

    #[test]
    fn a_world_without_a_loop_has_no_figures_of_one() {
        assert!(Metrics::default().world(None).text.is_empty());
        let stats = LoopStats {
            rate_hz: 60.0,
            tick: 7,
            total: Figures { systems: vec![("move".to_owned(), Quantiles::default())], ..Figures::default() },
            history: crate::tick::History::default(),
            engine: crate::engine::EngineStats::default(),
            tables: Vec::new(),
        };
        let text = Metrics::default().world(Some(&stats)).text;
        assert!(text.contains("\ndbgen_tick 7\n") && text.contains("dbgen_system_seconds{system=\"move\""), "{text}");
    }
}
