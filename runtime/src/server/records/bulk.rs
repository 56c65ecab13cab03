//! Many records at once: `POST /table/{table}/records`, as a JSON list, a JSON object a line, or CSV.
//!
//! | `mode` | |
//! |---|---|
//! | `atomic` | all or none (the default) |
//! | `partial` | each by itself: wrong ones are left out and told |
//! | `chunked` | a thousand at a time, each thousand all or none |
//!
//! A record whose unique values another one has is a mistake, unless `on_conflict` says to `ignore` the new one, to
//! `replace` the old one, or to `merge` the given fields into it.

use super::csv::{self, Object};
use crate::client::Committed;
use crate::error::{Error, Result, Rule};
use crate::id::RecordId;
use crate::limits::{BULK_CHUNK_RECORDS, BULK_ERRORS_MAX};
use crate::server::draft::{Draft, Unknown};
use crate::server::extract::{Path, Query, as_object, media_type};
use crate::server::json;
use crate::server::params::{FromParams, Params};
use crate::server::precondition::require_match_not;
use crate::server::problem::{Kind, Problem};
use crate::server::reply::Reply;
use crate::server::state::{Server, Shared};
use crate::txn::Transaction;
use crate::view::View;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use dbgen_schema::json::Mode as Whole;
use serde_json::{Value as Json, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Atomic,
    Partial,
    Chunked,
}

/// What becomes of a record whose unique values another one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnConflict {
    Error,
    Ignore,
    Replace,
    Merge,
}

/// How records are to be inserted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BulkOptions {
    mode: Mode,
    on_conflict: OnConflict,
    unknown: Unknown,
}

impl FromParams for BulkOptions {
    const NAMES: &'static [&'static str] = &["mode", "on_conflict", "unknown"];

    fn from_params(params: &mut Params) -> Result<Self, Problem> {
        let modes = [("atomic", Mode::Atomic), ("partial", Mode::Partial), ("chunked", Mode::Chunked)];
        let conflicts = [
            ("error", OnConflict::Error),
            ("ignore", OnConflict::Ignore),
            ("replace", OnConflict::Replace),
            ("merge", OnConflict::Merge),
        ];
        let unknown = [("refuse", Unknown::Refuse), ("ignore", Unknown::Ignore)];
        Ok(BulkOptions {
            mode: params.take_word("mode", &modes)?.unwrap_or(Mode::Atomic),
            on_conflict: params.take_word("on_conflict", &conflicts)?.unwrap_or(OnConflict::Error),
            unknown: params.take_word("unknown", &unknown)?.unwrap_or_default(),
        })
    }
}

/// A record with the line that it stood in, or its place in a JSON list, from 1.
type Line = (usize, Result<Draft, Problem>);

