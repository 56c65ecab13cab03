//! What a list can be filtered and ordered by, and values that a URL gives for it.

use crate::dynamic::DynRecord;
use crate::server::params::unknown_parameter;
use crate::server::problem::{Fault, Kind, Problem};
use dbgen_schema::field_type::ScalarKind;
use dbgen_schema::json::{decode, decode_field, expected};
use dbgen_schema::{Field, Schema, Table, Type, Value};
use serde_json::Value as Json;
use std::cmp::Ordering;

/// A column of a list: a field, or what the database adds to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Column {
    Id,
    Version,
    Field(usize),
}

impl Column {
    /// The column of this name, if its values can be compared. `param` names the parameter in which it stands.
    pub(super) fn parse(table: &Table, name: &str, param: &str) -> Result<Column, Problem> {
        match name {
            "_id" => return Ok(Column::Id),
            "_version" => return Ok(Column::Version),
            _ => {}
        }
        let at = field_at(table, name, param)?;
        match table.fields[at].ty {
            Type::Array(..) | Type::List(_) | Type::Composite(_) => {
                let detail = format!("field `{name}` holds values that have no order: lists cannot be asked for it");
                Err(Problem::new(Kind::InvalidParameter, detail).member("param", param))
            }
            _ => Ok(Column::Field(at)),
        }
    }

    pub(super) fn value(self, record: DynRecord<'_>) -> Value {
        match self {
            Column::Id => Value::from(record.id().get()),
            Column::Version => Value::from(record.version()),
            Column::Field(at) => record.value(at),
        }
    }

    /// Its name, which stays when fields before it come and go.
    pub(super) fn name(self, table: &Table) -> &str {
        match self {
            Column::Id => "_id",
            Column::Version => "_version",
            Column::Field(at) => &table.fields[at].name,
        }
    }

    /// The type of its values.
    pub(super) fn ty(self, table: &Table) -> Type {
        match self {
            Column::Id | Column::Version => Type::Scalar(dbgen_schema::Scalar::U64),
            Column::Field(at) => table.fields[at].ty.clone(),
        }
    }
}

/// What a column, or the elements of one, can be asked for: any value of its type. The bounds of what may be stored do not
/// count, since who asks for less than the least gets an answer; that NaN may be stored does.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    ty: Type,
    /// The field without its bounds; none for what the database adds.
    field: Option<Field>,
}

impl Domain {
    /// That of a column.
    pub(super) fn of(table: &Table, column: Column) -> Domain {
        match column {
            Column::Id | Column::Version => Domain { ty: column.ty(table), field: None },
            Column::Field(at) => Domain::of_field(&table.fields[at], &table.fields[at].ty),
        }
    }

    /// That of a field whose values, or their elements, are of this type.
    fn of_field(field: &Field, ty: &Type) -> Domain {
        let mut field = field.clone();
        (field.ty, field.nullable, field.min, field.max) = (ty.clone(), false, None, None);
        Domain { ty: ty.clone(), field: Some(field) }
    }

    /// The type of its values.
    pub(super) fn ty(&self) -> &Type {
        &self.ty
    }

    /// The value that a JSON value stands for.
    pub(super) fn decode(&self, schema: &Schema, json: &Json, faults: &mut Vec<Fault>, pointer: &str) -> Option<Value> {
        match &self.field {
            Some(field) => decode_field(schema, field, json, faults, pointer),
            None => decode(schema, &self.ty, false, json, faults, pointer),
        }
    }

    /// The value that a text in a URL stands for. `param` names it in the problem.
    pub(super) fn text_value(&self, schema: &Schema, param: &str, text: &str) -> Result<Value, Problem> {
        let mut faults = Vec::new();
        self.decode(schema, &text_json(&self.ty, text), &mut faults, "#").ok_or_else(|| {
            let expected = expected(schema, &self.ty);
            Problem::new(Kind::InvalidFilterValue, format!("`{param}` takes {expected}, not {text:?}"))
                .member("param", param)
                .member("expected", expected)
                .member("got", text)
        })
    }
}

