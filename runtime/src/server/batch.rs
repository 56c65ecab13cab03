//! Several changes as one transaction: all of them, or nothing.
//!
//! ```json
//! { "ops": [ {"op":"insert", "table":"guild",  "values":{"name":"Night Watch"}, "as":"g"},
//!            {"op":"insert", "table":"player", "values":{"name":"Ayla", "guild":"$g._id"}},
//!            {"op":"patch",  "table":"player", "id":4294967296, "values":{"hp":7}, "if_match":"\"5.12\""},
//!            {"op":"delete", "table":"player", "id":4294967297} ],
//!   "dry_run": false }
//! ```
//!
//! `"$g._id"` is the id of the record that was inserted as `g`, anywhere in later values and ids; a text of this form that
//! names nothing is a mistake. A dry run does everything, answers what it would have been, and takes it all back.

use super::draft::{Draft, Unknown};
use super::extract::{Object, Query, as_object, no_such_record};
use super::json;
use super::params::{FromParams, Params};
use super::precondition::Preconditions;
use super::problem::{Fault, Kind, Mistakes, Problem};
use super::record::{Delete, Insert, Update};
use super::reply::Reply;
use super::role::Grant;
use super::row::Stored;
use super::state::{Server, Shared};
use super::table::pointer_step;
use crate::client::Committed;
use crate::error::{Error, Result, nearest};
use crate::id::RecordId;
use crate::limits::BATCH_OPERATIONS_MAX;
use crate::txn::Transaction;
use axum::extract::State;
use dbgen_schema::json::Mode;
use serde_json::{Map, Value as Json, json};
use std::collections::{HashMap, HashSet};

/// A batch, its shape checked.
#[derive(Debug)]
pub(crate) struct Batch {
    operations: Vec<Operation>,
    dry_run: bool,
    epoch: u64,
}

#[derive(Debug)]
struct Operation {
    table: String,
    what: What,
    preconditions: Preconditions,
}

#[derive(Debug)]
enum What {
    Insert { values: Map<String, Json>, name: Option<String> },
    Update { id: Json, values: Map<String, Json>, mode: Mode },
    Delete { id: Json },
}

impl Batch {
    /// Reads a batch's object.
    pub(crate) fn read(mut object: Map<String, Json>, epoch: u64) -> Result<Batch, Problem> {
        let operations = match object.remove("ops") {
            Some(Json::Array(operations)) => operations,
            _ => return Err(Problem::at(Kind::MissingField, "#/ops", "`ops` must be a list of operations")),
        };
        if operations.len() > BATCH_OPERATIONS_MAX {
            let detail = format!("a batch has at most {BATCH_OPERATIONS_MAX} operations, not {}", operations.len());
            return Err(Problem::at(Kind::TooManyOperations, "#/ops", detail).member("max", BATCH_OPERATIONS_MAX));
        }
        let mut mistakes = Mistakes::default();
        let dry_run = mistakes.note(match object.remove("dry_run") {
            None => Ok(false),
            Some(Json::Bool(dry_run)) => Ok(dry_run),
            Some(_) => Err(Problem::at(Kind::WrongType, "#/dry_run", "`dry_run` must be true or false")),
        });
        mistakes.note(refuse_unknown(&object, &["ops", "dry_run"]));
        let read = |(at, json)| Operation::read(json).map_err(|problem| of_operation(problem, at));
        let operations: Vec<Operation> =
            operations.into_iter().enumerate().filter_map(|json| mistakes.note(read(json))).collect();
        for (at, name) in names_given_twice(&operations) {
            let detail = format!("an operation before this one is named `{name}` already");
            mistakes.push(of_operation(Problem::at(Kind::InvalidValue, "#/as", detail), at));
        }
        mistakes.check(Kind::InvalidArguments)?;
        Ok(Batch { operations, dry_run: dry_run.unwrap_or_default(), epoch })
    }

    /// Reads a batch's object, of somebody who may do all of it.
    fn allowed(server: &Server, grant: &Grant, object: Map<String, Json>) -> Result<Batch, Problem> {
        let batch = Batch::read(object, server.epoch)?;
        for (at, operation) in batch.operations.iter().enumerate() {
            grant.check_table(&operation.table).map_err(|problem| of_operation(problem, at))?;
        }
        Ok(batch)
    }

    /// Executes it; gives an object per operation.
    pub(crate) fn run(self, tx: &mut Transaction) -> Result<Vec<Json>> {
        if !self.dry_run {
            return self.run_all(tx);
        }
        let mut results = None;
        let taken_back = tx.nested(|tx| {
            results = Some(self.run_all(tx)?);
            Err::<(), _>(Error::abort("a dry run"))
        });
        match (results, taken_back) {
            (Some(results), _) => Ok(results),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Ok(Vec::new()),
        }
    }

    fn run_all(self, tx: &mut Transaction) -> Result<Vec<Json>> {
        let mut names = HashMap::new();
        let run = |(at, operation): (usize, Operation)| {
            let result = operation.run(tx, &mut names, self.epoch);
            result.map_err(|error| of_operation(error.into(), at).into())
        };
        self.operations.into_iter().enumerate().map(run).collect()
    }
}

