//! Many records at once: `POST /table/{table}/records`, as a JSON list, a JSON object a line, or CSV.
//!
//! | `mode` | |
//! |---|---|
//! | `atomic` | all or none (the default) |
//! | `partial` | each by itself: wrong ones are left out and told |
//! | `chunked` | a thousand at a time, each thousand all or none |
//!
//! Records are read as they come. Unless all are one transaction, they are written as they come too, a thousand at a time, so
//! that memory holds no more than a thousand; all or none are kept, as values, until the last has come.
//!
//! A record whose unique values another one has is a mistake, unless `on_conflict` says to `ignore` the new one, to
//! `replace` the old one, or to `merge` the given fields into it.

use super::csv::{self, Object};
use super::incoming::{Incoming, Piece, Splitter};
use crate::client::Committed;
use crate::error::{Error, Result, Rule};
use crate::id::RecordId;
use crate::limits::{BULK_ATOMIC_BYTES_MAX, BULK_BODY_BYTES_MAX, BULK_CHUNK_RECORDS, BULK_ERRORS_MAX};
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
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONNECTION;
use dbgen_schema::json::Mode as Whole;
use serde_json::{Value as Json, json};
use std::sync::Arc;

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

    fn from_params(params: &mut Params) -> Self {
        let modes = [("atomic", Mode::Atomic), ("partial", Mode::Partial), ("chunked", Mode::Chunked)];
        let conflicts = [
            ("error", OnConflict::Error),
            ("ignore", OnConflict::Ignore),
            ("replace", OnConflict::Replace),
            ("merge", OnConflict::Merge),
        ];
        let unknown = [("refuse", Unknown::Refuse), ("ignore", Unknown::Ignore)];
        BulkOptions {
            mode: params.take_word("mode", &modes).unwrap_or(Mode::Atomic),
            on_conflict: params.take_word("on_conflict", &conflicts).unwrap_or(OnConflict::Error),
            unknown: params.take_word("unknown", &unknown).unwrap_or_default(),
        }
    }
}

/// In which forms records come.
const MEDIA_TYPES: &[&str] = &["application/json", "application/x-ndjson", "text/csv"];

/// A body of more bytes is kept as values alone, without the texts from which they could be read again if the schema changes
/// meanwhile: those take ten times the bytes.
const SETTLED_BYTES_MIN: usize = 1 << 20;

/// A record with the line that it stood in, or its place in a JSON list, from 1.
type Line = (usize, Result<Draft, Problem>);

/// `POST /table/{table}/records`
pub(crate) async fn post(
    State(server): Shared,
    Path(table): Path<String>,
    Query(options): Query<BulkOptions>,
    headers: HeaderMap,
    body: Body,
) -> Result<Reply, Problem> {
    server.view().open_table(&table)?;
    let (form, splitter) = match media_type(&headers, MEDIA_TYPES, false)?.as_str() {
        "application/x-ndjson" => (Form::Json, Splitter::lines()),
        "text/csv" => (Form::Csv(None), Splitter::csv()),
        _ => (Form::Json, Splitter::list()),
    };
    let bytes_max = if options.mode == Mode::Atomic { BULK_ATOMIC_BYTES_MAX } else { BULK_BODY_BYTES_MAX };
    let incoming = Incoming::new(body, splitter, bytes_max, server.config.body_wait_max);
    let mut bulk = Bulk { server, table, options, form, incoming };
    let done = match options.mode {
        Mode::Atomic => bulk.at_once().await,
        Mode::Partial | Mode::Chunked => bulk.in_chunks().await.map(told),
    };
    match done {
        Ok(reply) => Ok(reply),
        Err(problem) => {
            let has_ended = bulk.incoming.drain().await;
            Err(if has_ended { problem } else { problem.header(CONNECTION, "close") })
        }
    }
}

/// The answer to a bulk insert.
fn told(done: Committed<Done>) -> Reply {
    Reply::json(json::to_vec(&done.value.to_json(done.commit))).commit(done.commit)
}

/// What a line is.
#[derive(Debug, Clone)]
enum Form {
    Json,
    /// With the names in the first line, once it has come.
    Csv(Option<csv::Head>),
}

/// Records on their way in.
struct Bulk {
    server: Arc<Server>,
    table: String,
    options: BulkOptions,
    form: Form,
    incoming: Incoming,
}