/// The column of a field that holds a list or an array, and what its elements can be asked for.
pub(super) fn element_domain(table: &Table, name: &str, param: &str) -> Result<(Column, Domain), Problem> {
    let at = field_at(table, name, param)?;
    match &table.fields[at].ty {
        Type::List(element) | Type::Array(element, _) => {
            Ok((Column::Field(at), Domain::of_field(&table.fields[at], element)))
        }
        _ => {
            let detail = format!("`cs` is for lists and arrays, and `{name}` is none");
            Err(Problem::new(Kind::InvalidParameter, detail).member("param", param))
        }
    }
}

/// The number of the field of this name.
pub(super) fn field_at(table: &Table, name: &str, param: &str) -> Result<usize, Problem> {
    let names = || table.fields.iter().map(|field| field.name.as_str());
    match table.field(name) {
        Some((at, _)) => Ok(at.at()),
        None => Err(unknown_parameter(name, names().chain(["_id", "_version"])).member("param", param)),
    }
}

/// The order of two values of one type. Total: of floats, every NaN stands behind all others, as in an index, and the two
/// zeros are one.
pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => float_key(*a).total_cmp(&float_key(*b)),
        (Value::List(a), Value::List(b)) | (Value::Struct(a), Value::Struct(b)) => {
            let first = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|ordering| ordering.is_ne());
            first.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Enum(a, Some(x)), Value::Enum(b, Some(y))) => a.cmp(b).then_with(|| compare(x, y)),
        _ => a.partial_cmp(b).unwrap_or(Ordering::Equal),
    }
}

/// The float that stands for all that are equal to this one.
fn float_key(value: f64) -> f64 {
    // Arithmetic makes NaN with either sign.
    if value.is_nan() { f64::NAN.abs() } else { value + 0.0 }
}

/// The value of a field that a text in a URL stands for.
pub(crate) fn text_value(schema: &Schema, field: &Field, text: &str) -> Result<Value, Problem> {
    Domain::of_field(field, &field.ty).text_value(schema, &field.name, text)
}

/// The text as it would stand in JSON: without quotes where the type is one that JSON writes without.
fn text_json(ty: &Type, text: &str) -> Json {
    let is_text = match ty {
        Type::Str(_) | Type::Text | Type::FixedBytes(_) | Type::Bytes => true,
        Type::Scalar(scalar) => scalar.desc().kind == ScalarKind::Uuid,
        _ => false,
    };
    match serde_json::from_str(text) {
        Ok(json @ (Json::Number(_) | Json::Bool(_))) if !is_text => json,
        _ => Json::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbgen_schema::Scalar;

    #[test]
    fn texts_become_values_by_type() {
        assert_eq!(text_json(&Type::Scalar(Scalar::I32), "12"), Json::from(12));
        assert_eq!(text_json(&Type::Str(8), "12"), Json::from("12"));
        assert_eq!(text_json(&Type::Scalar(Scalar::Bool), "true"), Json::from(true));
        assert_eq!(text_json(&Type::Str(8), "null"), Json::from("null"));
        assert_eq!(text_json(&Type::Scalar(Scalar::I32), "null"), Json::from("null"));
        assert_eq!(text_json(&Type::Scalar(Scalar::Uuid), "12"), Json::from("12"));
    }

    #[test]
    fn the_order_of_floats_is_total() {
        let order = |a: f64, b: f64| compare(&Value::Float(a), &Value::Float(b));
        assert_eq!(order(0.0, -0.0), Ordering::Equal);
        assert_eq!(order(f64::INFINITY, f64::NAN), Ordering::Less);
        assert_eq!(order(f64::NAN, f64::NAN), Ordering::Equal);
        assert_eq!(order(-f64::NAN, f64::NAN), Ordering::Equal);
        assert_eq!(order(-f64::NAN, f64::NEG_INFINITY), Ordering::Greater);
        assert_eq!(order(1.0, 2.0), Ordering::Less);
    }
}
