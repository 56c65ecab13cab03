//! The methods of JSON-RPC: the operations of REST under other names, and the procedures of the game.

use super::args::{Args, Param, optional, required};
use super::protocol::MethodResult;
use crate::server::alter;
use crate::server::batch;
use crate::server::draft::{Draft, Unknown};
use crate::server::json;
use crate::server::precondition::Preconditions;
use crate::server::problem::{Kind, Mistakes, Problem};
use crate::server::record::{self, Update};
use crate::server::records::{self, Count, ListQuery, limit_of};
use crate::server::relation;
use crate::server::role::{Grant, Role};
use crate::server::schema;
use crate::server::snapshot;
use crate::server::state::Server;
use crate::server::stats;
use crate::server::table;
use dbgen_schema::json::{Int64, Mode};
use serde_json::{Map, Value as Json, json};
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;

/// A running method.
type Running = Pin<Box<dyn Future<Output = MethodResult> + Send>>;

/// A method, as `rpc.discover` tells it.
struct Method {
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
    run: fn(Arc<Server>, Args) -> Running,
}

macro_rules! method {
    ($name:literal, $about:literal, [$($param:expr),*], $run:path) => {
        Method { name: $name, about: $about, params: &[$($param),*], run: |server, args| Box::pin($run(server, args)) }
    };
}

const METHODS: &[Method] = &[
    method!("rpc.discover", "All methods, as an OpenRPC document.", [], discover),
    method!("schema.get", "The schema, in the format that dbgen compiles.", [], get_schema),
    method!("table.list", "All tables.", [], list_tables),
    method!("table.get", "A table's definition.", [required("table", "string")], get_table),
    method!("table.create", "Makes a table: {name, fields, ...}.", [required("definition", "object")], create_table),
    method!("table.drop", "Drops a table.", [required("table", "string"), optional("cascade", "boolean")], drop_table),
    method!(
        "field.add",
        "Adds a field: {name, type, default, ...}.",
        [required("table", "string"), required("definition", "object")],
        add_field
    ),
    method!(
        "field.drop",
        "Drops a field.",
        [required("table", "string"), required("field", "string"), optional("cascade", "boolean")],
        drop_field
    ),
    method!(
        "schema.apply",
        "Makes the schema this one, as PUT /schema; `if_match` is its tag: \"s<epoch>.<schema_version>\" of stats.get.",
        [required("definition", "object"), required("if_match", "string"), optional("dry_run", "boolean")],
        apply_schema
    ),
    method!(
        "table.alter",
        "Changes what a table's definition says, or renames it.",
        [required("table", "string"), required("changes", "object")],
        alter_table
    ),
    method!(
        "field.alter",
        "Changes what a field's definition says, or renames it.",
        [required("table", "string"), required("field", "string"), required("changes", "object")],
        alter_field
    ),
    method!(
        "index.add",
        "Adds an index: {name, fields, kind, unique}.",
        [required("table", "string"), required("definition", "object")],
        add_index
    ),
    method!("index.drop", "Drops an index.", [required("table", "string"), required("index", "string")], drop_index),
    method!("relation.list", "All relations.", [], list_relations),
    method!(
        "relation.create",
        "Makes a relation.",
        [
            required("from", "object"),
            required("to", "object"),
            optional("name", "string"),
            optional("kind", "string"),
            optional("on_delete", "string")
        ],
        create_relation
    ),
    method!("relation.drop", "Drops a relation.", [required("id", "string")], drop_relation),
    method!(
        "record.insert",
        "Inserts a record; gives it as it is stored.",
        [required("table", "string"), required("values", "object")],
        insert
    ),
    method!("record.get", "A record.", [required("table", "string"), required("id", "integer")], get),
    method!(
        "record.replace",
        "Replaces a record; gives it as it is stored.",
        [
            required("table", "string"),
            required("id", "integer"),
            required("values", "object"),
            optional("if_match", "string")
        ],
        replace
    ),
    method!(
        "record.patch",
        "Changes some fields of a record; gives it as it is stored.",
        [
            required("table", "string"),
            required("id", "integer"),
            required("values", "object"),
            optional("if_match", "string")
        ],
        patch
    ),
    method!(
        "record.delete",
        "Deletes a record; says how many went.",
        [required("table", "string"), required("id", "integer"), optional("if_match", "string")],
        delete
    ),
    method!(
        "record.list",
        "A page of records that fulfil `where`: {field: {op: value}}.",
        [
            required("table", "string"),
            optional("where", "object"),
            optional("order", "string"),
            optional("select", "string"),
            optional("limit", "integer"),
            optional("offset", "integer"),
            optional("cursor", "string"),
            optional("count", "string")
        ],
        list
    ),
    method!(
        "records.insert_many",
        "Inserts records, all or none.",
        [required("table", "string"), required("records", "array")],
        insert_many
    ),
    method!("snapshot.create", "Takes a snapshot of the data folder now, as POST /snapshot.", [], take_snapshot),
    method!("stats.get", "How the loop, its systems and the tables are doing.", [], get_stats),
    method!(
        "tx.run",
        "Several changes, all or none, as POST /batch.",
        [required("ops", "array"), optional("dry_run", "boolean")],
        run_batch
    ),
];

