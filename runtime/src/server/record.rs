//! One record: insert, read, replace, patch, delete.

use super::draft::{Draft, Unknown};
use super::extract::{AcceptsJson, Object, Path, Query, record_id};
use super::json;
use super::params::{FromParams, Params};
use super::precondition::{Preconditions, record_tag};
use super::problem::{Kind, Problem};
use super::records::text_value;
use super::reply::Reply;
use super::row::{Row, RowJson, Stored};
use super::state::{Server, Shared};
use crate::client::Committed;
use crate::dynamic::{DynRecord, DynTable, TableNo};
use crate::error::Result;
use crate::id::RecordId;
use crate::txn::Transaction;
use crate::view::View;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ETAG, HeaderName};
use dbgen_schema::json::{Int64, Mode};
use serde_json::{Map, Value as Json};

/// A record to be added.
#[derive(Debug)]
pub(crate) struct Insert {
    pub(crate) table: String,
    pub(crate) draft: Draft,
}

/// A record to be changed: replaced or patched, as the draft's mode says.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) table: String,
    pub(crate) id: RecordId,
    pub(crate) draft: Draft,
    pub(crate) preconditions: Preconditions,
    /// Whether a component that its owner does not have yet is added. No other record can be: ids are not chosen.
    pub(crate) may_create: bool,
    pub(crate) epoch: u64,
}

/// A record to be deleted.
#[derive(Debug)]
pub(crate) struct Delete {
    pub(crate) table: String,
    pub(crate) id: RecordId,
    pub(crate) preconditions: Preconditions,
    pub(crate) epoch: u64,
}

impl Insert {
    /// Does it; gives the record as it is stored.
    pub(crate) fn run(mut self, tx: &mut Transaction) -> Result<Stored> {
        let table = tx.open_table(&self.table)?;
        let owner = self.draft.owner(tx, table)?;
        let values = self.draft.into_values(tx, table, None)?;
        let id = match owner {
            None => tx.insert_values(table, &values)?,
            Some(owner) => {
                tx.attach_values(table, owner, &values)?;
                owner
            }
        };
        Stored::of(tx, table, id)
    }
}

impl Update {
    /// Does it; gives the record as it is stored.
    pub(crate) fn run(mut self, tx: &mut Transaction) -> Result<Stored> {
        let table = tx.open_table(&self.table)?;
        if self.may_create && self.creates(tx, table) {
            self.preconditions.check_absent()?;
            self.draft.confirm_id(self.id)?;
            let values = self.draft.into_values(tx, table, None)?;
            tx.attach_values(table, self.id, &values)?;
            let mut stored = Stored::of(tx, table, self.id)?;
            stored.is_new = true;
            return Ok(stored);
        }
        self.preconditions.check_write(tx, table, self.id, self.epoch)?;
        let mode = self.draft.mode();
        let values = self.draft.into_values(tx, table, Some(self.id))?;
        match mode {
            Mode::Insert => tx.replace_values(table, self.id, &values)?,
            Mode::Patch => tx.update_values(table, self.id, &values)?,
        }
        Stored::of(tx, table, self.id)
    }

    /// Whether it is a component that is missing, of a record that is there.
    fn creates(&self, tx: &Transaction, table: TableNo) -> bool {
        let parent = tx.schema().tables[table.at()].parent;
        let has = |at: usize| tx.engine.view(at).row_of(self.id).is_ok();
        parent.is_some_and(|parent| has(parent.at())) && !has(table.at())
    }
}

impl Delete {
    /// Does it; says how many records went, those that had to go along included.
    pub(crate) fn run(self, tx: &mut Transaction) -> Result<usize> {
        let table = tx.open_table(&self.table)?;
        self.preconditions.check_write(tx, table, self.id, self.epoch)?;
        tx.delete_record(table, self.id)
    }
}

/// Adds a record.
pub(crate) async fn insert(
    server: &Server,
    table: String,
    object: Map<String, Json>,
    unknown: Unknown,
) -> Result<Committed<Stored>, Problem> {
    let draft = Draft::new(object, Mode::Insert, unknown).decoded_as_new(&server.view(), &table)?;
    server.write(move |tx| Insert { table, draft }.run(tx)).await
}

/// Replaces a record, or patches it.
pub(crate) async fn update(server: &Server, mut update: Update) -> Result<Committed<Stored>, Problem> {
    update.draft = update.draft.decoded(&server.view(), &update.table)?;
    server.write(move |tx| update.run(tx)).await
}

