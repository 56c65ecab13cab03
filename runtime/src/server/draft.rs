//! A record as a client wrote it, on its way to values.
//!
//! It is decoded where the request is, so that the loop does not pay for it, and what is wrong with it is answered without
//! the loop. Between that and the transaction the schema may change: then it is decoded again, inside. A merge patch that
//! reaches into a composite needs the record's present state, and is decoded only there.

use super::problem::{Kind, Mistakes, Problem};
use crate::dynamic::TableNo;
use crate::error::Result;
use crate::id::RecordId;
use crate::txn::Transaction;
use crate::view::View;
use dbgen_schema::json::{Mode, decode_record, encode};
use dbgen_schema::{Schema, Table, Type, Value};
use serde_json::{Map, Value as Json};

/// What to do with members that name no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Unknown {
    /// They are a mistake.
    #[default]
    Refuse,
    /// They are left out.
    Ignore,
}

/// A record, or some of its fields, as a client wrote it.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    object: Map<String, Json>,
    /// The `_id` that the object carries.
    id: Option<Json>,
    /// The `_version` that the object carries.
    version: Option<Json>,
    mode: Mode,
    unknown: Unknown,
    /// The values, and the version of the schema that they were decoded with.
    decoded: Option<(u64, Vec<(usize, Value)>)>,
    /// The object is gone: the values are all there is.
    is_settled: bool,
}

impl Draft {
    /// Takes the object as it is.
    pub(crate) fn new(mut object: Map<String, Json>, mode: Mode, unknown: Unknown) -> Draft {
        let (id, version) = (object.remove("_id"), object.remove("_version"));
        Draft { object, id, version, mode, unknown, decoded: None, is_settled: false }
    }

    /// Decodes it with the schema of a view.
    pub(crate) fn decoded(mut self, view: &View, table: &str) -> Result<Draft, Problem> {
        let table = view.open_table(table)?.schema();
        if !self.reaches_inside(table) {
            self.decoded = Some((view.schema_version(), self.decode(view.schema(), table, &self.object)?));
        }
        Ok(self)
    }

    /// The same for a record that is to be added.
    pub(crate) fn decoded_as_new(self, view: &View, table: &str) -> Result<Draft, Problem> {
        let mut mistakes = Mistakes::default();
        if view.open_table(table)?.schema().parent.is_none() {
            mistakes.note(self.check_new());
        }
        let decoded = mistakes.note(self.decoded(view, table));
        mistakes.check(Kind::InvalidRecord)?;
        decoded.ok_or_else(|| Problem::new(Kind::InvalidRecord, "this is no record"))
    }

    /// Lets go of the text that it was decoded from. If the schema changes before it is written, it is refused.
    pub(crate) fn settle(&mut self) {
        if self.decoded.is_some() {
            self.object = Map::new();
            self.is_settled = true;
        }
    }

    /// Bytes of memory that it takes, nearly.
    pub(crate) fn held_bytes(&self) -> usize {
        let values = self.decoded.iter().flat_map(|(_, values)| values);
        let values: usize = values.map(|(_, value)| size_of::<usize>() + value_bytes(value)).sum();
        let texts: usize = self.object.iter().map(|(name, json)| name.len() + json_bytes(json)).sum();
        size_of::<Draft>() + values + texts
    }

    /// The fields' values, for a record that is to be inserted (`None`) or changed.
    pub(crate) fn into_values(
        self,
        tx: &Transaction,
        table: TableNo,
        target: Option<RecordId>,
    ) -> Result<Vec<(usize, Value)>> {
        self.check_target(tx, table, target)?;
        let (schema, version) = (tx.schema(), tx.catalog().version());
        match (&self.decoded, target) {
            (Some((with, _)), _) if *with == version => Ok(self.decoded.map(|(_, values)| values).unwrap_or_default()),
            _ if self.is_settled => {
                let detail = "the schema was changed while the records came: send them again";
                Err(Problem::new(Kind::SchemaChanged, detail).into())
            }
            (_, Some(id)) if self.mode == Mode::Patch => {
                let current = tx.read_table(table)?.get(id)?.values();
                let table = &schema.tables[table.at()];
                Ok(self.decode(schema, table, &self.merged(schema, table, &current))?)
            }
            _ => Ok(self.decode(schema, &schema.tables[table.at()], &self.object)?),
        }
    }

    fn decode(
        &self,
        schema: &Schema,
        table: &Table,
        object: &Map<String, Json>,
    ) -> Result<Vec<(usize, Value)>, Problem> {
        let known;
        let object = match self.unknown {
            Unknown::Refuse => object,
            Unknown::Ignore => {
                let fields = object.iter().filter(|(name, _)| table.field(name).is_some());
                known = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
                &known
            }
        };
        let values = decode_record(schema, table, object, self.mode)
            .map_err(|faults| Problem::of_faults(Kind::InvalidRecord, faults))?;
        Ok(values.into_iter().map(|(field, value)| (field.at(), value)).collect())
    }