/// Calls a method, or else a procedure.
pub(super) async fn call(server: Arc<Server>, grant: Grant, name: String, params: Option<Json>) -> MethodResult {
    let method = METHODS.iter().find(|method| method.name == name);
    // Procedures are the game's, and write, whatever they are called.
    grant.check(method.map_or(Role::Writer, |method| role_for(method.name)))?;
    match method {
        Some(method) => {
            let args = Args::read(params, method.params, grant.clone())?;
            let is_about_records = name.starts_with("record");
            if let Some(table) = args.peek_text("table").filter(|_| is_about_records) {
                grant.check_table(table)?;
            }
            (method.run)(server, args).await
        }
        None => {
            grant.check_procedure()?;
            procedure(&server, &name, params).await
        }
    }
}

/// What a method needs.
fn role_for(name: &str) -> Role {
    let (noun, verb) = name.split_once('.').unwrap_or_default();
    match (noun, verb) {
        ("rpc", _) | (_, "get" | "list") => Role::Reader,
        ("schema" | "table" | "field" | "index" | "relation", _) => Role::Schema,
        ("snapshot", _) => Role::Admin,
        _ => Role::Writer,
    }
}

async fn procedure(server: &Server, name: &str, params: Option<Json>) -> MethodResult {
    let procedures = server.db.procedures();
    let Some(procedure) = procedures.iter().find(|procedure| procedure.name == name) else {
        let known = METHODS.iter().map(|method| method.name);
        let known = known.chain(procedures.iter().map(|procedure| procedure.name.as_str()));
        let sentence = format!("there is no method `{name}`; rpc.discover lists them");
        return Err(Problem::unknown(Kind::MethodNotFound, sentence, name, known));
    };
    // A procedure without arguments takes null, one whose arguments may all be left out takes an empty object.
    let takes_nothing = procedure.arguments.get("type") == Some(&Json::from("null"));
    let arguments = params.unwrap_or_else(|| if takes_nothing { Json::Null } else { json!({}) });
    Ok(json::to_vec(&server.call(name, arguments).await?.value))
}

/// Not an `async fn`: its type would depend on the list that it is in.
fn discover(server: Arc<Server>, _: Args) -> Ready<MethodResult> {
    ready(Ok(openrpc(&server)))
}