/// Deletes a record.
pub(crate) async fn delete(
    server: &Server,
    (table, id): (String, RecordId),
    preconditions: Preconditions,
) -> Result<Committed<usize>, Problem> {
    // Asked here too, so that a wrong name costs the loop nothing.
    server.view().open_table(&table)?;
    let delete = Delete { table, id, preconditions, epoch: server.epoch };
    server.write(move |tx| delete.run(tx)).await
}

/// A record's JSON.
pub(crate) fn record_json(view: &View, table: DynTable<'_>, record: DynRecord<'_>, int64: Int64) -> Vec<u8> {
    let row = Row::of(record);
    json::to_vec(&RowJson { schema: view.schema(), table: table.schema(), row: &row, int64, select: None })
}

/// How a record is to be written.
#[derive(Debug)]
pub(crate) struct ReadOptions {
    int64: Int64,
}

impl FromParams for ReadOptions {
    const NAMES: &'static [&'static str] = &["int64"];

    fn from_params(params: &mut Params) -> Self {
        ReadOptions { int64: params.take_int64() }
    }
}

/// How a record is to be read, and its stored form to be written.
#[derive(Debug)]
pub(crate) struct WriteOptions {
    int64: Int64,
    unknown: Unknown,
}

impl FromParams for WriteOptions {
    const NAMES: &'static [&'static str] = &["int64", "unknown"];

    fn from_params(params: &mut Params) -> Self {
        let words = [("refuse", Unknown::Refuse), ("ignore", Unknown::Ignore)];
        WriteOptions { int64: params.take_int64(), unknown: params.take_word("unknown", &words).unwrap_or_default() }
    }
}

/// How a record is to be replaced.
#[derive(Debug)]
pub(crate) struct PutOptions {
    write: WriteOptions,
    /// Adds a component that its owner does not have yet.
    upsert: bool,
}

impl FromParams for PutOptions {
    const NAMES: &'static [&'static str] = &["int64", "unknown", "upsert"];

    fn from_params(params: &mut Params) -> Self {
        PutOptions { upsert: params.take_flag("upsert"), write: WriteOptions::from_params(params) }
    }
}

/// `GET /table/{table}/record/{id}`
pub(crate) async fn get_one(
    State(server): Shared,
    Path((table, id)): Path<(String, String)>,
    Query(options): Query<ReadOptions>,
    _: AcceptsJson,
    headers: HeaderMap,
) -> Result<Reply, Problem> {
    let view = server.view();
    let table = view.open_table(&table)?;
    let record = table.get(record_id(&id, &table.schema().name)?)?;
    shown(&server, &view, (table, record), &headers, options.int64)
}

/// `GET /table/{table}/by/{field}/{value}`
pub(crate) async fn get_by(
    State(server): Shared,
    Path((table, field, value)): Path<(String, String, String)>,
    Query(options): Query<ReadOptions>,
    _: AcceptsJson,
    headers: HeaderMap,
) -> Result<Reply, Problem> {
    let view = server.view();
    let table = view.open_table(&table)?;
    let record = find_by(&view, table, &field, &value)?;
    shown(&server, &view, (table, record), &headers, options.int64)
}

fn shown(
    server: &Server,
    view: &View,
    (table, record): (DynTable<'_>, DynRecord<'_>),
    headers: &HeaderMap,
    int64: Int64,
) -> Result<Reply, Problem> {
    let preconditions = Preconditions::of(headers)?;
    let tag = record_tag(server.epoch, view.schema_version(), record.version());
    preconditions.check_match(&tag)?;
    if preconditions.is_fresh(&tag) {
        return Ok(Reply::not_modified().header(ETAG, tag).commit(view.commit()));
    }
    Ok(Reply::json(record_json(view, table, record, int64)).header(ETAG, tag).commit(view.commit()))
}

/// The record whose unique field has the value that the text stands for.
fn find_by<'v>(view: &View, table: DynTable<'v>, field: &str, value: &str) -> Result<DynRecord<'v>, Problem> {
    let schema = table.schema();
    let Some((at, found)) = schema.field(field) else {
        let sentence = format!("table `{}` has no field `{field}`", schema.name);
        let names = schema.fields.iter().map(|field| field.name.as_str());
        return Err(Problem::unknown(Kind::FieldNotFound, sentence, field, names));
    };
    let Some(index) = schema.indexes.iter().find(|index| index.unique && index.fields == [at]) else {
        let unique = schema.indexes.iter().filter(|index| index.unique && index.fields.len() == 1);
        let names: Vec<&str> = unique.map(|index| schema.fields[index.fields[0].at()].name.as_str()).collect();
        let detail = format!("field `{field}` of `{}` is not unique", schema.name);
        return Err(Problem::new(Kind::NotUniqueField, detail).member("unique_fields", names));
    };
    let key = text_value(view.schema(), found, value)?;
    table.find(&index.name, &[key])?.ok_or_else(|| {
        let detail = format!("table `{}` has no record whose `{field}` is {value:?}", schema.name);
        Problem::new(Kind::RecordNotFound, detail)
    })
}

