//! Dynamic values into record images: the last step before the engine for everything that does not come from generated
//! code.

use super::def::{TableDef, is_ref};
use crate::error::Rule;
use crate::record::codec::{self, ImageSink};
use crate::record::image::RecordImage;
use dbgen_schema::Value;

/// Fields by their number in the table, with their values.
pub type FieldValues<'a> = &'a [(usize, Value)];

/// Writes the given values into the image; what does not fit, or is of a field that the table does not have, is noted
/// there.
pub fn put_values(def: &TableDef, image: &mut RecordImage, values: FieldValues<'_>) {
    for (field, value) in values {
        match def.fields.get(*field) {
            Some(_) => put_value(def, image, *field, value),
            None => image.misfit(*field, Rule::UnknownField { fields: def.fields.len() }, value.clone()),
        }
    }
}

/// Writes the defaults of fields that are not given. One that must be given is noted as missing.
pub fn put_defaults(def: &TableDef, image: &mut RecordImage, given: FieldValues<'_>) {
    for (at, field) in def.fields.iter().enumerate() {
        if given.iter().any(|(given, _)| *given == at) || field.counter.is_some() {
            continue;
        }
        match &field.default {
            Some(value) => put_value(def, image, at, value),
            // The engine refuses a null reference by itself.
            None if is_ref(field) => {}
            None => image.misfit(at, Rule::NotNull, Value::Null),
        }
    }
}

/// Writes one value into the record of the image that is being encoded.
pub fn put_value(def: &TableDef, image: &mut RecordImage, at: usize, value: &Value) {
    let field = &def.fields[at];
    if value.is_null() && field.nullable {
        def.put_cell(image.record_mut(), at, None);
        return;
    }
    let mut cell = vec![0; field.at.size];
    match codec::write(&field.plan, value, &mut cell, &mut ImageSink { image, field: at }) {
        Ok(()) => def.put_cell(image.record_mut(), at, Some(&cell)),
        Err((rule, value)) => image.misfit(at, rule, value),
    }
}

/// Completes an image that generated code made: it knows nothing of the fields that were added to its table since, which
/// come last. They take what `stored` holds, or their defaults.
#[cold]
pub fn put_extension(def: &TableDef, image: &mut RecordImage, stored: Option<&[u8]>) {
    let compiled = image.fixed.len();
    if let Some(stored) = stored {
        image.fixed.extend_from_slice(&stored[compiled..]);
        return;
    }
    image.fixed.resize(def.layout.image_bytes, 0);
    for (at, field) in def.fields.iter().enumerate().filter(|(_, field)| field.at.image_offset >= compiled) {
        if let Some(value) = &field.default {
            put_value(def, image, at, value);
        }
    }
}
