//! The conversations of `tests/plans`: a database that is told what to do, a line at a time, raw bytes shown.
//! `UPDATE_GOLDENFILES=1` writes the answers anew.
//!
//! | command | does |
//! |---|---|
//! | `table NAME f=type …` | makes a table; `?` behind a type is nullable, `!` unique, `@group` a column group |
//! | `drop_table NAME`, `add_field T f=type`, `drop_field T f` | edits the schema |
//! | `relation T.f T2 RULE` | makes a field `ref<T2>` that does RULE when its target goes |
//! | `insert T f=json …`, `set T ID f=json …`, `delete T ID`, `get T ID` | one transaction each |
//! | `list T`, `schema T` | all records; what the schema says of a table |
//! | `layout T` | where every field lies |
//! | `bytes T [GROUP]`, `slots T`, `heap T` | the buffers, in hexadecimal |
//! | `verify` | checks everything from the bytes |
//!
//! `begin` opens a transaction for the commands behind it, `commit` and `rollback` end it.

use dbgen_runtime::{__private, Database, DynTable, Error, RecordId, Result, SchemaEdit, TableNo, Transaction, Value};
use dbgen_schema::Schema;
use dbgen_schema::json::{Int64, decode_field, encode_record};
use dbgen_schema::layout::table_layout;
use goldenscript::{Argument, Command, Context, Runner};
use serde_json::{Value as Json, json};
use std::error::Error as StdError;

/// Position of the first column group among a table's buffers, of the slots, and of the heap.
const GROUPS: usize = 5;
const SLOTS: usize = 3;
const HEAP: usize = 4;

struct Conversation {
    db: Database,
    /// Commands of a transaction that is open, to be done at its end.
    open: Option<Vec<Command>>,
}

/// Plays a script of `tests/plans` on an empty database.
#[track_caller]
pub(super) fn play(script: &str) {
    let path = dbgen_tests::root().join("tests/plans").join(script);
    let db = Database::builder().open().expect("an empty database opens");
    goldenscript::run(&mut Conversation { db, open: None }, path).expect("the script runs");
}

impl Runner for Conversation {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> std::result::Result<String, Box<dyn StdError>> {
        Ok(self.say(command).unwrap_or_else(|error| format!("refused: {error}")))
    }
}

impl Conversation {
    fn say(&mut self, command: &Command) -> Result<String> {
        let words = words(command);
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        match command.name.as_str() {
            "begin" => self.open = Some(Vec::new()),
            "commit" | "rollback" => {
                let commands = self.open.take().unwrap_or_default();
                return self.transaction(&commands, command.name == "commit");
            }
            "insert" | "set" | "delete" if self.open.is_some() => {
                self.open.as_mut().map(|open| open.push(command.clone())).ok_or(Error::Stopped)?;
            }
            "insert" | "set" | "delete" => return self.transaction(std::slice::from_ref(command), true),
            "table" => {
                let fields = fields(command);
                self.db.edit_schema(SchemaEdit::create_table(word(0), json!({ "fields": fields })))?;
            }
            "drop_table" => drop(self.db.edit_schema(SchemaEdit::drop_table(word(0)))?),
            "add_field" => {
                for field in fields(command) {
                    self.db.edit_schema(SchemaEdit::add_field(word(0), field))?;
                }
            }
            "drop_field" => drop(self.db.edit_schema(SchemaEdit::drop_field(word(0), word(1)))?),
            "relation" => {
                let (table, field) = word(0).split_once('.').unwrap_or(("", ""));
                let definition = json!({ "name": field, "type": format!("ref<{}>", word(1)),
                    "nullable": true, "on_delete": word(2) });
                self.db.edit_schema(SchemaEdit::add_field(table, definition))?;
            }
            _ => return self.show(command.name.as_str(), &words),
        }
        Ok(String::new())
    }