/// All methods and procedures, as an OpenRPC document.
pub(super) fn openrpc(server: &Server) -> Vec<u8> {
    let result = json!({ "name": "result", "schema": {} });
    let methods = METHODS.iter().map(|method| {
        let params = method.params.iter().map(
            |param| json!({ "name": param.name, "required": param.required, "schema": { "type": param.json_type } }),
        );
        json!({
            "name": method.name, "summary": method.about, "paramStructure": "either",
            "params": params.collect::<Vec<_>>(), "result": result,
        })
    });
    let procedures = server.db.procedures();
    let procedures = procedures.iter().map(|procedure| {
        let members = procedure.arguments.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
        let required = procedure.arguments.get("required").and_then(Json::as_array).cloned().unwrap_or_default();
        let params = members.into_iter().map(|(name, schema)| {
            json!({ "required": required.contains(&Json::from(name.as_str())), "name": name, "schema": schema })
        });
        json!({
            "name": procedure.name, "summary": "A procedure of the game.", "paramStructure": "either",
            "params": params.collect::<Vec<_>>(), "result": result,
        })
    });
    let view = server.view();
    json::to_vec(&json!({
        "openrpc": "1.3.2",
        "info": { "title": view.schema().name, "version": view.schema().version },
        "methods": methods.chain(procedures).collect::<Vec<_>>(),
    }))
}

async fn get_schema(server: Arc<Server>, _: Args) -> MethodResult {
    Ok(schema::written(&server, &server.view())?.text.clone().into_bytes())
}

async fn list_tables(server: Arc<Server>, _: Args) -> MethodResult {
    Ok(table::list_json(&server.view()))
}

async fn get_table(server: Arc<Server>, mut args: Args) -> MethodResult {
    let view = server.view();
    let definition = table::definition(&server, &view, view.open_table(&args.text("table")?)?)?;
    Ok(json::to_vec(&definition))
}

async fn create_table(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, done) = table::create(&server, args.object("definition")?, &Preconditions::NONE).await?;
    Ok(json::to_vec(&json!({ "table": table, "schema_version": done.value, "version": done.commit })))
}

async fn drop_table(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, cascade) = (args.text("table")?, args.flag("cascade")?);
    edited(table::drop(&server, table, cascade, &Preconditions::NONE).await?)
}

async fn add_field(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, definition) = (args.text("table")?, args.object("definition")?);
    edited(table::add_field(&server, table, definition, &Preconditions::NONE).await?)
}

async fn drop_field(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, field, cascade) = (args.text("table")?, args.text("field")?, args.flag("cascade")?);
    edited(table::drop_field(&server, table, field, cascade, &Preconditions::NONE).await?)
}

async fn list_relations(server: Arc<Server>, _: Args) -> MethodResult {
    Ok(relation::list_json(&server.view()))
}

async fn create_relation(server: Arc<Server>, args: Args) -> MethodResult {
    let (id, done) = relation::create(&server, args.rest(), &Preconditions::NONE).await?;
    Ok(json::to_vec(&json!({ "id": id, "schema_version": done.value, "version": done.commit })))
}

async fn drop_relation(server: Arc<Server>, mut args: Args) -> MethodResult {
    edited(relation::drop(&server, args.text("id")?, &Preconditions::NONE).await?)
}

fn edited(done: crate::client::Committed<u64>) -> MethodResult {
    Ok(json::to_vec(&json!({ "schema_version": done.value, "version": done.commit })))
}

async fn insert(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, values) = (args.text("table")?, args.object("values")?);
    Ok(record::insert(&server, table, values, Unknown::Refuse).await?.value.to_json(Int64::Text))
}

async fn get(server: Arc<Server>, mut args: Args) -> MethodResult {
    let view = server.view();
    let table = view.open_table(&args.text("table")?)?;
    let record = table.get(args.id(&table.schema().name)?)?;
    Ok(record::record_json(&view, table, record, Int64::Text))
}

async fn replace(server: Arc<Server>, args: Args) -> MethodResult {
    update(server, args, Mode::Insert).await
}

async fn patch(server: Arc<Server>, args: Args) -> MethodResult {
    update(server, args, Mode::Patch).await
}

async fn update(server: Arc<Server>, mut args: Args, mode: Mode) -> MethodResult {
    let (table, values) = (args.text("table")?, args.object("values")?);
    let (id, preconditions) = (args.id(&table)?, preconditions(&mut args)?);
    let draft = Draft::new(values, mode, Unknown::Refuse);
    let update = Update { table, id, draft, preconditions, may_create: false, epoch: server.epoch };
    let done = record::update(&server, update).await?;
    Ok(done.value.to_json(Int64::Text))
}

