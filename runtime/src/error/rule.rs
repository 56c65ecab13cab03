//! The rules that a record can break, and how they are told.

use crate::id::RecordId;
use dbgen_schema::Value;
use std::fmt;

/// A rule of a table that a record breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The table.
    pub table: String,
    /// The field, or the fields of the index, separated by commas.
    pub field: String,
    /// The record; `None` for one that was to be inserted.
    pub id: Option<RecordId>,
    /// Where in a batch of new records it was, from 0; `None` if there was no batch.
    pub row: Option<usize>,
    /// The rule.
    pub rule: Rule,
    /// What was given.
    pub value: Value,
}

/// The rules a record can break.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// A value must be given.
    NotNull,
    /// The value is not of the field's type.
    Type {
        /// What the type is: `i32`.
        expected: String,
    },
    /// The number is outside of the bounds.
    OutOfRange {
        /// Smallest allowed.
        min: Value,
        /// Largest allowed.
        max: Value,
    },
    /// The text or list is too long.
    TooLong {
        /// Largest allowed, in bytes (elements for arrays).
        max: usize,
        /// What was given.
        got: usize,
    },
    /// NaN or an infinity in a field that does not allow them.
    NotANumber,
    /// Another record has this key.
    Unique {
        /// The index.
        index: String,
        /// The record that has it.
        existing: RecordId,
    },
    /// The record referred to does not exist.
    Reference {
        /// The table referred to.
        to_table: String,
    },
    /// The field never changes after the insert.
    Immutable,
    /// The table has no field of this number. A violation of it names the number as its field.
    UnknownField {
        /// How many fields it has: they are numbered from 0.
        fields: usize,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, field) = (&self.table, &self.field);
        write!(f, "`{table}.{field}`")?;
        if let Some(id) = self.id {
            write!(f, " of record {id}")?;
        }
        if let Some(row) = self.row {
            write!(f, " of row {row}")?;
        }
        match &self.rule {
            Rule::NotNull => write!(f, " must not be null"),
            Rule::Type { expected } => write!(f, " is of type {expected}, got {}", Shown(&self.value)),
            Rule::OutOfRange { min, max } => {
                write!(f, " must be between {} and {}, got {}", Shown(min), Shown(max), Shown(&self.value))
            }
            Rule::TooLong { max, got } => write!(f, " holds at most {max} bytes, got {got}"),
            Rule::NotANumber => write!(f, " must be a finite number, got {}", Shown(&self.value)),
            Rule::Unique { existing, .. } => {
                write!(f, " must be unique: record {existing} has {} already", Shown(&self.value))
            }
            Rule::Reference { to_table } => {
                write!(f, " refers to a record of `{to_table}` that does not exist: {}", Shown(&self.value))
            }
            Rule::Immutable => write!(f, " is a primary key: it never changes"),
            Rule::UnknownField { fields } => write!(f, " is no field: the table has {fields}, numbered from 0"),
        }
    }
}

/// A value as an error shows it: short.
pub(crate) struct Shown<'a>(pub(crate) &'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHARS_MAX: usize = 40;
        match self.0 {
            Value::Null => write!(f, "null"),
            Value::Bool(v) => write!(f, "{v}"),
            Value::Int(v) => write!(f, "{v}"),
            Value::Float(v) => write!(f, "{v}"),
            Value::Text(v) if v.chars().count() > CHARS_MAX => {
                write!(f, "\"{}…\"", v.chars().take(CHARS_MAX).collect::<String>())
            }
            Value::Text(v) => write!(f, "{v:?}"),
            Value::Bytes(v) => write!(f, "{} bytes", v.len()),
            Value::Enum(v, _) => write!(f, "variant {v}"),
            Value::Ref(v) => write!(f, "{v}"),
            Value::List(v) if v.len() == 1 => write!(f, "{}", Shown(&v[0])),
            Value::List(v) => write!(f, "{} values", v.len()),
            Value::Struct(v) => write!(f, "a composite of {} fields", v.len()),
        }
    }
}

/// Violations as an error shows them, one after another.
pub(super) struct Sentences<'a>(pub(super) &'a [Violation]);

impl fmt::Display for Sentences<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, violation) in self.0.iter().enumerate() {
            write!(f, "{}{violation}", if at == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}