/// `POST /table/{table}/record`
pub(crate) async fn post(
    State(server): Shared,
    Path(table): Path<String>,
    Query(options): Query<WriteOptions>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Reply, Problem> {
    let draft = Draft::new(object, Mode::Insert, options.unknown).decoded_as_new(&server.view(), &table)?;
    let (form, epoch) = (Form::of(&headers, options.int64), server.epoch);
    let insert = move |tx: &mut Transaction| Insert { table, draft }.run(tx);
    server.answered(insert, move |done| form.written(epoch, &done).created(&done.value.path())).await
}

/// `PUT /table/{table}/record/{id}`
pub(crate) async fn put(
    State(server): Shared,
    Path((table, id)): Path<(String, String)>,
    Query(PutOptions { write, upsert }): Query<PutOptions>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Reply, Problem> {
    let draft = Draft::new(object, Mode::Insert, write.unknown);
    let mut update = addressed(&server, (table, id), draft, &headers)?;
    update.may_create = upsert || update.preconditions.is_create_only();
    let done = self::update(&server, update).await?;
    let reply = Form::of(&headers, write.int64).written(server.epoch, &done);
    Ok(if done.value.is_new { reply.created(&done.value.path()) } else { reply })
}

/// `PATCH /table/{table}/record/{id}`
pub(crate) async fn patch(
    State(server): Shared,
    Path((table, id)): Path<(String, String)>,
    Query(options): Query<WriteOptions>,
    headers: HeaderMap,
    Object(object): Object,
) -> Result<Reply, Problem> {
    let draft = Draft::new(object, Mode::Patch, options.unknown);
    let mut update = addressed(&server, (table, id), draft, &headers)?;
    update.draft = update.draft.decoded(&server.view(), &update.table)?;
    let (form, epoch) = (Form::of(&headers, options.int64), server.epoch);
    server.answered(move |tx| update.run(tx), move |done| form.written(epoch, &done)).await
}

/// The change of the record that a path names.
fn addressed(
    server: &Server,
    (table, id): (String, String),
    draft: Draft,
    headers: &HeaderMap,
) -> Result<Update, Problem> {
    // A wrong table is told before a wrong id.
    server.view().open_table(&table)?;
    let (id, preconditions) = (record_id(&id, &table)?, Preconditions::of(headers)?);
    Ok(Update { table, id, draft, preconditions, may_create: false, epoch: server.epoch })
}

/// `DELETE /table/{table}/record/{id}`
pub(crate) async fn remove(
    State(server): Shared,
    Path((table, id)): Path<(String, String)>,
    Query(()): Query<()>,
    headers: HeaderMap,
) -> Result<Reply, Problem> {
    server.view().open_table(&table)?;
    let id = record_id(&id, &table)?;
    let done = delete(&server, (table, id), Preconditions::of(&headers)?).await?;
    Ok(Reply::nothing().commit(done.commit))
}

/// How the answer to a write is written.
#[derive(Debug, Clone, Copy)]
struct Form {
    is_minimal: bool,
    int64: Int64,
}

impl Form {
    fn of(headers: &HeaderMap, int64: Int64) -> Form {
        Form { is_minimal: prefers_minimal(headers), int64 }
    }

    /// The record as it is stored, or nothing if the client prefers that.
    fn written(self, epoch: u64, done: &Committed<Stored>) -> Reply {
        const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
        let reply = match self.is_minimal {
            true => Reply::nothing().header(PREFERENCE_APPLIED, "return=minimal"),
            false => Reply::json(done.value.to_json(self.int64)),
        };
        reply.header(ETAG, done.value.tag(epoch)).commit(done.commit)
    }
}

/// Whether `Prefer` (RFC 7240) asks for an answer without a body.
fn prefers_minimal(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).any(|word| word.trim().eq_ignore_ascii_case("return=minimal"))
}