/// `POST /table/{table}/records`
pub(crate) async fn post(
    State(server): Shared,
    Path(table): Path<String>,
    Query(options): Query<BulkOptions>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Reply, Problem> {
    let name = table.clone();
    let lines = super::at_leisure(&server, move |server| read(&server.view(), &name, &headers, &body, options)).await?;
    let done = insert(&server, table, lines, options).await?;
    Ok(Reply::json(json::to_vec(&done.value.to_json(done.commit))).commit(done.commit))
}

/// Reads the records, as far as they can be read. What is wrong with one is told with all others.
fn read(
    view: &View,
    table: &str,
    headers: &HeaderMap,
    body: &[u8],
    options: BulkOptions,
) -> Result<Vec<Line>, Problem> {
    const KNOWN: &[&str] = &["application/json", "application/x-ndjson", "text/csv"];
    let definition = view.open_table(table)?.schema();
    let utf8 = || std::str::from_utf8(body).map_err(|_| Problem::new(Kind::MalformedRequest, "the body is not UTF-8"));
    let media_type = media_type(headers, KNOWN, false)?;
    let objects: Vec<(usize, Result<Object, Problem>)> = match media_type.as_str() {
        "application/json" => {
            let Json::Array(items) = json::parse(body)? else {
                return Err(Problem::at(Kind::WrongType, "#", "a list of records is needed"));
            };
            items.into_iter().enumerate().map(|(at, item)| (at + 1, as_object(item, "#"))).collect()
        }
        "application/x-ndjson" => {
            let lines = utf8()?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let read = |line: &str| json::parse(line.as_bytes()).and_then(|json| as_object(json, "#"));
            lines.map(|(at, line)| (at + 1, read(line))).collect()
        }
        _ => csv::records(definition, utf8()?, options.unknown)?
            .into_iter()
            .map(|(line, record)| (line, Ok(record)))
            .collect(),
    };
    // Who says that unknown members are to be left out brings records that were exported: their ids are others here.
    let is_component = definition.parent.is_some();
    let own = |mut object: Object| {
        if options.unknown == Unknown::Ignore {
            object.remove("_version");
            if !is_component {
                object.remove("_id");
            }
        }
        object
    };
    let whole = if options.on_conflict == OnConflict::Merge { Whole::Patch } else { Whole::Insert };
    let draft = |object| Draft::new(own(object), whole, options.unknown).decoded(view, table);
    Ok(objects.into_iter().map(|(line, object)| (line, object.and_then(draft))).collect())
}

async fn insert(
    server: &Server,
    table: String,
    lines: Vec<Line>,
    options: BulkOptions,
) -> Result<Committed<Done>, Problem> {
    if options.mode != Mode::Chunked {
        let body = move |tx: &mut Transaction| {
            let mut done = Done::default();
            done.run(tx, &table, lines, options)?;
            Ok(done)
        };
        return server.write(body).await;
    }
    let (mut all, mut commit, mut durable) = (Done::default(), server.view().commit(), true);
    let mut rest = lines.into_iter().peekable();
    while rest.peek().is_some() {
        let chunk: Vec<Line> = rest.by_ref().take(BULK_CHUNK_RECORDS).collect();
        let (count, table) = (chunk.len(), table.clone());
        let body = move |tx: &mut Transaction| {
            let mut done = Done::default();
            done.run(tx, &table, chunk, options)?;
            Ok(done)
        };
        match server.write(body).await {
            Ok(done) => {
                (commit, durable) = (done.commit, durable && done.durable);
                all.add(done.value);
            }
            // The server's own trouble ends it; what was done until then stays.
            Err(problem) if problem.kind().status() >= 500 => return Err(problem),
            Err(problem) => {
                all.failed += count;
                all.tell(problem.line().unwrap_or_default(), &problem);
            }
        }
    }
    Ok(Committed { value: all, commit, durable })
}

/// What became of the records.
#[derive(Debug, Default)]
struct Done {
    inserted: usize,
    updated: usize,
    skipped: usize,
    failed: usize,
    errors: Vec<Json>,
    first_id: Option<RecordId>,
    last_id: Option<RecordId>,
}

impl Done {
    fn run(&mut self, tx: &mut Transaction, table: &str, lines: Vec<Line>, options: BulkOptions) -> Result<()> {
        for (line, draft) in lines {
            let written = match draft {
                Ok(draft) => tx.nested(|tx| self.write(tx, table, draft, options.on_conflict)),
                Err(problem) => Err(problem.into()),
            };
            if let Err(error) = written {
                let problem = Problem::from(error).member("line", line);
                if options.mode != Mode::Partial {
                    return Err(problem.into());
                }
                self.failed += 1;
                self.tell(line, &problem);
            }
        }
        Ok(())
    }

    fn write(&mut self, tx: &mut Transaction, table: &str, mut draft: Draft, on_conflict: OnConflict) -> Result<()> {
        let table = tx.open_table(table)?;
        let owner = draft.owner(tx, table)?;
        let values = draft.into_values(tx, table, None)?;
        let inserted = match owner {
            None => tx.insert_values(table, &values),
            Some(owner) => tx.attach_values(table, owner, &values).map(|()| owner),
        };
        match inserted {
            Ok(id) => {
                self.inserted += 1;
                self.first_id.get_or_insert(id);
                self.last_id = Some(id);
            }
            Err(error) => match existing(&error, on_conflict) {
                None => return Err(error),
                Some(_) if on_conflict == OnConflict::Ignore => self.skipped += 1,
                Some(id) => {
                    require_match_not(tx, table, "change them one by one, or as a batch with `if_match`")?;
                    match on_conflict {
                        OnConflict::Replace => tx.replace_values(table, id, &values)?,
                        _ => tx.update_values(table, id, &values)?,
                    }
                    self.updated += 1;
                }
            },
        }
        Ok(())
    }

    fn tell(&mut self, line: usize, problem: &Problem) {
        if self.errors.len() < BULK_ERRORS_MAX {
            let (pointer, code) = (problem.pointer(), problem.kind().code());
            self.errors.push(json!({ "line": line, "pointer": pointer, "code": code, "detail": problem.detail() }));
        }
    }

    fn add(&mut self, other: Done) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.skipped += other.skipped;
        self.first_id = self.first_id.or(other.first_id);
        self.last_id = other.last_id.or(self.last_id);
    }

    fn to_json(&self, commit: u64) -> Json {
        json!({
            "inserted": self.inserted, "updated": self.updated, "skipped": self.skipped, "failed": self.failed,
            "errors": self.errors, "first_id": self.first_id.map(RecordId::get), "last_id": self.last_id.map(RecordId::get),
            "version": commit,
        })
    }
}

/// The record that has all unique values that a new one wanted, if that is all that is wrong with it.
fn existing(error: &Error, on_conflict: OnConflict) -> Option<RecordId> {
    let Error::Invalid(violations) = error else { return None };
    if on_conflict == OnConflict::Error {
        return None;
    }
    let mut found = None;
    for violation in violations {
        match &violation.rule {
            Rule::Unique { existing, .. } if found.is_none_or(|found| found == *existing) => found = Some(*existing),
            // A record that merges into another may leave out what a new one may not.
            Rule::NotNull if on_conflict == OnConflict::Merge => {}
            _ => return None,
        }
    }
    found
}