    fn show(&self, name: &str, words: &[String]) -> Result<String> {
        let view = self.db.read();
        if name == "verify" {
            return Ok(format!("{:?}", view.verify()));
        }
        let table = view.open_table(words.first().map_or("", String::as_str))?;
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        let at = table.number().at();
        let layout = table_layout(view.schema(), table.schema());
        let group = number(1) as usize % layout.groups.len();
        Ok(match name {
            "get" => shown(view.schema(), table, id(number(1))?)?,
            "list" => table
                .iter()
                .map(|record| shown(view.schema(), table, record.id()))
                .collect::<Result<Vec<_>>>()?
                .join("\n"),
            "schema" => {
                let ty = |field: &dbgen_schema::Field| dbgen_schema::write::type_text(view.schema(), &field.ty);
                table.schema().fields.iter().map(|field| format!("{}: {}\n", field.name, ty(field))).collect()
            }
            "layout" => {
                let fields = table.schema().fields.iter().zip(&layout.fields);
                let field = |(field, at): (&dbgen_schema::Field, &dbgen_schema::layout::FieldLayout)| {
                    format!("group {} offset {:>2} size {:>2} {}\n", at.group, at.offset, at.size, field.name)
                };
                let strides = layout.groups.iter().enumerate();
                let group = |(at, group): (usize, &dbgen_schema::layout::GroupLayout)| {
                    format!("group {at}: {} bytes a row, {} of them for nulls\n", group.stride, group.null_bytes)
                };
                fields.map(field).chain(strides.map(group)).collect()
            }
            "bytes" => {
                let rows = self.buffer(at, GROUPS + group)?;
                rows.chunks(layout.groups[group].stride.max(1)).map(|row| hex(row) + "\n").collect()
            }
            "slots" => self.buffer(at, SLOTS)?.chunks(8).map(|slot| hex(slot) + "\n").collect(),
            "heap" => self.buffer(at, HEAP)?.chunks(8).map(|unit| hex(unit) + "\n").collect(),
            other => format!("there is no command `{other}`"),
        })
    }

    fn buffer(&self, table: usize, buffer: usize) -> Result<Vec<u8>> {
        Ok(__private::buffers(&self.db)?[table][buffer].clone())
    }

    /// Does the commands in one transaction, which is undone at its end if it is not to be kept.
    fn transaction(&self, commands: &[Command], kept: bool) -> Result<String> {
        let mut said = Vec::new();
        let outcome = self.db.transact(|tx| {
            for command in commands {
                said.push(write(tx, command)?);
            }
            if kept { Ok(()) } else { Err(Error::abort("rolled back")) }
        });
        match outcome {
            Ok(()) => Ok(said.join("\n")),
            Err(error) => Ok([said.join("\n"), error.to_string()].join(if said.is_empty() { "" } else { "\n" })),
        }
    }
}

fn write(tx: &mut Transaction, command: &Command) -> Result<String> {
    let words = words(command);
    let table = tx.open_table(words.first().map_or("", String::as_str))?;
    let values = values(tx, table, command)?;
    let record = || id(words.get(1).and_then(|word| word.parse().ok()).unwrap_or(0));
    match command.name.as_str() {
        "insert" => Ok(format!("id {}", tx.insert_values(table, &values)?)),
        "set" => tx.update_values(table, record()?, &values).map(|()| "done".to_owned()),
        _ => Ok(format!("{} gone", tx.delete_record(table, record()?)?)),
    }
}

/// The values that a command gives, each read as the field's JSON; what is no JSON is text.
fn values(tx: &Transaction, table: TableNo, command: &Command) -> Result<Vec<(usize, Value)>> {
    let (schema, mut values) = (tx.schema(), Vec::new());
    for arg in &command.args {
        let Argument::KeyValue(name, value) = arg else { continue };
        let model = &schema.tables[table.at()];
        let (idx, field) = model.field(name).ok_or_else(|| Error::abort(format!("no field `{name}`")))?;
        let json = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        let mut problems = Vec::new();
        match decode_field(schema, field, &json, &mut problems, "") {
            Some(value) => values.push((idx.at(), value)),
            None => return Err(Error::abort(format!("{name}: {}", problems[0].detail))),
        }
    }
    Ok(values)
}

fn shown(schema: &Schema, table: DynTable<'_>, id: RecordId) -> Result<String> {
    let record = table.get(id)?;
    let object = encode_record(schema, table.schema(), &record.values(), Int64::Number);
    Ok(format!("{id} v{} {}", record.version(), Json::Object(object)))
}

fn id(number: u64) -> Result<RecordId> {
    RecordId::from_u64(number).ok_or_else(|| Error::abort(format!("{number} is no id")))
}

/// Fields that are to be made: their names with their types, `?` nullable, `!` unique and `@group` behind them.
fn fields(command: &Command) -> Vec<Json> {
    let given = command.args.iter().filter_map(|arg| match arg {
        Argument::KeyValue(name, ty) => Some((name, ty)),
        _ => None,
    });
    given.map(|(name, ty)| field_json(name, ty)).collect()
}

fn field_json(name: &str, ty: &str) -> Json {
    let (ty, group) = ty.split_once('@').unwrap_or((ty, "row"));
    let bare = ty.trim_end_matches(['?', '!']);
    let mut field = json!({ "name": name, "type": bare });
    for (mark, key) in [('?', "nullable"), ('!', "unique")] {
        if ty[bare.len()..].contains(mark) {
            field[key] = json!(true);
        }
    }
    if group != "row" {
        field["group"] = json!(group);
    }
    field
}

fn words(command: &Command) -> Vec<String> {
    let positional = |arg: &Argument| match arg {
        Argument::Positional(word) => Some(word.clone()),
        _ => None,
    };
    command.args.iter().filter_map(positional).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