impl Operation {
    fn read(json: Json) -> Result<Operation, Problem> {
        let mut object = as_object(json, "#")?;
        let mut mistakes = Mistakes::default();
        let table = mistakes.note(take_text(&mut object, "table"));
        let Some(op) = mistakes.note(take_text(&mut object, "op")) else {
            mistakes.check(Kind::InvalidArguments)?;
            return Err(Problem::at(Kind::MissingField, "#/op", "`op` is missing"));
        };
        let known: &[&str] = match op.as_str() {
            "insert" => &["op", "table", "values", "as"],
            "replace" | "patch" => &["op", "table", "id", "values", "if_match"],
            "delete" => &["op", "table", "id", "if_match"],
            _ => {
                let known = ["insert", "replace", "patch", "delete"];
                let detail = format!("there is no operation {op:?}; known are {}", known.join(", "));
                let problem = Problem::at(Kind::InvalidValue, "#/op", detail);
                mistakes.note::<()>(Err(problem.member("suggestion", nearest(&op, known))));
                &["op", "table", "id", "values", "as", "if_match"]
            }
        };
        mistakes.note(refuse_unknown(&object, known));
        let preconditions = mistakes.note(match object.remove("if_match") {
            None | Some(Json::Null) => Ok(Preconditions::default()),
            Some(Json::String(tag)) => Preconditions::if_match(&tag),
            Some(_) => Err(Problem::at(Kind::WrongType, "#/if_match", "`if_match` must be a string")),
        });
        let values = |object: &mut Map<String, Json>| match object.remove("values") {
            Some(values) => as_object(values, "#/values"),
            None => Err(Problem::at(Kind::MissingField, "#/values", "`values` is missing")),
        };
        let id = |object: &mut Map<String, Json>| {
            object.remove("id").ok_or_else(|| Problem::at(Kind::MissingField, "#/id", "`id` is missing"))
        };
        let what = match op.as_str() {
            "insert" => {
                let name = object.contains_key("as").then(|| take_text(&mut object, "as")).transpose();
                let (name, values) = (mistakes.note(name), mistakes.note(values(&mut object)));
                values.zip(name).map(|(values, name)| What::Insert { values, name })
            }
            "delete" => mistakes.note(id(&mut object)).map(|id| What::Delete { id }),
            "replace" | "patch" => {
                let mode = if op == "replace" { Mode::Insert } else { Mode::Patch };
                let (id, values) = (mistakes.note(id(&mut object)), mistakes.note(values(&mut object)));
                id.zip(values).map(|(id, values)| What::Update { id, values, mode })
            }
            _ => None,
        };
        mistakes.check(Kind::InvalidArguments)?;
        let read = table.zip(what).zip(preconditions);
        let read = read.map(|((table, what), preconditions)| Operation { table, what, preconditions });
        read.ok_or_else(|| Problem::new(Kind::InvalidArguments, "this is no operation"))
    }

    fn run(self, tx: &mut Transaction, names: &mut HashMap<String, RecordId>, epoch: u64) -> Result<Json> {
        let Operation { table, what, preconditions } = self;
        tx.open_table(&table).map_err(|error| Problem::from(error).pointed_at("#/table"))?;
        match what {
            What::Insert { mut values, name } => {
                resolve_all(&mut values, names)?;
                let draft = Draft::new(values, Mode::Insert, Unknown::Refuse);
                let stored = Insert { table, draft }.run(tx).map_err(of_values)?;
                names.extend(name.map(|name| (name, stored.row.id)));
                Ok(result_json(&stored))
            }
            What::Update { id, mut values, mode } => {
                let id = record_id(id, names, &table)?;
                resolve_all(&mut values, names)?;
                let draft = Draft::new(values, mode, Unknown::Refuse);
                let update = Update { table, id, draft, preconditions, may_create: false, epoch };
                Ok(result_json(&update.run(tx).map_err(of_values)?))
            }
            What::Delete { id } => {
                let id = record_id(id, names, &table)?;
                let deleted = Delete { table, id, preconditions, epoch }.run(tx)?;
                Ok(json!({ "_id": id.get(), "deleted": deleted }))
            }
        }
    }
}

fn result_json(stored: &Stored) -> Json {
    json!({ "_id": stored.row.id.get(), "_version": stored.row.version })
}

/// The problem of one operation, as one of the batch.
fn of_operation(problem: Problem, at: usize) -> Problem {
    problem.below(&format!("/ops/{at}")).member("op", at)
}

/// The problem of a record, as one of its operation's `values`.
fn of_values(error: Error) -> Error {
    Problem::from(error).below("/values").into()
}

fn take_text(object: &mut Map<String, Json>, name: &str) -> Result<String, Problem> {
    match object.remove(name) {
        Some(Json::String(text)) => Ok(text),
        Some(_) => Err(Problem::at(Kind::WrongType, format!("#/{name}"), format!("`{name}` must be a string"))),
        None => Err(Problem::at(Kind::MissingField, format!("#/{name}"), format!("`{name}` is missing"))),
    }
}