impl Bulk {
    /// All records in one transaction.
    async fn at_once(&mut self) -> Result<Reply, Problem> {
        let (mut lines, mut held_bytes) = (Vec::new(), 0_usize);
        loop {
            let mut chunk = self.next().await?;
            if chunk.is_empty() {
                break;
            }
            if let Some(at) = chunk.iter().position(|(_, draft)| draft.is_err()) {
                // Those before it may be wrong in another way, which would be told first.
                chunk.truncate(at + 1);
                lines.append(&mut chunk);
                break;
            }
            if self.incoming.bytes() > SETTLED_BYTES_MIN {
                chunk.iter_mut().flat_map(|(_, draft)| draft).for_each(Draft::settle);
            }
            held_bytes += chunk.iter().flat_map(|(_, draft)| draft).map(Draft::held_bytes).sum::<usize>();
            lines.append(&mut chunk);
            self.check_held(held_bytes, lines.len())?;
        }
        self.server.answered(self.body(lines), told).await
    }

    /// A thousand at a time, each thousand by itself; in the mode `partial` each record.
    async fn in_chunks(&mut self) -> Result<Committed<Done>, Problem> {
        let (mut all, mut commit, mut durable) = (Done::default(), self.server.view().commit(), true);
        loop {
            let lines = match self.next().await {
                Ok(lines) if lines.is_empty() => break,
                Ok(lines) => lines,
                // What was written stays, so it is told with what was wrong then. Of nothing there is nothing to tell.
                Err(problem) if all.is_empty() => return Err(problem),
                Err(problem) => {
                    all.failed += 1;
                    all.tell(problem.line().unwrap_or_default(), &problem);
                    break;
                }
            };
            let count = lines.len();
            match self.server.write(self.body(lines)).await {
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

    /// What is all or nothing is in memory until its last record has come: that there is room for it.
    fn check_held(&self, held_bytes: usize, records: usize) -> Result<(), Problem> {
        let max = self.server.config.bulk_held_bytes_max;
        if held_bytes <= max {
            return Ok(());
        }
        let detail = format!(
            "a bulk insert that is all or nothing is kept until its last record has come, in at most {max} bytes, and the first \
             {records} records take more: send it in parts, or with `mode=chunked`"
        );
        Err(Problem::new(Kind::BodyTooLarge, detail).member("max_held_bytes", max).member("records", records))
    }

    /// The transaction that writes some lines.
    fn body(&self, lines: Vec<Line>) -> impl FnOnce(&mut Transaction) -> Result<Done> + Send + 'static {
        let (table, options) = (self.table.clone(), self.options);
        move |tx| {
            let mut done = Done::default();
            done.run(tx, &table, lines, options)?;
            Ok(done)
        }
    }

    /// The next records, as far as they can be read; none at the end.
    async fn next(&mut self) -> Result<Vec<Line>, Problem> {
        if matches!(self.form, Form::Csv(None)) {
            self.form = Form::Csv(Some(self.head().await?));
        }
        let pieces = self.incoming.next(BULK_CHUNK_RECORDS).await?;
        if pieces.is_empty() {
            return Ok(Vec::new());
        }
        let (name, form, options) = (self.table.clone(), self.form.clone(), self.options);
        super::at_leisure(&self.server, move |server| read(&server.view(), &name, &form, pieces, options)).await
    }

    /// The first line of CSV.
    async fn head(&mut self) -> Result<csv::Head, Problem> {
        let first = self.incoming.next(1).await?.pop();
        let (_, first) =
            first.ok_or_else(|| Problem::new(Kind::MalformedRequest, "the first line of CSV names the fields"))?;
        let view = self.server.view();
        csv::Head::read(view.open_table(&self.table)?.schema(), &first, self.options.unknown)
    }
}

/// Reads records. What is wrong with one is told with all others.
fn read(view: &View, table: &str, form: &Form, pieces: Vec<Piece>, options: BulkOptions) -> Result<Vec<Line>, Problem> {
    let definition = view.open_table(table)?.schema();
    let object = |line: usize, text: &[u8]| match form {
        Form::Csv(Some(head)) => head.record(definition, line, text),
        Form::Json | Form::Csv(None) => json::parse(text).and_then(|json| as_object(json, "#")),
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
    Ok(pieces.into_iter().map(|(line, text)| (line, object(line, &text).and_then(draft))).collect())
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

    /// Whether nothing was done and nothing refused.
    fn is_empty(&self) -> bool {
        self.inserted + self.updated + self.skipped + self.failed == 0
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
        self.failed += other.failed;
        let room = BULK_ERRORS_MAX.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
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