    /// Whether a patch changes a part of a composite, and so needs the rest of it.
    fn reaches_inside(&self, table: &Table) -> bool {
        let composite = |name: &str| table.field(name).is_some_and(|(_, f)| matches!(f.ty, Type::Composite(_)));
        self.mode == Mode::Patch && self.object.iter().any(|(name, value)| value.is_object() && composite(name))
    }

    /// The patch with its composites completed from the record's present state (RFC 7396).
    fn merged(&self, schema: &Schema, table: &Table, current: &[Value]) -> Map<String, Json> {
        let merge = |(name, patch): (&String, &Json)| {
            let field = table.fields.iter().zip(current).find(|(field, _)| field.name == *name);
            let merged = match field {
                Some((field, value)) => merge(schema, &field.ty, value, patch),
                None => patch.clone(),
            };
            (name.clone(), merged)
        };
        self.object.iter().map(merge).collect()
    }

    /// The record that a new component belongs to; `None` for a record that belongs to nobody, whose `_id` is not the
    /// client's to give.
    pub(crate) fn owner(&mut self, tx: &Transaction, table: TableNo) -> Result<Option<RecordId>, Problem> {
        let schema = tx.schema();
        let table = &schema.tables[table.at()];
        let Some(parent) = table.parent.map(|parent| &schema.tables[parent.at()].name) else { return Ok(None) };
        let Some(id) = self.id.take() else {
            let detail = format!("`_id` is missing: that of the record of `{parent}` that this one belongs to");
            return Err(Problem::at(Kind::MissingField, "#/_id", detail));
        };
        let owner = id.as_u64().map(RecordId::from_u64);
        match owner {
            Some(Some(owner)) => Ok(Some(owner)),
            // A number that is nobody's id.
            Some(None) => {
                Err(Problem::at(Kind::UnknownReference, "#/_id", format!("there is no record {id} of `{parent}`")))
            }
            None => Err(Problem::at(Kind::WrongType, "#/_id", format!("`_id` must be that of a record of `{parent}`"))),
        }
    }

    /// Whether it is a whole record or some fields of one.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// That the `_id` it carries, if it does, is this one. It is not looked at again.
    pub(crate) fn confirm_id(&mut self, id: RecordId) -> Result<(), Problem> {
        match self.id.take() {
            Some(given) if given.as_u64() != Some(id.get()) => {
                Err(Problem::at(Kind::SystemMember, "#/_id", format!("`_id` of this record is {id}")))
            }
            _ => Ok(()),
        }
    }

    /// That it carries nothing that only the database gives.
    fn check_new(&self) -> Result<(), Problem> {
        let name = match (&self.id, &self.version) {
            (Some(_), _) => "_id",
            (None, Some(_)) => "_version",
            (None, None) => return Ok(()),
        };
        let detail = format!("a new record's `{name}` is given by the database");
        Err(Problem::at(Kind::SystemMember, format!("#/{name}"), detail))
    }

    /// `_id` and `_version` may stand in a body, as they do in what the server sends, if they say what is so.
    fn check_target(&self, tx: &Transaction, table: TableNo, target: Option<RecordId>) -> Result<(), Problem> {
        let Some(id) = target else { return self.check_new() };
        if self.id.is_none() && self.version.is_none() {
            return Ok(());
        }
        let version = tx.read_table(table)?.get(id)?.version();
        for (name, given, is) in [("_id", &self.id, id.get()), ("_version", &self.version, version)] {
            if given.as_ref().is_some_and(|given| given.as_u64() != Some(is)) {
                let detail = format!("`{name}` of this record is {is}");
                return Err(Problem::at(Kind::SystemMember, format!("#/{name}"), detail));
            }
        }
        Ok(())
    }
}

/// Bytes of memory that a value takes.
fn value_bytes(value: &Value) -> usize {
    let behind = match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Enum(_, Some(payload)) => value_bytes(payload),
        Value::List(values) | Value::Struct(values) => values.iter().map(value_bytes).sum(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Enum(_, None) | Value::Ref(_) => 0,
    };
    size_of::<Value>() + behind
}

/// The same for JSON; a member of an object takes its place in a table too.
fn json_bytes(json: &Json) -> usize {
    const PLACE_BYTES: usize = 16;
    let behind = match json {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(json_bytes).sum(),
        Json::Object(members) => {
            members.iter().map(|(name, json)| PLACE_BYTES + size_of::<String>() + name.len() + json_bytes(json)).sum()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    };
    size_of::<Json>() + behind
}

/// A value of this type after a merge patch.
fn merge(schema: &Schema, ty: &Type, current: &Value, patch: &Json) -> Json {
    let (Type::Composite(idx), Value::Struct(values), Json::Object(patch)) = (ty, current, patch) else {
        return patch.clone();
    };
    let mut object = patch.clone();
    for (field, value) in schema.composites[idx.at()].fields.iter().zip(values) {
        let merged = match patch.get(&field.name) {
            Some(patch) => merge(schema, &field.ty, value, patch),
            None => encode(schema, &field.ty, value),
        };
        object.insert(field.name.clone(), merged);
    }
    Json::Object(object)
}