/// That an object has no other members than these.
pub(crate) fn refuse_unknown(object: &Map<String, Json>, known: &[&str]) -> Result<(), Problem> {
    let mut mistakes = Mistakes::default();
    for unknown in object.keys().filter(|key| !known.contains(&key.as_str())) {
        let sentence = format!("there is no member `{unknown}` here; known are {}", known.join(", "));
        let fault = Fault {
            pointer: format!("#/{}", pointer_step(unknown)),
            code: Kind::UnknownField.code(),
            detail: sentence.clone(),
            expected: None,
            suggestion: nearest(unknown, known.iter().copied()),
        };
        mistakes.note::<()>(Err(Problem::new(Kind::UnknownField, sentence).fault(fault)));
    }
    mistakes.check(Kind::UnknownField)
}

/// The operations whose name one before them has.
fn names_given_twice(operations: &[Operation]) -> Vec<(usize, &str)> {
    let mut given = HashSet::new();
    let names = operations.iter().enumerate().filter_map(|(at, operation)| match &operation.what {
        What::Insert { name: Some(name), .. } => Some((at, name.as_str())),
        _ => None,
    });
    names.filter(|(_, name)| !given.insert(*name)).collect()
}

/// Puts ids in the place of the names that stand for them.
fn resolve_all(values: &mut Map<String, Json>, names: &HashMap<String, RecordId>) -> Result<(), Problem> {
    let mut mistakes = Mistakes::default();
    for (key, value) in values {
        resolve(value, &format!("#/values/{}", pointer_step(key)), names, &mut mistakes);
    }
    mistakes.check(Kind::InvalidValue)
}

fn resolve(json: &mut Json, pointer: &str, names: &HashMap<String, RecordId>, mistakes: &mut Mistakes) {
    match json {
        Json::String(text) => {
            let is_word =
                |name: &&str| !name.is_empty() && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
            let name = text.strip_prefix('$').and_then(|text| text.strip_suffix("._id"));
            match name.and_then(|name| names.get(name)) {
                Some(id) => *json = Json::from(id.get()),
                // Stored as a text it would be found when it is too late.
                None => {
                    let Some(name) = name.filter(is_word) else { return };
                    let sentence = format!("no insert before this operation is named `{name}`");
                    let problem =
                        Problem::unknown(Kind::InvalidValue, sentence, name, names.keys().map(String::as_str));
                    mistakes.push(problem.pointed_at(pointer));
                }
            }
        }
        Json::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                resolve(item, &format!("{pointer}/{at}"), names, mistakes);
            }
        }
        Json::Object(members) => {
            for (key, member) in members {
                resolve(member, &format!("{pointer}/{}", pointer_step(key)), names, mistakes);
            }
        }
        _ => {}
    }
}

fn record_id(mut json: Json, names: &HashMap<String, RecordId>, table: &str) -> Result<RecordId, Problem> {
    let mut mistakes = Mistakes::default();
    resolve(&mut json, "#/id", names, &mut mistakes);
    mistakes.check(Kind::InvalidValue)?;
    id_of_json(&json, table)
}

/// The record id that a JSON value is.
pub(crate) fn id_of_json(json: &Json, table: &str) -> Result<RecordId, Problem> {
    match json.as_u64() {
        Some(number) => RecordId::from_u64(number).ok_or_else(|| no_such_record(&number.to_string(), table)),
        None => Err(Problem::at(Kind::InvalidId, "#/id", format!("a record id is a whole number, not {json}"))),
    }
}

/// Executes a batch.
pub(crate) async fn run(
    server: &Server,
    grant: &Grant,
    object: Map<String, Json>,
) -> Result<Committed<Vec<Json>>, Problem> {
    let batch = Batch::allowed(server, grant, object)?;
    server.write(move |tx| batch.run(tx)).await
}

/// The answer to a batch.
pub(crate) fn answer_json(done: &Committed<Vec<Json>>) -> Vec<u8> {
    json::to_vec(&json!({ "results": done.value, "version": done.commit }))
}

/// Whether a batch is only tried.
#[derive(Debug)]
pub(crate) struct BatchOptions {
    dry_run: bool,
}

impl FromParams for BatchOptions {
    const NAMES: &'static [&'static str] = &["dry_run"];

    fn from_params(params: &mut Params) -> Self {
        BatchOptions { dry_run: params.take_flag("dry_run") }
    }
}

/// `POST /batch`
pub(crate) async fn post(
    State(server): Shared,
    Query(options): Query<BatchOptions>,
    grant: Grant,
    Object(mut object): Object,
) -> Result<Reply, Problem> {
    if options.dry_run {
        object.insert("dry_run".to_owned(), Json::Bool(true));
    }
    let batch = Batch::allowed(&server, &grant, object)?;
    let answer = |done: Committed<Vec<Json>>| Reply::json(answer_json(&done)).commit(done.commit);
    server.answered(move |tx| batch.run(tx), answer).await
}