async fn delete(server: Arc<Server>, mut args: Args) -> MethodResult {
    let table = args.text("table")?;
    let (id, preconditions) = (args.id(&table)?, preconditions(&mut args)?);
    let done = record::delete(&server, (table, id), preconditions).await?;
    Ok(json::to_vec(&json!({ "deleted": done.value, "version": done.commit })))
}

fn preconditions(args: &mut Args) -> Result<Preconditions, Problem> {
    args.optional_text("if_match")?.map_or_else(|| Ok(Preconditions::default()), |tag| Preconditions::if_match(&tag))
}

async fn list(server: Arc<Server>, mut args: Args) -> MethodResult {
    let table = args.text("table")?;
    let mut mistakes = Mistakes::default();
    let limit = args.count("limit");
    let limit = limit.and_then(|limit| limit.map(|limit| limit_of(&limit.to_string())).transpose());
    let query = ListQuery {
        conditions: mistakes.note(args.object("where")).map(Json::Object),
        order: mistakes.note(args.optional_text("order")).flatten(),
        select: mistakes.note(args.optional_text("select")).flatten(),
        limit: mistakes.note(limit).flatten(),
        offset: mistakes.note(args.count("offset")).flatten().unwrap_or(0),
        cursor: mistakes.note(args.optional_text("cursor")).flatten(),
        count: mistakes.note(args.word("count", Count::WORDS)).flatten().unwrap_or_default(),
        mistakes,
        ..ListQuery::default()
    };
    Ok(records::list(&server, table, query).await?.json)
}

async fn insert_many(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, records, grant) = (args.text("table")?, args.list("records")?, args.grant());
    let ops: Vec<Json> =
        records.into_iter().map(|values| json!({ "op": "insert", "table": table, "values": values })).collect();
    let batch = Map::from_iter([("ops".to_owned(), Json::Array(ops))]);
    Ok(batch::answer_json(&batch::run(&server, &grant, batch).await?))
}

async fn apply_schema(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (definition, if_match) = (args.object("definition")?, args.text("if_match")?);
    let text = Json::Object(definition).to_string();
    let done = alter::apply(&server, text, Preconditions::if_match(&if_match)?, args.flag("dry_run")?).await?;
    Ok(json::to_vec(&done.value))
}

async fn alter_table(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, changes) = (args.text("table")?, args.object("changes")?);
    edited(alter::alter_table(&server, table, changes, &Preconditions::NONE).await?.1)
}

async fn alter_field(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, field, changes) = (args.text("table")?, args.text("field")?, args.object("changes")?);
    edited(alter::alter_field(&server, (table, field), changes, &Preconditions::NONE).await?)
}

async fn add_index(server: Arc<Server>, mut args: Args) -> MethodResult {
    let (table, definition) = (args.text("table")?, args.object("definition")?);
    edited(alter::create_index(&server, table, definition, &Preconditions::NONE).await?.1)
}

async fn drop_index(server: Arc<Server>, mut args: Args) -> MethodResult {
    let path = (args.text("table")?, args.text("index")?);
    edited(alter::drop_index(&server, path, &Preconditions::NONE).await?)
}

async fn take_snapshot(server: Arc<Server>, _: Args) -> MethodResult {
    Ok(json::to_vec(&snapshot::take(server).await?))
}

async fn get_stats(server: Arc<Server>, _: Args) -> MethodResult {
    Ok(stats::recent_json(&server))
}

async fn run_batch(server: Arc<Server>, args: Args) -> MethodResult {
    // Its operations name their tables themselves.
    let grant = args.grant();
    Ok(batch::answer_json(&batch::run(&server, &grant, args.rest()).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procedure::METHOD_NAMES;

    #[test]
    fn no_procedure_may_have_the_name_of_a_method() {
        let mut names: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
        names.sort_unstable();
        assert_eq!(names, METHOD_NAMES);
    }
}
